//! Kind of the records in a file, and the resulting meanings of its headings.

use std::path::Path;

use super::{
    ReadOptions,
    error::FileProblem,
    fields::Field,
    headings::{self, Target},
    mapping::Mapping,
};
use duijie_core::domain::Kind;

/// Resolves headings with a mapping, for one kind or any.
#[derive(Debug, Clone, Copy)]
pub struct Resolver<'a> {
    /// The kind, if known.
    pub kind: Option<Kind>,
    /// The mapping.
    pub mapping: &'a Mapping,
}

// === impl Resolver ===

impl Resolver<'_> {
    /// Meaning of a heading: by the mapping, else by the table of headings.
    pub fn find(&self, heading: &str) -> Option<Target> {
        match self.mapping.find(heading) {
            Some(target) => target,
            // mapped columns have rank 0, so they come before all others
            None => headings::find(heading, self.kind).map(|target| Target { rank: target.rank + 1, ..target }),
        }
    }

    /// Number of known headings; `None` without a title.
    pub fn score(&self, headings: &[String]) -> Option<usize> {
        let known: Vec<_> = headings.iter().filter_map(|heading| self.find(heading)).collect();
        known.iter().any(|target| target.field == Field::Title).then_some(known.len())
    }
}

/// Kind given by the options or the mapping.
///
/// # Errors
/// [`FileProblem::KindConflict`].
pub fn named(options: &ReadOptions) -> Result<Option<Kind>, FileProblem> {
    let mapped = options.mapping.as_ref().and_then(|mapping| mapping.kind);
    match (options.kind, mapped) {
        (Some(asked), Some(mapped)) if asked != mapped => Err(FileProblem::KindConflict { asked, mapped }),
        (asked, mapped) => Ok(asked.or(mapped)),
    }
}

/// Kind as given, else by the headings (including the mapping's fields), else by the file name.
///
/// # Errors
/// [`FileProblem::UnknownKind`], and [`FileProblem::FieldsOfOtherKind`] if the mapping does not fit the kind.
pub fn decide(named: Option<Kind>, headings: &[String], mapping: &Mapping, path: &Path) -> Result<Kind, FileProblem> {
    let meant = headings.iter().filter_map(|heading| match mapping.find(heading) {
        Some(target) => target.map(|target| target.field.key()),
        None => Some(heading.as_str()),
    });
    let kind = named.or_else(|| headings::guess_kind(meant)).or_else(|| by_file_name(path));
    let kind = kind.ok_or(FileProblem::UnknownKind)?;
    let mut strange: Vec<_> = mapping.fields().filter(|field| !field.belongs_to(kind)).map(Field::key).collect();
    if strange.is_empty() {
        return Ok(kind);
    }
    strange.sort_unstable();
    Err(FileProblem::FieldsOfOtherKind { kind, fields: strange.join("、") })
}

/// Kind in the file name; `None` for several.
fn by_file_name(path: &Path) -> Option<Kind> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let named = |kind: &Kind| {
        let singular = kind.collection().trim_end_matches('s');
        name.contains(kind.label()) || name.contains(singular)
    };
    let mut kinds = Kind::ALL.into_iter().filter(named);
    kinds.next().filter(|_| kinds.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_file_names() {
        let check = |name: &str, want: Option<Kind>| assert_eq!(by_file_name(Path::new(name)), want, "{name}");
        check("/data/demands.jsonl", Some(Kind::Demand));
        check("2026年成果汇总.xlsx", Some(Kind::Achievement));
        check("Experts-2026.CSV", Some(Kind::Expert));
        check("成果需求对接.csv", None);
        check("/需求/数据.csv", None);
    }
}
