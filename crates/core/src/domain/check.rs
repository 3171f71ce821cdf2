//! All validation rules for records. A record that passes is in normal form.

use super::{
    Detail, Problem, Record, Violations, gb,
    name::{LOCAL_SOURCE, check_id, check_source},
};

/// Maximum characters in a title or name.
pub const MAX_TITLE_CHARS: usize = 200;
/// Maximum characters in a body.
pub const MAX_BODY_CHARS: usize = 20_000;
/// Maximum number of keywords.
pub(crate) const MAX_KEYWORDS: usize = 20;
/// Maximum characters in a keyword.
pub(crate) const MAX_KEYWORD_CHARS: usize = 40;
/// Maximum characters in an owner's name.
pub const MAX_OWNER_CHARS: usize = 100;
/// Maximum number of rights per achievement.
pub(crate) const MAX_RIGHTS: usize = 20;
/// Maximum number of achievements per expert.
pub(crate) const MAX_EXPERT_ACHIEVEMENTS: usize = 50;
/// Highest price or budget in yuan.
pub const MAX_AMOUNT_YUAN: i64 = 1_000_000_000_000;
/// Highest revision. What a record may get today is less: the service compares with its clock.
pub(crate) const MAX_REVISION: u64 = 1 << 62;

impl Record {
    /// Converts the record to normal form (codes, default source) and checks every rule.
    ///
    /// # Errors
    /// Returns all violations, with paths as in the proto: `common.title`, `intellectual_property[2].number`.
    pub fn checked(mut self) -> Result<Self, Violations> {
        let mut found = Violations::default();
        if self.source.is_empty() {
            self.source = LOCAL_SOURCE.to_string();
        }
        found.take("common.id", check_id(&self.id));
        found.take("common.source_system", check_source(&self.source));
        found.take("common.title", check_text(&self.title, 1, MAX_TITLE_CHARS, false));
        found.take("common.body", check_text(&self.body, 0, MAX_BODY_CHARS, true));
        found.take("common.title", check_unmarked(&self.title));
        found.take("common.body", check_unmarked(&self.body));
        check_keywords(&self.keywords, "common.keywords", &mut found);
        self.check_codes(&mut found);
        self.check_owner(&mut found);
        if MAX_REVISION < self.revision {
            found.say("common.revision", Problem::OutOfRange { min: 0, max: i64::MAX / 2 });
        }
        match &self.detail {
            Detail::Achievement(achievement) => achievement.check(&mut found),
            Detail::Demand(demand) => demand.check(&mut found),
            Detail::Expert(expert) => expert.check(&mut found),
        }
        found.passed(self)
    }

    fn check_codes(&mut self, found: &mut Violations) {
        let industry = code(&self.industry, gb::industry, "GB/T 4754-2017");
        self.industry = found.take("common.industry", industry).unwrap_or_default();
        let region = code(&self.region, gb::region, "GB/T 2260");
        self.region = found.take("common.region", region).unwrap_or_default();
        let field = |code: &str| gb::is_field(code).then(|| code.to_string());
        let field = code(&self.field, field, "八大领域");
        self.field = found.take("common.field", field).unwrap_or_default();
    }

    fn check_owner(&mut self, found: &mut Violations) {
        let Some(owner) = &mut self.owner else { return };
        found.take("common.owner.name", check_text(&owner.name, 1, MAX_OWNER_CHARS, false));
        owner.credit_code.make_ascii_uppercase();
        if !owner.credit_code.is_empty() && !gb::is_credit_code(&owner.credit_code) {
            found.say("common.owner.credit_code", Problem::CreditCodeCheck);
        }
    }
}

impl super::record::Achievement {
    fn check(&self, found: &mut Violations) {
        if !self.registration_number.is_empty() && !gb::is_registration_number(&self.registration_number) {
            let want = "3 characters, 4 digits of the year, Y, 4 digits";
            let want_zh = "3 位地区或部门代码 + 4 位年份 + Y + 4 位序号";
            found.say("registration_number", Problem::Malformed { want, want_zh });
        }
        if self.trl.is_some_and(|trl| !(1..=9).contains(&trl)) {
            found.say("trl", Problem::OutOfRange { min: 1, max: 9 });
        }
        if MAX_RIGHTS < self.intellectual_property.len() {
            found.say("intellectual_property", Problem::TooMany { max: MAX_RIGHTS });
        }
        for (index, right) in self.intellectual_property.iter().enumerate() {
            let path = format_args!("intellectual_property[{index}].number");
            found.take(path, check_text(&right.number, 0, MAX_KEYWORD_CHARS, false));
        }
        check_repeated(&self.transfer_modes, "transfer_modes", found);
        check_amount(self.price_yuan, "price_yuan", found);
    }
}

