//! One cell of a table or one value of a JSON object, not yet interpreted.

use serde_json::Value;

/// Most characters of a value in a report.
pub const MAX_SHOWN_CHARS: usize = 80;

/// A value as in the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text of a table.
    Text(String),
    /// Number or date of a sheet.
    Number {
        /// With the 15 digits that a spreadsheet keeps; a date as `2026-11-23`.
        raw: String,
        /// As the sheet displays it: `99.5%`, `00123`, `2026年11月`.
        shown: String,
    },
    /// Value of a JSON object.
    Json(Value),
    /// A cell with a spreadsheet error, or with lost digits.
    Broken {
        /// The value displayed in the sheet.
        shown: String,
        /// Reason, in Chinese.
        reason: &'static str,
    },
}

// === impl Cell ===

impl Cell {
    /// The cell as text; a number as the sheet displays it.
    ///
    /// # Errors
    /// A reason in Chinese for a list, an object, a boolean, or a broken cell.
    pub fn text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) | Self::Number { shown: text, .. } => Ok(text.clone()),
            Self::Json(Value::Null) => Ok(String::new()),
            Self::Json(Value::Number(number)) => {
                let text = number.to_string();
                Ok(text.strip_suffix(".0").map_or(text.clone(), String::from))
            }
            Self::Json(Value::Bool(_)) => Err("应为文字或数字，不能是 true 或 false".into()),
            Self::Json(Value::Array(_)) => Err("应为一个值，不能是列表".into()),
            Self::Json(Value::Object(_)) => Err("应为一个值，不能是对象".into()),
            Self::Broken { reason, .. } => Err((*reason).to_string()),
        }
    }

    /// The cell as list: a JSON array unchanged, a text split by `split`.
    ///
    /// # Errors
    /// As [`Self::text`], for the cell or for an entry.
    pub fn list(&self, split: impl Fn(&str) -> Vec<String>) -> Result<Vec<String>, String> {
        let entries = match self {
            Self::Json(Value::Array(values)) => {
                values.iter().map(|value| Self::Json(value.clone()).text()).collect::<Result<Vec<_>, _>>()?
            }
            _ => split(&self.text()?),
        };
        Ok(entries.iter().map(|entry| one_line(entry)).filter(|entry| !entry.is_empty()).collect())
    }

    /// The cell without the characters that no text has (NUL and other control characters); `None` if it has none.
    pub fn cleaned(&self) -> Option<Self> {
        let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        match self {
            Self::Text(text) if text.contains(bad) => Some(Self::Text(text.replace(bad, ""))),
            Self::Json(Value::String(text)) if text.contains(bad) => {
                Some(Self::Json(Value::String(text.replace(bad, ""))))
            }
            _ => None,
        }
    }

    /// Returns whether it is one of the words that programs write for "no value".
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => {
                matches!(text.trim(), "NaN" | "nan" | "NaT" | "None" | "null" | "NULL" | "<NA>")
            }
            _ => false,
        }
    }

    /// Returns whether its text, or any text within its list or object, contains the character.
    pub fn contains(&self, character: char) -> bool {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => text.contains(character),
            Self::Json(value) => value.to_string().contains(character),
            Self::Number { .. } | Self::Broken { .. } => false,
        }
    }

    /// The value for a report.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text)
            | Self::Json(Value::String(text))
            | Self::Number { shown: text, .. }
            | Self::Broken { shown: text, .. } => cut(text),
            Self::Json(Value::Null) => String::new(),
            Self::Json(value) => cut(&value.to_string()),
        }
    }
}

/// Cuts a text to [`MAX_SHOWN_CHARS`] characters; a cut text ends in an ellipsis.
pub fn cut(text: &str) -> String {
    if text.chars().nth(MAX_SHOWN_CHARS).is_none() {
        return text.to_string();
    }
    text.chars().take(MAX_SHOWN_CHARS - 1).chain(['…']).collect()
}

/// Text on one line: trimmed, each run of white space as one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Marks between the entries of a list, in any list.
const MARKS: [char; 9] = ['、', '，', ',', ';', '；', '\n', '\r', '|', '｜'];

/// Entries of a list of words: split at 、，,;；| and line breaks. A list without these is split at blanks and strokes, but
/// not between Latin letters: `TCP/IP` and `deep learning` are one word.
pub fn words(text: &str) -> Vec<String> {
    if text.contains(MARKS) {
        return split(text);
    }
    let text = unwrapped(text).trim();
    let (mut entries, mut entry) = (Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let between = latin(entry.chars().last()) && latin(characters.peek().copied());
        if (c.is_whitespace() || matches!(c, '/' | '／')) && !between {
            entries.push(std::mem::take(&mut entry));
        } else {
            entry.push(c);
        }
    }
    entries.push(entry);
    entries
}

/// Entries of a list of codes or ids, none of which has a blank or a stroke.
pub fn codes(text: &str) -> Vec<String> {
    unwrapped(text)
        .split(|c: char| MARKS.contains(&c) || c.is_whitespace() || matches!(c, '/' | '／'))
        .map(String::from)
        .collect()
}

/// Entries of a list in a cell.
pub fn split(text: &str) -> Vec<String> {
    let inner = unwrapped(text);
    let quotes: &[char] = if inner.len() < text.len() { &['"', '\''] } else { &[] };
    inner.split(MARKS).map(|entry| entry.trim().trim_matches(quotes).to_string()).collect()
}

/// A list as Python prints it, without its brackets.
fn unwrapped(text: &str) -> &str {
    let inner = text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inner.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_lists() {
        let json = Cell::Json;
        assert_eq!(json(json!(17)).text(), Ok("17".into()));
        assert_eq!(json(json!(7.0)).text(), Ok("7".into()));
        assert_eq!(json(json!(null)).text(), Ok(String::new()));
        assert!(json(json!(true)).text().is_err());
        assert!(json(json!({})).text().is_err());
        let check = |cell: Cell, want: &[&str]| assert_eq!(cell.list(words).unwrap(), want);
        check(
            Cell::Text("电池、热管理，安全,寿命; 回收；\n梯次 利用".into()),
            &["电池", "热管理", "安全", "寿命", "回收", "梯次 利用"],
        );
        check(json(json!(["聚酰亚胺, 改性", "", 5])), &["聚酰亚胺, 改性", "5"]);
        check(json(json!("a、b")), &["a", "b"]);
        check(json(json!(null)), &[]);
        let text = |text: &str| Cell::Text(text.into());
        check(text("烧结|漏风｜治理"), &["烧结", "漏风", "治理"]);
        check(text("炉渣 水淬\u{3000}粒化"), &["炉渣", "水淬", "粒化"]);
        check(text("热风炉/拱顶/温度"), &["热风炉", "拱顶", "温度"]);
        check(text("TCP/IP 网络"), &["TCP/IP", "网络"]);
        check(text("deep learning"), &["deep learning"]);
        check(text("['激光', '焊接']"), &["激光", "焊接"]);
        assert_eq!(codes("a-1 a-2/a-3|a-4"), ["a-1", "a-2", "a-3", "a-4"]);
        assert!(json(json!([["a"]])).list(words).is_err());
    }

    #[test]
    fn what_is_shown_is_cut() {
        assert_eq!(Cell::Text("长".repeat(80)).shown(), "长".repeat(80));
        assert_eq!(Cell::Text("长".repeat(81)).shown(), format!("{}…", "长".repeat(79)));
        assert_eq!(Cell::Json(json!({"a": [1]})).shown(), r#"{"a":[1]}"#);
    }
}
