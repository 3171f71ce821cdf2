//! The file of graded pairs: `demand_id`, `achievement_id`, `level`, separated by tabs, with a heading.
//!
//! Real judgements grade some pairs more than once, with different levels. Such a pair counts once, with its highest
//! level.

use std::collections::{BTreeMap, HashMap};

/// An achievement as judged for a demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedAchievement {
    /// Achievement id.
    pub id: String,
    /// Level, 1 to 4.
    pub level: u8,
}

/// Judged achievements by demand.
pub type Judgements = BTreeMap<String, Vec<JudgedAchievement>>;

/// Reads the pairs.
///
/// # Errors
/// A sentence naming the unreadable line.
pub fn read(text: &str) -> Result<Judgements, String> {
    let mut judgements = Judgements::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
        let heading = number == 1 && line.starts_with("demand_id");
        if heading || line.trim().is_empty() {
            continue;
        }
        let parts: Vec<&str> = line.split('\t').map(str::trim).collect();
        let &[demand, achievement, level] = parts.as_slice() else {
            return Err(format!("第 {number} 行应有 3 列（demand_id、achievement_id、level），以制表符分隔"));
        };
        let level: u8 = level
            .parse()
            .ok()
            .filter(|level| (1..=4).contains(level))
            .ok_or_else(|| format!("第 {number} 行的 level 是“{level}”，应为 1 到 4"))?;
        let judged = judgements.entry(demand.to_string()).or_default();
        let place = *places.entry((demand, achievement)).or_insert(judged.len());
        match judged.get_mut(place) {
            Some(known) => known.level = level.max(known.level),
            None => judged.push(JudgedAchievement { id: achievement.to_string(), level }),
        }
    }
    if judgements.is_empty() { Err("判分文件中没有判分".to_string()) } else { Ok(judgements) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_mistakes_told() {
        let read_pairs =
            read("demand_id\tachievement_id\tlevel\nd1\ta1\t2\r\nd1\ta2\t1\nd1\ta1\t4\nd1\ta1\t3\n\n").unwrap();
        let judged = |id: &str, level| JudgedAchievement { id: id.into(), level };
        assert_eq!(read_pairs["d1"], [judged("a1", 4), judged("a2", 1)]);
        for (text, want) in [("d1\ta1", "第 1 行"), ("d1\ta1\t5", "1 到 4"), ("d1\ta1\tx", "1 到 4"), ("", "没有判分")]
        {
            assert!(read(text).unwrap_err().contains(want), "{text}");
        }
    }
}
