//! Decides what to do with a record, given the stored one. Pure, so that one table test covers every case.

use jiff::{SignedDuration, Timestamp};

use duijie_core::domain::{Problem, Record, Violation};
use duijie_store::Point;

/// What to do with a record.
#[derive(Debug, Clone, PartialEq)]
pub enum IngestPlan {
    /// Write it, with its revision and times set; the vector is kept if the texts are equal.
    Write {
        /// Record to write.
        record: Box<Record>,
        /// Dense vector that is still valid.
        kept: Option<Vec<f32>>,
    },
    /// Nothing to write.
    Keep {
        /// Stored revision.
        revision: u64,
    },
    /// Refuse it.
    Refuse {
        /// Reason.
        violation: Violation,
        /// Stored revision.
        revision: u64,
    },
}

/// How far ahead of this machine's clock a revision may be.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Decides by revision and content: a higher revision is written, a lower one refused, an equal one must have equal
/// content. Without a revision, any change becomes the next revision.
pub fn plan(mut record: Record, known: Option<Point>, now: Timestamp) -> IngestPlan {
    record.create_time = Some(now);
    record.update_time = Some(now);
    let max = max_revision(now);
    if max < record.revision {
        let problem = Problem::OutOfRange { min: 0, max: i64::try_from(max).unwrap_or(i64::MAX) };
        return refuse(problem, known.map_or(0, |known| known.record.revision));
    }
    let Some(known) = known else {
        record.revision = record.revision.max(1);
        return IngestPlan::Write { record: Box::new(record), kept: None };
    };
    let stored = known.record.revision;
    match record.revision {
        _ if unchanged(&record, &known.record) => return IngestPlan::Keep { revision: stored },
        0 => record.revision = stored + 1,
        revision if revision < stored => {
            return refuse(Problem::RevisionStale { stored }, stored);
        }
        revision if revision == stored => {
            return refuse(Problem::RevisionConflict { stored }, stored);
        }
        _ => {}
    }
    record.create_time = known.record.create_time;
    // a vector that was not read is made again
    let kept = record.same_text(&known.record).then_some(known.dense).filter(|dense| !dense.is_empty());
    IngestPlan::Write { record: Box::new(record), kept }
}

/// Highest revision that a record may get. Sources count, or take the time in units down to nanoseconds; what is beyond the
/// time is a mistake, and would lock the record for good.
fn max_revision(now: Timestamp) -> u64 {
    let latest = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    u64::try_from(latest.as_nanosecond()).unwrap_or(0)
}

fn refuse(problem: Problem, revision: u64) -> IngestPlan {
    IngestPlan::Refuse { violation: Violation::new("common.revision", problem), revision }
}

/// Whether a plan may keep the stored vector, so that the vector has to be read.
pub fn may_keep_vector(record: &Record, stored: &Record) -> bool {
    record.same_text(stored) && !unchanged(record, stored)
}

fn unchanged(record: &Record, stored: &Record) -> bool {
    (record.revision == 0 || record.revision == stored.revision) && record.same_content(stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Detail, Kind};
    use duijie_core::text::{LexicalQuery, SparseVector};

    fn record(title: &str, region: &str, revision: u64) -> Record {
        let record = Record::new("local", "d-1", title, Detail::empty(Kind::Demand));
        Record { region: region.into(), revision, ..record }
    }

    fn check(incoming: Record, stored: Option<Record>, want: &str) {
        let then = Timestamp::from_second(1).unwrap();
        let known = stored.map(|record| Point {
            record: Record { create_time: Some(then), update_time: Some(then), ..record },
            dense: vec![1.0],
            sparse: SparseVector::default(),
            query: LexicalQuery::default(),
        });
        let vector_is_read = known.as_ref().is_some_and(|known| may_keep_vector(&incoming, &known.record));
        let got = match plan(incoming, known, Timestamp::from_second(9).unwrap()) {
            IngestPlan::Write { record, kept } => {
                let created = record.create_time.unwrap().as_second();
                // without its vector a text would be stored with none
                assert!(kept.is_none() || vector_is_read);
                let kept = if kept.is_some() { "keep vectors" } else { "embed" };
                format!("write {} created {created} {kept}", record.revision)
            }
            IngestPlan::Keep { revision } => {
                assert!(!vector_is_read);
                format!("keep {revision}")
            }
            IngestPlan::Refuse { violation, revision } => {
                format!("refuse {} {revision}", violation.problem.reason())
            }
        };
        assert_eq!(got, want);
    }

    #[test]
    fn revisions_and_content_decide() {
        check(record("甲", "", 0), None, "write 1 created 9 embed");
        check(record("甲", "", 7), None, "write 7 created 9 embed");
        check(record("甲", "", 0), Some(record("甲", "", 3)), "keep 3");
        // one day after the time of these tests, in nanoseconds
        let max = (9 + 86_400) * 1_000_000_000;
        check(record("甲", "", max), None, &format!("write {max} created 9 embed"));
        check(record("甲", "", max + 1), None, "refuse OUT_OF_RANGE 0");
        check(record("乙", "", 1 << 62), Some(record("甲", "", 3)), "refuse OUT_OF_RANGE 3");
        check(record("甲", "", 3), Some(record("甲", "", 3)), "keep 3");
        check(record("乙", "", 0), Some(record("甲", "", 3)), "write 4 created 1 embed");
        check(record("甲", "130100", 0), Some(record("甲", "", 3)), "write 4 created 1 keep vectors");
        check(record("甲", "", 5), Some(record("甲", "", 3)), "write 5 created 1 keep vectors");
        check(record("乙", "", 2), Some(record("甲", "", 3)), "refuse REVISION_STALE 3");
        check(record("甲", "", 2), Some(record("甲", "", 3)), "refuse REVISION_STALE 3");
        check(record("乙", "", 3), Some(record("甲", "", 3)), "refuse REVISION_CONFLICT 3");
    }
}
