//! A rule as it is after all checks. Where it comes from is [`super::load`]; what it gives is [`super::award`].

use jiff::civil::Date;

use duijie_core::domain::codes::OwnerType;

/// One clause of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Identifier, unique among the files.
    pub id: String,
    /// Version of the rule file.
    pub version: String,
    /// What it is called.
    pub title: String,
    /// Who issued it.
    pub issuer: String,
    /// Document that it stands in.
    pub source: String,
    /// Place in the document.
    pub clause: String,
    /// The clause word by word.
    pub quote: String,
    /// When it holds.
    pub validity: Validity,
    /// Who may get the subsidy.
    pub buyer: Buyer,
    /// What schemes that hold at once give together.
    pub combine: Combine,
    /// Ways to a subsidy, at least one.
    pub schemes: Vec<Scheme>,
    /// What the text leaves open.
    pub questions: Vec<Question>,
}

/// When a rule holds, as far as its text says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validity {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
    /// First and last year for which the document sets aims. Outside of them the rule may or may not be in force.
    pub plan_years: Option<(i16, i16)>,
}

/// Conditions on the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// GB/T 2260 in six digits; one of them has to hold the buyer. Never empty.
    pub regions: Vec<String>,
    /// Sorts of organisations; empty means any.
    pub kinds: Vec<OwnerType>,
}

/// What schemes that hold at once give together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// The highest of them.
    Highest,
    /// Their sum, at most so much.
    Sum {
        /// Most yuan for one deal.
        total_cap_yuan: i64,
    },
}

/// One way to a subsidy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Identifier within the rule.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// GB/T 2260 in six digits; one of them has to hold the seller. Empty means any.
    pub seller_regions: Vec<String>,
    /// Most yuan for one deal.
    pub cap_yuan: i64,
    /// Ranges of the price, ascending, each beginning where the one before ends. A price below all of them gets nothing.
    pub bands: Vec<Band>,
}

/// A range of the price with its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// First price in it, in yuan.
    pub from_yuan: i64,
    /// First price above it, in yuan; `None` for no end. Only the last band may have none.
    pub below_yuan: Option<i64>,
    /// Highest rate in basis points (1/10,000), 0 to 10,000.
    pub rate_basis_points: i64,
    /// What the rate is taken of.
    pub base: Base,
}

/// What a rate is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Of the whole price.
    Whole,
    /// Of what lies above the band's lower end.
    Excess {
        /// Whether what the lower bands give up to there is added.
        keeps_lower: bool,
    },
}

/// What the text leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Stable code in UPPER_SNAKE.
    pub code: String,
    /// Chinese sentence.
    pub text: String,
    /// Schemes that it is about; empty means all.
    pub schemes: Vec<String>,
    /// First price that it is about, in yuan.
    pub from_yuan: i64,
    /// First price above those that it is about, in yuan.
    pub below_yuan: i64,
    /// Whether the other answer would drop the lower bands, so that the sum can be told for it too.
    pub drops_lower: bool,
}

// === impl Policy ===

impl Policy {
    /// Lowest price that gets anything, in yuan.
    pub fn lowest_price_yuan(&self) -> i64 {
        let firsts = self.schemes.iter().filter_map(|scheme| scheme.bands.first());
        firsts.map(|band| band.from_yuan).min().unwrap_or(0)
    }
}

// === impl Band ===

impl Band {
    /// Whether a price lies in it.
    pub fn holds(&self, price_yuan: i64) -> bool {
        self.from_yuan <= price_yuan && self.below_yuan.is_none_or(|below| price_yuan < below)
    }
}

// === impl Question ===

impl Question {
    /// Whether it is about a scheme at some price from `from_yuan` to `to_yuan`, both included.
    pub fn is_about(&self, scheme: &str, from_yuan: i64, to_yuan: i64) -> bool {
        let named = self.schemes.is_empty() || self.schemes.iter().any(|id| id == scheme);
        named && self.from_yuan <= to_yuan && from_yuan < self.below_yuan
    }
}
