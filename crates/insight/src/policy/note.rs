//! What is said of a deal. Numbers for machines, Chinese sentences for people.

use jiff::civil::Date;

use super::award::Total;

/// What one rule says of one deal. It stands beside a match and never changes its score or place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Identifier of the rule.
    pub rule_id: String,
    /// Version of the rule file.
    pub rule_version: String,
    /// What the rule is called.
    pub title: String,
    /// Document that it stands in.
    pub source: String,
    /// Place in the document.
    pub clause: String,
    /// The clause word by word.
    pub quote: String,
    /// What could be had.
    pub outcome: Outcome,
    /// What is not known: of the deal first, then what the text leaves open.
    pub unknown: Vec<Unknown>,
}

/// What could be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A subsidy is possible.
    Possible {
        /// Highest subsidy in yuan if everything that is missing turns out badly; 0 where there may be none.
        min_yuan: i64,
        /// Highest subsidy in yuan if everything that is missing turns out well.
        max_yuan: i64,
        /// One for each way in which what is missing can turn out and that gives anything; one where nothing is missing.
        cases: Vec<Case>,
    },
    /// This rule gives nothing for this deal.
    Nothing(Refusal),
}

/// What could be had under conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Chinese conditions that all have to hold and are not known; empty where nothing is missing.
    pub conditions: Vec<String>,
    /// Lowest and highest price of the case in yuan, both included; the same where the price is known.
    pub price_yuan: (i64, i64),
    /// Highest subsidy in yuan at the lowest price.
    pub min_yuan: i64,
    /// Highest subsidy in yuan at the highest price.
    pub max_yuan: i64,
    /// The calculation for the highest price. With a known price it is the calculation.
    pub total: Total,
    /// The calculation as a Chinese sentence.
    pub basis: String,
    /// Identifiers of the schemes that count at the lowest or the highest price.
    pub schemes: Vec<String>,
    /// Subsidy at the highest price, if the open questions on the calculation are answered badly; `None` where that
    /// changes nothing.
    pub otherwise_yuan: Option<i64>,
}

/// Why a rule gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The buyer sits elsewhere.
    BuyerRegion,
    /// The buyer is of another sort.
    BuyerKind,
    /// No scheme takes what comes from where the seller sits.
    SellerRegion,
    /// The price is too low, or its rate is 0.
    Price {
        /// Lowest price that gets anything, in yuan.
        lowest_yuan: i64,
    },
    /// The deal lies before the first day of the rule.
    TooEarly {
        /// First day.
        from: Date,
    },
    /// The deal lies after the last day of the rule.
    TooLate {
        /// Last day.
        to: Date,
    },
}

/// One thing that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Stable code in UPPER_SNAKE: one of the constants of [`Unknown`], or the code of a question of the rule file.
    pub code: String,
    /// Chinese sentence.
    pub text: String,
}

// === impl Note ===

impl Note {
    /// Highest subsidy in yuan, whatever is missing; 0 where there is none.
    pub fn highest_yuan(&self) -> i64 {
        match &self.outcome {
            Outcome::Possible { max_yuan, .. } => *max_yuan,
            Outcome::Nothing(_) => 0,
        }
    }
}

// === impl Unknown ===

impl Unknown {
    /// Where the buyer sits.
    pub const BUYER_REGION: &str = "BUYER_REGION";
    /// What the buyer is.
    pub const BUYER_KIND: &str = "BUYER_KIND";
    /// Where the seller sits.
    pub const SELLER_REGION: &str = "SELLER_REGION";
    /// The price.
    pub const PRICE: &str = "PRICE";
    /// The day of the deal, where the rule has a first or last day.
    pub const DATE: &str = "DATE";
    /// The rule has no first or last day.
    pub const VALIDITY_NOT_STATED: &str = "VALIDITY_NOT_STATED";
    /// The deal lies outside the years for which the document sets aims.
    pub const OUTSIDE_PLAN_YEARS: &str = "OUTSIDE_PLAN_YEARS";
    /// All of them, which no question of a rule file may take.
    pub const CODES: [&str; 7] = [
        Self::BUYER_REGION,
        Self::BUYER_KIND,
        Self::SELLER_REGION,
        Self::PRICE,
        Self::DATE,
        Self::VALIDITY_NOT_STATED,
        Self::OUTSIDE_PLAN_YEARS,
    ];

    pub(super) fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}

// === impl Refusal ===

impl Refusal {
    /// Stable reason in UPPER_SNAKE.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BuyerRegion => "BUYER_ELSEWHERE",
            Self::BuyerKind => "BUYER_OF_OTHER_KIND",
            Self::SellerRegion => "SELLER_ELSEWHERE",
            Self::Price { .. } => "PRICE_TOO_LOW",
            Self::TooEarly { .. } => "TOO_EARLY",
            Self::TooLate { .. } => "TOO_LATE",
        }
    }

    /// Chinese sentence.
    pub fn chinese(&self) -> String {
        match self {
            Self::BuyerRegion => "买方不在本政策适用的地区。".into(),
            Self::BuyerKind => "买方不是本政策补助的单位类型。".into(),
            Self::SellerRegion => "成果来源地不在本政策适用的地区。".into(),
            Self::Price { lowest_yuan } => {
                format!("该交易额不在补助范围内，单项交易额至少 {} 元才可补助。", super::words::yuan(*lowest_yuan))
            }
            Self::TooEarly { from } => format!("交易日期早于本政策的首日 {from}。"),
            Self::TooLate { to } => format!("交易日期晚于本政策的末日 {to}。"),
        }
    }
}
