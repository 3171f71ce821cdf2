//! JSON objects of a JSONL file, one per line, in constant memory.

use std::io::{self, Read};

use serde_json::{Map, Value};

use super::{delimited::MAX_ROW_BYTES, headings::MAX_COLUMNS, text::Text};

/// Keys whose objects are flattened, so that the service's own output (records, wire messages) can be read.
const OPENED: [&str; 5] = ["common", "detail", "achievement", "demand", "expert"];
/// Depth of flattening: `detail.achievement` or `achievement.common`.
const MAX_OPENED: u32 = 2;

/// Keys and values of one line.
pub type Pairs = Vec<(String, Value)>;

/// One line, or its error.
#[derive(Debug)]
pub struct Line {
    /// Line number, from 1.
    pub number: u64,
    /// Keys and values, or the start of the line and a reason in Chinese.
    pub pairs: Result<Pairs, (String, String)>,
}

/// Reads lines.
pub struct Lines<R> {
    /// Remaining text.
    pub text: Text<R>,
    number: u64,
}

// === impl Lines ===

impl<R: Read> Lines<R> {
    /// Lines of a text from its start.
    pub fn new(text: Text<R>) -> Self {
        Self { text, number: 0 }
    }

    /// The next non-blank line; `None` at the end.
    ///
    /// # Errors
    /// Read errors.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let rest = self.text.rest();
            let (end, length) = (rest.find('\n'), rest.len());
            if end.is_none() && !self.text.ended() && length <= MAX_ROW_BYTES {
                self.text.fill(2 * length + 1)?;
                continue;
            }
            if rest.is_empty() {
                return Ok(None);
            }
            self.number += 1;
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            if MAX_ROW_BYTES < line.len() {
                let start = line.chars().take(200).collect();
                self.text.skip_line(&['\n'])?;
                let pairs = Err((start, "这一行超过 1 MiB，请删减内容".into()));
                return Ok(Some(Line { number: self.number, pairs }));
            }
            let pairs = (!line.trim().is_empty()).then(|| pairs(line));
            let used = end.map_or(length, |end| end + 1);
            self.text.consume(used);
            if let Some(pairs) = pairs {
                return Ok(Some(Line { number: self.number, pairs }));
            }
        }
    }
}

/// Keys and values of a line's object.
///
/// # Errors
/// The start of the line and a reason in Chinese.
pub fn pairs(line: &str) -> Result<Pairs, (String, String)> {
    let refuse = |reason: String| Err((line.trim().chars().take(200).collect(), reason));
    let parsed = serde_json::from_str(line).or_else(|error| match mended(line) {
        Some(mended) => serde_json::from_str(&mended).map_err(|_| error),
        None => Err(error),
    });
    let object = match parsed {
        Ok(Value::Object(object)) => object,
        Ok(_) => return refuse("这一行不是 JSON 对象，应以 { 开头、以 } 结尾".into()),
        Err(error) => {
            return refuse(format!(
                "这一行不是合法的 JSON（第 {} 个字节附近），请检查引号、逗号和数字",
                error.column()
            ));
        }
    };
    let mut pairs = Pairs::new();
    open(object, MAX_OPENED, &mut pairs);
    if MAX_COLUMNS < pairs.len() {
        return refuse(format!("对象有 {} 个键，最多 {MAX_COLUMNS} 个", pairs.len()));
    }
    Ok(pairs)
}

