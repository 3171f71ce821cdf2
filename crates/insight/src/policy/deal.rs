//! Facts of a deal. Each may be unknown: most achievements have no price, many sellers no region.

use jiff::civil::Date;

use duijie_core::domain::{check::MAX_AMOUNT_YUAN, codes::OwnerType, gb};

/// Known facts of a deal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deal<'a> {
    /// Buyer's GB/T 2260 region; empty if unknown.
    pub buyer_region: &'a str,
    /// Buyer's type of organisation.
    pub buyer_kind: Option<OwnerType>,
    /// Seller's GB/T 2260 region; empty if unknown.
    pub seller_region: &'a str,
    /// Price in yuan; `None` for 面议. Values below 0 or above 10^12 count as unknown.
    pub price_yuan: Option<i64>,
    /// Day of the deal.
    pub date: Option<Date>,
}

/// Whether a place lies in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// The place is unknown or too imprecise.
    Maybe,
}

// === impl Deal ===

impl Deal<'_> {
    /// Price, if valid.
    pub(super) fn price(&self) -> Option<i64> {
        self.price_yuan.filter(|price| (0..=MAX_AMOUNT_YUAN).contains(price))
    }
}

/// Region prefix for comparison; empty if unknown or not a code.
pub(super) fn prefix(region: &str) -> String {
    gb::region(region).map(|region| gb::region_prefix(&region).to_string()).unwrap_or_default()
}

/// Returns whether a place with this prefix lies in a region.
pub(super) fn fit(place_prefix: &str, region: &str) -> Fit {
    let region_prefix = gb::region_prefix(region);
    if place_prefix.starts_with(region_prefix) {
        Fit::Yes
    } else if region_prefix.starts_with(place_prefix) {
        Fit::Maybe
    } else {
        Fit::No
    }
}

/// Returns whether a place with this prefix lies in one of several regions.
pub(super) fn fit_any(place_prefix: &str, regions: &[String]) -> Fit {
    let fits = |want| regions.iter().any(|region| fit(place_prefix, region) == want);
    if fits(Fit::Yes) {
        Fit::Yes
    } else if fits(Fit::Maybe) {
        Fit::Maybe
    } else {
        Fit::No
    }
}
