//! One cell of a table or one value of a JSON object, not yet interpreted.

use serde_json::Value;

/// Most characters of a value in a report.
pub const MAX_SHOWN_CHARS: usize = 80;

/// A value as in the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text of a table.
    Text(String),
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
    /// The cell as text.
    ///
    /// # Errors
    /// A reason in Chinese for a list, an object, a boolean, or a broken cell.
    pub fn text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => Ok(text.clone()),
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

    /// The cell as list: a JSON array unchanged, a text split at 、，,;； and line breaks.
    ///
    /// # Errors
    /// As [`Self::text`], for the cell or for an entry.
    pub fn list(&self) -> Result<Vec<String>, String> {
        let entries = match self {
            Self::Json(Value::Array(values)) => {
                values.iter().map(|value| Self::Json(value.clone()).text()).collect::<Result<Vec<_>, _>>()?
            }
            _ => split(&self.text()?),
        };
        Ok(entries.iter().map(|entry| one_line(entry)).filter(|entry| !entry.is_empty()).collect())
    }

    /// Returns whether its text, or any text within its list or object, contains the character.
    pub fn contains(&self, character: char) -> bool {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => text.contains(character),
            Self::Json(value) => value.to_string().contains(character),
            Self::Broken { .. } => false,
        }
    }

    /// The value for a report.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) | Self::Broken { shown: text, .. } => cut(text),
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

/// Entries of a list in a cell.
pub fn split(text: &str) -> Vec<String> {
    text.split(['、', '，', ',', ';', '；', '\n', '\r']).map(String::from).collect()
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
        let check = |cell: Cell, want: &[&str]| assert_eq!(cell.list().unwrap(), want);
        check(
            Cell::Text("电池、热管理，安全,寿命; 回收；\n梯次 利用".into()),
            &["电池", "热管理", "安全", "寿命", "回收", "梯次 利用"],
        );
        check(json(json!(["聚酰亚胺, 改性", "", 5])), &["聚酰亚胺, 改性", "5"]);
        check(json(json!("a、b")), &["a", "b"]);
        check(json(json!(null)), &[]);
        assert!(json(json!([["a"]])).list().is_err());
    }

    #[test]
    fn what_is_shown_is_cut() {
        assert_eq!(Cell::Text("长".repeat(80)).shown(), "长".repeat(80));
        assert_eq!(Cell::Text("长".repeat(81)).shown(), format!("{}…", "长".repeat(79)));
        assert_eq!(Cell::Json(json!({"a": [1]})).shown(), r#"{"a":[1]}"#);
    }
}