impl super::record::Demand {
    fn check(&self, found: &mut Violations) {
        check_amount(self.budget_yuan, "budget_yuan", found);
        check_repeated(&self.cooperation_modes, "cooperation_modes", found);
    }
}

impl super::record::Expert {
    fn check(&self, found: &mut Violations) {
        found.take("professional_title", check_text(&self.professional_title, 0, MAX_KEYWORD_CHARS, false));
        if MAX_EXPERT_ACHIEVEMENTS < self.achievement_ids.len() {
            found.say("achievement_ids", Problem::TooMany { max: MAX_EXPERT_ACHIEVEMENTS });
        }
        for (index, id) in self.achievement_ids.iter().enumerate() {
            found.take(format_args!("achievement_ids[{index}]"), check_id(id));
        }
        check_repeated(&self.achievement_ids, "achievement_ids", found);
    }
}

/// Checks a text's length in characters and rejects control characters; `lines` allows line feed and tab.
///
/// # Errors
/// [`Problem::Required`] if `min` is above 0 and the text is blank, [`Problem::TooLong`],
/// [`Problem::ControlCharacter`].
pub fn check_text(text: &str, min: usize, max_chars: usize, lines: bool) -> Result<(), Problem> {
    if 0 < min && text.trim().is_empty() {
        return Err(Problem::Required);
    }
    // count characters only if the byte length exceeds the limit: no character is shorter than one byte
    if max_chars < text.len() && max_chars < text.chars().count() {
        return Err(Problem::TooLong { max_chars });
    }
    let bad = |character: char| character.is_control() && !(lines && matches!(character, '\n' | '\t'));
    if text.chars().any(bad) { Err(Problem::ControlCharacter) } else { Ok(()) }
}

/// Checks that a text carries no mark of a state secret: its degree before a star, as on official documents (GB/T 9704-2012,
/// 7.2.2). What is secret is not registered (科技成果登记办法, 第二条), nor stored here.
///
/// # Errors
/// [`Problem::Classified`].
fn check_unmarked(text: &str) -> Result<(), Problem> {
    let is_mark = |before: &str| {
        let before = before.trim_end();
        ["绝密", "机密", "秘密"].iter().any(|degree| before.ends_with(degree))
    };
    match text.match_indices('★').any(|(at, _)| is_mark(text.get(..at).unwrap_or_default())) {
        true => Err(Problem::Classified),
        false => Ok(()),
    }
}

/// Checks a list of keywords.
pub fn check_keywords(keywords: &[String], path: &str, found: &mut Violations) {
    if MAX_KEYWORDS < keywords.len() {
        found.say(path, Problem::TooMany { max: MAX_KEYWORDS });
    }
    for (index, keyword) in keywords.iter().enumerate() {
        found.take(format_args!("{path}[{index}]"), check_text(keyword, 1, MAX_KEYWORD_CHARS, false));
    }
}

/// Returns an empty code unchanged and any other code in normal form.
fn code(code: &str, normal: impl Fn(&str) -> Option<String>, table: &'static str) -> Result<String, Problem> {
    if code.is_empty() {
        return Ok(String::new());
    }
    normal(code).ok_or(Problem::UnknownCode { table })
}

fn check_amount(amount: Option<i64>, path: &str, found: &mut Violations) {
    if amount.is_some_and(|amount| !(0..=MAX_AMOUNT_YUAN).contains(&amount)) {
        found.say(path, Problem::OutOfRange { min: 0, max: MAX_AMOUNT_YUAN });
    }
}

