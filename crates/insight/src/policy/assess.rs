//! Assesses a deal under a rule: refusals first, then every case of the missing facts.

use super::{
    award::{Reading, total},
    cases::{PriceRange, SellerGroup, price_ranges, seller_condition, seller_groups},
    deal::{Deal, Fit, fit_any, prefix},
    note::{Case, NoSubsidyReason, Note, SubsidyOutcome, Unknown},
    rule::{Policy, Question},
    words,
};
use duijie_core::domain::codes::Code;

impl Policy {
    /// Returns the note of this rule on a deal.
    pub fn note(&self, deal: &Deal<'_>) -> Note {
        let outcome = self.refusal(deal).map_or_else(|| self.possible(deal), SubsidyOutcome::Nothing);
        let unknown = match &outcome {
            SubsidyOutcome::Nothing(_) => Vec::new(),
            SubsidyOutcome::Possible { cases, .. } => self.unknown(deal, cases),
        };
        Note {
            rule_id: self.id.clone(),
            rule_version: self.version.clone(),
            title: self.title.clone(),
            source: self.source.clone(),
            clause: self.clause.clone(),
            quote: self.quote.clone(),
            outcome,
            unknown,
        }
    }

    /// Returns whether a buyer in this region (empty: unknown) may fall under the rule.
    pub(crate) fn may_hold_buyer(&self, region: &str) -> bool {
        self.buyer_fit(region) != Fit::No
    }

    fn buyer_fit(&self, region: &str) -> Fit {
        fit_any(&prefix(region), &self.buyer.regions)
    }

    /// Known reason that excludes the deal, whatever its price and seller.
    fn refusal(&self, deal: &Deal<'_>) -> Option<NoSubsidyReason> {
        if self.buyer_fit(deal.buyer_region) == Fit::No {
            return Some(NoSubsidyReason::BuyerRegion);
        }
        let kinds = &self.buyer.kinds;
        if !kinds.is_empty() && deal.buyer_kind.is_some_and(|kind| !kinds.contains(&kind)) {
            return Some(NoSubsidyReason::BuyerKind);
        }
        let date = deal.date?;
        let early = self.validity.from.filter(|from| date < *from).map(|from| NoSubsidyReason::TooEarly { from });
        early.or_else(|| self.validity.to.filter(|to| *to < date).map(|to| NoSubsidyReason::TooLate { to }))
    }

    fn possible(&self, deal: &Deal<'_>) -> SubsidyOutcome {
        let groups = seller_groups(self, &prefix(deal.seller_region));
        if groups.iter().all(|group| group.schemes.is_empty()) {
            return SubsidyOutcome::Nothing(NoSubsidyReason::SellerRegion);
        }
        let buyer = self.buyer_conditions(deal);
        let mut nothing_too = !buyer.is_empty() || deal.price().is_none();
        let mut cases = Vec::new();
        for group in &groups {
            let mut conditions = buyer.clone();
            conditions.extend(seller_condition(group, &groups));
            let found = self.cases(group, &conditions, deal.price());
            nothing_too |= found.is_empty();
            cases.extend(found);
        }
        let Some(max_yuan) = cases.iter().map(|case| case.max_yuan).max() else {
            return SubsidyOutcome::Nothing(NoSubsidyReason::Price { lowest_yuan: self.lowest_price_yuan() });
        };
        let min_yuan = cases.iter().map(|case| case.min_yuan).min().filter(|_| !nothing_too).unwrap_or(0);
        SubsidyOutcome::Possible { min_yuan, max_yuan, cases }
    }

    /// Cases with a subsidy for one group of sellers.
    fn cases(&self, group: &SellerGroup<'_>, conditions: &[String], price: Option<i64>) -> Vec<Case> {
        let ranges = price.map_or_else(|| price_ranges(&group.schemes), |price| vec![PriceRange::exactly(price)]);
        let case = |range: PriceRange| {
            let mut conditions = conditions.to_vec();
            if price.is_none() {
                conditions.push(words::price_range(range.from_yuan, range.below_yuan));
            }
            self.case(group, conditions, range)
        };
        ranges.into_iter().map(case).filter(|case| 0 < case.max_yuan).collect()
    }

