//! Checks a raw file and builds the rule; reports every mistake with its line.

use toml::Spanned;

use super::{
    cases::max_cases,
    check_parts::{self, MAX_REGIONS},
    mistake::{Mistake, chinese, line_at},
    raw::{RawBuyer, RawPolicy, RawQuestion},
    rule::{Buyer, Combine, Policy, Question, Scheme},
};
use duijie_core::domain::{
    check::{MAX_AMOUNT_YUAN, check_text},
    codes::{Code, OwnerType},
    gb,
    name::check_id,
};

/// Supported format version.
const FORMAT: i64 = 1;
/// Maximum schemes per rule; the longest known rule has four.
pub const MAX_SCHEMES: usize = 8;
/// Maximum questions per rule.
pub const MAX_QUESTIONS: usize = 32;
/// Maximum cases per note; more than a page helps nobody.
pub const MAX_CASES: usize = 64;
/// Maximum characters of document names and clause positions.
const MAX_NAME_CHARS: usize = 200;
/// Maximum characters of a quoted clause.
const MAX_QUOTE_CHARS: usize = 5_000;
/// Maximum characters of a question.
const MAX_QUESTION_CHARS: usize = 500;

/// Collects the mistakes of one file.
pub(super) struct Checker<'a> {
    file: &'a str,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

impl Policy {
    /// Parses a rule from a file's content; `file` is its name in messages.
    ///
    /// # Errors
    /// All mistakes with their lines. If the TOML itself is wrong, or a field is unknown, missing or of the wrong type,
    /// only that mistake is returned.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Mistake>> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let raw: RawPolicy = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| line_at(text, span.start));
            vec![Mistake { file: file.to_string(), line, reason: chinese(error.message()) }]
        })?;
        let mut checker = Checker { file, text, mistakes: Vec::new() };
        let policy = checker.policy(&raw);
        match policy.filter(|_| checker.mistakes.is_empty()) {
            Some(policy) => Ok(policy),
            None => Err(checker.mistakes),
        }
    }
}

// === impl Checker ===

