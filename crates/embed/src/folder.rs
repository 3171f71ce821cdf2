//! A model in a folder: its files, each checked against `SHA256SUMS`.

use super::{EmbedError, MeanVector, recipe::Recipe};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Checksums of the files, in the format of `sha256sum`.
const SUMS_FILE: &str = "SHA256SUMS";
/// Recipe of the model; optional for known families. Not covered by the checksums, as operators may edit it.
const MANIFEST_FILE: &str = "duijie.toml";
/// Mean vector; optional. Not covered by the checksums, as its version is part of the vectors' version.
const MEAN_VECTOR_FILE: &str = "mean_vector.json";
/// Graph and weights in one file.
const MODEL_FILE: &str = "model.onnx";
/// The tokeniser.
const TOKENIZER_FILE: &str = "tokenizer.json";
/// Size and padding of the model.
const CONFIG_FILE: &str = "config.json";

/// Files of a model, verified by checksum.
#[derive(Clone)]
pub struct Folder {
    /// Name of the folder.
    pub name: String,
    /// Recipe: pooling, prefixes, limits.
    pub recipe: Recipe,
    /// Mean vector used unless another is configured.
    pub mean_vector: Option<MeanVector>,
    /// SHA-256 of the graph and of the tokeniser, hexadecimal.
    pub hashes: Vec<String>,
    /// `model.onnx`.
    pub onnx: Vec<u8>,
    /// The four files of the tokeniser.
    pub tokenizer: fastembed::TokenizerFiles,
}

/// Reads files of a folder and verifies their checksums.
struct Reader<'a> {
    folder: &'a Path,
    sums: HashMap<String, String>,
}

// === impl Folder ===

