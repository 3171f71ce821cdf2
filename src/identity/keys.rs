//! The API keys of a store: documents that all instances on it share. Each instance holds them in memory and reads them
//! again when they are some seconds old, so that a change is in effect on all of them soon.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::RwLock;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Mutex;

use super::{
    Identity, Unknown,
    key::{ApiKey, Chance, KeySpec, Presented},
};
use crate::error::{Error, Refusal, RefusalKind, Result};
use duijie_core::domain::{Problem, Violation};
use duijie_store::{Document, DocumentQuery, DocumentWrite, DocumentWritten, Expect, Index, Key, documents};

/// Folder of the keys.
const FOLDER: &str = "access/keys";
/// Most keys of a store, with those that are revoked or expired.
pub const MAX_KEYS: usize = 1_000;
/// Age at which the keys are read again. A change is in effect within this time and that of a read.
const FRESH: Duration = Duration::from_secs(2);
/// Age up to which they are taken where the store can't be read. Then nobody is let in: a key may have been revoked.
const USABLE: Duration = Duration::from_secs(60);
/// Shortest time between two reads for keys that are not known: whoever invents keys does not keep the store busy.
const UNKNOWN_EVERY: Duration = Duration::from_millis(500);

/// The keys of a store; clones share them.
#[derive(Clone)]
pub struct Keys {
    index: Arc<dyn Index>,
    held: Arc<RwLock<Held>>,
    reading: Arc<Mutex<()>>,
}

/// A new secret, and its key.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// The key.
    pub key: ApiKey,
    /// What its holder presents.
    pub secret: Presented,
}

/// Why a key can't be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// There is no key with this id.
    NotFound(String),
    /// The key with this id is revoked.
    Revoked(String),
}

/// What was read.
#[derive(Default)]
struct Held {
    keys: HashMap<String, (ApiKey, Arc<Identity>)>,
    read: Option<Instant>,
}

// === impl Keys ===

impl Keys {
    /// The keys of this store.
    pub fn new(index: Arc<dyn Index>) -> Self {
        Self { index, held: Arc::default(), reading: Arc::default() }
    }

    /// Who presents a key.
    ///
    /// # Errors
    /// As [`Unknown`] says; [`Error::Unavailable`] if the keys can't be read.
    pub async fn identify(&self, presented: &Presented) -> Result<Arc<Identity>> {
        self.refresh(FRESH).await?;
        let now = Timestamp::now();
        match self.lookup(presented, now) {
            // perhaps it is newer than what was read
            None => self.refresh(UNKNOWN_EVERY).await?,
            Some(found) => return Ok(found?),
        }
        Ok(self.lookup(presented, now).unwrap_or(Err(Unknown::Wrong))?)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// The rules that it breaks; [`Problem::TooMany`] if the store has [`MAX_KEYS`].
    pub async fn create(&self, spec: KeySpec, now: Timestamp) -> Result<NewSecret> {
        let spec = spec.checked(now)?;
        let count = self.index.count_documents(DocumentQuery::folder(FOLDER)).await?;
        if u64::try_from(MAX_KEYS).unwrap_or(u64::MAX) <= count {
            return Err(Violation::new("key", Problem::TooMany { max: MAX_KEYS }).into());
        }
        loop {
            let (key, secret) = ApiKey::new(spec.clone(), &chance()?, now);
            // an id that exists already, once in 10^11 of them: another one
            if self.write(&key, Expect::Absent).await? {
                return Ok(NewSecret { key, secret });
            }
        }
    }

    /// Gives a key a new secret; the present one is taken for `overlap` more.
    ///
    /// # Errors
    /// [`KeyError`], and errors of the store.
    pub async fn rotate(&self, id: &str, overlap: Duration, now: Timestamp) -> Result<NewSecret> {
        let chance = chance()?;
        let rotate = |key: &mut ApiKey| key.revoked.is_none().then(|| key.rotate(&chance, overlap, now));
        let (key, secret) = self.change(id, rotate).await?;
        let secret = secret.ok_or_else(|| KeyError::Revoked(id.to_string()))?;
        Ok(NewSecret { key, secret })
    }

    /// Ends a key for good. One that is revoked stays as it is.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], and errors of the store.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<ApiKey> {
        let revoke = |key: &mut ApiKey| key.revoked.is_none().then(|| key.revoked = Some(now));
        Ok(self.change(id, revoke).await?.0)
    }

