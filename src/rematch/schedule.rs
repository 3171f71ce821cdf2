//! When a re-matching job is due: every night, or after a number of changes. Pure; the caller passes the time.

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};

/// A missed night, for example while the machine was off, is made up within this time; later it would be daytime.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_hours(6);

/// When jobs must start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Every night at this local time; `None` means never.
    pub nightly: Option<Time>,
    /// Time zone of `nightly`.
    pub time_zone: TimeZone,
    /// After this number of records changed since the last job began; `None` means never.
    pub after_changes: Option<u64>,
}

/// Inputs of the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Current time.
    pub now: Timestamp,
    /// Start of the schedule: without any earlier nightly job, nights before this time count as done.
    pub since: Timestamp,
    /// Start of the last nightly job.
    pub last_night: Option<Timestamp>,
    /// Whether a scheduled job is queued or running.
    pub is_running: bool,
    /// Number of records changed since the last scheduled job began.
    pub changes: u64,
}

/// Reason why a job is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The night of this time.
    Night(Timestamp),
    /// Enough records changed.
    Changes,
}

// === impl Schedule ===

impl Schedule {
    /// Whether the schedule never starts a job.
    pub fn is_empty(&self) -> bool {
        self.nightly.is_none() && self.after_changes.is_none()
    }

    /// The job that is due. One job at a time: none is due while one runs.
    pub fn due(&self, known: &Known) -> Option<Trigger> {
        if known.is_running {
            return None;
        }
        let done = known.last_night.unwrap_or(known.since);
        let night = self.last_night(known.now).filter(|night| {
            let late = known.now.duration_since(*night);
            done < *night && late <= GRACE
        });
        let enough = |wanted: &u64| *wanted <= known.changes;
        match night {
            Some(night) => Some(Trigger::Night(night)),
            None => self.after_changes.as_ref().filter(|wanted| enough(wanted)).map(|_| Trigger::Changes),
        }
    }

    /// Latest time at or before `now` at which the nightly job was to begin.
    fn last_night(&self, now: Timestamp) -> Option<Timestamp> {
        let time = self.nightly?;
        let today = now.to_zoned(self.time_zone.clone()).date();
        let night = |date: jiff::civil::Date| {
            // a time skipped by the clock change is taken an hour later
            date.to_datetime(time).to_zoned(self.time_zone.clone()).ok().map(|zoned| zoned.timestamp())
        };
        let days = [Some(today), today.yesterday().ok()];
        days.into_iter().flatten().filter_map(night).find(|night| *night <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("{text}+08:00").parse().unwrap()
    }

    fn nightly() -> Schedule {
        let time_zone = TimeZone::fixed(jiff::tz::offset(8));
        Schedule { nightly: Some(Time::constant(2, 30, 0, 0)), time_zone, after_changes: None }
    }

    fn known(now: &str) -> Known {
        let since = at("2026-11-01T12:00:00");
        Known { now: at(now), since, last_night: None, is_running: false, changes: 0 }
    }

    #[test]
    fn every_night_once() {
        let check = |now: &str, last: Option<&str>, want: Option<&str>| {
            let known = Known { last_night: last.map(at), ..known(now) };
            assert_eq!(nightly().due(&known), want.map(|want| Trigger::Night(at(want))), "{now} after {last:?}");
        };
        // the first night after the schedule started
        check("2026-11-01T12:00:01", None, None);
        check("2026-11-02T02:29:59", None, None);
        check("2026-11-02T02:30:00", None, Some("2026-11-02T02:30:00"));
        check("2026-11-02T02:31:00", Some("2026-11-02T02:30:00"), None);
        check("2026-11-02T23:59:00", Some("2026-11-02T02:30:00"), None);
        check("2026-11-03T02:30:00", Some("2026-11-02T02:30:00"), Some("2026-11-03T02:30:00"));
        // off at night: made up in the morning, not at noon
        check("2026-11-03T08:30:00", Some("2026-11-02T02:30:07"), Some("2026-11-03T02:30:00"));
        check("2026-11-03T08:30:01", Some("2026-11-02T02:30:07"), None);
        // a night that began late does not replace the next one
        check("2026-11-04T02:30:00", Some("2026-11-03T08:30:00"), Some("2026-11-04T02:30:00"));
    }

    #[test]
    fn just_before_midnight() {
        let schedule = Schedule { nightly: Some(Time::constant(23, 50, 0, 0)), ..nightly() };
        let due = schedule.due(&Known { last_night: Some(at("2026-11-01T23:50:00")), ..known("2026-11-03T00:10:00") });
        assert_eq!(due, Some(Trigger::Night(at("2026-11-02T23:50:00"))));
    }

    #[test]
    fn after_changes() {
        let schedule = Schedule { after_changes: Some(100), nightly: None, ..nightly() };
        let check = |changes: u64, is_running: bool, want: Option<Trigger>| {
            assert_eq!(schedule.due(&Known { changes, is_running, ..known("2026-11-05T10:00:00") }), want);
        };
        check(99, false, None);
        check(100, false, Some(Trigger::Changes));
        check(1_000, true, None);
        let never = Schedule { after_changes: None, ..schedule.clone() };
        assert!(never.is_empty() && !schedule.is_empty() && !nightly().is_empty());
        assert_eq!(never.due(&known("2026-11-05T02:30:00")), None);
    }

    #[test]
    fn the_night_goes_before_the_changes() {
        let both = Schedule { after_changes: Some(1), ..nightly() };
        let due = both.due(&Known { changes: 9, ..known("2026-11-02T02:30:00") });
        assert_eq!(due, Some(Trigger::Night(at("2026-11-02T02:30:00"))));
    }
}