/// The line with `null` for NaN and Infinity, which Python writes, and without NUL characters; `None` if it has neither.
fn mended(line: &str) -> Option<String> {
    const WORDS: [&str; 4] = ["-Infinity", "Infinity", "NaN", "\0"];
    if !WORDS.iter().any(|word| line.contains(word)) {
        return None;
    }
    let (mut out, mut quoted, mut rest) = (String::new(), false, line);
    while let Some(c) = rest.chars().next() {
        let word = WORDS.iter().find(|word| rest.starts_with(**word) && (!quoted || **word == "\0"));
        if let Some(word) = word {
            out.push_str(if *word == "\0" { "" } else { "null" });
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        let escaped = if quoted && c == '\\' { rest.chars().nth(1) } else { None };
        quoted ^= c == '"';
        out.push(c);
        out.extend(escaped);
        rest = rest.get(c.len_utf8() + escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
    }
    Some(out)
}

/// Adds the pairs of an object and of its flattened inner objects.
fn open(object: Map<String, Value>, depth: u32, pairs: &mut Pairs) {
    for (key, value) in object {
        match value {
            Value::Object(inner) if 0 < depth && OPENED.contains(&key.as_str()) => open(inner, depth - 1, pairs),
            Value::Object(owner) if matches!(key.as_str(), "owner" | "单位") => open_owner(&key, owner, pairs),
            value => pairs.push((key, value)),
        }
    }
}

/// Adds the parts of an owner. Those that are not known become keys that are not known, which the user is told.
fn open_owner(key: &str, owner: Map<String, Value>, pairs: &mut Pairs) {
    const PARTS: [(&str, &[&str]); 3] = [
        ("", &["name", "名称", "单位名称"]),
        ("credit_code", &["credit_code", "creditCode", "统一社会信用代码"]),
        ("owner_type", &["type", "类型", "单位类型"]),
    ];
    let mut owner: Vec<_> = owner.into_iter().collect();
    for (own, names) in PARTS {
        if let Some(place) = owner.iter().position(|(part, _)| names.contains(&part.as_str())) {
            let (_, value) = owner.remove(place);
            pairs.push((if own.is_empty() { key } else { own }.to_string(), value));
        }
    }
    pairs.extend(owner.into_iter().map(|(part, value)| (format!("{key}.{part}"), value)));
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_8;
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(u64, Result<Vec<String>, String>)> {
        let mut lines = Lines::new(Text::new(text.as_bytes(), UTF_8));
        let mut read = Vec::new();
        while let Some(Line { number, pairs }) = lines.next_line().unwrap() {
            let keys = pairs.map(|pairs| pairs.into_iter().map(|(key, _)| key).collect());
            read.push((number, keys.map_err(|(_, reason)| reason)));
        }
        read
    }

    #[test]
    fn lines_are_objects() {
        let got = read("{\"id\":1}\r\n\n[1]\nnull\n{\"id\":\n{\"a\":1e400}\n{\"b\":2}");
        let numbers: Vec<_> = got.iter().map(|(number, keys)| (*number, keys.is_ok())).collect();
        assert_eq!(numbers, [(1, true), (3, false), (4, false), (5, false), (6, false), (7, true)]);
        assert!(got[1].1.as_ref().is_err_and(|reason| reason.contains("不是 JSON 对象")));
        assert!(got[3].1.as_ref().is_err_and(|reason| reason.contains("不是合法的 JSON")));
    }

    #[test]
    fn what_python_writes_is_read() {
        let values =
            |line: &str| pairs(line).unwrap().into_iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>();
        assert_eq!(
            values(r#"{"a":NaN,"b":-Infinity,"c":[NaN,1],"d":"NaN \" NaN"}"#),
            ["null", "null", "[null,1]", r#""NaN \" NaN""#]
        );
        assert_eq!(values("{\"a\":\"x\0y\",\0\"b\":1}"), ["\"xy\"", "1"]);
        assert!(pairs("{\"a\":NaNa}").is_err());
    }

    #[test]
    fn long_and_wide_lines_are_refused() {
        let wide: Vec<_> = (0..201).map(|i| format!("\"k{i}\":1")).collect();
        let text = format!("{{\"a\":\"{}\"}}\n{{{}}}\n{{\"b\":1}}", "长".repeat(400_000), wide.join(","));
        let got = read(&text);
        assert!(got[0].1.as_ref().is_err_and(|reason| reason.contains("1 MiB")));
        assert!(got[1].1.as_ref().is_err_and(|reason| reason.contains("201 个键")));
        assert_eq!(got[2], (3, Ok(vec!["b".to_string()])));
    }

    #[test]
    fn objects_are_opened() {
        let check = |line: &str, want: &[&str]| {
            let keys: Vec<_> = pairs(line).unwrap().into_iter().map(|(key, _)| key).collect();
            assert_eq!(keys, want, "{line}");
        };
        check(
            r#"{"owner":{"name":"甲","type":"enterprise","credit_code":""}}"#,
            &["owner", "credit_code", "owner_type"],
        );
        check(r#"{"owner":{"单位名称":"甲","phone":"1"}}"#, &["owner", "owner.phone"]);
        check(r#"{"单位":{"名称":"甲","地址":{"市":"乙"}}}"#, &["单位", "单位.地址"]);
        check(r#"{"owner":"甲"}"#, &["owner"]);
        check(r#"{"id":"1","detail":{"demand":{"budget_yuan":5}}}"#, &["id", "budget_yuan"]);
        check(
            r#"{"demand":{"common":{"id":"1","owner":{"name":"甲"}},"budget_yuan":5}}"#,
            &["id", "owner", "budget_yuan"],
        );
        check(r#"{"common":{"common":{"common":{"id":1}}}}"#, &["common"]);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[\\PC\n{}\"]{0,80}") {
            prop_assert!(read(&text).len() <= text.lines().count());
        }
    }
}
