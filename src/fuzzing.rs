//! Properties of requests from outside, for `fuzz/` and for tests.

use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::weight;
use prost::{Message, Name};

use crate::{
    api::{convert, page_token},
    signing::SigningKey,
    watch::cursor::Cursor,
};

/// Most bytes of a decoded message.
const MAX_BYTES: usize = 32 << 20;

/// A message in bytes is weighed, decoded and checked; the first byte says which one.
pub fn requests(bytes: &[u8]) {
    let Some((sort, bytes)) = bytes.split_first() else { return };
    match sort % 8 {
        0 => with(bytes, |it: pb::Record| drop(convert::record_in(it))),
        1 => with(bytes, |it: pb::BatchUpsertRecordsRequest| {
            it.records.into_iter().for_each(|it| drop(convert::record_in(it)))
        }),
        2 => with(bytes, |it: pb::StartRematchRequest| drop(convert::rematch::job_request_in(it))),
        3 => with(bytes, |it: pb::Event| drop(convert::event::event_in("e-1".to_string(), Some(it)))),
        4 => with(bytes, |it: pb::Subscription| drop(convert::watch::subscription_in(Some(it)))),
        5 => with(bytes, |it: pb::UpdateEventRequest| {
            drop(convert::event_mask::mask_in(it.update_mask, &it.event.unwrap_or_default()));
        }),
        6 => with(bytes, |it: pb::EditEventRequest| drop(convert::event::edits_in(it.edits))),
        _ => with(bytes, |it: pb::MatchRequest| drop(convert::filter_in(it.filter, Kind::Achievement))),
    }
}

/// A filter is refused, or comes back the same from what it became.
pub fn filters(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
    with(bytes, |it: pb::Filter| {
        if let Ok(filter) = convert::filter_in(Some(it), kind) {
            let again = convert::filter_in(Some(convert::filter_out(filter.clone())), kind);
            assert!(again.is_ok_and(|again| again == filter), "{filter:?}");
        }
    });
}

/// Made-up tokens are refused, and positions that were signed are checked.
pub fn tokens(bytes: &[u8]) {
    let key = SigningKey::new(&[7; 32]);
    let text = String::from_utf8_lossy(bytes);
    if !text.is_empty() {
        assert!(page_token::read(&key, &text, b"query").is_err());
    }
    let signed = page_token::write(&key, bytes, b"query");
    assert!(page_token::read(&key, &signed, b"query").is_ok_and(|read| read.as_deref() == Some(bytes)));
    if let Some(cursor) = Cursor::read(bytes) {
        assert_eq!(Cursor::read(&cursor.bytes()), Some(cursor));
    }
}

fn with<M: Message + Name + Default>(bytes: &[u8], check: impl FnOnce(M)) {
    if weight::weigh(&M::full_name(), bytes, MAX_BYTES).is_none() {
        return;
    }
    if let Ok(message) = M::decode(bytes) {
        check(message);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_request_is_taken_or_refused() {
        duijie_hostile::check("requests", super::requests);
    }

    #[test]
    fn any_filter_is_taken_or_refused() {
        duijie_hostile::check("filters", super::filters);
    }

    #[test]
    fn any_token_is_refused() {
        duijie_hostile::check("tokens", super::tokens);
    }
}
