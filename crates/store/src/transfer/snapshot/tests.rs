use std::{fs, io::Write, path::Path};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{encoder::Encoder, line::SnapshotHeader, seal::Sealing, *};
use crate::{
    Document, DocumentWrite, Documents, Expect, Index, MemoryIndex, Point, Records, STORE_FORMAT, StoreShape,
    StoreVersions, secrets, transfer::piece::Piece,
};
use duijie_core::{
    domain::{Detail, Kind, Record},
    text::{LexicalQuery, SparseVector},
};

fn header() -> SnapshotHeader {
    let versions = StoreVersions { format: STORE_FORMAT, text: "t".into(), model: "m".into() };
    SnapshotHeader::new(
        StoreShape { versions, dimensions: 2 },
        CollectionKind::ALL.map(|collection| (collection, 1)).into(),
    )
}

fn point(id: &str) -> Point {
    Point {
        record: Record::new("local", id, "激光焊接", Detail::empty(Kind::Demand)),
        dense: vec![0.6, -0.8],
        sparse: SparseVector { indices: vec![3, 7], values: vec![1.0, 2.0] },
        query: LexicalQuery { terms: vec![("激光".into(), 1.5)] },
    }
}

/// Points in id order.
fn points() -> Vec<Point> {
    let mut points: Vec<Point> = ["d-1", "d-2", "d-3"].map(point).into();
    points.sort_by_key(Point::id);
    points
}

fn whole() -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), header()).unwrap();
    points().into_iter().for_each(|point| encoder.piece(Piece::Point(Box::new(point))).unwrap());
    encoder.finish(LeftOut::default()).unwrap().sink
}

/// The lines of a whole snapshot.
fn lines() -> Vec<String> {
    let text = zstd::decode_all(whole().as_slice()).unwrap();
    String::from_utf8(text).unwrap().lines().map(String::from).collect()
}

/// A file of these lines with a valid seal.
fn sealed(lines: &[String]) -> Vec<u8> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut sealing = Sealing::new(Vec::new());
    sealing.write_all(&zstd::encode_all(text.as_bytes(), LEVEL).unwrap()).unwrap();
    sealing.seal().unwrap()
}

/// The lines, with the trailer's checksum recomputed.
fn resummed(mut lines: Vec<String>) -> Vec<String> {
    let mut trailer: Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    trailer["trailer"]["sha256"] = json!(format!("{:x}", Sha256::digest(text)));
    lines.push(trailer.to_string());
    lines
}

fn open(bytes: &[u8]) -> std::result::Result<Snapshot, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    fs::write(&path, bytes).unwrap();
    Snapshot::open(&path).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(bytes: &[u8], want: &str) {
    let said = open(bytes).expect_err("it was opened");
    assert!(said.contains(want) && said.contains('请') && !said.contains('\n'), "{said}");
}

#[test]
fn a_whole_snapshot_is_read_and_other_tools_show_its_lines() {
    let snapshot = open(&whole()).unwrap();
    assert_eq!((snapshot.summary().points(), snapshot.header().store.dimensions), (3, 2));
    assert_eq!(lines().len(), 5);
    assert!(open(&sealed(&lines())).is_ok());
    assert!(open(&Encoder::new(Vec::new(), header()).unwrap().finish(LeftOut::default()).unwrap().sink).is_ok());
}

#[test]
fn snapshots_of_version_1_are_read_as_well() {
    let mut lines = lines();
    for (line, part, field) in [(0, "header", "counts"), (4, "trailer", "kinds")] {
        let mut value: Value = serde_json::from_str(&lines[line]).unwrap();
        assert!(value[part][field].as_object_mut().unwrap().remove("document").is_some());
        if part == "header" {
            value[part]["version"] = json!(1);
        }
        lines[line] = value.to_string();
    }
    assert_eq!(open(&sealed(&resummed(lines))).unwrap().summary().points(), 3);
}

#[test]
fn documents_come_behind_the_points_and_in_order() {
    let document = |number: u64| {
        let (folder, text) = ("jobs".to_string(), "{\"a\":\"\\n\"}".to_string());
        Piece::Document(Document { folder, key: number.into(), version: 3, tags: vec!["done".into()], text })
    };
    let snapshot = |pieces: Vec<Piece>| {
        let mut encoder = Encoder::new(Vec::new(), header()).unwrap();
        pieces.into_iter().for_each(|piece| encoder.piece(piece).unwrap());
        encoder.finish(LeftOut::default()).unwrap().sink
    };
    let point = || Piece::Point(Box::new(points().remove(0)));
    let whole = open(&snapshot(vec![point(), document(1), document(2)])).unwrap();
    assert_eq!((whole.summary().points(), whole.summary().pieces()), (1, 3));
    refused(&snapshot(vec![document(2), document(1)]), "次序不对");
    refused(&snapshot(vec![document(1), point()]), "次序不对");
    let Piece::Document(bad) = document(1) else { unreachable!() };
    refused(&snapshot(vec![Piece::Document(Document { folder: String::new(), ..bad })]), "无法写入");
}

#[test]
fn other_files_are_told() {
    refused(b"", "不是 duijie 的备份");
    refused(b"PK\x03\x04 a zip", "不是 duijie 的备份");
    refused(&sealed(&["{}".to_string()]), "不是 duijie 的备份");
    refused(&sealed(&[]), "不是 duijie 的备份");
    refused(&zstd::encode_all(&b"any text"[..], 3).unwrap(), "校验和不符");
    let said = |path: &str| Snapshot::open(Path::new(path)).unwrap_err().to_string();
    assert!(said("/nowhere").contains("/nowhere"));
    assert!(!said("/").is_empty());
}

