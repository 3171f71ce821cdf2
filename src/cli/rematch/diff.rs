//! `duijie rematch diff`.

use anyhow::bail;

use super::{
    args::{Diff, Kind},
    told,
};
use crate::{
    cli::{Done, client::Server, grade::grade_label, out, table},
    rematch::diff::ChangeReason,
};
use duijie_proto as pb;
use duijie_proto::diff_rematches_response::Event;

/// Prints the differences between two jobs.
pub async fn run(server: &Server, args: Diff) -> anyhow::Result<Done> {
    let request = pb::DiffRematchesRequest { before: args.before, after: args.after };
    let mut messages = server.rematch().await?.diff_rematches(request).await.map_err(told)?.into_inner();
    let mut shown = Vec::new();
    while let Some(message) = messages.message().await.map_err(told)? {
        match message.event {
            Some(Event::Change(change)) if wanted(&args.only, change.kind()) && shown.len() < args.limit => {
                shown.push(change);
            }
            Some(Event::Totals(totals)) => {
                match out::as_json(&shown)? {
                    true => print!("{}", text(&[], &totals)),
                    false => print!("{}", text(&shown, &totals)),
                }
                return Ok(Done::All);
            }
            Some(Event::Change(_)) | None => {}
        }
    }
    bail!("服务的回答不完整，请重试")
}

fn wanted(only: &[Kind], kind: pb::RematchChangeKind) -> bool {
    let of_kind = |only: &Kind| match only {
        Kind::New => kind == pb::RematchChangeKind::New,
        Kind::Lost => kind == pb::RematchChangeKind::Lost,
        Kind::Up => kind == pb::RematchChangeKind::Up,
        Kind::Down => kind == pb::RematchChangeKind::Down,
    };
    only.is_empty() || only.iter().any(of_kind)
}

fn text(shown: &[pb::RematchChange], totals: &pb::RematchTotals) -> String {
    let row = |change: &pb::RematchChange| {
        vec![
            label(change.kind()).to_string(),
            format!("{}\n{}", change.demand_title, change.demand),
            format!("{}\n{}", change.target_title, change.target),
            format!("{} → {}", place(change.before.as_ref()), place(change.after.as_ref())),
            change.localized_description.clone(),
        ]
    };
    let mut said = String::new();
    if !shown.is_empty() {
        said += &table::rows(&["变化", "需求", "对象", "名次（级别）", "原因"], shown.iter().map(row));
    }
    let pb::RematchTotals { new_count, lost_count, up_count, down_count, same_count, score_changed_count, .. } = totals;
    said += &format!(
        "新增 {new_count}，消失 {lost_count}，升级 {up_count}，降级 {down_count}，未变 {same_count}（其中得分变动 {score_changed_count}）\n"
    );
    let (common, earlier, later) = (totals.common_demand_count, totals.earlier_demand_count, totals.later_demand_count);
    said += &format!("两个任务共有的需求 {common} 项，只在前者的 {earlier} 项，只在后者的 {later} 项\n");
    let reason = |count: &pb::RematchReasonCount| format!("{} {}", reason_label(count.reason()), count.pair_count);
    let reasons: Vec<String> = totals.reasons.iter().map(reason).collect();
    if !reasons.is_empty() {
        said += &format!("原因：{}\n", reasons.join("，"));
    }
    said
}

fn label(kind: pb::RematchChangeKind) -> &'static str {
    match kind {
        pb::RematchChangeKind::New => "新增",
        pb::RematchChangeKind::Lost => "消失",
        pb::RematchChangeKind::Up => "升级",
        pb::RematchChangeKind::Down => "降级",
        pb::RematchChangeKind::Unspecified => "",
    }
}

/// Label of a reason. Wire numbers follow the order of [`ChangeReason::ALL`], from 1.
fn reason_label(reason: pb::RematchReason) -> &'static str {
    let place = usize::try_from(reason as i32 - 1).ok();
    place.and_then(|place| ChangeReason::ALL.get(place)).map_or("", |reason| reason.label())
}

fn place(place: Option<&pb::RematchStanding>) -> String {
    let Some(place) = place else { return "—".to_string() };
    match grade_label(place.grade) {
        "" => place.rank.to_string(),
        level => format!("{}（{level}）", place.rank),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_label() {
        for (place, reason) in (1..).zip(ChangeReason::ALL) {
            let wire = pb::RematchReason::try_from(place).unwrap();
            assert_eq!(reason_label(wire), reason.label());
            assert!(wire.as_str_name().to_lowercase().ends_with(reason.key()), "{wire:?} is {reason:?}");
        }
        assert_eq!(reason_label(pb::RematchReason::Unspecified), "");
    }
}
