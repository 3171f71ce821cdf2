//! The ways in which missing facts can turn out: where the seller sits, and in which range the price lies.

use super::{
    deal::{Fit, fit},
    rule::{Policy, Scheme},
    words,
};
use duijie_core::domain::check::MAX_AMOUNT_YUAN;

/// Sellers for which the same schemes hold.
#[derive(Debug)]
pub(super) struct SellerGroup<'a> {
    /// Regions of the conditions that they meet; empty for those who meet none.
    pub regions: Vec<String>,
    /// Schemes that hold.
    pub schemes: Vec<&'a Scheme>,
}

/// Prices for which the same bands hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PriceRange {
    /// First price in yuan.
    pub from_yuan: i64,
    /// First price above it in yuan; `None` for no end.
    pub below_yuan: Option<i64>,
}

/// All groups in which a seller with this prefix can be; one where that is known well enough.
pub(super) fn seller_groups<'a>(policy: &'a Policy, seller_prefix: &str) -> Vec<SellerGroup<'a>> {
    let mut groups: Vec<SellerGroup<'a>> = Vec::new();
    let inside = conditions(policy).into_iter().filter(|region| fit(seller_prefix, region) == Fit::Maybe);
    // what is known itself stands for "none of the regions inside"
    let places = inside.map(|region| (super::deal::prefix(region), Some(region)));
    for (prefix, region) in places.chain([(seller_prefix.to_string(), None)]) {
        let schemes: Vec<&Scheme> = policy.schemes.iter().filter(|scheme| holds(scheme, &prefix)).collect();
        let known = groups.iter_mut().find(|group| {
            group.schemes.iter().map(|scheme| &scheme.id).eq(schemes.iter().map(|scheme| &scheme.id))
                && group.regions.is_empty() == region.is_none()
        });
        match (known, region) {
            (Some(group), Some(region)) => group.regions.push(region.clone()),
            (Some(_), None) => {}
            (None, region) => groups.push(SellerGroup { regions: region.cloned().into_iter().collect(), schemes }),
        }
    }
    groups
}

/// Conditions on the seller that a group stands for, as a Chinese sentence; `None` where there is one group only.
pub(super) fn seller_condition(group: &SellerGroup<'_>, groups: &[SellerGroup<'_>]) -> Option<String> {
    if groups.len() < 2 {
        return None;
    }
    if !group.regions.is_empty() {
        return Some(format!("成果来源地在{}", words::regions(&group.regions)));
    }
    let others: Vec<String> = groups.iter().flat_map(|group| group.regions.iter().cloned()).collect();
    Some(format!("成果来源地不在{}", words::regions(&others)))
}

/// Ranges of prices that get anything from one of the schemes, ascending.
pub(super) fn price_ranges(schemes: &[&Scheme]) -> Vec<PriceRange> {
    let bands = || schemes.iter().flat_map(|scheme| &scheme.bands);
    let mut edges: Vec<i64> = bands().flat_map(|band| [Some(band.from_yuan), band.below_yuan]).flatten().collect();
    edges.sort_unstable();
    edges.dedup();
    let ends = edges.iter().skip(1).copied().map(Some).chain([None]);
    let range = |(from_yuan, below_yuan): (&i64, Option<i64>)| PriceRange { from_yuan: *from_yuan, below_yuan };
    let ranges = edges.iter().zip(ends).map(range);
    ranges.filter(|range| bands().any(|band| band.holds(range.from_yuan))).collect()
}

/// Most cases that a note can have.
pub(super) fn max_cases(policy: &Policy) -> usize {
    seller_groups(policy, "").iter().map(|group| price_ranges(&group.schemes).len()).sum()
}

/// Distinct regions of all conditions on the seller, in the order of the file.
fn conditions(policy: &Policy) -> Vec<&String> {
    let mut found: Vec<&String> = Vec::new();
    for region in policy.schemes.iter().flat_map(|scheme| &scheme.seller_regions) {
        if !found.contains(&region) {
            found.push(region);
        }
    }
    found
}

fn holds(scheme: &Scheme, seller_prefix: &str) -> bool {
    scheme.seller_regions.is_empty()
        || scheme.seller_regions.iter().any(|region| fit(seller_prefix, region) == Fit::Yes)
}

// === impl PriceRange ===

impl PriceRange {
    /// The range of a known price.
    pub fn exactly(price_yuan: i64) -> Self {
        Self { from_yuan: price_yuan, below_yuan: price_yuan.checked_add(1) }
    }

    /// Highest price in it, at most the highest that a record can have.
    pub fn last_yuan(&self) -> i64 {
        self.below_yuan.map_or(MAX_AMOUNT_YUAN.max(self.from_yuan), |below| below - 1)
    }
}
