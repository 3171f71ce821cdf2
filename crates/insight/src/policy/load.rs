//! Loads the folder of rule files, all or none.

use std::{fs, io::Read, path::Path};

use super::{
    deal::Deal,
    mistake::{Mistake, PolicyError},
    note::Note,
    rule::Policy,
};

/// Maximum rule files: a few for each of 34 provinces.
pub const MAX_FILES: usize = 128;
/// Maximum bytes of a rule file. Hebei's, with all its comments, has 6 KB.
pub const MAX_FILE_BYTES: usize = 64 * 1024;
/// Maximum folder entries examined, of any type.
const MAX_ENTRIES: usize = 10_000;

/// All rules, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies(Vec<Policy>);

// === impl Policies ===

impl Policies {
    /// Reads every `*.toml` directly in a folder.
    ///
    /// # Errors
    /// The folder cannot be read, has too many files, or files are wrong: all mistakes of all files, with lines.
    pub fn load(folder: &Path) -> Result<Self, PolicyError> {
        let names = names(folder).map_err(|reason| about(&folder.display().to_string(), reason))?;
        let mut policies = Vec::new();
        let mut mistakes = Vec::new();
        for name in names {
            let text = read(&folder.join(&name)).map_err(|reason| Mistake { file: name.clone(), line: 0, reason });
            match text.map_err(|mistake| vec![mistake]).and_then(|text| Policy::parse(&name, &text)) {
                Ok(policy) => policies.push((name, policy)),
                Err(found) => mistakes.extend(found),
            }
        }
        Self::joined(policies, mistakes)
    }

    /// Parses rules from memory: pairs of name and content.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, PolicyError> {
        let mut policies = Vec::new();
        let mut mistakes = Vec::new();
        for (name, text) in files {
            match Policy::parse(name, text) {
                Ok(policy) => policies.push((name.to_string(), policy)),
                Err(found) => mistakes.extend(found),
            }
        }
        Self::joined(policies, mistakes)
    }

    /// Notes on a deal, by rule id. Rules that cannot apply to the buyer's region are left out; other rules without a
    /// subsidy state why.
    pub fn notes(&self, deal: &Deal<'_>) -> Vec<Note> {
        self.0
            .iter()
            .filter(|policy| policy.may_hold_buyer(deal.buyer_region))
            .map(|policy| policy.note(deal))
            .collect()
    }

    /// All rules, by id.
    pub fn all(&self) -> &[Policy] {
        &self.0
    }

    fn joined(mut policies: Vec<(String, Policy)>, mut mistakes: Vec<Mistake>) -> Result<Self, PolicyError> {
        policies.sort_by(|(one_file, one), (other_file, other)| (&one.id, one_file).cmp(&(&other.id, other_file)));
        for pair in policies.windows(2) {
            if let [(first, one), (second, other)] = pair
                && one.id == other.id
            {
                let reason = format!("规则编号 {} 与文件 {first} 相同，请换一个", one.id);
                mistakes.push(Mistake { file: second.clone(), line: 0, reason });
            }
        }
        if !mistakes.is_empty() {
            mistakes.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
            return Err(PolicyError(mistakes));
        }
        Ok(Self(policies.into_iter().map(|(_, policy)| policy).collect()))
    }
}

/// Names of the rule files, in order.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let unreadable = |error: std::io::Error| format!("读不了规则文件夹（{error}），请检查路径和权限");
    let mut names = Vec::new();
    for (index, entry) in fs::read_dir(folder).map_err(unreadable)?.enumerate() {
        if MAX_ENTRIES <= index {
            return Err(format!("文件夹中的条目超过 {MAX_ENTRIES} 个，请只放规则文件"));
        }
        let name = entry.map_err(unreadable)?.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.ends_with(".toml") && !name.starts_with('.') {
            names.push(name.to_string());
        }
    }
    if MAX_FILES < names.len() {
        return Err(format!("规则文件有 {} 个，至多 {MAX_FILES} 个", names.len()));
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("读不了文件（{error}），请检查权限");
    // a pipe or device could block forever
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("不是普通文件".to_string());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_FILE_BYTES + 1).unwrap_or(u64::MAX);
    fs::File::open(path).map_err(unreadable)?.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if MAX_FILE_BYTES < bytes.len() {
        return Err(format!("文件超过 {} KB", MAX_FILE_BYTES / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "不是 UTF-8 编码，请另存为 UTF-8".to_string())
}

fn about(file: &str, reason: String) -> PolicyError {
    PolicyError(vec![Mistake { file: file.to_string(), line: 0, reason }])
}