impl Folder {
    /// Reads and checks a model folder.
    ///
    /// # Errors
    /// [`EmbedError::FileMissing`], [`EmbedError::FileAltered`], [`EmbedError::Recipe`], [`EmbedError::MeanVector`].
    pub fn read(folder: &Path) -> Result<Self, EmbedError> {
        let reader = Reader::new(folder)?;
        let config_file = reader.read(CONFIG_FILE)?;
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let recipe = recipe(folder, &name, &config_file)?;
        let tokenizer = fastembed::TokenizerFiles {
            tokenizer_file: reader.read(TOKENIZER_FILE)?,
            config_file,
            special_tokens_map_file: reader.read("special_tokens_map.json")?,
            tokenizer_config_file: reader.read("tokenizer_config.json")?,
        };
        let mean_vector = MeanVector::read(&folder.join(MEAN_VECTOR_FILE))?;
        let onnx = reader.read(MODEL_FILE)?;
        // already verified against the files
        let hashes = [MODEL_FILE, TOKENIZER_FILE].iter().filter_map(|file| reader.sums.get(*file).cloned()).collect();
        Ok(Self { name, recipe, mean_vector, hashes, onnx, tokenizer })
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn new(folder: &'a Path) -> Result<Self, EmbedError> {
        let text = fs::read_to_string(folder.join(SUMS_FILE)).map_err(|e| missing(folder, SUMS_FILE, e))?;
        Ok(Self { folder, sums: parse_sums(&text) })
    }

    /// Content of a verified file. A file without checksum counts as altered.
    fn read(&self, file: &str) -> Result<Vec<u8>, EmbedError> {
        let content = fs::read(self.folder.join(file)).map_err(|e| missing(self.folder, file, e))?;
        let right = self.sums.get(file).is_some_and(|sum| *sum == hex(&Sha256::digest(&content)));
        let altered = || EmbedError::FileAltered { folder: PathBuf::from(self.folder), file: file.to_string() };
        if right { Ok(content) } else { Err(altered()) }
    }
}

/// SHA-256 of a file, hexadecimal; reads it in pieces.
///
/// # Errors
/// Read errors.
pub fn sha256_file(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

/// Bytes as lower case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Parses lines `sum  name`, or `sum *name` for binary mode.
fn parse_sums(text: &str) -> HashMap<String, String> {
    let entry = |line: &str| {
        let (sum, name) = line.trim().split_once(char::is_whitespace)?;
        Some((name.trim_start().trim_start_matches('*').to_string(), sum.to_ascii_lowercase()))
    };
    text.lines().filter_map(entry).collect()
}

/// Recipe from the manifest, else by the family in the folder's name, else by the name in `config.json`.
fn recipe(folder: &Path, name: &str, config: &[u8]) -> Result<Recipe, EmbedError> {
    let config: serde_json::Value = serde_json::from_slice(config).unwrap_or_default();
    let config_name = config.get("_name_or_path").and_then(serde_json::Value::as_str).unwrap_or_default();
    let family = Recipe::of_family(name).or_else(|| Recipe::of_family(config_name));
    let error = |detail: String| EmbedError::Recipe { folder: folder.to_path_buf(), detail };
    match fs::read_to_string(folder.join(MANIFEST_FILE)) {
        Ok(text) => Recipe::from_toml(&text, family).map_err(error),
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(error(e.to_string())),
        Err(_) => family.ok_or_else(|| error("文件不存在，且无法从名称认出模型系列".to_string())),
    }
}

fn missing(folder: &Path, file: &str, error: io::Error) -> EmbedError {
    EmbedError::FileMissing { folder: folder.to_path_buf(), file: file.to_string(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{copy_model, model_folder};

    /// Changes a copy of the model's folder and checks whether it can be read.
    fn check(change: impl FnOnce(&Path), want: Option<&str>) {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("e5-copy");
        copy_model(&folder);
        change(&folder);
        match (Folder::read(&folder), want) {
            (Ok(_), None) => (),
            (Err(error), Some(want)) => assert!(error.to_string().contains(want), "{error}"),
            (read, want) => panic!("read: {}, instead of {want:?}", read.is_ok()),
        }
    }

    fn flip_last_bit(path: &Path) {
        let mut content = fs::read(path).unwrap();
        *content.last_mut().unwrap() ^= 1;
        fs::remove_file(path).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn the_shipped_model_is_whole() {
        let folder = Folder::read(&model_folder()).unwrap();
        assert_eq!((folder.name.as_str(), folder.hashes.len()), ("e5-small-zh", 2));
        assert!(folder.hashes[0].starts_with("2bd2e663"), "{:?}", folder.hashes);
    }

    #[test]
    fn a_missing_or_altered_file_is_named() {
        let files = ["model.onnx", "tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"];
        for file in files {
            check(|folder| fs::remove_file(folder.join(file)).unwrap(), Some(&format!("缺少文件 {file}")));
            check(|folder| flip_last_bit(&folder.join(file)), Some(&format!("模型文件 {file} 与 SHA256SUMS 不一致")));
        }
        check(|folder| fs::remove_file(folder.join(SUMS_FILE)).unwrap(), Some("缺少文件 SHA256SUMS"));
        check(|folder| fs::write(folder.join(SUMS_FILE), "").unwrap(), Some("与 SHA256SUMS 不一致"));
    }

    #[test]
    fn the_manifest_may_be_missing_for_a_known_family_only() {
        check(|folder| fs::remove_file(folder.join(MANIFEST_FILE)).unwrap(), None);
        check(|folder| fs::write(folder.join(MANIFEST_FILE), "pooling = 3").unwrap(), Some("duijie.toml 有误"));
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("my-model");
        copy_model(&folder);
        fs::remove_file(folder.join(MANIFEST_FILE)).unwrap();
        assert!(matches!(Folder::read(&folder), Err(EmbedError::Recipe { .. })));
    }

    #[test]
    fn sums_as_sha256sum_writes_them() {
        let sums = parse_sums("AB12  a.json\ncd34 *b c.onnx\r\n\nbroken\n");
        assert_eq!(sums.len(), 2);
        assert_eq!(sums.get("a.json").map(String::as_str), Some("ab12"));
        assert_eq!(sums.get("b c.onnx").map(String::as_str), Some("cd34"));
    }
}
