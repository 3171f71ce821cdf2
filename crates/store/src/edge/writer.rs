//! One writer thread per shard. It takes the queued writes, decides each by revision, syncs the journal once for the
//! group, applies the group to the engine, and answers. From time to time it flushes the engine and empties the
//! journal.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError},
    },
};

use qdrant_edge::{WithPayloadInterface, WithVector};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    convert,
    journal::{Journal, JournalChanges},
    rows::{Parts, Rows},
    shard::Shard,
    store::at,
    wal,
};
use crate::{
    CollectionKind, Document, DocumentWrite, DocumentWritten, FieldSelection, IndexError, Point, PointId, Result,
    Written,
    document_row::{self, DocumentLabel, FOLDER, KEY},
    payload::{REVISION, StoredRow, revision},
};

/// Most points per sync.
pub(super) const GROUP_POINTS: usize = 1_000;
/// Groups after which a checkpoint is made whatever their size: the engine's log numbers must not get too far ahead
/// (see `wal.rs`).
const CHECKPOINT_AFTER_GROUPS: u64 = 10_000;

/// Commands to the writer.
pub(super) enum WriterCommand {
    /// Write.
    Write(WriteJob),
    /// Flush the engine and empty the journal, because the optimiser has ended.
    Checkpoint,
    /// Stop after all earlier commands.
    Stop,
}

/// Writes of one caller, applied all or none.
pub(super) struct WriteJob {
    /// Writes, in order.
    pub(super) writes: Vec<Write>,
    /// Channel for the outcomes.
    pub(super) reply: oneshot::Sender<Result<Vec<WriteOutcome>>>,
    /// Holds the points' places in the queue until the answer is sent.
    pub(super) permit: OwnedSemaphorePermit,
}

/// One write.
pub(super) enum Write {
    /// Stores a point if its revision is higher than the stored one.
    Upsert(Box<Point>),
    /// Stores a document if its precondition holds.
    Put(Box<DocumentWrite>),
    /// Stores a document unchanged if its version is higher than the stored one.
    Restore(Box<Document>),
    /// Removes a point.
    Delete(PointId),
}

/// Outcome of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    /// Of an upsert.
    Written(Written),
    /// Of a document.
    Put(DocumentWritten),
    /// Of a deletion: whether the point existed.
    Deleted(bool),
}

/// Stored state of a group's ids, including the changes of the group so far.
type Stored = HashMap<PointId, Mark>;

/// Stored state of a point.
struct Mark {
    /// 0 if it cannot be read.
    revision: u64,
    /// `None` for a record, and where it cannot be read.
    label: Option<DocumentLabel>,
}

/// State of the writer thread.
pub(super) struct Writer {
    shard: Arc<Shard>,
    journal: Journal,
    inbox: Receiver<WriterCommand>,
    groups: u64,
    stop: bool,
}

// === impl Writer ===

impl Writer {
    /// Writer of `shard` that receives from `inbox`.
    pub(super) fn new(shard: Arc<Shard>, journal: Journal, inbox: Receiver<WriterCommand>) -> Self {
        Self { shard, journal, inbox, groups: 0, stop: false }
    }

