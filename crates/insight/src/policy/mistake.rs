//! Mistakes in rule files, in Chinese, for authors who are not programmers.

use std::fmt;

use thiserror::Error;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Name of the file, or of the folder.
    pub file: String,
    /// Line, from 1; 0 for the whole file.
    pub line: usize,
    /// The mistake and how to fix it.
    pub reason: String,
}

/// Unusable rule files. No rule is loaded then: a silently missing rule would be worse than a service that does not
/// start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", lines(.0))]
pub struct PolicyError(
    /// All mistakes, by file and line.
    pub Vec<Mistake>,
);

/// Maximum mistakes shown at once.
const MAX_SHOWN: usize = 50;

fn lines(mistakes: &[Mistake]) -> String {
    let mut lines: Vec<String> = mistakes.iter().take(MAX_SHOWN).map(ToString::to_string).collect();
    if MAX_SHOWN < mistakes.len() {
        lines.push(format!("……共 {} 处错误", mistakes.len()));
    }
    lines.join("\n")
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}：{}", self.file, self.reason),
            line => write!(f, "{} 第 {line} 行：{}", self.file, self.reason),
        }
    }
}

/// Line number of a byte offset, from 1.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

/// The parser's message in Chinese if known, otherwise unchanged.
pub(super) fn chinese(message: &str) -> String {
    let name = || quoted(message).unwrap_or_default();
    if message.starts_with("unknown field") {
        let known = message.split_once("expected ").map_or("", |(_, known)| known);
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return format!("不认识字段 {}，这里可以写：{}", name(), known.join("、"));
    }
    if message.starts_with("missing field") {
        return format!("缺少字段 {}", name());
    }
    if message.starts_with("duplicate key") {
        return "字段重复，请只写一次".to_string();
    }
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        let (found, wanted) = rest.split_once(", expected ").unwrap_or((rest, ""));
        return format!("类型不对：写的是 {}，应为{}", type_name(found), type_name(wanted));
    }
    format!("不是有效的 TOML（{message}）")
}

fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

/// Chinese name of a type, followed by the value.
fn type_name(english: &str) -> String {
    let names = [
        ("string", "带引号的文字"),
        ("a string", "带引号的文字"),
        ("floating point", "小数"),
        ("integer", "整数"),
        ("boolean", "真假值"),
        ("sequence", "方括号列表"),
        ("a sequence", "方括号列表"),
        ("map", "表"),
        ("i64", "整数"),
        ("i16", "整数"),
        ("a TOML datetime", "日期，例如 2021-07-01"),
        ("struct", "表"),
    ];
    let found = names.iter().find(|(name, _)| english.starts_with(name));
    found.map_or_else(
        || english.to_string(),
        |(name, chinese)| {
            let rest = english.strip_prefix(name).unwrap_or_default();
            if rest.starts_with(" Raw") { (*chinese).to_string() } else { format!("{chinese}{rest}") }
        },
    )
}
