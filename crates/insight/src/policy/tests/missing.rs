//! Notes on missing facts and on open points of the text.

use super::*;

/// Open points at any price, with a seller elsewhere.
const ALWAYS: [&str; 4] = ["VALIDITY_NOT_STATED", "RATE_IS_CEILING", "ELIGIBILITY", "ACTUAL_AMOUNT"];

fn check(deal: Deal<'_>, want_yuan: (i64, i64), want_missing: &[&str]) {
    let note = hebei().note(&deal);
    assert_eq!(range(&note), want_yuan, "{deal:?}");
    let found = codes(&note);
    let missing: Vec<&str> = found.into_iter().filter(|code| Unknown::CODES[..5].contains(code)).collect();
    assert_eq!(missing, want_missing, "{deal:?}");
    assert!(note.unknown.iter().all(|unknown| unknown.text.ends_with('。')));
}

#[test]
fn each_fact_may_be_missing() {
    let deal = known(1_500_000);
    check(deal, (125_000, 125_000), &[]);
    check(Deal { buyer_region: "", ..deal }, (0, 125_000), &["BUYER_REGION"]);
    check(Deal { buyer_region: "no code", ..deal }, (0, 125_000), &["BUYER_REGION"]);
    check(Deal { buyer_kind: None, ..deal }, (0, 125_000), &["BUYER_KIND"]);
    check(Deal { seller_region: "", ..deal }, (125_000, 150_000), &["SELLER_REGION"]);
    check(Deal { price_yuan: None, ..deal }, (0, 1_000_000), &["PRICE"]);
    check(Deal { price_yuan: Some(-1), ..deal }, (0, 1_000_000), &["PRICE"]);
    // the plan names no days, so a missing day is not a further unknown
    check(Deal { date: None, ..deal }, (125_000, 125_000), &[]);
    check(Deal::default(), (0, 1_000_000), &["BUYER_REGION", "BUYER_KIND", "SELLER_REGION", "PRICE"]);
}

#[test]
fn conditions_say_under_what_how_much() {
    let conditions = |deal: Deal<'_>| {
        let note = hebei().note(&deal);
        let case = |case: &Case| (case.conditions.join("，且"), case.min_yuan, case.max_yuan);
        cases(&note).iter().map(case).collect::<Vec<_>>()
    };
    let want = |rows: &[(&str, i64, i64)]| {
        rows.iter().map(|(text, least, most)| ((*text).to_string(), *least, *most)).collect::<Vec<_>>()
    };
    assert_eq!(conditions(known(600_000)), want(&[("", 60_000, 60_000)]));
    assert_eq!(
        conditions(Deal { seller_region: "", ..known(1_500_000) }),
        want(&[("成果来源地在北京、天津", 150_000, 150_000), ("成果来源地不在北京、天津", 125_000, 125_000)])
    );
    assert_eq!(
        conditions(Deal { price_yuan: None, ..known(0) }),
        want(&[
            ("交易额在 500,000 元以上、不足 1,000,000 元", 50_000, 99_999),
            ("交易额在 1,000,000 元以上", 100_000, 1_000_000),
        ])
    );
    assert_eq!(
        conditions(Deal { buyer_region: "", buyer_kind: None, seller_region: "120000", ..known(800_000) }),
        want(&[("买方在河北，且买方是企业", 80_000, 80_000)])
    );
    assert_eq!(conditions(Deal::default()).len(), 4, "京津: two ranges of the price, elsewhere: two");
}

#[test]
fn open_questions_where_they_matter() {
    let check = |price: Option<i64>, seller_region: &str, want: &[&str]| {
        let note = hebei().note(&Deal { price_yuan: price, seller_region, ..known(0) });
        let open = |code: &&str| !Unknown::CODES.contains(code) && !ALWAYS.contains(code);
        assert_eq!(codes(&note).into_iter().filter(open).collect::<Vec<_>>(), want, "{price:?} {seller_region}");
        assert!(ALWAYS.iter().all(|code| codes(&note).contains(code)));
    };
    check(Some(600_000), "130100", &[]);
    check(Some(999_999), "130100", &[]);
    check(Some(1_000_000), "130100", &["EXACTLY_ONE_MILLION"]);
    check(Some(1_000_001), "130100", &["FIRST_MILLION"]);
    check(Some(1_000_000), "110000", &["ORIGIN_MEANING"]);
    check(Some(5_000_000), "110000", &["ORIGIN_MEANING"]);
    check(None, "130100", &["FIRST_MILLION", "EXACTLY_ONE_MILLION"]);
}

#[test]
fn years_outside_the_plan_are_told() {
    let check = |year: i16, want: bool| {
        let note = hebei().note(&Deal { date: Some(date(year, 1, 1)), ..known(600_000) });
        assert_eq!(codes(&note).contains(&Unknown::OUTSIDE_PLAN_YEARS), want, "{year}");
        assert_eq!(note.highest_yuan(), 60_000);
    };
    check(2020, true);
    check(2021, false);
    check(2025, false);
    check(2026, true);
}

#[test]
fn what_is_excluded_says_why() {
    let check = |deal: Deal<'_>, want: NoSubsidyReason, sentence: &str| {
        let note = hebei().note(&deal);
        assert_eq!(note.outcome, SubsidyOutcome::Nothing(want));
        assert_eq!((note.highest_yuan(), note.unknown.len()), (0, 0));
        assert_eq!(want.chinese(), sentence);
    };
    let deal = known(600_000);
    check(Deal { buyer_region: "110000", ..deal }, NoSubsidyReason::BuyerRegion, "买方不在本政策适用的地区。");
    let university = Deal { buyer_kind: Some(OwnerType::University), ..deal };
    check(university, NoSubsidyReason::BuyerKind, "买方不是本政策补助的单位类型。");
    let price = NoSubsidyReason::Price { lowest_yuan: 500_000 };
    let sentence = "该交易额不在补助范围内，单项交易额至少 500,000 元才可补助。";
    check(known(499_999), price, sentence);
    check(Deal { seller_region: "", ..known(499_999) }, price, sentence);
    // the price is too low for any buyer region
    check(Deal { buyer_region: "", ..known(1) }, price, sentence);
}

#[test]
fn buyers_of_all_hebei() {
    for region in ["13", "130000", "130681", "133100", "139001"] {
        assert_eq!(hebei().note(&Deal { buyer_region: region, ..known(600_000) }).highest_yuan(), 60_000, "{region}");
    }
    let policies = Policies::parse([("hebei.toml", HEBEI)]).unwrap();
    let count = |buyer_region| policies.notes(&Deal { buyer_region, ..known(600_000) }).len();
    assert_eq!((count("130200"), count(""), count("370000")), (1, 1, 0));
}