    /// Writes until stopped.
    pub(super) fn run(mut self) {
        while !self.stop {
            match self.inbox.recv_timeout(self.shard.tuning.checkpoint_after_rest) {
                Ok(command) => self.handle(command),
                Err(RecvTimeoutError::Timeout) => self.rest(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // no more answers are due; if the optimiser still runs, the next start replays the journal
        self.checkpoint_if(true);
        if let Some(guard) = self.shard.try_maintain() {
            self.shard.close(self.journal.bytes());
            drop(guard);
        }
    }

    /// Makes a checkpoint after a pause in writes. After a failure it also tests whether writing works again: an
    /// unhealthy instance gets no writes that would reveal its recovery.
    fn rest(&mut self) {
        let failed = self.shard.state.problem().is_some();
        self.checkpoint_if(failed || 0 < self.journal.bytes());
    }

    fn handle(&mut self, command: WriterCommand) {
        let (mut jobs, mut points, mut checkpoint) = (Vec::new(), 0, false);
        let mut next = Some(command);
        while let Some(command) = next.take() {
            match command {
                WriterCommand::Write(job) => {
                    points += job.writes.len();
                    jobs.push(job);
                }
                WriterCommand::Checkpoint => checkpoint = true,
                WriterCommand::Stop => self.stop = true,
            }
            if points < GROUP_POINTS && !self.stop {
                next = self.inbox.try_recv().ok();
            }
        }
        if !jobs.is_empty() {
            self.write_group(jobs);
        }
        let tuning = &self.shard.tuning;
        let due = tuning.checkpoint_after_bytes <= self.journal.bytes() || CHECKPOINT_AFTER_GROUPS <= self.groups;
        self.checkpoint_if(checkpoint || due);
    }

    /// Writes the jobs of several callers with one sync, and answers each.
    fn write_group(&mut self, jobs: Vec<WriteJob>) {
        let (mut replies, mut groups) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
        for job in jobs {
            replies.push((job.reply, job.permit));
            groups.push(job.writes);
        }
        match self.write(groups) {
            Ok(outcomes) => {
                for ((reply, _permit), outcomes) in replies.into_iter().zip(outcomes) {
                    // a caller that is gone needs no answer
                    let _ = reply.send(Ok(outcomes));
                }
            }
            Err(error) => {
                let reason = error.to_string();
                // on a full disk every write fails: one line will do
                if self.shard.state.problem().is_none() || !matches!(error, IndexError::DiskFull { .. }) {
                    tracing::error!(collection = %self.shard.place.collection, reason, "write failed");
                }
                self.shard.state.set_problem(Some(reason.clone()));
                for (reply, _permit) in replies {
                    let _ = reply.send(Err(error.disk_full().unwrap_or_else(|| self.shard.failed(&reason))));
                }
            }
        }
    }

    fn write(&mut self, groups: Vec<Vec<Write>>) -> Result<Vec<Vec<WriteOutcome>>> {
        self.make_room()?;
        if self.shard.state.suspect.load(Relaxed) {
            self.reload()?;
        }
        let mut stored = self.stored(groups.iter().flatten())?;
        let mut changes = JournalChanges::new();
        let there: HashSet<PointId> = stored.keys().copied().collect();
        let mut outcomes = Vec::with_capacity(groups.len());
        for writes in groups {
            let group = writes.into_iter().map(|write| self.decide(write, &mut stored, &mut changes));
            outcomes.push(group.collect::<Result<Vec<_>>>()?);
        }
        if changes.is_empty() {
            return Ok(outcomes);
        }
        self.shard.disk().check_write(changes.values().flatten().map(StoredRow::bytes).sum())?;
        let path = self.shard.place.journal();
        self.journal.append(&changes).map_err(at(&path))?;
        self.shard.note_changes(&changes, &there);
        self.groups += 1;
        let changed = changes.len() as u64;
        self.shard.state.damage.forget(self.shard.place.collection, changes.keys());
        if let Err(error) = self.shard.apply(changes, &there) {
            // the journal has the changes: a shard loaded anew has them too
            tracing::error!(collection = %self.shard.place.collection, %error, "the engine refused a write");
            self.shard.state.suspect.store(true, Relaxed);
            self.reload()?;
        }
        let points = self.shard.state.points.load(Relaxed);
        self.shard.state.wrote(changed, (points + stored.len() as u64).saturating_sub(there.len() as u64));
        self.shard.state.set_problem(None);
        Ok(outcomes)
    }

    /// Decides on one write by the stored state and the group's changes so far.
    fn decide(&self, write: Write, stored: &mut Stored, changes: &mut JournalChanges) -> Result<WriteOutcome> {
        match write {
            Write::Upsert(point) => {
                let (id, new) = (point.id(), point.record.revision);
                let old = stored.get(&id).map(|stored| stored.revision);
                if let Some(old) = old.filter(|old| new <= *old)
                    && (changes.contains_key(&id) || !self.is_damaged(id)?)
                {
                    return Ok(WriteOutcome::Written(Written::Stale { stored: old }));
                }
                changes.insert(id, Some(StoredRow::of(*point).map_err(|reason| self.shard.failed(reason))?));
                stored.insert(id, Mark { revision: new, label: None });
                Ok(WriteOutcome::Written(if old.is_some() { Written::Updated } else { Written::Created }))
            }
            Write::Put(write) => self.put(*write, None, stored, changes).map(WriteOutcome::Put),
            Write::Restore(document) => {
                let version = document.version;
                self.put((*document).into(), Some(version), stored, changes).map(WriteOutcome::Put)
            }
            Write::Delete(id) => {
                let existed = stored.remove(&id).is_some();
                if existed {
                    changes.insert(id, None);
                }
                Ok(WriteOutcome::Deleted(existed))
            }
        }
    }

    /// Decides on a document write; the new version is the next one, or `version` if that is higher.
    fn put(
        &self,
        write: DocumentWrite,
        version: Option<u64>,
        stored: &mut Stored,
        changes: &mut JournalChanges,
    ) -> Result<DocumentWritten> {
        let id = write.id();
        let label = DocumentLabel { folder: write.folder.clone(), key: write.key.clone() };
        let old = stored.get(&id);
        if old.and_then(|old| old.label.as_ref()).is_some_and(|old| *old != label) {
            return Err(write.refused("编号与另一个文档相同".to_string()));
        }
        let old = old.map_or(0, |old| old.revision);
        let version = version.unwrap_or(old + 1);
        if version <= old || !write.expect.met_by(old) {
            return Ok(DocumentWritten::Conflict { stored: old });
        }
        changes.insert(id, Some(document_row::row(write, version)));
        stored.insert(id, Mark { revision: version, label: Some(label) });
        Ok(DocumentWritten::Stored { version })
    }

    fn stored<'a>(&self, writes: impl Iterator<Item = &'a Write>) -> Result<Stored> {
        let ids = writes.map(|write| match write {
            Write::Upsert(point) => point.id(),
            Write::Put(write) => write.id(),
            Write::Restore(document) => document.id(),
            Write::Delete(id) => *id,
        });
        let ids: Vec<PointId> = ids.collect();
        let fields: &[&str] = match self.shard.place.collection {
            CollectionKind::Records(_) => &[REVISION],
            CollectionKind::Documents => &[REVISION, FOLDER, KEY],
        };
        let payload = WithPayloadInterface::Fields(fields.iter().copied().map(convert::path).collect());
        let Rows { rows, unreadable } =
            Rows::read(&self.shard, &ids, &Parts { payload, vectors: WithVector::Bool(false) })?;
        let found = rows.into_iter().filter_map(|record| {
            let payload = record.payload.map(|payload| payload.0).unwrap_or_default();
            let revision = revision(&payload).unwrap_or_default();
            Some((convert::point_id(record.id)?, Mark { revision, label: document_row::label(&payload) }))
        });
        // damaged ones are there, too: they can be overwritten and deleted
        let damaged = unreadable.into_iter().map(|damaged| (damaged.id, Mark { revision: 0, label: None }));
        Ok(found.chain(damaged).collect())
    }

    /// Whether the stored point is damaged, so that any revision may overwrite it.
    fn is_damaged(&self, id: PointId) -> Result<bool> {
        let with = FieldSelection::Everything;
        let read = Rows::read(&self.shard, &[id], &Parts::of(with))?.points(&self.shard, with);
        Ok(!read.damaged.is_empty())
    }

    /// Limits the journal: if it fills up during a long optimiser run, writes wait.
    fn make_room(&mut self) -> Result<()> {
        if self.journal.bytes() < self.shard.tuning.max_journal_bytes {
            return Ok(());
        }
        let shard = Arc::clone(&self.shard);
        let _guard = shard.maintain();
        self.maintain_now()
    }

    fn reload(&mut self) -> Result<()> {
        let shard = Arc::clone(&self.shard);
        let _guard = shard.maintain();
        self.reload_now()
    }

    /// Makes a checkpoint if due, unless the optimiser runs; the journal is then kept.
    fn checkpoint_if(&mut self, due: bool) {
        let shard = Arc::clone(&self.shard);
        let Some(_guard) = due.then(|| shard.try_maintain()).flatten() else { return };
        match self.maintain_now().and_then(|()| self.try_room()) {
            Ok(()) => self.shard.state.set_problem(None),
            Err(error) => {
                tracing::error!(collection = %self.shard.place.collection, %error, "checkpoint failed; the journal is kept");
                self.shard.state.set_problem(Some(error.to_string()));
            }
        }
    }

    /// After a failure, tests whether there is room to write again.
    fn try_room(&mut self) -> Result<()> {
        if self.shard.state.problem().is_none() {
            return Ok(());
        }
        self.shard.disk().check_write(0)?;
        let path = self.shard.place.journal();
        self.journal.try_room().map_err(at(&path))
    }

    fn maintain_now(&mut self) -> Result<()> {
        if self.shard.state.suspect.load(Relaxed) {
            return self.reload_now();
        }
        self.shard.checkpoint(&mut self.journal)?;
        self.groups = 0;
        let log = self.shard.place.engine().join("wal");
        let bytes = wal::closed_bytes(&log).map_err(at(&log))?;
        if self.shard.tuning.max_engine_log_bytes <= bytes { self.reload_now() } else { Ok(()) }
    }

    fn reload_now(&mut self) -> Result<()> {
        self.shard.reload(&mut self.journal)?;
        self.groups = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, sync::mpsc::channel};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::{
        Expect, Key, StoreVersions,
        edge::{EdgeOptions, Tuning, census::CensusRule, shard::OpenedShard, store::StoreFolder},
    };

    /// Stores a document; returns whether it succeeded.
    fn store(writer: &mut Writer, number: u64) -> bool {
        let write = DocumentWrite::new("tests", Key::Number(number), "文字".to_string(), Expect::Absent);
        let (reply, mut answer) = oneshot::channel();
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        writer.write_group(vec![WriteJob { writes: vec![Write::Put(Box::new(write))], reply, permit }]);
        answer.try_recv().unwrap().is_ok()
    }

    #[test]
    fn a_disk_that_has_room_again_is_noticed_without_a_write() {
        let folder = tempfile::tempdir().unwrap();
        let versions = StoreVersions { format: 1, text: "text".to_string(), model: "model".to_string() };
        let options = EdgeOptions {
            folder: folder.path().to_path_buf(),
            dimensions: 4,
            versions,
            any_version: false,
            tuning: Tuning::default(),
        };
        let held = Arc::new(StoreFolder::open(&options).unwrap());
        let OpenedShard { shard, journal } =
            Shard::open(&held, held.place(CollectionKind::Documents), options.tuning, CensusRule::Compare).unwrap();
        let (_sender, inbox) = channel();
        let mut writer = Writer::new(Arc::new(shard), journal, inbox);
        let problem = |writer: &Writer| writer.shard.state.problem();

        assert!(store(&mut writer, 1));
        writer.rest();
        assert_eq!((writer.journal.bytes(), problem(&writer)), (0, None));
        let file = writer.journal.redirect(OpenOptions::new().write(true).open("/dev/full").unwrap());
        assert!(!store(&mut writer, 2));
        writer.rest();
        assert!(problem(&writer).is_some(), "still full");
        writer.journal.redirect(file);
        writer.rest();
        assert_eq!(problem(&writer), None);
        assert!(store(&mut writer, 2));
    }
}
