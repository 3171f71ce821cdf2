//! Statistics of terms as documents: taken by one scan, kept for the jobs that use them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    deleted,
    held::Held,
    scan::{Scanned, scan},
    statistics::{Statistics, drift_limit},
    targets::Engine,
};
use crate::{
    domain::{Filter, Kind, Range},
    error::{Error, Result},
    index::{DocumentWrite, Expect, Index, Key, documents::remove_folder},
};

/// Folder that says which are the latest.
const LATEST: &str = "rematch/statistics";

/// The latest statistics of a kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Latest {
    /// Their version.
    pub version: String,
    /// When they were taken.
    pub time: Timestamp,
    /// Records that they are of.
    pub records: u64,
    /// Parts.
    parts: u64,
}

/// The latest statistics of a kind, or new ones where more has changed since than they bear, with what the scan for them
/// has found beside.
pub(super) async fn current(engine: &Engine, kind: Kind, now: Timestamp) -> Result<(Latest, Option<Held>)> {
    if let Some(latest) = latest(&*engine.index, kind).await?
        && !drifted(&*engine.index, kind, &latest, now).await?
    {
        return Ok((latest, None));
    }
    let Scanned { statistics, held } = scan(engine, kind).await?;
    let (version, parts) = (statistics.version(), statistics.parts());
    let latest = Latest { version, time: now, records: statistics.records(), parts: parts.len() as u64 };
    let folder = folder(kind, &latest.version);
    for (number, part) in (0..).zip(&parts) {
        let write = DocumentWrite::new(folder.as_str(), Key::Number(number), STANDARD.encode(part), Expect::Any);
        engine.index.write_documents(vec![write]).await?;
    }
    let text = serde_json::to_string(&latest).map_err(|error| Error::Internal(error.to_string()))?;
    // where two instances do so at once, both have taken good ones
    let kept = DocumentWrite::new(folder, "about", text.clone(), Expect::Any);
    let named = DocumentWrite::new(LATEST, kind.collection(), text, Expect::Any);
    engine.index.write_documents(vec![kept, named]).await?;
    Ok((latest, held))
}

/// What is known of statistics by their version; `None` where they are gone.
pub(super) async fn about(index: &dyn Index, kind: Kind, version: &str) -> Result<Option<Latest>> {
    let found = index.read_documents(&folder(kind, version), &["about".into()]).await?;
    let found = found.into_iter().next().flatten();
    Ok(found.and_then(|document| serde_json::from_str(&document.text).ok()))
}

/// Whether more has changed since than the statistics bear.
pub(super) async fn drifted(index: &dyn Index, kind: Kind, latest: &Latest, now: Timestamp) -> Result<bool> {
    // what was deleted before the notes begin is not known
    if now.duration_since(latest.time) > deleted::KEPT {
        return Ok(true);
    }
    let most = drift_limit(latest.records);
    // records that came in by a copy keep their times
    if most < index.count(kind, &Filter::default()).await?.abs_diff(latest.records) {
        return Ok(true);
    }
    let Ok(room) = usize::try_from(most) else { return Ok(false) };
    let Some(gone) = deleted::since(index, kind, latest.time, room).await? else { return Ok(true) };
    let since = Filter { update_time: Some(from(latest.time.as_second())), ..Filter::default() };
    Ok(most < index.count(kind, &since).await? + gone.len() as u64)
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
        parts.push(STANDARD.decode(&document.text).map_err(|_| gone())?);
    }
    Ok((Statistics::read(&parts).map_err(|_| gone())?, about.time))
}

/// From a second on.
pub(super) fn from(second: i64) -> Range {
    Range { min: Some(second), max: None }
}

/// The latest of a kind.
pub(super) async fn latest(index: &dyn Index, kind: Kind) -> Result<Option<Latest>> {
    let found = index.read_documents(LATEST, &[kind.collection().into()]).await?.into_iter().next().flatten();
    Ok(found.and_then(|document| serde_json::from_str(&document.text).ok()))
}

/// Throws statistics away.
pub(super) async fn remove(index: &dyn Index, kind: Kind, version: &str) -> Result<()> {
    Ok(remove_folder(index, &folder(kind, version)).await?)
}

fn folder(kind: Kind, version: &str) -> String {
    format!("rematch/statistics/{}/{version}", kind.collection())
}
