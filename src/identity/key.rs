//! An API key: its text, what is stored of it, and whether it is taken. Pure: the time and all chance are passed in.
//!
//! The secret has 256 random bits, so its hash needs no slow function: nobody can try them all. The hash is
//! HMAC-SHA-256 (RFC 2104) of the secret under a salt of each key.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::{Identity, Role, Scope, Unknown};
use duijie_core::domain::{Problem, Violations, check::check_text};

/// Bytes of an id, written in hexadecimal digits.
const ID_BYTES: usize = 6;
/// Bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Bytes of a salt.
const SALT_BYTES: usize = 16;
/// What every key begins with, so that scanners for leaked secrets know one.
const PREFIX: &str = "djk_";
/// Longest name of a holder or an organisation, in characters.
const MAX_LABEL_CHARS: usize = 100;
/// Longest life of a key.
const MAX_LIFE: Duration = Duration::from_secs(5 * 366 * 24 * 3_600);
/// Longest time for which the secret before a rotation is taken.
pub const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Id.
    pub id: String,
    /// Who holds it, and as what.
    #[serde(flatten)]
    pub spec: KeySpec,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    #[serde(default)]
    pub revoked: Option<Timestamp>,
    /// When it got its present secret, if that is not its first.
    #[serde(default)]
    pub rotated: Option<Timestamp>,
    secret: Hashed,
    #[serde(default)]
    earlier: Option<Earlier>,
}

/// What a new key shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySpec {
    /// Who holds it.
    pub owner: String,
    /// What its callers may do.
    pub role: Role,
    /// For which records.
    #[serde(default)]
    pub scope: Scope,
    /// From when it is refused.
    #[serde(default)]
    pub expires: Option<Timestamp>,
}

/// What a caller presents: an id and a secret. Its secret is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Id of the key.
    pub id: String,
    secret: [u8; SECRET_BYTES],
}

/// A hashed secret, in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hashed {
    salt: String,
    hash: String,
}

/// The secret before the last rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Earlier {
    secret: Hashed,
    until: Timestamp,
}

/// Random bytes of a new key.
#[derive(Clone, Copy, Default)]
pub struct Chance {
    /// Of the id.
    pub id: [u8; ID_BYTES],
    /// Of the secret.
    pub secret: [u8; SECRET_BYTES],
    /// Of the salt.
    pub salt: [u8; SALT_BYTES],
}

// === impl KeySpec ===

impl KeySpec {
    /// Checks all rules.
    ///
    /// # Errors
    /// All violations, with paths below `key`.
    pub fn checked(self, now: Timestamp) -> Result<Self, Violations> {
        let mut found = Violations::default();
        found.take("key.owner", check_label(&self.owner));
        self.scope.check(self.role, &mut found);
        if self.expires.is_some_and(|expires| expires <= now || now + MAX_LIFE < expires) {
            let (want, want_zh) = ("a time ahead, within 5 years", "今后 5 年内的时间");
            found.say("key.expire_time", Problem::Malformed { want, want_zh });
        }
        found.passed(self)
    }
}

// === impl ApiKey ===

impl ApiKey {
    /// A new key, and what its holder presents.
    pub fn new(spec: KeySpec, chance: &Chance, now: Timestamp) -> (Self, Presented) {
        let id: String = chance.id.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = Hashed::of(&chance.secret, &chance.salt);
        let key = Self { id: id.clone(), spec, created: now, revoked: None, rotated: None, secret, earlier: None };
        (key, Presented { id, secret: chance.secret })
    }

    /// Gives the key a new secret; the present one is taken for `overlap` more.
    pub fn rotate(&mut self, chance: &Chance, overlap: Duration, now: Timestamp) -> Presented {
        let earlier = std::mem::replace(&mut self.secret, Hashed::of(&chance.secret, &chance.salt));
        let until = now + overlap.min(MAX_OVERLAP);
        self.earlier = (now < until).then_some(Earlier { secret: earlier, until });
        self.rotated = Some(now);
        Presented { id: self.id.clone(), secret: chance.secret }
    }

    /// Until when the secret before the last rotation is taken.
    pub fn earlier_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.earlier.as_ref().map(|earlier| earlier.until).filter(|until| now < *until)
    }

    /// Whether the holder of a secret is who this key says. Only who knows the secret learns what became of the key.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, presented: &Presented, now: Timestamp) -> Result<(), Unknown> {
        let earlier = self.earlier.as_ref().filter(|earlier| now < earlier.until);
        let mut secrets = std::iter::once(&self.secret).chain(earlier.map(|earlier| &earlier.secret));
        if !secrets.any(|secret| secret.is_of(&presented.secret)) {
            return Err(Unknown::Wrong);
        }
        if self.revoked.is_some() {
            return Err(Unknown::Revoked);
        }
        match self.spec.expires {
            Some(expires) if expires <= now => Err(Unknown::Expired),
            _ => Ok(()),
        }
    }

    /// The caller who presents this key.
    pub fn identity(&self) -> Identity {
        let KeySpec { owner, role, scope, expires } = self.spec.clone();
        Identity { key: Some(Arc::from(self.id.as_str())), owner, role, scope, expires }
    }
}

// === impl Presented ===

impl Presented {
    /// Reads what a caller presents; `None` if it is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_id = id.len() == 2 * ID_BYTES && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let secret = BASE64.decode(secret).ok()?.try_into().ok()?;
        is_id.then(|| Self { id: id.to_string(), secret })
    }

    /// What its holder sends.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, BASE64.encode(self.secret))
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("id", &self.id).finish_non_exhaustive()
    }
}

// === impl Hashed ===

impl Hashed {
    fn of(secret: &[u8; SECRET_BYTES], salt: &[u8; SALT_BYTES]) -> Self {
        let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), secret);
        Self { salt: BASE64.encode(salt), hash: BASE64.encode(hash) }
    }

    /// Whether this is the hash of a secret, in constant time.
    fn is_of(&self, secret: &[u8; SECRET_BYTES]) -> bool {
        let (Ok(salt), Ok(hash)) = (BASE64.decode(&self.salt), BASE64.decode(&self.hash)) else { return false };
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &salt), secret, &hash).is_ok()
    }
}

/// Checks the name of a holder or an organisation.
pub(super) fn check_label(text: &str) -> Result<(), Problem> {
    check_text(text, 1, MAX_LABEL_CHARS, false)
}
