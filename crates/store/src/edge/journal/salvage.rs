//! What can be saved of the journals of a store that does not start, and saving it (`duijie repair`). The engine is not
//! opened.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    Journal, JournalChanges, REPLAY_POINTS,
    record::Change,
    walk::{Found, Walk},
};
use crate::{
    CollectionKind, Result, document_row,
    edge::{
        census::Census,
        store::{ShardPlace, StoreFolder, at},
    },
    payload::{RECORD, StoredRow},
};
use duijie_core::domain::Record;

/// Most names that a report lists.
const MAX_NAMES: usize = 20;

/// A store whose journals were looked at; locked while the value lives.
#[derive(Debug)]
pub struct Salvage {
    /// Reports, one for each shard.
    pub reports: Vec<JournalReport>,
    places: Vec<ShardPlace>,
    _store: StoreFolder,
}

/// The journal of one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalReport {
    /// The shard.
    pub collection: CollectionKind,
    /// The file.
    pub path: PathBuf,
    /// Its state.
    pub state: JournalState,
    /// Length in bytes.
    pub bytes: u64,
    /// Whole changes before the first damage.
    pub before: Changes,
    /// Whole changes behind it.
    pub behind: Changes,
    /// Damaged places.
    pub damages: Vec<JournalDamage>,
}

/// State of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalState {
    /// Every acknowledged change can be read.
    Whole {
        /// Trailing bytes of a write that was cut off before it was acknowledged; the next start removes them.
        torn_bytes: u64,
    },
    /// Acknowledged changes are damaged; the service does not start.
    Damaged,
    /// The shard had a journal that is not there; the service does not start.
    Missing,
    /// The shard was not made yet.
    NotMade,
}

/// Changes in a part of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Number of stored records or documents.
    pub stored: u64,
    /// Number of deletions.
    pub deleted: u64,
    /// Names of the first of the stored ones.
    pub names: Vec<String>,
}

/// A damaged place of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalDamage {
    /// Offset in the file.
    pub offset: u64,
    /// Length; 0 where whole changes are missing between two others.
    pub bytes: u64,
    /// Number of changes lost here, if known.
    pub lost: Option<u64>,
    /// Name of the record or document that seems to be damaged, if it can be read.
    pub name: Option<String>,
}

/// A journal that was written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The shard.
    pub collection: CollectionKind,
    /// Where the damaged file is kept; `None` if there was none.
    pub kept: Option<PathBuf>,
    /// Changes in the new file.
    pub changes: u64,
}

// === impl Salvage ===

impl Salvage {
    /// Looks at all journals of the store in a folder. Changes nothing but the lock file.
    ///
    /// # Errors
    /// [`crate::IndexError::Refused`] if there is no store, [`crate::IndexError::InUse`],
    /// [`crate::IndexError::Folder`].
    pub fn look(folder: &Path) -> Result<Self> {
        let store = StoreFolder::hold(folder)?;
        let places: Vec<ShardPlace> = CollectionKind::ALL.map(|collection| store.place(collection)).into();
        let reports =
            places.iter().map(|place| report(place, store.has(place.collection))).collect::<Result<Vec<_>>>()?;
        Ok(Self { reports, places, _store: store })
    }

    /// Whether a journal keeps the service from starting.
    pub fn is_damaged(&self) -> bool {
        self.reports.iter().any(JournalReport::is_damaged)
    }

    /// Writes a journal with what can be saved in the place of each damaged or missing one, and keeps the damaged file
    /// beside it.
    ///
    /// # Errors
    /// [`crate::IndexError::Folder`]; the damaged file is as before.
    pub fn apply(&self) -> Result<Vec<Rewritten>> {
        let damaged = self.places.iter().zip(&self.reports).filter(|(_, report)| report.is_damaged());
        damaged.map(|(place, report)| rewrite(place, report.state)).collect()
    }
}

// === impl JournalReport ===

impl JournalReport {
    /// Whether it keeps the service from starting.
    pub fn is_damaged(&self) -> bool {
        matches!(self.state, JournalState::Damaged | JournalState::Missing)
    }
}

// === impl Changes ===

impl Changes {
    /// Number of changes.
    pub fn count(&self) -> u64 {
        self.stored + self.deleted
    }