impl Checker<'_> {
    fn policy(&mut self, raw: &RawPolicy) -> Option<Policy> {
        if *raw.format.get_ref() != FORMAT {
            self.say(&raw.format, format!("format 只能是 {FORMAT}，本程序读不了别的格式"));
        }
        if check_id(raw.id.get_ref()).is_err() {
            self.say(&raw.id, "id 只能用字母、数字和 . _ -，1 到 64 个字符");
        }
        let names = [
            ("version", &raw.version),
            ("title", &raw.title),
            ("issuer", &raw.issuer),
            ("source", &raw.source),
            ("clause", &raw.clause),
        ];
        for (name, value) in names {
            self.text(name, value, MAX_NAME_CHARS, false);
        }
        self.text("quote", &raw.quote, MAX_QUOTE_CHARS, true);
        let schemes = self.schemes(raw);
        let policy = Policy {
            id: raw.id.get_ref().clone(),
            version: raw.version.get_ref().trim().to_string(),
            title: raw.title.get_ref().trim().to_string(),
            issuer: raw.issuer.get_ref().trim().to_string(),
            source: raw.source.get_ref().trim().to_string(),
            clause: raw.clause.get_ref().trim().to_string(),
            quote: raw.quote.get_ref().trim().to_string(),
            validity: self.validity(&raw.validity),
            buyer: self.buyer(&raw.buyer),
            combine: self.combine(raw)?,
            questions: self.questions(&raw.question, &schemes),
            schemes,
        };
        // counted only if all lists are within their limits
        if self.mistakes.is_empty() && MAX_CASES < max_cases(&policy) {
            self.say(&raw.id, format!("方案、地区和区间组合出的情形超过 {MAX_CASES} 种，请拆成几个规则文件"));
        }
        Some(policy)
    }

    fn schemes(&mut self, raw: &RawPolicy) -> Vec<Scheme> {
        if raw.scheme.is_empty() || MAX_SCHEMES < raw.scheme.len() {
            self.say(&raw.id, format!("[[scheme]] 至少 1 个，至多 {MAX_SCHEMES} 个"));
            return Vec::new();
        }
        let mut schemes: Vec<Scheme> = Vec::new();
        for scheme in &raw.scheme {
            let id = &scheme.get_ref().id;
            if schemes.iter().any(|earlier| earlier.id == *id.get_ref()) {
                self.say(id, format!("方案编号 {} 重复", id.get_ref()));
            }
            schemes.push(check_parts::scheme(self, scheme));
        }
        schemes
    }

    fn buyer(&mut self, raw: &RawBuyer) -> Buyer {
        if raw.regions.get_ref().is_empty() {
            self.say(&raw.regions, "买方地区不能为空；全国都可写的政策请列出各省代码");
        }
        let mut kinds = Vec::new();
        for name in &raw.kinds {
            match OwnerType::from_name(name.get_ref()) {
                Some(kind) if !kinds.contains(&kind) => kinds.push(kind),
                Some(_) => self.say(name, "单位类型重复"),
                None => {
                    let known: Vec<&str> = OwnerType::TABLE.iter().map(|(kind, _)| kind.label()).collect();
                    self.say(name, format!("没有这种单位类型，可以写：{}", known.join("、")));
                }
            }
        }
        Buyer { regions: self.regions(&raw.regions), kinds }
    }

    fn combine(&mut self, raw: &RawPolicy) -> Option<Combine> {
        match (raw.combine.get_ref().as_str(), &raw.total_cap_yuan) {
            ("highest", None) => return Some(Combine::Highest),
            ("sum", Some(cap)) => {
                return self.cap("total_cap_yuan", cap).map(|cap| Combine::Sum { total_cap_yuan: cap });
            }
            ("highest", Some(cap)) => self.say(cap, "combine = \"highest\" 时不能写 total_cap_yuan"),
            ("sum", None) => self.say(&raw.combine, "combine = \"sum\" 时必须写 total_cap_yuan"),
            _ => self.say(&raw.combine, "combine 只能是 \"highest\"（取最高）或 \"sum\"（相加）"),
        }
        None
    }

    fn questions(&mut self, raw: &[Spanned<RawQuestion>], schemes: &[Scheme]) -> Vec<Question> {
        if let Some(extra) = raw.get(MAX_QUESTIONS) {
            self.say(extra, format!("[[question]] 至多 {MAX_QUESTIONS} 个"));
            return Vec::new();
        }
        let mut questions: Vec<Question> = Vec::new();
        for question in raw {
            let code = &question.get_ref().code;
            if questions.iter().any(|earlier| earlier.code == *code.get_ref()) {
                self.say(code, format!("问题代码 {} 重复", code.get_ref()));
            }
            questions.push(check_parts::question(self, question, schemes));
        }
        questions
    }

    /// Records a mistake at the line of a value.
    pub fn say<T>(&mut self, place: &Spanned<T>, reason: impl Into<String>) {
        let line = line_at(self.text, place.span().start);
        self.mistakes.push(Mistake { file: self.file.to_string(), line, reason: reason.into() });
    }

    /// Checks a text.
    pub fn text(&mut self, name: &str, value: &Spanned<String>, max_chars: usize, lines: bool) {
        if check_text(value.get_ref(), 1, max_chars, lines).is_err() {
            self.say(value, format!("{name} 不能为空，不能超过 {max_chars} 个字，也不能有控制字符"));
        }
    }

    /// Checks the text of a question.
    pub fn question_text(&mut self, value: &Spanned<String>) {
        self.text("text", value, MAX_QUESTION_CHARS, false);
    }

    /// Checks a cap of at least 1 yuan.
    pub fn cap(&mut self, name: &str, value: &Spanned<i64>) -> Option<i64> {
        let fits = (1..=MAX_AMOUNT_YUAN).contains(value.get_ref());
        if !fits {
            self.say(value, format!("{name} 应为 1 到 {MAX_AMOUNT_YUAN} 的整数（元）"));
        }
        fits.then_some(*value.get_ref())
    }

    /// Checks region codes; invalid ones are dropped.
    pub fn regions(&mut self, raw: &Spanned<Vec<Spanned<String>>>) -> Vec<String> {
        if MAX_REGIONS < raw.get_ref().len() {
            self.say(raw, format!("地区至多 {MAX_REGIONS} 个"));
            return Vec::new();
        }
        let mut regions = Vec::new();
        for code in raw.get_ref() {
            match gb::region(code.get_ref()) {
                Some(region) if !regions.contains(&region) => regions.push(region),
                Some(_) => self.say(code, "地区代码重复"),
                None => self.say(code, format!("{} 不是 GB/T 2260 的地区代码", code.get_ref())),
            }
        }
        regions
    }
}
