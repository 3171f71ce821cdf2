//! Every edge of the amounts of the Hebei plan.

use proptest::prelude::*;

use super::*;

/// Highest subsidy, and the one under unfavourable answers to open questions, by price and seller.
fn check(price_yuan: i64, seller_region: &str, want_yuan: i64, want_otherwise: Option<i64>) {
    let note = hebei().note(&Deal { seller_region, ..known(price_yuan) });
    assert_eq!(range(&note), (want_yuan, want_yuan), "{price_yuan} from {seller_region}");
    let otherwise = cases(&note).first().and_then(|case| case.otherwise_yuan);
    assert_eq!(otherwise, want_otherwise, "{price_yuan} from {seller_region}");
}

#[test]
fn elsewhere_at_every_edge() {
    // 130100 Shijiazhuang, 370000 Shandong: the general scheme has no condition on the seller
    for seller in ["130100", "370000"] {
        check(0, seller, 0, None);
        check(1, seller, 0, None);
        check(499_999, seller, 0, None);
        check(500_000, seller, 50_000, None);
        // 50,000.1: the fraction of a yuan is dropped
        check(500_001, seller, 50_000, None);
        check(500_010, seller, 50_001, None);
        check(999_999, seller, 99_999, None);
        check(1_000_000, seller, 100_000, Some(0));
        // 100,000.05
        check(1_000_001, seller, 100_000, Some(0));
        check(1_000_020, seller, 100_001, Some(1));
        check(1_500_000, seller, 125_000, Some(25_000));
        check(2_000_000, seller, 150_000, Some(50_000));
        // 100,000 + 5 % of 18 million is the cap
        check(18_999_979, seller, 999_998, Some(899_998));
        check(18_999_980, seller, 999_999, Some(899_999));
        check(19_000_000, seller, 1_000_000, Some(900_000));
        check(19_000_020, seller, 1_000_000, Some(900_001));
        check(20_999_999, seller, 1_000_000, Some(999_999));
        // from here on both readings reach the cap
        check(21_000_000, seller, 1_000_000, None);
        check(1_000_000_000_000, seller, 1_000_000, None);
    }
}

#[test]
fn beijing_and_tianjin_at_every_edge() {
    for seller in ["110000", "110108", "120000", "120116", "12"] {
        check(499_999, seller, 0, None);
        check(500_000, seller, 50_000, None);
        check(999_999, seller, 99_999, None);
        check(1_000_000, seller, 100_000, None);
        check(1_000_001, seller, 100_000, None);
        check(1_000_010, seller, 100_001, None);
        check(1_500_000, seller, 150_000, None);
        check(9_999_989, seller, 999_998, None);
        check(9_999_999, seller, 999_999, None);
        check(10_000_000, seller, 1_000_000, None);
        check(10_000_001, seller, 1_000_000, None);
        check(1_000_000_000_000, seller, 1_000_000, None);
    }
}

#[test]
fn the_calculation_is_told() {
    let basis = |price, seller_region| {
        let note = hebei().note(&Deal { seller_region, ..known(price) });
        cases(&note)[0].basis.clone()
    };
    assert_eq!(
        basis(1_500_000, "130100"),
        "交易额 1,500,000 元：按“一般科技成果”，1,000,000 元 × 10% + 500,000 元 × 5% = 125,000 元。"
    );
    assert_eq!(
        basis(20_000_000, "130100"),
        "交易额 20,000,000 元：按“一般科技成果”，1,000,000 元 × 10% + 19,000,000 元 × 5% = 1,050,000 元，封顶 1,000,000 元。"
    );
    assert_eq!(
        basis(1_500_000, "110000"),
        "交易额 1,500,000 元：按“来源于京津的科技成果”，1,500,000 元 × 10% = 150,000 元。"
    );
}

#[test]
fn the_rule_is_named_and_quoted() {
    let note = hebei().note(&known(600_000));
    assert_eq!((note.rule_id.as_str(), note.rule_version.as_str()), ("hebei-2021-9", "2021.1"));
    assert_eq!(note.quote, CLAUSE);
    assert!(note.clause.contains("第 9 条"));
    assert_eq!(note.highest_yuan(), 60_000);
}

proptest! {
    #[test]
    fn never_more_than_a_tenth_or_a_million(price in 0..=1_000_000_000_000_i64, seller in prop::sample::select(vec!["130100", "110000", "", "440000"])) {
        let note = hebei().note(&Deal { seller_region: seller, ..known(price) });
        let (least, most) = range(&note);
        prop_assert!(0 <= least && least <= most && most <= (price / 10).min(1_000_000));
    }

    #[test]
    fn more_for_a_higher_price(low in 0..30_000_000_i64, more in 0..1_000_000_i64) {
        for seller_region in ["130100", "120000"] {
            let of = |price| hebei().note(&Deal { seller_region, ..known(price) }).highest_yuan();
            prop_assert!(of(low) <= of(low + more));
        }
    }

    #[test]
    fn any_price_is_taken(price in any::<i64>()) {
        let note = hebei().note(&known(price));
        prop_assert!((0..=1_000_000).contains(&note.highest_yuan()));
    }
}
