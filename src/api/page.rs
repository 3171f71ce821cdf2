//! Pages of lists: what was asked for, where a page begins, and how much of it fits into an answer.
//!
//! ```text
//! let paging = Paging::of(&mut request, SIZES, signing.key().await?)?;
//! let page = read(paging.start()?, paging.size).await?;
//! let (rows, next) = fit(page.rows, page.next);
//! Response { rows, next_page_token: paging.token(next) }
//! ```

use prost::Message;

use super::page_token;
use crate::{error::Error, events::model::Pair, rematch::job::JobId, signing::SigningKey};
use duijie_core::domain::{Problem, RecordName, Violation};
use duijie_proto as pb;
use duijie_store::PointId;

/// What a gRPC client takes unless it is told otherwise; no answer is longer.
pub(super) const MAX_ANSWER_BYTES: usize = 4 << 20;
/// Bytes of an answer that its rows leave free: for the frame, the page token and single fields.
const RESERVED: usize = 256 << 10;
/// Bytes that a row costs beside its own: the tag of the field and the length.
const ROW_HEAD: usize = 6;

/// Sizes of pages of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Where none is asked for.
    pub default: usize,
    /// The largest.
    pub max: usize,
}

/// What a caller asked for: a page of a list.
#[derive(Debug)]
pub(super) struct Paging {
    /// Entries of the page, at least 1.
    pub size: usize,
    /// Position in the caller's token.
    start: Option<Vec<u8>>,
    /// The list, and the encoded request without its paging fields; tokens are bound to both.
    query: Vec<u8>,
    /// What tokens are signed with.
    key: SigningKey,
}

/// A request for a page.
pub(super) trait PageRequest: Message {
    /// Takes size and token out of the request.
    fn take_paging(&mut self) -> (i32, String);

    /// Name of the request: two lists may be asked for in the same bytes.
    fn list_name(&self) -> &'static str;
}

/// A position in a list, as tokens hold it.
pub(super) trait Position: Sized {
    /// Bytes of the position.
    fn bytes(&self) -> Vec<u8>;

    /// Reads the bytes; `None` for those of another version.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// What is left of an answer for its rows.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
    is_empty: bool,
}

/// The rows that fit into one answer, at least one. Each row comes with its position: the page after it begins behind it.
/// `next` is what follows the last row.
pub(super) fn fit<P, R: Message>(rows: impl IntoIterator<Item = (P, R)>, next: Option<P>) -> (Vec<R>, Option<P>) {
    Room::default().fit(rows, next, Message::encoded_len)
}

// === impl Paging ===

impl Paging {
    /// Takes the paging fields out of a request.
    ///
    /// # Errors
    /// A violation of `page_size` or `page_token`.
    pub fn of(request: &mut impl PageRequest, sizes: Sizes, key: SigningKey) -> Result<Self, Error> {
        let (size, token) = request.take_paging();
        let query = [request.list_name().as_bytes(), b"\0", &request.encode_to_vec()].concat();
        let size = match usize::try_from(size) {
            Ok(0) => sizes.default,
            Ok(size) => size.min(sizes.max),
            Err(_) => {
                let max = i64::try_from(sizes.max).unwrap_or(i64::MAX);
                return Err(Violation::new("page_size", Problem::OutOfRange { min: 0, max }).into());
            }
        };
        Ok(Self { size, start: page_token::read(&key, &token, &query)?, query, key })
    }

    /// Where the page begins; `None` for the first one.
    ///
    /// # Errors
    /// A violation of `page_token` made by another version.
    pub fn start<P: Position>(&self) -> Result<Option<P>, Error> {
        self.start.as_deref().map(|bytes| P::read(bytes).ok_or_else(bad_token)).transpose()
    }

    /// Token of the page that begins at a position; empty without one.
    pub fn token<P: Position>(&self, next: Option<P>) -> String {
        next.map(|next| page_token::write(&self.key, &next.bytes(), &self.query)).unwrap_or_default()
    }
}

/// Error for a token with a valid signature and a position that cannot be read, or is no longer valid.
pub(super) fn bad_token() -> Error {
    Violation::new("page_token", Problem::PageToken).into()
}

// === impl PageRequest ===

