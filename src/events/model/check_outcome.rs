//! All checks of an outcome.

use super::{Attendance, Outcome, OutcomeProgress, outcome::MAX_NOTE_CHARS};
use duijie_core::domain::{
    Problem, Violations,
    check::{MAX_AMOUNT_YUAN, check_text},
};

impl Outcome {
    /// Checks that progress fits the attendance, and that each field fits the progress.
    ///
    /// # Errors
    /// All violations, with paths as in the proto below `outcome`.
    pub fn check(&self) -> Result<(), Violations> {
        let mut found = Violations::default();
        if let Err(violations) = self.pair.check("outcome") {
            found.join(violations);
        }
        let took_place = matches!(self.attendance, Attendance::Held | Attendance::Replaced);
        if self.progress.is_some() && !took_place {
            found.say("outcome.progress", Problem::Contradiction);
        }
        match (self.attendance, &self.replaced_by) {
            (Attendance::Replaced, None) => found.say("outcome.replaced_by", Problem::Required),
            (Attendance::Replaced, Some(other)) if *other == self.pair.counterpart => {
                found.say("outcome.replaced_by", Problem::Repeated);
            }
            (Attendance::Replaced, Some(_)) | (_, None) => {}
            (_, Some(_)) => found.say("outcome.replaced_by", Problem::Contradiction),
        }
        if let Some(OutcomeProgress::Signed { amount_yuan, .. }) = self.progress
            && !(0..=MAX_AMOUNT_YUAN).contains(&amount_yuan)
        {
            found.say("outcome.amount_yuan", Problem::OutOfRange { min: 0, max: MAX_AMOUNT_YUAN });
        }
        found.take("outcome.note", check_text(&self.note, 0, MAX_NOTE_CHARS, true));
        found.passed(())
    }
}
