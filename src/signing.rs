//! Signs what callers keep for us and hand back: page tokens and the tokens that resume a stream. The key is a secret of
//! the store, so all instances on it read each other's tokens, and nobody else can make one.

use std::sync::{Arc, OnceLock};

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use duijie_store::{
    Index,
    secrets::{Secret, secret},
};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 32;
/// Name of the secret in the store.
const SECRET: &str = "tokens";

/// A signature: HMAC-SHA256 (RFC 2104, FIPS 180-4).
pub type Signature = [u8; SIGNATURE_BYTES];

/// The key of a store; clones share it. It is read when it is first needed.
#[derive(Clone)]
pub struct Signing {
    index: Arc<dyn Index>,
    key: Arc<OnceCell<SigningKey>>,
    stand_in: Arc<OnceLock<SigningKey>>,
}

/// A key that signs.
#[derive(Debug, Clone)]
pub struct SigningKey(hmac::Key);

// === impl Signing ===

impl Signing {
    /// The key of this store.
    pub fn new(index: Arc<dyn Index>) -> Self {
        Self { index, key: Arc::default(), stand_in: Arc::default() }
    }

    /// The key; the first one to ask makes it. Where the store takes none, such as on a full disk, a key of this process
    /// stands in until it does: a list is read all the same, only its token may be refused later.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub async fn key(&self) -> Result<SigningKey> {
        if let Some(key) = self.key.get() {
            return Ok(key.clone());
        }
        let mut fresh = Secret::default();
        SystemRandom::new().fill(&mut fresh).map_err(|_| Error::Internal("no random numbers".to_string()))?;
        let read = async || secret(&*self.index, SECRET, fresh).await.map(|secret| SigningKey::new(&secret));
        match self.key.get_or_try_init(read).await {
            Ok(key) => Ok(key.clone()),
            Err(error) => {
                tracing::warn!(%error, "tokens are signed with a key of this process");
                Ok(self.stand_in.get_or_init(|| SigningKey::new(&fresh)).clone())
            }
        }
    }
}

// === impl SigningKey ===

impl SigningKey {
    /// A key of these bytes.
    pub fn new(secret: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Signs some texts in this order.
    pub fn sign(&self, texts: &[&[u8]]) -> Signature {
        let mut signature = Signature::default();
        signature.copy_from_slice(hmac::sign(&self.0, &joined(texts)).as_ref());
        signature
    }

    /// Whether this key signed these texts.
    pub fn has_signed(&self, texts: &[&[u8]], signature: &[u8]) -> bool {
        hmac::verify(&self.0, &joined(texts), signature).is_ok()
    }
}

/// Each text behind its length, so that none runs into the next.
fn joined(texts: &[&[u8]]) -> Vec<u8> {
    texts.iter().flat_map(|text| (text.len() as u64).to_be_bytes().into_iter().chain(text.iter().copied())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Counting;
    use duijie_store::MemoryIndex;

    #[test]
    fn signatures_are_those_of_hmac_sha256() {
        // the same as `printf '\0\0\0\0\0\0\0\2Hi' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b…0b`
        let key = SigningKey::new(&[0x0b; 32]);
        let hex: String = key.sign(&[b"Hi"]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "11ff0d3c1f546314c1dcfa5400d6d2b26840fed53751f6cf60a912abaefd3815");
    }

    #[test]
    fn every_text_and_the_key_count() {
        let key = SigningKey::new(&[1; 32]);
        let signature = key.sign(&[b"ab", b"c"]);
        assert!(key.has_signed(&[b"ab", b"c"], &signature));
        assert!(!key.has_signed(&[b"a", b"bc"], &signature));
        assert!(!key.has_signed(&[b"ab", b"c"], &signature[..31]));
        assert!(!SigningKey::new(&[2; 32]).has_signed(&[b"ab", b"c"], &signature));
        for bit in 0..8 * SIGNATURE_BYTES {
            let mut other = signature;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.has_signed(&[b"ab", b"c"], &other), "{bit}");
        }
    }

    #[tokio::test]
    async fn all_instances_on_a_store_have_one_key() {
        let store: Arc<dyn Index> = Arc::new(MemoryIndex::new(4));
        let (one, other) = (Signing::new(Arc::clone(&store)), Signing::new(store));
        let (one, other) = tokio::join!(one.key(), other.key());
        let signature = one.unwrap().sign(&[b"x"]);
        assert!(other.unwrap().has_signed(&[b"x"], &signature));
        let another = Signing::new(Arc::new(MemoryIndex::new(4)));
        assert!(!another.key().await.unwrap().has_signed(&[b"x"], &signature));
    }

    #[tokio::test]
    async fn a_store_that_takes_nothing_stops_no_list() {
        let store = Counting::new(MemoryIndex::new(4));
        let signing = Signing::new(Arc::new(store.clone()));
        store.refuse_documents(true);
        let signature = signing.key().await.unwrap().sign(&[b"x"]);
        assert!(signing.key().await.unwrap().has_signed(&[b"x"], &signature));
        store.refuse_documents(false);
        let signature = signing.key().await.unwrap().sign(&[b"x"]);
        assert!(Signing::new(Arc::new(store)).key().await.unwrap().has_signed(&[b"x"], &signature));
    }
}
