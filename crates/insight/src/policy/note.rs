//! Notes on a deal: numbers for machines, Chinese sentences for people.

use jiff::civil::Date;

use super::award::Total;

/// Note of one rule on one deal. It never changes the score or rank of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Identifier of the rule.
    pub rule_id: String,
    /// Version of the rule file.
    pub rule_version: String,
    /// Name of the rule.
    pub title: String,
    /// Document with the rule.
    pub source: String,
    /// Position in the document.
    pub clause: String,
    /// Verbatim text of the clause.
    pub quote: String,
    /// Possible subsidy.
    pub outcome: SubsidyOutcome,
    /// Unknown facts of the deal first, then open points of the text.
    pub unknown: Vec<Unknown>,
}

/// Possible subsidy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubsidyOutcome {
    /// A subsidy is possible.
    Possible {
        /// Highest subsidy in yuan in the worst case of the missing facts; 0 if there may be none.
        min_yuan: i64,
        /// Highest subsidy in yuan in the best case of the missing facts.
        max_yuan: i64,
        /// One entry per case of the missing facts with a subsidy; one entry if nothing is missing.
        cases: Vec<Case>,
    },
    /// This rule gives nothing for this deal.
    Nothing(NoSubsidyReason),
}

/// Possible subsidy under conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Unknown conditions that must all hold, in Chinese; empty if nothing is missing.
    pub conditions: Vec<String>,
    /// Lowest and highest price of the case in yuan, inclusive; equal if the price is known.
    pub price_yuan: (i64, i64),
    /// Highest subsidy in yuan at the lowest price.
    pub min_yuan: i64,
    /// Highest subsidy in yuan at the highest price.
    pub max_yuan: i64,
    /// Calculation for the highest price, or for the known price.
    pub total: Total,
    /// Calculation as a Chinese sentence.
    pub basis: String,
    /// Identifiers of the schemes used at the lowest or the highest price.
    pub schemes: Vec<String>,
    /// Subsidy at the highest price under the unfavourable answers to open questions; `None` if equal.
    pub otherwise_yuan: Option<i64>,
}

/// Why a rule gives no subsidy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSubsidyReason {
    /// The buyer is in another region.
    BuyerRegion,
    /// The buyer is another type of organisation.
    BuyerKind,
    /// No scheme accepts the seller's region.
    SellerRegion,
    /// The price is too low, or its rate is 0.
    Price {
        /// Lowest price with a subsidy, in yuan.
        lowest_yuan: i64,
    },
    /// The deal is before the rule's first day.
    TooEarly {
        /// First day.
        from: Date,
    },
    /// The deal is after the rule's last day.
    TooLate {
        /// Last day.
        to: Date,
    },
}

/// An unknown fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Stable code in UPPER_SNAKE: one of the constants of [`Unknown`], or the code of a question of the rule file.
    pub code: String,
    /// Chinese sentence.
    pub text: String,
}

// === impl Note ===

impl Note {
    /// Highest subsidy in yuan in the best case; 0 if there is none.
    pub fn highest_yuan(&self) -> i64 {
        match &self.outcome {
            SubsidyOutcome::Possible { max_yuan, .. } => *max_yuan,
            SubsidyOutcome::Nothing(_) => 0,
        }
    }
}

// === impl Unknown ===

impl Unknown {
    /// Buyer's region.
    pub const BUYER_REGION: &str = "BUYER_REGION";
    /// Buyer's type of organisation.
    pub(crate) const BUYER_KIND: &str = "BUYER_KIND";
    /// Seller's region.
    pub(crate) const SELLER_REGION: &str = "SELLER_REGION";
    /// Price.
    pub const PRICE: &str = "PRICE";
    /// Day of the deal, if the rule has a first or last day.
    pub(crate) const DATE: &str = "DATE";
    /// The rule has no first or last day.
    pub(crate) const VALIDITY_NOT_STATED: &str = "VALIDITY_NOT_STATED";
    /// The deal is outside the years for which the document sets targets.
    pub(crate) const OUTSIDE_PLAN_YEARS: &str = "OUTSIDE_PLAN_YEARS";
    /// All codes; questions of a rule file must not use them.
    pub(crate) const CODES: [&str; 7] = [
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

// === impl NoSubsidyReason ===

impl NoSubsidyReason {
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
