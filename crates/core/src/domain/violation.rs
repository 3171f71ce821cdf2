//! Errors in an input: one [`Violation`] per field, in English and Chinese.

use std::{fmt, ops::Deref};

/// Violations that are kept of one input; the others are only counted.
pub const MAX_VIOLATIONS: usize = 20;

/// One error in one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, such as `common.owner.credit_code`.
    pub field: String,
    /// The rule broken.
    pub problem: Problem,
}

/// The violations of one input. A list with a million bad entries costs no more memory than one with
/// [`MAX_VIOLATIONS`]: the first ones are kept, all are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    kept: Vec<Violation>,
    /// Violations that were not kept.
    beyond: usize,
}

/// A rule that an input breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A required field is missing or empty.
    Required,
    /// A text has more characters than allowed.
    TooLong {
        /// Most characters allowed.
        max_chars: usize,
    },
    /// A list has more entries than allowed.
    TooMany {
        /// Most entries allowed.
        max: usize,
    },
    /// A text contains a control character other than line feed and tab (in titles: any).
    ControlCharacter,
    /// An identifier contains a character that is not allowed.
    IdCharacters {
        /// Allowed characters, as a character class.
        allowed: &'static str,
    },
    /// A code is not in its table.
    UnknownCode {
        /// Name of the table.
        table: &'static str,
    },
    /// The check character of a 统一社会信用代码 does not fit (GB 32100-2015).
    CreditCodeCheck,
    /// A number lies outside its range.
    OutOfRange {
        /// Lowest value allowed.
        min: i64,
        /// Highest value allowed.
        max: i64,
    },
    /// A value does not have the required form.
    Malformed {
        /// Required form, in English.
        want: &'static str,
        /// Required form, in Chinese.
        want_zh: &'static str,
    },
    /// A list contains an entry twice.
    Repeated,
    /// Two conditions of a filter exclude each other.
    Contradiction,
    /// A condition does not apply to the kind of record requested.
    NotOfThisKind,
    /// A higher revision of the record is stored.
    RevisionStale {
        /// Stored revision.
        stored: u64,
    },
    /// The same revision is stored with other content.
    RevisionConflict {
        /// Stored revision.
        stored: u64,
    },
    /// No such record is stored, or it does not take part.
    NoSuchRecord,
    /// A page token was not issued here, was changed, or belongs to another query.
    PageToken,
    /// A text is marked as a state secret.
    Classified,
    /// The caller's key is not for records of this source system or owner.
    OutOfScope,
}

// === impl Violation ===

impl Violation {
    /// Returns a violation of `field` with `problem`.
    pub fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

// === impl Violations ===

impl Violations {
    /// Adds a violation of `field`, which is written only if the violation is kept.
    pub fn say(&mut self, field: impl fmt::Display, problem: Problem) {
        if self.kept.len() < MAX_VIOLATIONS {
            self.kept.push(Violation::new(field.to_string(), problem));
        } else {
            self.beyond += 1;
        }
    }

    /// Returns the value of `Ok`; adds the problem of `Err`.
    pub fn take<T>(&mut self, field: impl fmt::Display, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.say(field, problem)).ok()
    }

    /// Adds a violation.
    pub fn note(&mut self, violation: Violation) {
        self.say(violation.field, violation.problem);
    }

    /// Adds the violations of a part of the input.
    pub fn join(&mut self, part: Self) {
        part.kept.into_iter().for_each(|violation| self.note(violation));
        self.beyond += part.beyond;
    }

    /// Changes the paths of all fields.
    pub fn rename(&mut self, rename: impl Fn(&str) -> String) {
        self.kept.iter_mut().for_each(|violation| violation.field = rename(&violation.field));
    }

    /// Returns the number of all violations.
    pub fn count(&self) -> usize {
        self.kept.len() + self.beyond
    }

    /// Returns the number of violations that were not kept.
    pub fn beyond(&self) -> usize {
        self.beyond
    }

    /// Returns `value` if nothing was found, otherwise the violations.
    ///
    /// # Errors
    /// The violations, if there are any.
    pub fn passed<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// The violations that are kept.
impl Deref for Violations {
    type Target = [Violation];

