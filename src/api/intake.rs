//! The messages of a request, read before the call takes a place: whole, unpacked, and within the bytes that all calls in
//! flight may hold.
//!
//! tonic decodes what this module hands on. A message whose frame is broken is handed on as it is, and tonic refuses it.

use std::{
    collections::VecDeque,
    io::Read,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use flate2::read::GzDecoder;
use futures::{Stream, future::poll_fn, stream};
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame};
use parking_lot::Mutex;
use tokio::time::timeout;
use tonic::{Status, body::Body};

use super::caller::{Caller, Place, Shares};
use crate::error::Error;
use duijie_core::domain::{Problem, Violation};
use duijie_cpu::Lane;
use duijie_proto::weight::weigh;

/// Bytes before each message: whether it is compressed, and its length.
const HEADER: usize = 5;
/// Messages beyond this many bytes are weighed outside the async threads.
const LARGE: usize = 64 << 10;
/// Bytes that are unpacked before the next ones are counted.
const STEP: usize = 256 << 10;
/// Memory that unpacking zstd may take, as a power of 2: 32 MiB. A message of a few bytes may ask for more.
const MAX_WINDOW_LOG: u32 = 25;
/// Bytes that a decoded message may have for each byte that a message may have.
const MAX_GROWTH: usize = 2;
/// What a text usually unpacks to, for each of its bytes.
const USUAL_RATIO: usize = 10;
/// When a caller that finds no bytes left shall come back, in milliseconds.
const RETRY_MS: u64 = 500;

/// How a request is read.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Bytes that all calls in flight may hold.
    pub budget: Shares,
    /// Longest message, unpacked.
    pub max_message: usize,
    /// Full name of the type of the messages.
    pub message: Arc<str>,
    /// Bytes that a call holds for each byte of a decoded message while it works.
    pub factor: usize,
    /// Time that a caller has for one message.
    pub message_timeout: Duration,
    /// Time that a message waits for bytes to be free; the calls of a stream wait, others are refused at once.
    pub patience: Duration,
}

/// The messages of a request, one after the other.
pub struct Messages {
    body: Body,
    buffer: BytesMut,
    packing: Option<Packing>,
    caller: Caller,
    rules: Rules,
}

/// A message, framed as tonic reads it, and the bytes that its call holds.
pub struct Message {
    /// Frame and content, never compressed.
    pub bytes: Bytes,
    /// The bytes held.
    pub held: Place,
}

/// What the messages of a stream hold until each of them is worked off.
#[derive(Debug, Clone, Default)]
pub struct Held(Arc<Mutex<VecDeque<Place>>>);

/// The body of a stream whose messages were read here.
pub struct Handed(Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>);

/// Compressions that are unpacked here.
#[derive(Debug, Clone, Copy)]
enum Packing {
    Gzip,
    Zstd,
}

// === impl Messages ===

impl Messages {
    /// Reads the body of a request with these headers.
    pub fn new(headers: &HeaderMap, body: Body, caller: Caller, rules: Rules) -> Self {
        let packing = match headers.get("grpc-encoding").map(HeaderValue::as_bytes) {
            Some(b"gzip") => Some(Packing::Gzip),
            Some(b"zstd") => Some(Packing::Zstd),
            _ => None,
        };
        Self { body, buffer: BytesMut::new(), packing, caller, rules }
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// [`Error::TooSlow`], [`Error::MessageTooLarge`], [`Error::Busy`] where no bytes are left, [`Error::Invalid`] for
    /// what cannot be unpacked, [`Error::StreamCut`] for a caller that has gone.
    pub async fn next(&mut self) -> Result<Option<Message>, Error> {
        let mut held = self.rules.budget.take(self.caller, 0).ok_or_else(no_room)?;
        let whole = timeout(self.rules.message_timeout, self.frame(&mut held)).await;
        let Some(bytes) = whole.map_err(|_| Error::TooSlow)?? else { return Ok(None) };
        let is_compressed = bytes.first() == Some(&1);
        let packing = self.packing.filter(|_| is_compressed);
        if bytes.len() < HEADER || (is_compressed && packing.is_none()) {
            return Ok(Some(Message { bytes, held }));
        }
        if packing.is_some() {
            let guess = bytes.len().saturating_mul(USUAL_RATIO).min(self.rules.max_message);
            hold(&mut held, bytes.len() + guess, self.rules.patience).await?;
        }
        let is_large = packing.is_some() || LARGE < bytes.len();
        let (rules, message) = (self.rules.clone(), Message { bytes, held });
        let prepared = match is_large {
            true => duijie_cpu::run(Lane::Interactive, move || prepare(message, packing, &rules)).await?,
            false => prepare(message, packing, &rules),
        };
        let (mut message, weight) = prepared?;
        // a call that is alone always finds room
        let weight = weight.saturating_mul(self.rules.factor).min(self.rules.budget.total() / 2);
        hold(&mut message.held, weight, self.rules.patience).await?;
        Ok(Some(message))
    }

    /// Frame and content of the next message, or what there is of it at the end.
    async fn frame(&mut self, held: &mut Place) -> Result<Option<Bytes>, Error> {
        loop {
            let len = self.buffer.get(1..HEADER).and_then(|len| len.try_into().ok()).map(u32::from_be_bytes);
            if let Some(len) = len.map(|len| len as usize) {
                if self.rules.max_message < len {
                    return Err(Error::MessageTooLarge { max: self.rules.max_message });
                }
                if HEADER + len <= self.buffer.len() {
                    return Ok(Some(self.buffer.split_to(HEADER + len).freeze()));
                }
            }
            match poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    hold(held, self.buffer.len() + data.len(), self.rules.patience).await?;
                    self.buffer.put(data);
                }
                Some(Err(_)) => return Err(Error::StreamCut),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Ok(Some(self.buffer.split().freeze())),
            }
        }
    }
}

