//! `duijie event update`: changes the fields that are typed, and no others.

use anyhow::{Context, ensure};
use prost_types::FieldMask;

use super::{
    answered,
    args::Update,
    name,
    rules::{avoided, quota},
    show,
};
use crate::cli::{
    Done,
    client::{Server, explain},
    grade::grade,
};
use duijie_proto as pb;

/// Word for no limit.
const UNLIMITED: &str = "不限";
/// Word for an empty list.
const NONE: &str = "无";

/// Changes an event.
pub async fn update(server: &Server, it: Update) -> anyhow::Result<Done> {
    let answer = server.events().await?.update_event(request(it)?).await.map_err(|status| explain(&status))?;
    show::event(&answered(answer.into_inner().event)?, show::outline)
}

fn request(it: Update) -> anyhow::Result<pb::UpdateEventRequest> {
    let (mut event, mut rules) = (pb::Event { name: name(&it.id), ..Default::default() }, pb::EventRules::default());
    let mut paths: Vec<&str> = Vec::new();
    let mut set = |path, is_typed: bool| {
        if is_typed {
            paths.push(path);
        }
    };
    set("title", it.title.is_some());
    set("place", it.place.is_some());
    set("table_count", it.tables.is_some());
    set("spare_percent", it.spare.is_some());
    set("rules.max_per_demand", it.per_demand.is_some());
    set("rules.max_per_achievement", it.per_achievement.is_some());
    set("rules.max_per_expert", it.per_expert.is_some());
    set("rules.max_per_demand_organisation", it.per_demand_owner.is_some());
    set("rules.max_per_counterpart_organisation", it.per_supply_owner.is_some());
    set("rules.min_grade", it.min_level.is_some());
    set("rules.min_score", it.min_score.is_some());
    set("rules.quotas", !it.quota.is_empty());
    set("rules.avoided_pairs", !it.avoid.is_empty());
    set("rules.allow_same_organisation", it.allow_same_owner.is_some());
    set("rules.allow_met_before", it.allow_met_before.is_some());
    ensure!(!paths.is_empty(), "请写明要修改的项，如 --title 或 --tables");
    event.title = it.title.unwrap_or_default();
    event.place = it.place.unwrap_or_default();
    event.table_count = it.tables.unwrap_or_default();
    event.spare_percent = it.spare.unwrap_or_default();
    rules.max_per_demand = it.per_demand.unwrap_or_default();
    rules.max_per_achievement = it.per_achievement.unwrap_or_default();
    rules.max_per_expert = it.per_expert.unwrap_or_default();
    rules.max_per_demand_organisation = it.per_demand_owner.as_deref().map_or(Ok(None), limit)?;
    rules.max_per_counterpart_organisation = it.per_supply_owner.as_deref().map_or(Ok(None), limit)?;
    rules.min_grade = it.min_level.as_deref().map_or(Ok(0), grade)?;
    rules.min_score = it.min_score.unwrap_or_default();
    rules.quotas = list(&it.quota, quota)?;
    rules.avoided_pairs = list(&it.avoid, avoided)?;
    rules.allow_same_organisation = it.allow_same_owner.unwrap_or_default();
    rules.allow_met_before = it.allow_met_before.unwrap_or_default();
    event.rules = Some(rules);
    let mask = FieldMask { paths: paths.into_iter().map(String::from).collect() };
    Ok(pb::UpdateEventRequest { event: Some(event), update_mask: Some(mask) })
}

/// Parses a limit, or that there is none.
fn limit(text: &str) -> anyhow::Result<Option<i32>> {
    if text == UNLIMITED {
        return Ok(None);
    }
    text.parse().map(Some).with_context(|| format!("“{text}”不是场数，应为数字或“{UNLIMITED}”"))
}

/// Parses a list, or that it is empty.
fn list<T>(texts: &[String], one: impl Fn(&str) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    if texts == [NONE] {
        return Ok(Vec::new());
    }
    texts.iter().map(|text| one(text)).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        update: Update,
    }

    fn typed(arguments: &[&str]) -> anyhow::Result<pb::UpdateEventRequest> {
        let all = ["update", "hebei"].iter().chain(arguments);
        request(Line::try_parse_from(all)?.update)
    }

    #[test]
    fn only_what_is_typed_is_in_the_mask() {
        let check = |arguments: &[&str], want: &[&str]| {
            let request = typed(arguments).unwrap();
            assert_eq!(request.event.as_ref().unwrap().name, "events/hebei");
            assert_eq!(request.update_mask.unwrap().paths, want, "{arguments:?}");
            request.event.unwrap()
        };
        let event = check(&["--title", "新", "--place", ""], &["title", "place"]);
        assert_eq!((event.title.as_str(), event.place.as_str()), ("新", ""));
        let event = check(&["--min-level", "较强", "--quota", "无"], &["rules.min_grade", "rules.quotas"]);
        let rules = event.rules.unwrap();
        assert_eq!((rules.min_grade(), rules.quotas.len()), (pb::Grade::Fair, 0));
        let limits = ["--per-demand-owner", "不限", "--per-supply-owner", "3"];
        let event = check(&limits, &["rules.max_per_demand_organisation", "rules.max_per_counterpart_organisation"]);
        let rules = event.rules.unwrap();
        assert_eq!((rules.max_per_demand_organisation, rules.max_per_counterpart_organisation), (None, Some(3)));
        check(&["--allow-same-owner", "false"], &["rules.allow_same_organisation"]);
        assert!(typed(&[]).is_err() && typed(&["--per-demand-owner", "x"]).is_err());
        assert!(typed(&["--quota", "x"]).is_err());
    }
}
