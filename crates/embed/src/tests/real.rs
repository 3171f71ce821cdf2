//! The shipped model on the real runtime.

use super::{
    super::{pool::HEAD_SHARE, *},
    copy_model, model_folder, runtime,
};
use std::{fs, path::Path, sync::OnceLock};

/// One embedder for the tests that only check vectors: opening a session takes 0.2 s.
fn embedder() -> &'static Embedder {
    static EMBEDDER: OnceLock<Embedder> = OnceLock::new();
    EMBEDDER.get_or_init(|| open(&model_folder()).unwrap())
}

/// Opens the model without a mean vector.
fn open(folder: &Path) -> Result<Embedder, EmbedError> {
    open_with(folder, MeanVectorSource::None)
}

fn open_with(folder: &Path, mean_vector: MeanVectorSource) -> Result<Embedder, EmbedError> {
    let options =
        ModelOptions { sessions: 1, mean_vector, ..ModelOptions::new(ModelSource::Folder(folder.to_path_buf())) };
    Embedder::build(&runtime(), &options)
}

async fn embed(embedder: &Embedder, texts: &[&str], role: Role) -> Vec<Vec<f32>> {
    let texts = texts.iter().map(ToString::to_string).collect();
    embedder.embed(texts, role, Priority::Bulk).await.unwrap()
}

async fn one(text: &str) -> Vec<f32> {
    embed(embedder(), &[text], Role::Query).await.remove(0)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A copy of the model with another manifest.
fn with_manifest(folder: &Path, manifest: &str) -> Result<Embedder, EmbedError> {
    copy_model(folder);
    fs::write(folder.join("duijie.toml"), manifest).unwrap();
    open(folder)
}

#[tokio::test]
async fn vectors_are_those_of_python() {
    // reference: onnxruntime 1.32.0 and tokenizers in Python, "query: " before each text, mean over the tokens
    let laser = one("激光焊接铝合金的工艺与装备").await;
    let want = [0.049_406_53, -0.040_464_87, -0.090_004_4, -0.044_214_2];
    assert!(laser.iter().zip(want).all(|(got, want): (&f32, f32)| (got - want).abs() < 1e-3), "{:?}", &laser[..4]);
    assert!((cosine(&laser, &one("铝合金薄板激光焊接技术").await) - 0.968_156).abs() < 1e-3);
    assert!((cosine(&laser, &one("玉米秸秆还田").await) - 0.820_78).abs() < 1e-3);
}

#[tokio::test]
async fn vectors_are_of_unit_length_and_the_identity_tells_their_size() {
    let identity = embedder().identity();
    assert_eq!((identity.name.as_str(), identity.dimensions, identity.max_tokens), ("e5-small-zh", 384, 512));
    assert_eq!(identity.cosine_floor, 0.7);
    let digits = identity.version.strip_prefix("e5-small-zh-").unwrap();
    assert!(digits.len() == 12 && digits.chars().all(|c| c.is_ascii_hexdigit()), "{digits}");
    for text in ["激光焊接", "a", "😀", "1", &"长文本，很长。".repeat(300), "<s>"] {
        let vector = one(text).await;
        assert_eq!(vector.len(), 384);
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5, "{text}");
    }
}

#[tokio::test]
async fn the_same_text_gives_the_same_vector_whatever_is_beside_it() {
    let texts = ["激光焊接铝合金", "玉米秸秆还田技术", "新能源汽车电池", "研发一种高强度铝合金薄板激光焊接工艺"];
    let together = embed(embedder(), &texts, Role::Query).await;
    let again = embed(embedder(), &texts, Role::Query).await;
    assert_eq!(together, again);
    let mut session = Session::open(&Model::open(&runtime(), &ModelSource::Folder(model_folder())).unwrap()).unwrap();
    let inputs: Vec<String> = texts.iter().map(|text| format!("query: {text}")).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let batch = session.embed(&inputs).unwrap();
    for ((text, vector), of_batch) in texts.iter().zip(&together).zip(&batch) {
        let alone = one(text).await;
        let apart = |other: &[f32]| alone.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart(vector) < 1e-6 && apart(of_batch) < 1e-6, "{text}: {} {}", apart(vector), apart(of_batch));
    }
}

#[tokio::test]
async fn the_end_of_a_long_text_counts() {
    let body = "研发一种高强度铝合金薄板激光焊接工艺，接头强度不低于母材的百分之八十五。".repeat(80);
    let (laser, corn) = (one(&format!("{body}激光焊接")).await, one(&format!("{body}玉米秸秆还田与黑土地保护")).await);
    assert!(0.9 < cosine(&laser, &corn) && laser != corn, "{}", cosine(&laser, &corn));
}