// === impl Held ===

impl Held {
    /// The oldest message is worked off.
    pub fn release(&self) {
        drop(self.0.lock().pop_front());
    }

    fn hold(&self, place: Place) {
        self.0.lock().push_back(place);
    }
}

// === impl Handed ===

impl Handed {
    /// The body of a call with one message.
    pub fn one(message: Bytes) -> Self {
        Self(Box::pin(stream::iter([Ok(message)])))
    }

    /// The body of a stream that goes on with `messages`. Each message holds its bytes until `held` is told.
    pub fn stream(first: Message, messages: Messages, held: Held) -> Self {
        let state = (Some(first), Some(messages));
        Self(Box::pin(stream::unfold(state, move |(mut first, mut messages)| {
            let held = held.clone();
            async move {
                let next = match first.take() {
                    Some(first) => Ok(Some(first)),
                    None => messages.as_mut()?.next().await,
                };
                match next {
                    Ok(Some(message)) => {
                        held.hold(message.held);
                        Some((Ok(message.bytes), (None, messages)))
                    }
                    Ok(None) => None,
                    Err(error) => Some((Err(error.into()), (None, None))),
                }
            }
        })))
    }
}

impl http_body::Body for Handed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.0.as_mut().poll_next(context).map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }
}

fn no_room() -> Error {
    Error::Busy { retry_ms: RETRY_MS }
}

async fn hold(held: &mut Place, bytes: usize, patience: Duration) -> Result<(), Error> {
    let is_held = if patience.is_zero() { held.resize(bytes) } else { held.resize_within(bytes, patience).await };
    if is_held { Ok(()) } else { Err(no_room()) }
}

/// Unpacks and weighs a message.
fn prepare(message: Message, packing: Option<Packing>, rules: &Rules) -> Result<(Message, usize), Error> {
    let Message { bytes, mut held } = message;
    let bytes = match packing {
        Some(packing) => unpack(&bytes, packing, rules.max_message, &mut held)?,
        None => bytes,
    };
    let too_large = Error::MessageTooLarge { max: rules.max_message };
    let content = bytes.get(HEADER..).unwrap_or_default();
    let weight = weigh(&rules.message, content, rules.max_message.saturating_mul(MAX_GROWTH)).ok_or(too_large)?;
    Ok((Message { bytes, held }, weight))
}

/// Frame and content of a compressed message, unpacked.
fn unpack(frame: &[u8], packing: Packing, max: usize, held: &mut Place) -> Result<Bytes, Error> {
    let packed = frame.get(HEADER..).unwrap_or_default();
    let mut reader: Box<dyn Read> = match packing {
        Packing::Gzip => Box::new(GzDecoder::new(packed)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::new(packed).map_err(|_| unreadable())?;
            decoder.window_log_max(MAX_WINDOW_LOG).map_err(|_| unreadable())?;
            Box::new(decoder)
        }
    };
    let mut unpacked = vec![0; HEADER];
    loop {
        let read = reader.by_ref().take(STEP as u64).read_to_end(&mut unpacked).map_err(|_| unreadable())?;
        if max < unpacked.len() - HEADER {
            return Err(Error::MessageTooLarge { max });
        }
        if read == 0 {
            break;
        }
        let both = frame.len() + unpacked.len();
        if held.size() < both && !held.resize(both) {
            return Err(no_room());
        }
    }
    let len = u32::try_from(unpacked.len() - HEADER).map_err(|_| Error::MessageTooLarge { max })?;
    if let Some(header) = unpacked.get_mut(1..HEADER) {
        header.copy_from_slice(&len.to_be_bytes());
    }
    Ok(unpacked.into())
}

fn unreadable() -> Error {
    let want = "a message that is compressed as grpc-encoding says";
    Violation::new("message", Problem::Malformed { want, want_zh: "按 grpc-encoding 压缩的消息" }).into()
}

#[cfg(test)]
mod tests;