fn check_repeated<T: PartialEq>(values: &[T], path: &str, found: &mut Violations) {
    // the comparison is quadratic; a list beyond all limits has another violation
    let values = values.get(..MAX_EXPERT_ACHIEVEMENTS).unwrap_or(values);
    let repeated = |(index, value): (usize, &T)| values.iter().take(index).any(|earlier| earlier == value);
    if values.iter().enumerate().any(repeated) {
        found.say(path, Problem::Repeated);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::*, *};
    use crate::domain::{Kind, codes::TransferMode};

    fn check(change: impl FnOnce(&mut Record), kind: Kind, want: &[(&str, &str)]) {
        let mut record = Record::new("", "a-1", "激光焊接", Detail::empty(kind));
        change(&mut record);
        let found = record.checked().err().unwrap_or_default();
        let found: Vec<_> = found.iter().map(|v| (v.field.as_str(), v.problem.reason())).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn what_is_marked_as_secret_is_refused() {
        let title = |text: &str| check(|r| r.title = text.into(), Kind::Achievement, &[("common.title", "CLASSIFIED")]);
        title("机密★某型号材料");
        title("秘密 ★ 5年 某型号材料");
        let secret = "一种涂层，\n绝密★长期";
        check(|r| r.body = secret.into(), Kind::Demand, &[("common.body", "CLASSIFIED")]);
        let plain = "★五星级酒店的机密文件柜，秘密配方与绝密档案的保管";
        check(|r| (r.title, r.body) = (plain.into(), plain.into()), Kind::Demand, &[]);
    }

    #[test]
    fn bad_input_says_which_field_and_why() {
        use Kind::{Achievement as A, Demand as D, Expert as E};
        check(|_| (), A, &[]);
        check(|r| r.title.clear(), A, &[("common.title", "REQUIRED")]);
        check(|r| r.title = " \u{3000}".into(), A, &[("common.title", "REQUIRED")]);
        check(|r| r.title = "长".repeat(201), A, &[("common.title", "TOO_LONG")]);
        check(|r| r.title = "长".repeat(200), A, &[]);
        check(|r| r.title = "a\nb".into(), A, &[("common.title", "CONTROL_CHARACTER")]);
        check(|r| r.body = "a\nb\tc".into(), A, &[]);
        check(|r| r.body = "a\u{7}b".into(), A, &[("common.body", "CONTROL_CHARACTER")]);
        check(|r| r.body = "长".repeat(20_001), A, &[("common.body", "TOO_LONG")]);
        check(|r| r.id = "编号 1".into(), A, &[("common.id", "ID_CHARACTERS")]);
        check(|r| r.id.clear(), A, &[("common.id", "REQUIRED")]);
        check(|r| r.source = "Hebei".into(), A, &[("common.source_system", "ID_CHARACTERS")]);
        check(|r| r.keywords = vec!["词".into(); 21], A, &[("common.keywords", "TOO_MANY")]);
        check(|r| r.industry = "Z99".into(), A, &[("common.industry", "UNKNOWN_CODE")]);
        check(|r| r.region = "990000".into(), A, &[("common.region", "UNKNOWN_CODE")]);
        check(|r| r.field = "11".into(), A, &[("common.field", "UNKNOWN_CODE")]);
        let owner = |credit_code: &str| Owner { name: "甲".into(), credit_code: credit_code.into(), owner_type: None };
        check(|r| r.owner = Some(owner("914403001922038217")), A, &[("common.owner.credit_code", "CREDIT_CODE_CHECK")]);
        check(|r| r.owner = Some(owner("91440300708461136t")), A, &[]);
        let demand = |budget| Detail::Demand(Demand { budget_yuan: Some(budget), ..Demand::default() });
        check(|r| r.detail = demand(-1), D, &[("budget_yuan", "OUT_OF_RANGE")]);
        check(|r| r.detail = demand(MAX_AMOUNT_YUAN + 1), D, &[("budget_yuan", "OUT_OF_RANGE")]);
        let modes = Detail::Demand(Demand { cooperation_modes: vec![TransferMode::Equity; 2], ..Demand::default() });
        check(|r| r.detail = modes, D, &[("cooperation_modes", "REPEATED")]);
        let expert = Detail::Expert(Expert { achievement_ids: vec!["甲".into()], ..Expert::default() });
        check(|r| r.detail = expert, E, &[("achievement_ids[0]", "ID_CHARACTERS")]);
        let trl = Detail::Achievement(Achievement { trl: Some(10), ..Achievement::default() });
        check(|r| r.detail = trl, A, &[("trl", "OUT_OF_RANGE")]);
    }

    #[test]
    fn every_violation_is_found_at_once() {
        let change = |r: &mut Record| {
            r.id.clear();
            r.title.clear();
            r.region = "x".into();
        };
        check(
            change,
            Kind::Demand,
            &[("common.id", "REQUIRED"), ("common.title", "REQUIRED"), ("common.region", "UNKNOWN_CODE")],
        );
    }

    #[test]
    fn what_passes_is_in_its_normal_form() {
        let mut record = Record::new("", "a-1", "激光焊接", Detail::empty(Kind::Achievement));
        record.industry = "3851".into();
        record.region = "1301".into();
        let record = record.checked().unwrap();
        assert_eq!(
            (record.source.as_str(), record.industry.as_str(), record.region.as_str()),
            ("local", "C3851", "130100")
        );
    }
}