#[tokio::test]
async fn the_role_matters_only_where_the_model_is_not_symmetric() {
    let text = ["激光焊接铝合金的工艺与装备"];
    let symmetric = embedder();
    assert_eq!(embed(symmetric, &text, Role::Query).await, embed(symmetric, &text, Role::Passage).await);
    let parent = tempfile::tempdir().unwrap();
    let one_way = with_manifest(&parent.path().join("e5-one-way"), "symmetric = false").unwrap();
    let (query, passage) = (embed(&one_way, &text, Role::Query).await, embed(&one_way, &text, Role::Passage).await);
    assert_eq!(query, embed(symmetric, &text, Role::Query).await);
    // reference from Python as above
    assert!((cosine(&query[0], &passage[0]) - 0.979_03).abs() < 1e-3);
}

#[tokio::test]
async fn a_record_is_mostly_its_head() {
    let (head, whole) = ("激光焊接铝合金", "激光焊接铝合金。面向新能源汽车电池托盘的薄板拼焊");
    let record = |whole: Option<&str>| EmbeddingTexts { head: head.to_string(), whole: whole.map(str::to_string) };
    let records = [record(None), record(Some(whole))];
    let vectors = embedder().record_vectors(&records, Priority::Interactive).await.unwrap();
    let parts = embed(embedder(), &[head, whole], Role::Passage).await;
    assert!(1.0 - cosine(&vectors[0], &parts[0]) < 1e-6);
    let sum: Vec<f32> =
        parts[0].iter().zip(&parts[1]).map(|(head, whole)| HEAD_SHARE * head + (1.0 - HEAD_SHARE) * whole).collect();
    let length = cosine(&sum, &sum).sqrt();
    assert!(vectors[1].iter().zip(&sum).all(|(got, sum)| (got - sum / length).abs() < 1e-5));
}

#[test]
fn the_version_changes_with_what_vectors_depend_on() {
    let parent = tempfile::tempdir().unwrap();
    let version = |manifest: &str| {
        let folder = parent.path().join("e5-small-zh");
        with_manifest(&folder, manifest).unwrap().identity().version.clone()
    };
    let shipped = embedder().identity().version.clone();
    assert_eq!(version(""), shipped);
    assert_eq!(version("cosine_floor = 0.5"), shipped);
    for other in ["symmetric = false", "pooling = \"cls\"", "query_prefix = \"q: \"", "max_tokens = 256"] {
        assert_ne!(version(other), shipped, "{other}");
    }
}

#[test]
fn a_model_that_the_runtime_does_not_take_is_an_error() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("e5-broken");
    copy_model(&folder);
    fs::write(folder.join("model.onnx"), "no model").unwrap();
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let sum = folder::sha256_file(&folder.join("model.onnx")).unwrap();
    let line = |line: &str| if line.ends_with("model.onnx") { format!("{sum}  model.onnx") } else { line.to_string() };
    fs::write(folder.join("SHA256SUMS"), sums.lines().map(line).collect::<Vec<_>>().join("\n")).unwrap();
    let error = open(&folder).err().unwrap();
    assert!(matches!(&error, EmbedError::Session { name, .. } if name == "e5-broken"), "{error}");
}

#[tokio::test]
async fn the_centre_is_taken_from_records_and_is_part_of_the_version() {
    let plain = embedder();
    let centred = open_with(&model_folder(), MeanVectorSource::Model).unwrap();
    let identity = centred.identity();
    assert_eq!((identity.cosine_floor, centred.mean_vector().is_some()), (0.0, true));
    let ending = identity.version.strip_prefix(&plain.identity().version).unwrap();
    assert_eq!(ending, format!("-c{}", centred.mean_vector().unwrap().version()));
    let records = ["激光焊接铝合金", "玉米种植"]
        .map(|head| EmbeddingTexts { head: head.to_string(), whole: Some(format!("{head}的方法")) });
    let before = plain.record_vectors(&records, Priority::Bulk).await.unwrap();
    let after = centred.record_vectors(&records, Priority::Bulk).await.unwrap();
    assert!(0.7 < cosine(&before[0], &before[1]) && cosine(&after[0], &after[1]) < 0.4, "unrelated texts");
    let back = centred.mean_vector().unwrap().undo(&after[0]);
    assert!(back.iter().zip(&before[0]).all(|(a, b)| (a - b).abs() < 1e-5));
    for (version, want) in [
        (&plain.identity().version, Some(None)),
        (&identity.version, Some(centred.mean_vector().cloned())),
        (&"bge-0".to_string(), None),
    ] {
        assert_eq!(centred.mean_vector_of_version(version), want, "{version}");
    }
    assert_eq!(centred.with_mean_vector(None).identity(), plain.identity());
}

#[test]
fn a_centre_that_does_not_belong_to_the_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mean_vector.json");
    let check = |want: &str| {
        let error = open_with(&model_folder(), MeanVectorSource::File(path.clone())).err().unwrap().to_string();
        assert!(error.contains(want) && error.contains("model.mean_vector"), "{error}");
    };
    check("文件不存在");
    fs::write(&path, MeanVector::new(0.85, vec![0.5, 0.5], "").unwrap().to_json()).unwrap();
    check("2 维，模型为 384 维");
}
