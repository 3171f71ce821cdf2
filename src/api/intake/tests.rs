use std::{
    io::Write,
    net::IpAddr,
    task::Poll::{Pending, Ready},
};

use duijie_proto as pb;
use flate2::{Compression, write::GzEncoder};
use futures::{FutureExt, StreamExt};
use prost::{Message as _, Name};

use super::*;

const MAX: usize = 1 << 20;

fn rules(budget: usize) -> Rules {
    Rules {
        budget: Shares::new(budget, 100),
        max_message: MAX,
        message: pb::BatchUpsertRecordsRequest::full_name().into(),
        factor: 1,
        message_timeout: Duration::from_secs(10),
        patience: Duration::ZERO,
    }
}

/// A message as it comes, in pieces; `None` for a caller that sends nothing more.
fn body(pieces: Vec<Option<Vec<u8>>>) -> Body {
    let pieces = stream::iter(pieces).flat_map(|piece| match piece {
        Some(piece) => stream::once(async { Ok(Bytes::from(piece)) }).boxed(),
        None => stream::pending().boxed(),
    });
    Body::new(Handed(Box::pin(pieces)))
}

fn frame(flag: u8, content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[flag], len.as_slice(), content].concat()
}

fn messages(encoding: &str, pieces: Vec<Option<Vec<u8>>>, rules: &Rules) -> Messages {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-encoding", encoding.parse().unwrap());
    Messages::new(&headers, body(pieces), Caller::Unknown, rules.clone())
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn record(body: &str) -> Vec<u8> {
    let common = pb::Common { body: body.into(), ..Default::default() };
    let demand = pb::Demand { common: Some(common), ..Default::default() };
    let records = vec![pb::Record { kind: Some(pb::record::Kind::Demand(demand)) }];
    pb::BatchUpsertRecordsRequest { records }.encode_to_vec()
}

#[tokio::test]
async fn messages_come_whole_and_unpacked() {
    let rules = rules(16 << 20);
    let content = record(&"焊接".repeat(1_000));
    let plain = frame(0, &content);
    let zipped = [("gzip", gzip(&content)), ("zstd", zstd::encode_all(content.as_slice(), 3).unwrap())];
    for (encoding, packed) in zipped {
        let packed = frame(1, &packed);
        // byte by byte, and two messages in one piece
        let mut pieces: Vec<_> = plain.iter().map(|byte| Some(vec![*byte])).collect();
        pieces.push(Some([packed.as_slice(), &plain].concat()));
        let mut messages = messages(encoding, pieces, &rules);
        for _ in 0..3 {
            let message = messages.next().await.unwrap().unwrap();
            assert_eq!(message.bytes, plain);
            assert!((6_000..9_000).contains(&message.held.size()), "{}", message.held.size());
        }
        assert!(messages.next().await.unwrap().is_none());
    }
    assert!(rules.budget.take(Caller::Unknown, 16 << 20).is_some(), "bytes are held for good");
}

#[tokio::test]
async fn bombs_are_refused() {
    let rules = rules(16 << 20);
    let empty = frame(1, &gzip(&[10, 0].repeat(MAX / 2 - 10)));
    assert!(empty.len() < 10_000);
    let long = frame(1, &gzip(&vec![0; 100 << 20]));
    let zeros = zstd::encode_all(vec![0; 100 << 20].as_slice(), 3).unwrap();
    let said = frame(0, &[]).into_iter().take(1).chain(u32::MAX.to_be_bytes()).collect();
    for (encoding, bytes) in [("gzip", empty), ("gzip", long), ("zstd", frame(1, &zeros)), ("identity", said)] {
        let refused = messages(encoding, vec![Some(bytes)], &rules).next().await.err();
        assert!(matches!(refused, Some(Error::MessageTooLarge { max: MAX })), "{refused:?}");
    }
    // a few bytes that want 128 MiB to be unpacked
    let mut wide = zstd::Encoder::new(Vec::new(), 3).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&record("x")).unwrap();
    wide.flush().unwrap();
    let wide = wide.finish().unwrap();
    for (encoding, bytes) in [("gzip", vec![1; 50]), ("zstd", vec![1; 50]), ("zstd", wide)] {
        let refused = messages(encoding, vec![Some(frame(1, &bytes))], &rules).next().await.err();
        assert!(matches!(refused, Some(Error::Invalid(_))), "{refused:?}");
    }
    // what is no frame is for tonic to refuse
    for bytes in [frame(1, &[1]), frame(7, &[1]), vec![0, 0]] {
        let message = messages("identity", vec![Some(bytes.clone())], &rules).next().await.unwrap().unwrap();
        assert_eq!(message.bytes, bytes);
    }
    assert!(rules.budget.take(Caller::Unknown, 16 << 20).is_some());
}

