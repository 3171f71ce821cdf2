//! When a job of re-matching is due: every night, after so many changes. Pure; who runs it passes the time in.

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};

/// A night that was missed, as by a machine that was off, is made up for within this time; later it would be day.
pub const GRACE: SignedDuration = SignedDuration::from_hours(6);

/// When jobs are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Every night at this time of the time zone.
    pub nightly: Option<Time>,
    /// Time zone of the night.
    pub time_zone: TimeZone,
    /// After so many records were changed since the last job began; `None`: never.
    pub after_changes: Option<u64>,
}

/// What is known when it is asked what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The time.
    pub now: Timestamp,
    /// Since when the schedule is looked at: what was due before counts as done where there was no job yet.
    pub since: Timestamp,
    /// When the last job of a night began.
    pub last_night: Option<Timestamp>,
    /// Whether a job of the schedule is queued or running.
    pub is_running: bool,
    /// Records changed since the last job of the schedule began.
    pub changes: u64,
}

/// Why a job is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The night whose time was this.
    Night(Timestamp),
    /// Enough records changed.
    Changes,
}

// === impl Schedule ===

impl Schedule {
    /// Whether there is nothing to be done, ever.
    pub fn is_empty(&self) -> bool {
        self.nightly.is_none() && self.after_changes.is_none()
    }

    /// What is due. One job at a time: while one runs, nothing is.
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

    /// The last time at or before `now` that the nightly job was to begin.
    fn last_night(&self, now: Timestamp) -> Option<Timestamp> {
        let time = self.nightly?;
        let today = now.to_zoned(self.time_zone.clone()).date();
        let night = |date: jiff::civil::Date| {
            // a time that the clocks leave out is taken an hour later
            date.to_datetime(time).to_zoned(self.time_zone.clone()).ok().map(|zoned| zoned.timestamp())
        };
        let days = [Some(today), today.yesterday().ok()];
        days.into_iter().flatten().filter_map(night).find(|night| *night <= now)
    }
}

// === impl Trigger ===

impl Trigger {
    /// Key for machines.
    pub fn key(self) -> &'static str {
        match self {
            Self::Night(_) => "nightly",
            Self::Changes => "changes",
        }
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
        // the first night that comes after the schedule is looked at
        check("2026-11-01T12:00:01", None, None);
        check("2026-11-02T02:29:59", None, None);
        check("2026-11-02T02:30:00", None, Some("2026-11-02T02:30:00"));
        check("2026-11-02T02:31:00", Some("2026-11-02T02:30:00"), None);
        check("2026-11-02T23:59:00", Some("2026-11-02T02:30:00"), None);
        check("2026-11-03T02:30:00", Some("2026-11-02T02:30:00"), Some("2026-11-03T02:30:00"));
        // off at night: made up for in the morning, not at noon
        check("2026-11-03T08:30:00", Some("2026-11-02T02:30:07"), Some("2026-11-03T02:30:00"));
        check("2026-11-03T08:30:01", Some("2026-11-02T02:30:07"), None);
        // a night that began late does not take the place of the next
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
