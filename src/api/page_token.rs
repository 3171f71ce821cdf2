//! Opaque page tokens: the start of the next page, with a checksum over it and the query.
//!
//! The checksum detects a token that was changed or belongs to another query. It needs no secret: a token holds nothing
//! confidential, and every instance must read the tokens of the others.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use duijie_core::domain::{Problem, Violation};

/// Format version; tokens of other versions are refused.
const VERSION: u8 = 1;
/// Bytes of the checksum: 64 bits suffice against accidents.
const CHECK_BYTES: usize = 8;

/// Returns a token for the page that starts at `position` of the query with these `query` bytes.
pub fn write(position: &[u8], query: &[u8]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(position);
    bytes.extend_from_slice(&check(position, query));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the position in a token; `None` for the empty token of a first page.
///
/// # Errors
/// [`Problem::PageToken`] on `page_token` if [`write`] did not make the token for the same query.
pub fn read(token: &str, query: &[u8]) -> Result<Option<Vec<u8>>, Violation> {
    if token.is_empty() {
        return Ok(None);
    }
    let bad = || Violation::new("page_token", Problem::PageToken);
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
    let [VERSION, rest @ ..] = bytes.as_slice() else { return Err(bad()) };
    let (position, found) = rest.split_at_checked(rest.len().wrapping_sub(CHECK_BYTES)).ok_or_else(bad)?;
    if found == check(position, query) { Ok(Some(position.to_vec())) } else { Err(bad()) }
}

fn check(position: &[u8], query: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = Sha256::new().chain_update([VERSION]).chain_update(position).chain_update(b"\0").chain_update(query);
    let mut check = [0; CHECK_BYTES];
    check.iter_mut().zip(hash.finalize()).for_each(|(place, byte)| *place = byte);
    check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_page_has_no_token() {
        assert_eq!(read("", b"q"), Ok(None));
    }

    proptest! {
        #[test]
        fn tokens_come_back(position: Vec<u8>, query: Vec<u8>) {
            prop_assert_eq!(read(&write(&position, &query), &query), Ok(Some(position)));
        }

        #[test]
        fn a_changed_token_or_another_query_is_refused(position: [u8; 4], query: [u8; 9], at in 0usize..13, other: u8) {
            let token = write(&position, &query);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            prop_assume!(bytes[at] != other);
            bytes[at] = other;
            prop_assert!(read(&URL_SAFE_NO_PAD.encode(&bytes), &query).is_err());
            prop_assert!(read(&token, b"another").is_err());
        }

        #[test]
        fn anything_may_come_from_outside(token: String) {
            prop_assume!(!token.is_empty());
            prop_assert!(read(&token, b"q").is_err());
        }
    }
}
