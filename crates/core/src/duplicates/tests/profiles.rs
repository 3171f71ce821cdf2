//! Shared texts must not chain records into one group.

use super::*;

const PROFILE: &str = "我公司成立于2003年，位于河北省石家庄市高新区，注册资本五千万元，占地六万平方米，现有员工三百二十人，其中技术人员六十人。\
    公司是国家高新技术企业、省级专精特新企业，建有省级企业技术中心和院士工作站。\
    公司主营泵阀和管道配件，产品出口三十多个国家和地区，年销售收入四亿元。\
    公司通过了质量、环境、职业健康三体系认证，先后承担省级以上科技计划项目十二项。\
    公司愿与国内外高校和科研院所开展多种形式的合作，提供试制场地、检测设备和研发经费，合作方式和费用由双方协商确定。";

/// Texts of about 60 characters that have nothing in common.
fn own(seed: u64) -> String {
    let mut dice = Dice(seed);
    (0..60).map(|_| char::from_u32(0x4E00 + dice.below(8_000) as u32).unwrap()).collect()
}

fn title(seed: u64) -> String {
    own(seed + 1_000_000).chars().take(12).collect()
}

#[test]
fn a_profile_with_demands_of_their_own() {
    for count in [2, 3, 10, 300] {
        let records: Vec<Record> = (0..count)
            .map(|id| owned(&format!("{id:03}"), "甲公司", &title(id), &format!("{PROFILE}\n{}", own(id))))
            .collect();
        assert_eq!(ids(&search(&records)), Vec::<Vec<&str>>::new(), "{count}");
    }
}

#[test]
fn a_profile_under_a_generic_title() {
    let of = |title: &str, count: u64| {
        let body = |id| format!("{PROFILE}\n{}", own(id));
        let records: Vec<Record> =
            (0..count).map(|id| owned(&format!("{id:03}"), "甲公司", title, &body(id))).collect();
        ids(&search(&records)).into_iter().map(|group| group.len()).collect::<Vec<_>>()
    };
    assert_eq!(of("技术难题", 200), Vec::<usize>::new());
    assert_eq!(of("企业技术难题征集与合作需求", 200), Vec::<usize>::new());
    // a title that seems specific but covers many demands of one owner
    assert_eq!(of("泵阀产品质量提升", 200), Vec::<usize>::new());
    assert_eq!(of("泵阀产品质量提升", 5), [5]);
}

#[test]
fn a_profile_with_nothing_but_a_title() {
    let of = |count: u64| {
        let records: Vec<Record> =
            (0..count).map(|id| owned(&format!("{id:03}"), "甲公司", &title(id), PROFILE)).collect();
        ids(&search(&records)).into_iter().map(|group| group.len()).collect::<Vec<_>>()
    };
    assert_eq!(of(300), Vec::<usize>::new());
    assert_eq!(of(limits::BOILERPLATE_TITLES as u64), Vec::<usize>::new());
    // with so few titles it may be the thing itself
    assert_eq!(of(limits::BOILERPLATE_TITLES as u64 - 1), [limits::BOILERPLATE_TITLES - 1]);
}

#[test]
fn a_profile_with_a_changing_part() {
    let body = |id: u64| PROFILE.replace("五千万元", &format!("第{id}号"));
    let records: Vec<Record> = (0..300).map(|id| achievement(&format!("{id:03}"), &title(id), &body(id))).collect();
    assert_eq!(ids(&search(&records)), Vec::<Vec<&str>>::new());
}

#[test]
fn copies_among_many_with_one_profile_are_found() {
    let mut records: Vec<Record> =
        (0..300).map(|id| owned(&format!("{id:03}"), "甲公司", &title(id), &format!("{PROFILE}{}", own(id)))).collect();
    for id in [17, 120, 299] {
        records.push(achievement(&format!("copy-{id}"), &title(id), &format!("{PROFILE}{}", own(id))));
    }
    assert_eq!(ids(&search(&records)), [["017", "copy-17"], ["120", "copy-120"], ["299", "copy-299"]]);
}

#[test]
fn large_groups_are_cut_down_to_firm_links() {
    // each is near to the next one, but the ends are not: versions drift
    let body = |id: usize| {
        let parts: Vec<String> = (id..id + 12).map(|part| own(part as u64)).collect();
        parts.concat()
    };
    let drift = |count: usize| {
        (0..count).map(|id| achievement(&format!("{id:03}"), "一项持续改进的成果", &body(id))).collect::<Vec<_>>()
    };
    let small = search(&drift(limits::MAX_LOOSE_MEMBERS));
    assert_eq!((small.groups.len(), small.groups[0].is_cut_down), (1, false));
    assert!(search(&drift(limits::MAX_LOOSE_MEMBERS + 1)).groups.is_empty());
    // a hundred equal copies are one group
    let copies: Vec<Record> = (0..100).map(|id| achievement(&format!("{id:03}"), "同一成果", PROFILE)).collect();
    let report = search(&copies);
    assert_eq!(report.groups.len(), 1);
    assert_eq!((report.groups[0].members.len(), report.groups[0].is_cut_down), (100, true));
    assert!(report.pairs < 1_000, "{}", report.pairs);
}
