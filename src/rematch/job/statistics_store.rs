//! Term statistics as documents: taken by one scan, and stored for the jobs that use them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    held::Held,
    scan::{Scanned, scan},
    statistics::{Statistics, drift_limit},
    targets::Engine,
};
use crate::error::{Error, Result};
use duijie_core::domain::{Filter, Kind, Range};
use duijie_cpu::Lane;
use duijie_store::{DocumentWrite, Expect, Index, Key, documents::remove_folder, tombstones};

/// Folder of the latest statistics of each kind.
const LATEST: &str = "rematch/statistics";

/// The latest statistics of a kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Latest {
    /// Their version.
    pub version: String,
    /// Time of the scan.
    pub time: Timestamp,
    /// Number of records scanned.
    pub records: u64,
    /// Number of parts.
    parts: u64,
}

/// The latest statistics of a kind. If they have drifted, takes new ones, and also returns the targets held from that
/// scan.
pub(super) async fn current(engine: &Engine, kind: Kind, now: Timestamp) -> Result<(Latest, Option<Held>)> {
    if let Some(latest) = latest(&*engine.index, kind).await?
        && !drifted(&*engine.index, kind, &latest, now).await?
    {
        return Ok((latest, None));
    }
    let Scanned { statistics, held } = scan(engine, kind).await?;
    let encode = move || {
        let parts: Vec<String> = statistics.parts().iter().map(|part| STANDARD.encode(part)).collect();
        (statistics.version(), statistics.records(), parts)
    };
    let (version, records, parts) = duijie_cpu::run(Lane::Bulk, encode).await?;
    let latest = Latest { version, time: now, records, parts: parts.len() as u64 };
    let folder = folder(kind, &latest.version);
    for (number, part) in (0..).zip(parts) {
        let write = DocumentWrite::new(folder.as_str(), Key::Number(number), part, Expect::Any);
        engine.index.write_documents(vec![write]).await?;
    }
    let text = serde_json::to_string(&latest).map_err(|error| Error::Internal(error.to_string()))?;
    // if two instances do so at once, the statistics of both are good
    let kept = DocumentWrite::new(folder, "about", text.clone(), Expect::Any);
    let named = DocumentWrite::new(LATEST, kind.collection(), text, Expect::Any);
    engine.index.write_documents(vec![kept, named]).await?;
    Ok((latest, held))
}

/// Description of the statistics with a version; `None` if they are gone.
pub(super) async fn about(index: &dyn Index, kind: Kind, version: &str) -> Result<Option<Latest>> {
    let found = index.read_documents(&folder(kind, version), &["about".into()]).await?;
    let found = found.into_iter().next().flatten();
    Ok(found.and_then(|document| serde_json::from_str(&document.text).ok()))
}

/// Whether too much has changed for the statistics.
pub(super) async fn drifted(index: &dyn Index, kind: Kind, latest: &Latest, now: Timestamp) -> Result<bool> {
    // deletions older than the tombstones are unknown
    if now.duration_since(latest.time) > tombstones::KEPT {
        return Ok(true);
    }
    let max = drift_limit(latest.records);
    // records copied from another store keep their times
    if max < index.count(kind, &Filter::default()).await?.abs_diff(latest.records) {
        return Ok(true);
    }
    let Ok(room) = usize::try_from(max) else { return Ok(false) };
    let Some(gone) = tombstones::since(index, kind, latest.time, room).await? else { return Ok(true) };
    let since = Filter { update_time: Some(from(latest.time.as_second())), ..Filter::default() };
    Ok(max < index.count(kind, &since).await? + gone.len() as u64)
}

/// Statistics by their version, and when they were taken.
///
/// # Errors
/// [`Error::Internal`] where they are gone or damaged: a job that needs them cannot go on.
pub(super) async fn load(index: &dyn Index, kind: Kind, version: &str) -> Result<(Statistics, Timestamp)> {
    let gone = || Error::Internal(format!("词频统计 {version} 已不存在"));
    let about = about(index, kind, version).await?.ok_or_else(gone)?;
    let mut parts = Vec::new();
    for number in 0..about.parts {
        let found = index.read_documents(&folder(kind, version), &[Key::Number(number)]).await?;
        let document = found.into_iter().next().flatten().ok_or_else(gone)?;
        parts.push(document.text);
    }
    let read = move || -> Option<Statistics> {
        let parts = parts.iter().map(|part| STANDARD.decode(part).ok()).collect::<Option<Vec<_>>>()?;
        Statistics::read(&parts).ok()
    };
    Ok((duijie_cpu::run(Lane::Bulk, read).await?.ok_or_else(gone)?, about.time))
}

/// Range from a second on.
pub(super) fn from(second: i64) -> Range {
    Range { min: Some(second), max: None }
}

/// Description of the latest statistics of a kind.
pub(super) async fn latest(index: &dyn Index, kind: Kind) -> Result<Option<Latest>> {
    let found = index.read_documents(LATEST, &[kind.collection().into()]).await?.into_iter().next().flatten();
    Ok(found.and_then(|document| serde_json::from_str(&document.text).ok()))
}

/// Deletes statistics.
pub(super) async fn remove(index: &dyn Index, kind: Kind, version: &str) -> Result<()> {
    Ok(remove_folder(index, &folder(kind, version)).await?)
}

fn folder(kind: Kind, version: &str) -> String {
    format!("rematch/statistics/{}/{version}", kind.collection())
}
