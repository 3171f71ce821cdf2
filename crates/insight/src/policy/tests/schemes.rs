//! Rules with other structures than Hebei's, as another province may write them.

use super::*;

const HEAD: &str = r#"
format = 1
id = "other"
version = "1"
title = "t"
issuer = "i"
source = "s"
clause = "c"
quote = "q"
"#;

fn rule(rest: &str) -> Policy {
    Policy::parse("other.toml", &format!("{HEAD}{rest}")).unwrap()
}

#[test]
fn sums_with_a_cap_of_their_own() {
    let policy = rule(
        r#"combine = "sum"
        total_cap_yuan = 70
        [buyer]
        regions = ["37"]
        [[scheme]]
        id = "base"
        title = "基本"
        seller_regions = []
        cap_yuan = 50
        band = [{ from_yuan = 0, rate_basis_points = 1000, base = "whole" }]
        [[scheme]]
        id = "extra"
        title = "加奖"
        seller_regions = ["370100"]
        cap_yuan = 50
        band = [{ from_yuan = 100, rate_basis_points = 500, base = "excess", lower_bands = "dropped" }]
        "#,
    );
    let of = |seller_region, price| {
        let note = policy.note(&Deal { buyer_region: "370200", seller_region, ..known(price) });
        let basis = cases(&note).last().map(|case| case.basis.clone()).unwrap_or_default();
        (range(&note), basis)
    };
    assert_eq!(of("370100", 300).0, (40, 40), "30 + 10");
    assert_eq!(of("370100", 99).0, (9, 9));
    let (yuan, basis) = of("370100", 1_000);
    assert_eq!(yuan, (70, 70), "50 under the cap, 45, 70 under the cap of both");
    assert!(basis.ends_with("，合计以 70 元封顶。"), "{basis}");
    // a seller known only by province may or may not be in Jinan
    assert_eq!(of("370000", 300).0, (30, 40));
    assert_eq!(of("370200", 300).0, (30, 30));
}

#[test]
fn validity_with_days() {
    let policy = rule(
        r#"combine = "highest"
        [validity]
        from = 2024-01-01
        to = 2026-12-31
        [buyer]
        regions = ["37"]
        [[scheme]]
        id = "base"
        title = "基本"
        seller_regions = ["37"]
        cap_yuan = 50
        band = [{ from_yuan = 0, rate_basis_points = 1000, base = "whole" }]
        "#,
    );
    let deal = Deal { buyer_region: "37", seller_region: "37", ..known(100) };
    let at = |day| policy.note(&Deal { date: day, ..deal });
    assert_eq!(
        at(Some(date(2023, 12, 31))).outcome,
        SubsidyOutcome::Nothing(NoSubsidyReason::TooEarly { from: date(2024, 1, 1) })
    );
    assert_eq!(at(Some(date(2024, 1, 1))).highest_yuan(), 10);
    assert_eq!(at(Some(date(2026, 12, 31))).highest_yuan(), 10);
    assert_eq!(
        at(Some(date(2027, 1, 1))).outcome,
        SubsidyOutcome::Nothing(NoSubsidyReason::TooLate { to: date(2026, 12, 31) })
    );
    assert_eq!(codes(&at(None)), ["DATE"]);
    assert!(at(Some(date(2024, 1, 1))).unknown.is_empty());
    // no scheme accepts sellers from elsewhere
    let elsewhere = policy.note(&Deal { seller_region: "11", date: Some(date(2024, 1, 1)), ..deal });
    assert_eq!(elsewhere.outcome, SubsidyOutcome::Nothing(NoSubsidyReason::SellerRegion));
    let unknown = policy.note(&Deal { seller_region: "", date: Some(date(2024, 1, 1)), ..deal });
    assert_eq!((range(&unknown), codes(&unknown)), ((0, 10), vec!["SELLER_REGION"]));
}

#[test]
fn percentages_and_amounts_read_well() {
    for (basis_points, want) in
        [(0, "0%"), (1000, "10%"), (125, "1.25%"), (150, "1.5%"), (5, "0.05%"), (10_000, "100%")]
    {
        assert_eq!(words::percent(basis_points), want);
    }
    for (amount, want) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_000_000_000_000, "1,000,000,000,000")] {
        assert_eq!(words::yuan(amount), want);
    }
}
