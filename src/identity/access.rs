//! Who a caller is: the holder of the key that the call carries, or somebody without one.

use std::sync::Arc;

use super::{Identity, Keys, Presented, Role, Unknown};
use crate::error::Result;

/// Tells callers apart; clones share the keys.
#[derive(Clone)]
pub struct Access {
    keys: Keys,
    anonymous: Option<Arc<Identity>>,
}

// === impl Access ===

impl Access {
    /// Access by the keys of a store. Callers without a key have the role `anonymous`, or are refused.
    pub fn new(keys: Keys, anonymous: Option<Role>) -> Self {
        Self { keys, anonymous: anonymous.map(|role| Arc::new(Identity::anonymous(role))) }
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The role of callers without a key; `None` if they are refused.
    pub fn anonymous(&self) -> Option<Role> {
        self.anonymous.as_ref().map(|identity| identity.role)
    }

    /// Who sends this as `authorization`. One who sends a wrong key is refused even where callers without one are served.
    ///
    /// # Errors
    /// As [`Unknown`] says; UNAVAILABLE if the keys can't be read.
    pub async fn identify(&self, authorization: Option<&[u8]>) -> Result<Arc<Identity>> {
        let Some(sent) = authorization else { return self.anonymous.clone().ok_or_else(|| Unknown::Missing.into()) };
        self.keys.identify(&bearer(sent).ok_or(Unknown::Wrong)?).await
    }
}

/// The key in `Bearer <key>` (RFC 6750); the name of the scheme in any case (RFC 9110).
fn bearer(sent: &[u8]) -> Option<Presented> {
    let (scheme, key) = std::str::from_utf8(sent).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Presented::parse(key.trim()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_the_header() {
        let key = format!("djk_0123456789ab_{}", "A".repeat(43));
        let check = |sent: &str, want: bool| assert_eq!(bearer(sent.as_bytes()).is_some(), want, "{sent}");
        check(&format!("Bearer {key}"), true);
        check(&format!("bearer  {key} "), true);
        check(&key, false);
        check(&format!("Basic {key}"), false);
        check("Bearer", false);
        check("Bearer 密钥", false);
        assert!(bearer(b"Bearer \xff").is_none());
    }
}
