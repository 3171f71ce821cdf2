//! Compares the search with a check of all pairs.

use proptest::prelude::*;

use super::{
    boilerplate::Boilerplate,
    compare::{ComparedRecord, reasons},
    content::RecordTexts,
    *,
};

const SENTENCES: [&str; 12] = [
    "针对薄壁壳体焊接变形大的问题，采用双光束摆动焊接",
    "热输入降低百分之三十以上，变形量由1.2mm降到0.3mm",
    "已在两家企业试用，累计焊接壳体3.6万件",
    "设备占地12平方米，可由一名工人操作",
    "采用水热法合成催化剂，粒径分布窄，活性高",
    "在300℃下脱硝效率达到95%，抗硫性好",
    "小麦新品种株高75cm，抗倒伏，亩产610kg",
    "适宜在冀中南水地种植，播期10月上旬",
    "叶轮采用三元流设计，壳体整体铸造，运行平稳",
    "流量50立方米每小时，效率比国标高4个百分点",
    "转化方式为普通许可或者技术服务，价格面议",
    "项目团队有高级职称人员五名，获省级奖励两项",
];
const TITLES: [&str; 8] = [
    "薄壁壳体激光焊接变形控制",
    "薄壁壳体激光焊接变形控制技术",
    "一种薄壁壳体的激光焊接方法",
    "低温脱硝催化剂制备",
    "低温脱硝催化剂的制备研究",
    "冀麦610小麦新品种选育",
    "冀麦620小麦新品种选育",
    "高效节能水泵",
];
const OWNERS: [&str; 3] = ["", "冀华理工大学", "甲公司"];
const NUMBERS: [&str; 4] = ["", "", "1302021Y0123", "1302022Y0001"];

/// Title, owner, number, sentences, one character more.
type Row = (usize, usize, usize, Vec<usize>, Option<char>);
/// Ids of two records.
type Pair = (String, String);

fn record() -> impl Strategy<Value = Row> {
    let sentences = prop::collection::vec(0..SENTENCES.len(), 0..6);
    (0..TITLES.len(), 0..OWNERS.len(), 0..NUMBERS.len(), sentences, prop::option::of(any::<char>()))
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let built = |(id, (title, owner, number, sentences, more)): (usize, Row)| {
        let texts: Vec<&str> = sentences.iter().map(|index| SENTENCES[*index]).collect();
        let body = format!("{}{}", texts.join("。"), more.map(String::from).unwrap_or_default());
        let mut record = owned(&format!("r{id:02}"), OWNERS[owner], TITLES[title], &body);
        if OWNERS[owner].is_empty() {
            record.owner = None;
        }
        record.detail =
            Detail::Achievement(Achievement { registration_number: NUMBERS[number].into(), ..Achievement::default() });
        record
    };
    prop::collection::vec(record(), 0..14).prop_map(move |rows| rows.into_iter().enumerate().map(built).collect())
}

/// Links of all pairs that are too firm for a sketch to miss, and all links.
fn all_links(records: &[Record]) -> (Vec<Pair>, Vec<Pair>) {
    let contents: Vec<RecordTexts> = records.iter().map(RecordTexts::new).collect();
    let signed: Vec<Signed> = records.iter().map(Signed::new).collect();
    // sentences are counted among candidates only; no sentence here is boilerplate, so every link found must be here
    let boilerplate = Boilerplate::default();
    let (mut firm, mut all) = (Vec::new(), Vec::new());
    for (index, right) in records.iter().enumerate() {
        for (place, left) in records[..index].iter().enumerate() {
            let side = |place: usize| ComparedRecord { signed: &signed[place], content: &contents[place] };
            let pair = (left.id.clone(), right.id.clone());
            let number = !signed[index].number.is_empty() && signed[index].number == signed[place].number;
            let found = reasons(side(place), side(index), &boilerplate);
            let alike_titles = shingle::jaccard(&contents[place].title.pairs, &contents[index].title.pairs) >= 0.3;
            if number
                || found
                    .iter()
                    .any(|reason| reason.is_firm() && (alike_titles || !matches!(reason, DuplicateReason::Text { .. })))
            {
                firm.push(pair.clone());
            }
            if number || !found.is_empty() {
                all.push(pair);
            }
        }
    }
    (firm, all)
}

fn together(report: &DuplicateReport, left: &str, right: &str) -> bool {
    ids(report).iter().any(|group| group.contains(&left) && group.contains(&right))
}

proptest! {
    #[test]
    fn as_all_pairs_say(records in records()) {
        let (firm, all) = all_links(&records);
        let report = search(&records);
        for (left, right) in &firm {
            prop_assert!(together(&report, left, right), "{left} and {right} are missing");
        }
        for link in report.groups.iter().flat_map(|group| &group.links) {
            prop_assert!(all.contains(&(link.left.id.clone(), link.right.id.clone())), "{link:?}");
            prop_assert!(link.left < link.right);
        }
    }

    #[test]
    fn groups_are_whole(records in records()) {
        let report = search(&records);
        let mut seen = Vec::new();
        for group in &report.groups {
            prop_assert!(2 <= group.members.len());
            prop_assert!(group.members.is_sorted());
            seen.extend(group.members.iter().cloned());
            // every member can be reached from the first one by links
            let mut reached = vec![group.members[0].clone()];
            for _ in &group.members {
                for link in &group.links {
                    if reached.contains(&link.left) != reached.contains(&link.right) {
                        reached.extend([link.left.clone(), link.right.clone()]);
                    }
                }
            }
            prop_assert!(group.members.iter().all(|member| reached.contains(member)));
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        prop_assert_eq!(seen.len(), count, "no record is in two groups");
    }

    #[test]
    fn any_order_gives_the_same(records in records(), seed in any::<u64>()) {
        let mut shuffled = records.clone();
        let mut dice = Dice(seed);
        for end in (1..shuffled.len()).rev() {
            shuffled.swap(end, dice.below(end + 1));
        }
        prop_assert_eq!(search(&records), search(&shuffled));
    }

    #[test]
    fn no_text_panics(title in ".{0,40}", body in "[\u{0}-\u{10FFFF}]{0,80}") {
        let records = [owned("a", &title, &title, &body), owned("b", &title, &title, &body)];
        let _ = search(&records);
    }

    #[test]
    fn jaccard_is_that_of_sets(left in prop::collection::btree_set(0..40_u64, 0..30), right in prop::collection::btree_set(0..40_u64, 0..30)) {
        let all = left.union(&right).count();
        let want = if all == 0 { 1.0 } else { left.intersection(&right).count() as f64 / all as f64 };
        let (left, right): (Vec<u64>, Vec<u64>) = (left.into_iter().collect(), right.into_iter().collect());
        prop_assert_eq!(shingle::jaccard(&left, &right), want);
    }
}
