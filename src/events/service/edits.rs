//! Staff decisions: pins, bans, fixed places.

use super::{Events, life::check_list, stored::StoredEvent};
use crate::{
    error::Result,
    events::model::{Edit, Pair, edit::MAX_EDITS},
};
use duijie_core::domain::{Problem, Violation, Violations};

/// Maximum decisions per call.
const MAX_CALL: usize = 500;

// === impl Events ===

impl Events {
    /// Stores decisions in order, all or none.
    ///
    /// # Errors
    /// All violations, with paths below `edits`; [`crate::events::model::EventError::Stale`].
    pub async fn edit(&self, id: &str, edits: &[(Pair, Edit)], etag: &str) -> Result<StoredEvent> {
        check_list("edits", edits.len(), MAX_CALL)?;
        self.alone(id, self.edited(id, edits, etag)).await
    }

    async fn edited(&self, id: &str, edits: &[(Pair, Edit)], etag: &str) -> Result<StoredEvent> {
        let mut stored = self.seen(id, etag).await?;
        let participants = self.store.participants(id).await?;
        let mut violations = Violations::default();
        for (index, (pair, edit)) in edits.iter().enumerate() {
            let path = format!("edits[{index}]");
            violations.join(pair.check(&path).err().unwrap_or_default());
            violations.join(stored.event.check_edit(*edit, &path).err().unwrap_or_default());
            for (side, record) in [("demand", &pair.demand), ("counterpart", &pair.counterpart)] {
                if participants.binary_search_by(|it| it.record.cmp(record)).is_err() {
                    violations.say(format_args!("{path}.{side}"), Problem::NoSuchRecord);
                }
            }
        }
        if !violations.is_empty() {
            return Err(violations.into());
        }
        let mut all = self.store.edits(id).await?;
        let (mut inputs, mut layout) = (false, false);
        for (pair, edit) in edits {
            let was_pinned = all.is_pinned(pair);
            let changed = all.apply(pair, *edit);
            match edit {
                // a pinned pair is on the shortlist already: only its place changes
                Edit::Lock { .. } | Edit::Unlock if was_pinned => layout |= changed,
                _ => inputs |= changed,
            }
        }
        if MAX_EDITS < all.0.len() {
            return Err(Violation::new("edits", Problem::TooMany { max: MAX_EDITS }).into());
        }
        if !(inputs || layout) {
            return Ok(stored);
        }
        self.store.write_edits(id, &all).await?;
        stored.event.inputs += u64::from(inputs);
        stored.event.layout += u64::from(layout);
        self.keep(stored).await
    }
}