/// All requests with the two paging fields; the generated types share no trait.
macro_rules! page_requests {
    ($($request:ident),* $(,)?) => {
        $(impl PageRequest for pb::$request {
            fn take_paging(&mut self) -> (i32, String) {
                (std::mem::take(&mut self.page_size), std::mem::take(&mut self.page_token))
            }

            fn list_name(&self) -> &'static str {
                stringify!($request)
            }
        })*
    };
}

page_requests! {
    GetEventStatisticsRequest,
    ListApiKeysRequest,
    ListEditsRequest,
    ListEventsRequest,
    ListMeetingChangesRequest,
    ListMeetingsRequest,
    ListOutcomesRequest,
    ListParticipantsRequest,
    ListRecordsRequest,
    ListRematchesRequest,
    ListRematchResultsRequest,
    ListRematchRunsRequest,
    ListShortlistsRequest,
    ListSubscriptionsRequest,
    MatchRequest,
    SimilarRequest,
}

// === impl Position ===

impl Position for PointId {
    fn bytes(&self) -> Vec<u8> {
        self.uuid().as_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        uuid::Uuid::from_slice(bytes).ok().map(Self::from)
    }
}

impl Position for JobId {
    fn bytes(&self) -> Vec<u8> {
        self.number().to_be_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::new(u64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl Position for u32 {
    fn bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_be_bytes(bytes.try_into().ok()?))
    }
}

impl Position for String {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

impl Position for RecordName {
    fn bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

impl Position for Pair {
    fn bytes(&self) -> Vec<u8> {
        format!("{} {}", self.demand, self.counterpart).into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (demand, counterpart) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        Some(Self { demand: demand.parse().ok()?, counterpart: counterpart.parse().ok()? })
    }
}

// === impl Room ===

impl Default for Room {
    fn default() -> Self {
        Self { left: MAX_ANSWER_BYTES - RESERVED, is_empty: true }
    }
}

impl Room {
    /// The room in an answer beside fields that may be long.
    pub fn beside(rest: &impl Message) -> Self {
        let Self { left, is_empty } = Self::default();
        Self { left: left.saturating_sub(rest.encoded_len()), is_empty }
    }

    /// Whether a row of this many bytes still fits, and counts it. The first one always does: a list would not go on.
    pub fn takes(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes.saturating_add(ROW_HEAD));
        let fits = self.is_empty || left.is_some();
        if fits {
            (self.left, self.is_empty) = (left.unwrap_or(0), false);
        }
        fits
    }

    /// Like [`fit`], for this room and rows of any kind.
    pub fn fit<P, R>(
        &mut self,
        rows: impl IntoIterator<Item = (P, R)>,
        next: Option<P>,
        bytes: impl Fn(&R) -> usize,
    ) -> (Vec<R>, Option<P>) {
        self.fit_after(None, rows, next, bytes)
    }