#[test]
fn other_formats_are_told() {
    let check = |change: fn(&mut Value), want: &str| {
        let mut lines = lines();
        let mut header: Value = serde_json::from_str(&lines[0]).unwrap();
        change(&mut header["header"]);
        lines[0] = header.to_string();
        refused(&sealed(&resummed(lines)), want);
    };
    check(|header| header["version"] = json!(3), "备份 3、存储 2");
    check(|header| header["version"] = json!(0), "备份 0、存储 2");
    check(|header| header["store"]["format"] = json!(9), "备份 2、存储 9");
    check(|header| header["format"] = json!("other"), "不是 duijie 的备份");
    check(|header| header["store"]["dimensions"] = json!(3), "2 维，应为 3 维");
}

#[test]
fn lines_that_are_not_what_they_were_are_told() {
    let check = |change: fn(&mut Vec<String>), want: &str| {
        let mut lines = lines();
        change(&mut lines);
        refused(&sealed(&lines), want);
    };
    check(|lines| drop(lines.pop()), "没有末行");
    check(|lines| drop(lines.remove(1)), "末行的校验和不符");
    check(|lines| lines.swap(1, 2), "次序不对");
    check(|lines| lines.insert(1, lines[1].clone()), "次序不对");
    check(|lines| lines[1] = lines[1].replace("激光", "电弧"), "末行的校验和不符");
    check(|lines| lines.insert(1, lines[0].clone()), "表头重复");
    check(|lines| lines.insert(1, "{".to_string()), "无法读取");
    check(|lines| lines.push(lines[1].clone()), "末行之后");
    check(|lines| lines.insert(1, "0".repeat(MAX_LINE_BYTES)), "超过");
    // a valid checksum, but fewer points than the trailer states
    let mut fewer = lines();
    fewer.remove(2);
    refused(&sealed(&resummed(fewer)), "末行的校验和不符");
}

#[test]
fn a_bomb_is_refused_after_one_line() {
    let mut stream = zstd::stream::write::Encoder::new(Sealing::new(Vec::new()), LEVEL).unwrap();
    stream.write_all(format!("{}\n", lines()[0]).as_bytes()).unwrap();
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..512 {
        stream.write_all(&zeros).unwrap();
    }
    let bytes = stream.finish().unwrap().seal().unwrap();
    assert!(bytes.len() < 100_000);
    refused(&bytes, "超过");
    // a window that would need 1 GiB
    let mut stream = zstd::stream::write::Encoder::new(Sealing::new(Vec::new()), LEVEL).unwrap();
    stream.set_parameter(zstd::zstd_safe::CParameter::WindowLog(27)).unwrap();
    stream.set_parameter(zstd::zstd_safe::CParameter::ContentSizeFlag(false)).unwrap();
    stream.write_all(format!("{}\n", lines()[0]).as_bytes()).unwrap();
    refused(&stream.finish().unwrap().seal().unwrap(), "请");
}

#[test]
fn a_point_that_could_not_be_read_back_is_not_written() {
    let mut encoder = Encoder::new(Vec::new(), header()).unwrap();
    let mut long = point("d-9");
    long.record.body = "长".repeat(MAX_LINE_BYTES / 3);
    let said = encoder.piece(Piece::Point(Box::new(long))).unwrap_err().to_string();
    assert!(said.contains("demands/d-9"), "{said}");
}

#[tokio::test]
async fn secrets_and_the_clock_stay_with_their_store() {
    let (store, target) = (MemoryIndex::new(2), MemoryIndex::new(2));
    store.upsert(Kind::Demand, points()).await.unwrap();
    let job = DocumentWrite::new("jobs", 1, "{}".into(), Expect::Any);
    store.write_documents(vec![job]).await.unwrap();
    for (store, secret) in [(&store, [1; 32]), (&target, [2; 32])] {
        store.clock().now(store).await.unwrap();
        assert_eq!(secrets::secret(store, "tokens", secret).await.unwrap(), secret);
    }
    let created = create(&store, header().store, Vec::new(), |_| ()).await.unwrap();
    assert_eq!((created.summary.points(), created.summary.pieces()), (3, 4));
    let text = String::from_utf8(zstd::decode_all(created.sink.as_slice()).unwrap()).unwrap();
    assert!(text.contains("\"jobs\"") && !text.contains("secrets") && !text.contains("clock"), "{text}");
    assert_eq!(open(&created.sink).unwrap().restore(&target, |_| ()).await.unwrap().written, 4);
    assert_eq!(secrets::secret(&target, "tokens", [3; 32]).await.unwrap(), [2; 32]);
}

#[tokio::test]
async fn what_is_damaged_is_left_out_and_reported() {
    let index = MemoryIndex::new(2);
    let points: Vec<Point> = (0..30).map(|number| point(&format!("d-{number}"))).collect();
    index.upsert(Kind::Demand, points.clone()).await.unwrap();
    points[..25].iter().for_each(|point| index.damage(&point.record.name()));
    let created = create(&index, header().store, Vec::new(), |_| ()).await.unwrap();
    let left_out = created.summary.left_out.clone();
    assert_eq!((left_out.count, left_out.listed.len(), left_out.more()), (25, LeftOut::MAX_LISTED, 5));
    assert!(left_out.listed[0].name.starts_with("demands/d-"), "{left_out:?}");
    // the file says it too
    let snapshot = open(&created.sink).unwrap();
    assert_eq!((snapshot.summary().points(), &snapshot.summary().left_out), (5, &left_out));
}
