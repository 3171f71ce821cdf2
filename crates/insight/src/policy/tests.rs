//! Tests of the rules, with the shipped rule file.

mod amounts;
mod folder;
mod missing;
mod refused;
mod schemes;

use jiff::civil::date;

use super::*;
use duijie_core::domain::codes::OwnerType;

/// The shipped file.
const HEBEI: &str = include_str!("../../../../policies/hebei-2021.toml");
/// Clause 9 of the plan.
const CLAUSE: &str = "省级财政科技资金按照法律法规有关要求，对于符合条件的技术转让给予奖励补助。我省企业作为科技成果受让方，单项交易额在50万元以上不足100万元的，按照技术合同实际交易额给予最高10%的补助，超过100万元的部分给予最高5%的补助，每项最高可补助100万元。其中，科技成果来源于京津的，单项交易额在50万元以上的，按照实际交易额给予最高10%的补助，每项最高可补助100万元。";

fn hebei() -> Policy {
    Policy::parse("hebei-2021.toml", HEBEI).unwrap()
}

/// A Hebei company buys from Shijiazhuang in 2023.
fn known(price_yuan: i64) -> Deal<'static> {
    Deal {
        buyer_region: "130200",
        buyer_kind: Some(OwnerType::Enterprise),
        seller_region: "130100",
        price_yuan: Some(price_yuan),
        date: Some(date(2023, 5, 1)),
    }
}

fn cases(note: &Note) -> &[Case] {
    match &note.outcome {
        SubsidyOutcome::Possible { cases, .. } => cases,
        SubsidyOutcome::Nothing(_) => &[],
    }
}

/// Lowest and highest possible subsidy, 0 and 0 for none.
fn range(note: &Note) -> (i64, i64) {
    match &note.outcome {
        SubsidyOutcome::Possible { min_yuan, max_yuan, .. } => (*min_yuan, *max_yuan),
        SubsidyOutcome::Nothing(_) => (0, 0),
    }
}

fn codes(note: &Note) -> Vec<&str> {
    note.unknown.iter().map(|unknown| unknown.code.as_str()).collect()
}

/// The shipped file with one text replaced; the text must exist.
fn changed(from: &str, to: &str) -> String {
    assert!(HEBEI.contains(from), "{from}");
    HEBEI.replacen(from, to, 1)
}