    /// The same behind other rows of the answer, the last of which has the position `last`.
    pub fn fit_after<P, R>(
        &mut self,
        mut last: Option<P>,
        rows: impl IntoIterator<Item = (P, R)>,
        next: Option<P>,
        bytes: impl Fn(&R) -> usize,
    ) -> (Vec<R>, Option<P>) {
        let mut kept = Vec::new();
        for (position, row) in rows {
            if !self.takes(bytes(&row)) {
                return (kept, last);
            }
            last = Some(position);
            kept.push(row);
        }
        (kept, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { default: 3, max: 7 };

    fn records(count: usize, chars: usize) -> Vec<(u32, pb::Record)> {
        let common = pb::Common { body: "长".repeat(chars), ..Default::default() };
        let demand = pb::Demand { common: Some(common), ..Default::default() };
        let record = pb::Record { kind: Some(pb::record::Kind::Demand(demand)) };
        (1..).zip(vec![record; count]).collect()
    }

    #[test]
    fn a_page_ends_before_it_is_too_long_and_goes_on_there() {
        let rows = records(200, 20_000);
        let (mut seen, mut pages) = (0, 0);
        while seen < rows.len() {
            let (kept, next) = fit(rows[seen..].iter().cloned(), None);
            seen += kept.len();
            assert_eq!(next, (seen < rows.len()).then_some(u32::try_from(seen).unwrap()));
            let answer = pb::ListRecordsResponse { records: kept, next_page_token: "x".repeat(200) };
            assert!(answer.encoded_len() + 5 < MAX_ANSWER_BYTES, "{}", answer.encoded_len());
            pages += 1;
        }
        assert_eq!(pages, 4);
        // what fits keeps its end
        assert_eq!(fit(records(3, 10), Some(9)).1, Some(9));
        // a list always goes on, and room that other fields need is not given to rows
        assert_eq!(
            fit(records(2, 2_000_000), None),
            (records(1, 2_000_000).into_iter().map(|row| row.1).collect(), Some(1))
        );
        let rest = pb::ListRecordsResponse {
            records: records(40, 20_000).into_iter().map(|row| row.1).collect(),
            ..Default::default()
        };
        assert!(Room::beside(&rest).fit(records(200, 20_000), None, Message::encoded_len).0.len() < 30);
    }

    #[test]
    fn sizes_and_tokens_are_checked() {
        let of = |page_size, page_token: &str, kind| {
            let mut request =
                pb::ListRecordsRequest { kind, page_size, page_token: page_token.into(), ..Default::default() };
            Paging::of(&mut request, SIZES, SigningKey::new(&[1; 32]))
        };
        let sizes = [0, 1, 7, 8].map(|size| of(size, "", 1).unwrap().size);
        assert_eq!(sizes, [3, 1, 7, 7]);
        let field = |error: Error| match error {
            Error::Invalid(violations) => violations[0].field.clone(),
            other => panic!("{other}"),
        };
        assert_eq!(field(of(-1, "", 1).unwrap_err()), "page_size");
        let token = of(0, "", 1).unwrap().token(Some(5_u32));
        assert_eq!(of(2, &token, 1).unwrap().start::<u32>().unwrap(), Some(5));
        assert_eq!(field(of(2, &token, 2).unwrap_err()), "page_token");
        assert_eq!(field(of(2, &token, 1).unwrap().start::<PointId>().unwrap_err()), "page_token");
        // two lists of an event, asked for in the same bytes
        let name = "events/e".to_string();
        let mut meetings = pb::ListMeetingsRequest { name: name.clone(), ..Default::default() };
        let page_token = Paging::of(&mut meetings, SIZES, SigningKey::new(&[1; 32])).unwrap().token(Some(5_u32));
        let mut shortlists = pb::ListShortlistsRequest { name, page_token, ..Default::default() };
        assert_eq!(field(Paging::of(&mut shortlists, SIZES, SigningKey::new(&[1; 32])).unwrap_err()), "page_token");
        assert!(
            of(0, "", 1).unwrap().start::<u32>().unwrap().is_none()
                && of(0, "", 1).unwrap().token::<u32>(None).is_empty()
        );
    }

    #[test]
    fn positions_come_back() {
        fn check<P: Position + PartialEq + std::fmt::Debug>(position: P) {
            assert_eq!(P::read(&position.bytes()), Some(position));
        }
        let name = |name: &str| name.parse::<RecordName>().unwrap();
        check(7_u32);
        check("s-1".to_string());
        check(JobId::new(u64::MAX));
        check(PointId::of(&name("demands/tj/d-1")));
        check(name("demands/tj/d-1"));
        check(Pair { demand: name("demands/d-1"), counterpart: name("experts/e-1") });
        assert!(Pair::read(b"demands/d-1").is_none() && u32::read(b"").is_none());
    }

    /// A list without a token could not be bounded.
    #[test]
    fn every_list_has_pages() {
        let set = prost_types::FileDescriptorSet::decode(pb::DESCRIPTORS).unwrap();
        let messages: Vec<_> = set.file.iter().flat_map(|file| &file.message_type).collect();
        let has =
            |message: &prost_types::DescriptorProto, field: &str| message.field.iter().any(|it| it.name() == field);
        let (mut lists, mut tokens) = (0, 0);
        for message in messages {
            let name = message.name();
            if name.starts_with("List") && name.ends_with("Response") {
                assert!(has(message, "next_page_token"), "{name}");
                lists += 1;
            }
            if name.starts_with("List") && name.ends_with("Request") {
                assert!(has(message, "page_size") && has(message, "page_token"), "{name}");
            }
            tokens += usize::from(has(message, "next_page_token"));
        }
        assert_eq!((lists, tokens), (13, 16), "a new list also belongs to tests/it/answer_size.rs");
    }
}