#[tokio::test]
async fn what_has_no_room_is_refused_at_once() {
    let mut rules = rules(40_000);
    rules.factor = 10;
    let small = || vec![Some(frame(0, &record(&"x".repeat(1_000))))];
    let first = messages("identity", small(), &rules).next().await.unwrap().unwrap();
    assert!(10_000 < first.held.size() && first.held.size() <= 20_000);
    // more than all is as much as half, so that it goes through alone
    let large = || vec![Some(frame(0, &record(&"x".repeat(10_000))))];
    let second = messages("identity", large(), &rules).next().await.unwrap().unwrap();
    assert_eq!(second.held.size(), 20_000);
    for pieces in [small(), large(), vec![Some(frame(1, &gzip(&record(&"x".repeat(10_000)))))]] {
        let refused = messages("gzip", pieces, &rules).next().await.err();
        assert!(matches!(refused, Some(Error::Busy { .. })), "{refused:?}");
    }
    drop(first);
    assert!(messages("identity", small(), &rules).next().await.is_ok());
}

#[tokio::test]
async fn a_caller_that_sends_nothing_more_is_told_so() {
    let whole = frame(0, &record("x"));
    let half = whole[..whole.len() / 2].to_vec();
    let mut rules = rules(1 << 20);
    rules.message_timeout = Duration::from_millis(20);
    for pieces in [vec![None], vec![Some(half), None]] {
        let refused = messages("identity", pieces, &rules).next().await.err();
        assert!(matches!(refused, Some(Error::TooSlow)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_stream_waits_for_room_and_goes_on_when_a_message_is_worked_off() {
    let mut rules = rules(40_000);
    rules.patience = Duration::from_secs(60);
    let pieces = (0..5).map(|_| Some(frame(0, &record(&"x".repeat(15_000))))).collect();
    let mut messages = messages("identity", pieces, &rules);
    let first = messages.next().await.unwrap().unwrap();
    let held = Held::default();
    let mut handed = Handed::stream(first, messages, held.clone());
    let frame = |handed: &mut Handed| {
        let next = poll_fn(|context| Ready(Pin::new(&mut *handed).poll_frame(context))).now_or_never().unwrap();
        match next {
            Ready(frame) => Some(frame.map(|frame| frame.unwrap().into_data().unwrap().len())),
            Pending => None,
        }
    };
    assert!(matches!(frame(&mut handed), Some(Some(15_000..))));
    assert!(matches!(frame(&mut handed), Some(Some(15_000..))));
    for _ in 0..3 {
        assert_eq!(frame(&mut handed), None, "a third message beside two");
        held.release();
        assert!(matches!(frame(&mut handed), Some(Some(15_000..))));
    }
    assert_eq!(frame(&mut handed), Some(None));
    let other = Caller::at(IpAddr::from([10, 0, 0, 1]));
    assert!(rules.budget.take(other, 40_000).is_none());
    drop((handed, held));
    assert!(rules.budget.take(other, 40_000).is_some());
}
