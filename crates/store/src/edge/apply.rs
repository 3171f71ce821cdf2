//! Writing changes into the engine.

use qdrant_edge::{EdgeShard, OperationError, OperationResult, UpdateOperation};

use super::{
    convert::{self, SingleStep},
    guard::guarded,
    journal::JournalChanges,
};

/// Most rows per engine operation; the engine holds its locks for 32 at a time.
pub(super) const OPERATION_POINTS: usize = 500;
/// Attempts to delete a damaged row.
const DELETIONS: usize = 3;
/// Most rows in one operation that counts and pages wait for.
pub(super) const SETTLED_POINTS: usize = 100;

/// Applies changes, also where they replace or delete damaged rows.
pub(super) fn apply(engine: &EdgeShard, changes: JournalChanges) -> OperationResult<()> {
    operations(changes, OPERATION_POINTS).try_for_each(|operation| update(engine, operation))
}

/// Applies an operation, also where it replaces or deletes damaged rows: the engine reads what it replaces, and fails or
/// panics over a payload that it cannot decode. It unlinks a payload before it reads it, so a second deletion succeeds.
pub(super) fn update(engine: &EdgeShard, operation: UpdateOperation) -> OperationResult<()> {
    let Err(reason) = guarded(|| engine.update(operation.clone())) else { return Ok(()) };
    let steps = convert::one_by_one(operation);
    if steps.is_empty() {
        return Err(OperationError::service_error(reason));
    }
    tracing::warn!(reason, "the engine failed over a group of rows; they are written one by one");
    for SingleStep { delete, upsert } in steps {
        let tried = [(); DELETIONS].into_iter().find_map(|()| guarded(|| engine.update(delete.clone())).ok());
        if tried.is_none() {
            return Err(OperationError::service_error(reason));
        }
        if let Some(upsert) = upsert {
            engine.update(upsert)?;
        }
    }
    Ok(())
}

/// Operations that write changes, of at most `points` rows each.
pub(super) fn operations(changes: JournalChanges, points: usize) -> impl Iterator<Item = UpdateOperation> {
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for (id, row) in changes {
        match row {
            Some(row) => rows.push((id, row)),
            None => gone.push(id),
        }
    }
    let deletion = (!gone.is_empty()).then(|| convert::delete(gone.into_iter()));
    let upserts = std::iter::from_fn(move || {
        let rest = rows.split_off(rows.len().min(points));
        let part = std::mem::replace(&mut rows, rest);
        (!part.is_empty()).then(|| convert::upsert(part.into_iter()))
    });
    deletion.into_iter().chain(upserts)
}
