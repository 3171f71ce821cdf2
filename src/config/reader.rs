//! Reads values by key and collects every mistake.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, str::FromStr};

use jiff::{civil::Time, tz::TimeZone};

use super::{
    ConfigError,
    keys::{KEYS, RENAMED},
};

/// Values by key, and the mistakes found so far.
pub struct Reader {
    values: BTreeMap<&'static str, String>,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Reader {
    /// Merges file and environment over the defaults; the environment wins.
    pub fn new(toml: &str, env: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = KEYS.iter().map(|key| (key.name, key.default.to_string())).collect();
        let mut reader = Self { values, mistakes: Vec::new(), warnings: Vec::new() };
        match toml.parse::<toml::Table>() {
            Ok(table) => reader.read_table("", &table),
            Err(error) => reader.mistakes.push(format!("不是有效的 TOML：{}", error.message())),
        }
        for (name, value) in env.into_iter().filter(|(name, _)| name.starts_with("DUIJIE_")) {
            match reader.known(&name, env_name) {
                Some(key) => drop(reader.values.insert(key, value)),
                None => reader.mistakes.push(format!("环境变量 {name} 不对应任何配置项，请删去或改正名称")),
            }
        }
        reader
    }

    fn read_table(&mut self, path: &str, table: &toml::Table) {
        for (name, value) in table {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let toml::Value::Table(inner) = value {
                self.read_table(&path, inner);
                continue;
            }
            let Some(key) = self.known(&path, str::to_string) else {
                self.mistakes.push(format!("未知的配置项 {path}，请用 duijie config 查看全部配置项"));
                continue;
            };
            let value = match value {
                toml::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            self.values.insert(key, value);
        }
    }

    /// The key for `name`, with keys spelled by `written`. An old name is accepted with a warning.
    fn known(&mut self, name: &str, written: impl Fn(&str) -> String) -> Option<&'static str> {
        if let Some(key) = KEYS.iter().find(|key| written(key.name) == name) {
            return Some(key.name);
        }
        let (_, new) = RENAMED.iter().find(|(old, _)| written(old) == name)?;
        self.warnings.push(format!("配置项 {name} 已改名为 {}，旧名仍可用，请改用新名", written(new)));
        Some(new)
    }

    /// Unparsed value.
    pub fn text(&mut self, name: &str) -> String {
        self.values.get(name).cloned().unwrap_or_default()
    }

    /// Value; `None` if empty.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Value as a path; an empty one is a mistake.
    pub fn path(&mut self, name: &str) -> PathBuf {
        let text = self.text(name);
        if text.is_empty() {
            self.mistakes.push(format!("{name} 不能为空"));
        }
        PathBuf::from(text)
    }

    /// Value as an address with a port.
    pub fn address(&mut self, name: &str) -> SocketAddr {
        self.optional_address(name).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Value as an address with a port; `None` if empty or wrong.
    pub fn optional_address(&mut self, name: &str) -> Option<SocketAddr> {
        let text = self.optional(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.mistakes.push(format!("{name} = \"{text}\" 不是“地址:端口”，例如 127.0.0.1:50051"));
        }
        parsed
    }

    /// Value as `true` or `false`.
    pub fn flag(&mut self, name: &str) -> bool {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            self.mistakes.push(format!("{name} = {text} 应为 true 或 false"));
            false
        })
    }

    /// Value as a comma-separated list of web server addresses; empty if the value is empty.
    pub fn urls(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name);
        let parts = text.split(',').map(|part| part.trim().trim_end_matches('/')).filter(|part| !part.is_empty());
        let urls: Vec<String> = parts.map(str::to_string).collect();
        for url in &urls {
            let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            if host.is_none_or(|host| host.is_empty() || url.parse::<http::Uri>().is_err()) {
                self.mistake(format!("{name} 中的 \"{url}\" 不是 http:// 或 https:// 开头的地址"));
            }
        }
        urls
    }

    /// Value as a name made of letters, digits, `_` and `-`.
    pub fn name(&mut self, name: &str) -> String {
        let text = self.text(name);
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !plain || text.is_empty() || 64 < text.len() {
            self.mistake(format!("{name} = \"{text}\" 应为 1 到 64 个字母、数字、下划线或连字符"));
        }
        text
    }

    /// Value as one of a few words; the first choice if it is none of them.
    pub fn choice<T: Copy, const N: usize>(&mut self, name: &str, choices: &[(&str, T); N]) -> T {
        const { assert!(0 < N) };
        let text = self.text(name);
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return *choice;
        }
        let words = choices.map(|(word, _)| word).join("、");
        self.mistake(format!("{name} = \"{text}\" 应为 {words} 之一"));
        choices[0].1
    }

    /// Value as a time of day; `None` if empty or wrong.
    pub fn time_of_day(&mut self, name: &str) -> Option<Time> {
        let text = self.optional(name)?;
        let parsed = Time::strptime("%H:%M", &text).ok();
        if parsed.is_none() {
            self.mistake(format!("{name} = \"{text}\" 应为“时:分”，例如 02:30"));
        }
        parsed
    }

    /// Value as a time zone name; China's zone needs no time zone database.
    pub fn time_zone(&mut self, name: &str) -> TimeZone {
        let china = TimeZone::fixed(jiff::tz::offset(8));
        let text = self.text(name);
        if text == "Asia/Shanghai" {
            return china;
        }
        TimeZone::get(&text).unwrap_or_else(|_| {
            self.mistake(format!("{name} = \"{text}\" 不是已知的时区，例如 Asia/Shanghai"));
            china
        })
    }

    /// Records a mistake that does not belong to a single value.
    pub fn mistake(&mut self, sentence: String) {
        self.mistakes.push(sentence);
    }

    /// Value as a number within the key's range.
    pub fn number<T: FromStr + Default>(&mut self, name: &str) -> T {
        let text = self.text(name);
        let range = KEYS.iter().find(|key| key.name == name).and_then(|key| key.range.clone()).unwrap_or(0.0..=0.0);
        let fits = text.parse::<f64>().is_ok_and(|number| range.contains(&number));
        match text.parse::<T>() {
            Ok(number) if fits => number,
            _ => {
                let (min, max) = range.into_inner();
                self.mistakes.push(format!("{name} = {text} 应为 {min} 到 {max} 之间的数"));
                T::default()
            }
        }
    }

    /// Adds advice on a configuration that works but should be changed.
    pub(super) fn advise(&mut self, sentence: String) {
        self.warnings.push(sentence);
    }

    /// Returns the warnings, or all mistakes.
    pub fn finish(self) -> Result<Vec<String>, ConfigError> {
        if self.mistakes.is_empty() { Ok(self.warnings) } else { Err(ConfigError(self.mistakes)) }
    }
}

/// Name of the environment variable for a key.
fn env_name(key: &str) -> String {
    format!("DUIJIE_{}", key.replace('.', "_").to_ascii_uppercase())
}