    /// All keys, ordered by id.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn all(&self) -> Result<Vec<ApiKey>> {
        let found = documents::all_documents(&*self.index, DocumentQuery::folder(FOLDER)).await?;
        let mut keys: Vec<ApiKey> = found.iter().filter_map(read).collect();
        keys.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        Ok(keys)
    }

    /// Reads, changes and writes a key; again if somebody else has written it meanwhile. Writes nothing where the change
    /// gives nothing.
    async fn change<T>(&self, id: &str, change: impl Fn(&mut ApiKey) -> Option<T>) -> Result<(ApiKey, Option<T>)> {
        loop {
            let found = self.index.read_documents(FOLDER, &[Key::from(id)]).await?.into_iter().next().flatten();
            let document = found.ok_or_else(|| KeyError::NotFound(id.to_string()))?;
            let mut key = read(&document).ok_or_else(|| KeyError::NotFound(id.to_string()))?;
            let Some(changed) = change(&mut key) else { return Ok((key, None)) };
            if self.write(&key, Expect::Version(document.version)).await? {
                return Ok((key, Some(changed)));
            }
        }
    }

    /// Writes a key; returns whether what was expected is so. This instance reads the keys again before the next call.
    async fn write(&self, key: &ApiKey, expect: Expect) -> Result<bool> {
        let text = serde_json::to_string(key).map_err(|error| Error::Internal(error.to_string()))?;
        let write = DocumentWrite::new(FOLDER, Key::from(key.id.as_str()), text, expect);
        let written = self.index.write_documents(vec![write]).await?;
        self.held.write().read = None;
        Ok(matches!(written.first(), Some(DocumentWritten::Stored { .. })))
    }

    /// What the keys in memory say; `None` if there is no such key.
    fn lookup(&self, presented: &Presented, now: Timestamp) -> Option<std::result::Result<Arc<Identity>, Unknown>> {
        let held = self.held.read();
        let (key, identity) = held.keys.get(&presented.id)?;
        Some(key.check(presented, now).map(|()| Arc::clone(identity)))
    }

    /// Reads the keys if they are older than `age`. Others who come meanwhile wait for the same read.
    async fn refresh(&self, age: Duration) -> Result<()> {
        if self.is_within(age) {
            return Ok(());
        }
        let _turn = self.reading.lock().await;
        if self.is_within(age) {
            return Ok(());
        }
        let asked = Instant::now();
        match self.all().await {
            Ok(all) => {
                let with_identity = |key: ApiKey| (key.id.clone(), (key.clone(), Arc::new(key.identity())));
                let keys = all.into_iter().map(with_identity).collect();
                *self.held.write() = Held { keys, read: Some(asked) };
                Ok(())
            }
            Err(error) if self.is_within(USABLE) => {
                tracing::warn!(%error, "the API keys can't be read, those of before are taken");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn is_within(&self, age: Duration) -> bool {
        self.held.read().read.is_some_and(|read| read.elapsed() < age)
    }
}

// === impl KeyError ===

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        let (kind, reason, id, english, chinese) = match error {
            KeyError::NotFound(id) => {
                let english = format!("no API key with the id {id}");
                let chinese = format!("没有编号为 {id} 的密钥，请用 duijie key list 查看");
                (RefusalKind::NotFound, "KEY_NOT_FOUND", id, english, chinese)
            }
            KeyError::Revoked(id) => {
                let english = format!("the API key {id} is revoked, make a new one");
                let chinese = format!("密钥 {id} 已吊销，请新建密钥");
                (RefusalKind::FailedPrecondition, "KEY_REVOKED", id, english, chinese)
            }
        };
        Refusal { kind, reason, english, chinese, metadata: vec![("id", id)] }.into()
    }
}

/// Reads a stored key. One that can't be read lets nobody in.
fn read(document: &Document) -> Option<ApiKey> {
    let read = serde_json::from_str(&document.text);
    read.inspect_err(|error| tracing::warn!(key = %document.key, %error, "an API key can't be read")).ok()
}

fn chance() -> Result<Chance> {
    let mut chance = Chance::default();
    let random = SystemRandom::new();
    for bytes in [&mut chance.id[..], &mut chance.secret[..], &mut chance.salt[..]] {
        random.fill(bytes).map_err(|_| Error::Internal("no random numbers".to_string()))?;
    }
    Ok(chance)
}
