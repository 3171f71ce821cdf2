//! Cases of the missing facts: the seller's region and the price range.

use super::{
    deal::{Fit, fit},
    rule::{Policy, Scheme},
    words,
};
use duijie_core::domain::check::MAX_AMOUNT_YUAN;

/// Sellers for which the same schemes apply.
#[derive(Debug)]
pub(super) struct SellerGroup<'a> {
    /// Condition regions that these sellers are in; empty if none.
    pub regions: Vec<String>,
    /// Applicable schemes.
    pub schemes: Vec<&'a Scheme>,
}

/// A price range in which the same bands apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PriceRange {
    /// First price in yuan.
    pub from_yuan: i64,
    /// First price above the range in yuan; `None` if open-ended.
    pub below_yuan: Option<i64>,
}

/// All groups that a seller with this region prefix can be in; one group if the prefix is specific enough.
pub(super) fn seller_groups<'a>(policy: &'a Policy, seller_prefix: &str) -> Vec<SellerGroup<'a>> {
    let mut groups: Vec<SellerGroup<'a>> = Vec::new();
    let inside = conditions(policy).into_iter().filter(|region| fit(seller_prefix, region) == Fit::Maybe);
    // the known prefix itself stands for "none of the regions inside"
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

/// Condition on the seller for a group, as a Chinese sentence; `None` if there is only one group.
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

/// Price ranges with a subsidy from any scheme, ascending.
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

/// Maximum number of cases in a note.
pub(super) fn max_cases(policy: &Policy) -> usize {
    seller_groups(policy, "").iter().map(|group| price_ranges(&group.schemes).len()).sum()
}

/// Distinct regions of all seller conditions, in file order.
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
    /// Range of a single known price.
    pub fn exactly(price_yuan: i64) -> Self {
        Self { from_yuan: price_yuan, below_yuan: price_yuan.checked_add(1) }
    }

    /// Highest price in the range, limited to a record's maximum.
    pub fn last_yuan(&self) -> i64 {
        self.below_yuan.map_or(MAX_AMOUNT_YUAN.max(self.from_yuan), |below| below - 1)
    }
}