    fn deref(&self) -> &[Violation] {
        &self.kept
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self { kept: vec![violation], beyond: 0 }
    }
}

impl FromIterator<Violation> for Violations {
    fn from_iter<I: IntoIterator<Item = Violation>>(violations: I) -> Self {
        let mut found = Self::default();
        violations.into_iter().for_each(|violation| found.note(violation));
        found
    }
}

// === impl Problem ===

impl Problem {
    /// Stable machine-readable reason in UPPER_SNAKE.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Required => "REQUIRED",
            Self::TooLong { .. } => "TOO_LONG",
            Self::TooMany { .. } => "TOO_MANY",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::IdCharacters { .. } => "ID_CHARACTERS",
            Self::UnknownCode { .. } => "UNKNOWN_CODE",
            Self::CreditCodeCheck => "CREDIT_CODE_CHECK",
            Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::Malformed { .. } => "MALFORMED",
            Self::Repeated => "REPEATED",
            Self::Contradiction => "CONTRADICTION",
            Self::NotOfThisKind => "NOT_OF_THIS_KIND",
            Self::RevisionStale { .. } => "REVISION_STALE",
            Self::RevisionConflict { .. } => "REVISION_CONFLICT",
            Self::NoSuchRecord => "NO_SUCH_RECORD",
            Self::PageToken => "PAGE_TOKEN",
            Self::Classified => "CLASSIFIED",
            Self::OutOfScope => "OUT_OF_SCOPE",
        }
    }

    /// Describes in Chinese the problem and the allowed values.
    pub fn chinese(&self) -> String {
        match self {
            Self::Required => "必填".into(),
            Self::TooLong { max_chars } => format!("过长，最多 {max_chars} 个字符"),
            Self::TooMany { max } => format!("过多，最多 {max} 项"),
            Self::ControlCharacter => "含有控制字符".into(),
            Self::IdCharacters { allowed } => format!("只能包含 {allowed}，且长度须在规定范围内"),
            Self::UnknownCode { table } => format!("不是{table}中的代码"),
            Self::CreditCodeCheck => "统一社会信用代码的校验位不正确（GB 32100-2015）".into(),
            Self::OutOfRange { min, max } => format!("超出范围，应在 {min} 到 {max} 之间"),
            Self::Malformed { want_zh, .. } => format!("格式不对，应为{want_zh}"),
            Self::Repeated => "重复".into(),
            Self::Contradiction => "条件相互矛盾，不可能有记录满足".into(),
            Self::NotOfThisKind => "此类记录没有该项，不能用作条件".into(),
            Self::RevisionStale { stored } => format!("库中已有更新的修订版 {stored}"),
            Self::RevisionConflict { stored } => format!("库中修订版 {stored} 的内容不同，请提高修订号"),
            Self::NoSuchRecord => "没有这条记录，或它没有参加活动".into(),
            Self::PageToken => "翻页令牌无效，请从第一页重新查询".into(),
            Self::Classified => "带有密级标志（如“机密★”），涉密内容不得进入本系统".into(),
            Self::OutOfScope => "不在此密钥的范围内：只能写入本来源系统、本单位的记录".into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => write!(f, "is required"),
            Self::TooLong { max_chars } => write!(f, "is too long: at most {max_chars} characters"),
            Self::TooMany { max } => write!(f, "has too many entries: at most {max}"),
            Self::ControlCharacter => write!(f, "holds a control character"),
            Self::IdCharacters { allowed } => write!(f, "must hold only {allowed}, within the allowed length"),
            Self::UnknownCode { table } => write!(f, "is not a code of {table}"),
            Self::CreditCodeCheck => write!(f, "has a wrong check character (GB 32100-2015)"),
            Self::OutOfRange { min, max } => write!(f, "is out of range: {min} to {max}"),
            Self::Malformed { want, .. } => write!(f, "is malformed: want {want}"),
            Self::Repeated => write!(f, "stands twice"),
            Self::Contradiction => write!(f, "contradicts another condition: nothing can match"),
            Self::NotOfThisKind => write!(f, "does not apply to this kind of records"),
            Self::RevisionStale { stored } => write!(f, "is older than the stored revision {stored}"),
            Self::RevisionConflict { stored } => {
                write!(f, "is stored as revision {stored} with other content: send a higher one")
            }
            Self::NoSuchRecord => write!(f, "names no record that is stored, or takes part"),
            Self::PageToken => write!(f, "is not a token of this query: start again at the first page"),
            Self::Classified => write!(f, "is marked as a state secret: such texts may not be stored here"),
            Self::OutOfScope => write!(f, "is not in the scope of this key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_violations_are_counted_and_a_few_kept() {
        let mut part = Violations::default();
        (0..1_000_000).for_each(|index| part.say(format_args!("list[{index}]"), Problem::Required));
        assert_eq!((part.len(), part.count(), part.beyond()), (20, 1_000_000, 999_980));
        let mut all = Violations::from(Violation::new("first", Problem::Repeated));
        all.join(part);
        all.rename(|field| format!("event.{field}"));
        let fields: Vec<&str> = all.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!((fields[0], fields[19], all.count()), ("event.first", "event.list[18]", 1_000_001));
        assert!(all.passed(()).is_err_and(|all| all.beyond() == 999_981));
        assert_eq!(Violations::default().passed(1), Ok(1));
    }
}
