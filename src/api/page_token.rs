//! Opaque page tokens: the start of the next page, signed together with the query.
//!
//! A token that was changed, made up, or made for another query is refused. It holds nothing confidential. Every instance on
//! a store reads the tokens of the others.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::signing::{SIGNATURE_BYTES, SigningKey};
use duijie_core::domain::{Problem, Violation};

/// Format version; tokens of other versions are refused. Those of version 1 were not signed.
const VERSION: u8 = 2;

/// Returns a token for the page that starts at `position` of the query with these `query` bytes.
pub fn write(key: &SigningKey, position: &[u8], query: &[u8]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(position);
    bytes.extend_from_slice(&key.sign(&[&[VERSION], position, query]));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the position in a token; `None` for the empty token of a first page.
///
/// # Errors
/// [`Problem::PageToken`] on `page_token` if [`write`] did not make the token for the same query, with the same key.
pub fn read(key: &SigningKey, token: &str, query: &[u8]) -> Result<Option<Vec<u8>>, Violation> {
    if token.is_empty() {
        return Ok(None);
    }
    let bad = || Violation::new("page_token", Problem::PageToken);
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
    let [VERSION, rest @ ..] = bytes.as_slice() else { return Err(bad()) };
    let (position, signature) = rest.split_at_checked(rest.len().wrapping_sub(SIGNATURE_BYTES)).ok_or_else(bad)?;
    if key.has_signed(&[&[VERSION], position, query], signature) { Ok(Some(position.to_vec())) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::new(&[7; 32])
    }

    #[test]
    fn the_first_page_has_no_token() {
        assert_eq!(read(&key(), "", b"q"), Ok(None));
    }

    proptest! {
        #[test]
        fn tokens_come_back(position: Vec<u8>, query: Vec<u8>) {
            prop_assert_eq!(read(&key(), &write(&key(), &position, &query), &query), Ok(Some(position)));
        }

        #[test]
        fn a_changed_token_another_query_and_another_key_are_refused(
            position: [u8; 4], query: [u8; 9], at in 0usize..37, other: u8,
        ) {
            let token = write(&key(), &position, &query);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            prop_assert!(read(&key(), &token, b"another").is_err());
            prop_assert!(read(&SigningKey::new(&[8; 32]), &token, &query).is_err());
            prop_assume!(bytes[at] != other);
            bytes[at] = other;
            prop_assert!(read(&key(), &URL_SAFE_NO_PAD.encode(&bytes), &query).is_err());
        }

        #[test]
        fn anything_may_come_from_outside(token: String, bytes: Vec<u8>) {
            prop_assume!(!token.is_empty());
            prop_assert!(read(&key(), &token, b"q").is_err());
            let made_up = URL_SAFE_NO_PAD.encode([&[VERSION], bytes.as_slice()].concat());
            prop_assert!(read(&key(), &made_up, b"q").is_err());
        }
    }
}