    fn add(&mut self, collection: CollectionKind, change: &Change) {
        let Some(row) = &change.row else {
            self.deleted += 1;
            return;
        };
        self.stored += 1;
        if self.names.len() < MAX_NAMES {
            self.names.extend(name(collection, row));
        }
    }
}

fn report(place: &ShardPlace, made: bool) -> Result<JournalReport> {
    let path = place.journal();
    let mut report = JournalReport {
        collection: place.collection,
        path: path.clone(),
        state: JournalState::Whole { torn_bytes: 0 },
        bytes: 0,
        before: Changes::default(),
        behind: Changes::default(),
        damages: Vec::new(),
    };
    let mut walk = match Walk::open(&path) {
        Ok(walk) => walk,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.state = if made { JournalState::Missing } else { JournalState::NotMade };
            return Ok(report);
        }
        Err(error) => return Err(at(&path)(error)),
    };
    report.bytes = walk.end();
    while let Some(found) = walk.next().map_err(at(&path))? {
        match found {
            Found::Change(change) if report.damages.is_empty() => report.before.add(place.collection, &change),
            Found::Change(change) => report.behind.add(place.collection, &change),
            Found::Damage(damage) if damage.acknowledged => {
                report.state = JournalState::Damaged;
                let row = damage.doubtful.and_then(|change| change.row);
                report.damages.push(JournalDamage {
                    offset: damage.from,
                    bytes: damage.to - damage.from,
                    lost: damage.lost,
                    name: row.and_then(|row| name(place.collection, &row)),
                });
            }
            // what stands behind was never acknowledged
            Found::Damage(damage) => {
                if report.damages.is_empty() {
                    report.state = JournalState::Whole { torn_bytes: walk.end() - damage.from };
                }
                break;
            }
        }
    }
    Ok(report)
}

fn rewrite(place: &ShardPlace, state: JournalState) -> Result<Rewritten> {
    let path = place.journal();
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&new)(error)),
        Ok(()) | Err(_) => {}
    }
    let mut journal = Journal::create(&new).map_err(at(&new))?;
    let (mut changes, mut kept) = (0, None);
    if state == JournalState::Damaged {
        changes = save(&path, &mut journal).map_err(at(&new))?;
        let seconds = Timestamp::now().as_second();
        let beside = path.with_extension(format!("damaged-{seconds}"));
        keep(&path, &beside).map_err(at(&beside))?;
        kept = Some(beside);
    }
    // what it counted is no longer what there should be
    let census = place.census();
    Census::remove_file(&census).map_err(at(&census))?;
    fs::rename(&new, &path).map_err(at(&path))?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    }
    Ok(Rewritten { collection: place.collection, kept, changes })
}

/// Copies every whole change, except those of a write that was cut off; returns their number.
fn save(from: &Path, to: &mut Journal) -> io::Result<u64> {
    let mut walk = Walk::open(from)?;
    let (mut changes, mut saved) = (JournalChanges::new(), 0);
    while let Some(found) = walk.next()? {
        match found {
            Found::Change(Change { id, row }) => {
                saved += 1;
                changes.insert(id, row);
            }
            Found::Damage(damage) if damage.acknowledged => {}
            Found::Damage(_) => break,
        }
        if REPLAY_POINTS <= changes.len() {
            to.append(&std::mem::take(&mut changes))?;
        }
    }
    if !changes.is_empty() {
        to.append(&changes)?;
    }
    Ok(saved)
}

/// Gives a file a second name, or copies it where a file can have only one.
fn keep(path: &Path, beside: &Path) -> io::Result<()> {
    fs::hard_link(path, beside).or_else(|_| {
        fs::copy(path, beside)?;
        File::open(beside)?.sync_all()
    })
}

fn name(collection: CollectionKind, row: &StoredRow) -> Option<String> {
    match collection {
        CollectionKind::Records(_) => {
            let record: Record = serde_json::from_str(row.payload.get(RECORD)?.as_str()?).ok()?;
            Some(record.name().to_string())
        }
        CollectionKind::Documents => {
            let label = document_row::label(&row.payload)?;
            Some(format!("{}/{}", label.folder, label.key))
        }
    }
}
