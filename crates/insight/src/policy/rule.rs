//! A checked rule. [`super::load`] reads it; [`super::award`] computes its subsidy.

use jiff::civil::Date;

use duijie_core::domain::codes::OwnerType;

/// One clause of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Identifier, unique among the files.
    pub id: String,
    /// Version of the rule file.
    pub version: String,
    /// Name of the policy.
    pub title: String,
    /// Issuing authority.
    pub issuer: String,
    /// Document with the rule.
    pub source: String,
    /// Position in the document.
    pub clause: String,
    /// Verbatim text of the clause.
    pub quote: String,
    /// Period of validity.
    pub validity: Validity,
    /// Eligible buyers.
    pub buyer: Buyer,
    /// How to combine schemes that apply together.
    pub combine: Combine,
    /// Schemes, at least one.
    pub schemes: Vec<Scheme>,
    /// Open points of the text.
    pub questions: Vec<Question>,
}

/// Validity, as far as the text states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validity {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
    /// First and last year for which the document sets targets. Outside them the validity is unknown.
    pub plan_years: Option<(i16, i16)>,
}

/// Conditions on the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// GB/T 2260 in six digits; the buyer must be in one of them. Never empty.
    pub regions: Vec<String>,
    /// Types of organisation; empty means any.
    pub kinds: Vec<OwnerType>,
}

/// How to combine schemes that apply together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// The highest of them.
    Highest,
    /// Their sum, up to a cap.
    Sum {
        /// Maximum yuan per deal.
        total_cap_yuan: i64,
    },
}

/// One way to get a subsidy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Identifier within the rule.
    pub id: String,
    /// Name of the scheme.
    pub title: String,
    /// GB/T 2260 in six digits; the seller must be in one of them. Empty means any.
    pub seller_regions: Vec<String>,
    /// Maximum yuan per deal.
    pub cap_yuan: i64,
    /// Price ranges, ascending and contiguous. A price below all of them gets no subsidy.
    pub bands: Vec<Band>,
}

/// A price range with its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// First price in the range, in yuan.
    pub from_yuan: i64,
    /// First price above the range, in yuan; `None` if open-ended, in the last band only.
    pub below_yuan: Option<i64>,
    /// Highest rate in basis points (1/10,000), 0 to 10,000.
    pub rate_basis_points: i64,
    /// Base of the rate.
    pub base: Base,
}

/// Base of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The whole price.
    Whole,
    /// The part above the band's lower end.
    Excess {
        /// Whether the subsidy of the lower bands is added.
        keeps_lower: bool,
    },
}

/// An open point of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Stable code in UPPER_SNAKE.
    pub code: String,
    /// Chinese sentence.
    pub text: String,
    /// Schemes concerned; empty means all.
    pub schemes: Vec<String>,
    /// First price concerned, in yuan.
    pub from_yuan: i64,
    /// First price above those concerned, in yuan.
    pub below_yuan: i64,
    /// Whether the other answer drops the lower bands, so that its sum can be computed too.
    pub drops_lower: bool,
}

// === impl Policy ===

impl Policy {
    /// Lowest price with a subsidy, in yuan.
    pub fn lowest_price_yuan(&self) -> i64 {
        let firsts = self.schemes.iter().filter_map(|scheme| scheme.bands.first());
        firsts.map(|band| band.from_yuan).min().unwrap_or(0)
    }
}

// === impl Band ===

impl Band {
    /// Returns whether a price lies in the band.
    pub fn holds(&self, price_yuan: i64) -> bool {
        self.from_yuan <= price_yuan && self.below_yuan.is_none_or(|below| price_yuan < below)
    }
}

// === impl Question ===

impl Question {
    /// Returns whether it concerns a scheme at some price from `from_yuan` to `to_yuan`, inclusive.
    pub(crate) fn is_about(&self, scheme: &str, from_yuan: i64, to_yuan: i64) -> bool {
        let named = self.schemes.is_empty() || self.schemes.iter().any(|id| id == scheme);
        named && self.from_yuan <= to_yuan && from_yuan < self.below_yuan
    }
}