    fn case(&self, group: &SellerGroup<'_>, conditions: Vec<String>, range: PriceRange) -> Case {
        let (first, last) = (range.from_yuan, range.last_yuan());
        let sum = |price, reading| total(&group.schemes, self.combine, price, reading);
        let (lowest, highest) = (sum(first, Reading::Highest), sum(last, Reading::Highest));
        let open =
            |id: &str| self.questions.iter().any(|question| question.drops_lower && question.is_about(id, last, last));
        let is_open = highest.awards.iter().any(|award| open(&award.scheme));
        let other = sum(last, Reading::WithoutLower).yuan;
        let mut schemes: Vec<String> =
            lowest.awards.iter().chain(&highest.awards).map(|award| award.scheme.clone()).collect();
        schemes.sort();
        schemes.dedup();
        Case {
            conditions,
            price_yuan: (first, last),
            min_yuan: lowest.yuan,
            max_yuan: highest.yuan,
            basis: words::basis(&highest, last),
            schemes,
            otherwise_yuan: (is_open && other != highest.yuan).then_some(other),
            total: highest,
        }
    }

    /// Conditions on unknown facts about the buyer.
    fn buyer_conditions(&self, deal: &Deal<'_>) -> Vec<String> {
        let region = (self.buyer_fit(deal.buyer_region) == Fit::Maybe)
            .then(|| format!("买方在{}", words::regions(&self.buyer.regions)));
        let kind = self.is_kind_missing(deal).then(|| format!("买方是{}", self.kind_labels()));
        region.into_iter().chain(kind).collect()
    }

    fn is_kind_missing(&self, deal: &Deal<'_>) -> bool {
        !self.buyer.kinds.is_empty() && deal.buyer_kind.is_none()
    }

    fn kind_labels(&self) -> String {
        self.buyer.kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join("或")
    }

    fn unknown(&self, deal: &Deal<'_>, cases: &[Case]) -> Vec<Unknown> {
        let mut found = Vec::new();
        if self.buyer_fit(deal.buyer_region) == Fit::Maybe {
            found.push(Unknown::new(Unknown::BUYER_REGION, "买方所在地区未填写或不够具体。"));
        }
        if self.is_kind_missing(deal) {
            let text = format!("买方的单位类型未填写，本政策只补助{}。", self.kind_labels());
            found.push(Unknown::new(Unknown::BUYER_KIND, text));
        }
        if 1 < seller_groups(self, &prefix(deal.seller_region)).len() {
            found.push(Unknown::new(Unknown::SELLER_REGION, "成果来源地未填写或不够具体，各种情形分别列出。"));
        }
        if deal.price().is_none() {
            found.push(Unknown::new(Unknown::PRICE, "交易额未定（面议），各金额区间分别列出。"));
        }
        found.extend(self.unknown_date(deal));
        let concerns = |case: &Case, question: &Question| {
            let (first, last) = case.price_yuan;
            case.schemes.iter().any(|scheme| question.is_about(scheme, first, last))
        };
        let open = self.questions.iter().filter(|question| cases.iter().any(|case| concerns(case, question)));
        found.extend(open.map(|question| Unknown::new(&question.code, &question.text)));
        found
    }

    fn unknown_date(&self, deal: &Deal<'_>) -> Vec<Unknown> {
        let validity = &self.validity;
        let mut found = Vec::new();
        if validity.from.is_none() || validity.to.is_none() {
            let text = "条文没有写明完整的起止日期，是否仍在执行请向主管部门核实。";
            found.push(Unknown::new(Unknown::VALIDITY_NOT_STATED, text));
        }
        match (deal.date, validity.plan_years) {
            (None, _) if validity.from.is_some() || validity.to.is_some() => {
                found.push(Unknown::new(Unknown::DATE, "交易日期未填写，须在本政策的有效期内。"));
            }
            (Some(date), Some((first, last))) if !(first..=last).contains(&date.year()) => {
                let text = format!("交易日期 {date} 不在文件写明目标的 {first} 至 {last} 年之内，是否适用不明。");
                found.push(Unknown::new(Unknown::OUTSIDE_PLAN_YEARS, text));
            }
            _ => {}
        }
        found
    }
}
