//! Tests with the real model, and tests of the threads with scripted encoders.

mod flow;
mod real;

use super::{Runtime, load};
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use tokenizers::Tokenizer;

/// Path of `libonnxruntime.so`: from the environment, or the target of `make runtime`.
pub fn library() -> PathBuf {
    let by_default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../").join("runtime").join("libonnxruntime.so");
    env::var_os("ORT_DYLIB_PATH").map_or_else(by_default, PathBuf::from)
}

/// ONNX Runtime; panics if missing.
pub fn runtime() -> Runtime {
    load(&library()).unwrap_or_else(|error| panic!("{error}"))
}

/// Folder of the shipped model.
pub fn model_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../").join("models").join("e5-small-zh")
}

/// Tokeniser of the shipped model.
pub fn tokenizer() -> Tokenizer {
    use std::sync::OnceLock;
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::from_file(model_folder().join("tokenizer.json")).unwrap()).clone()
}

/// Copies the shipped model to a new folder, where a test can change it.
pub fn copy_model(to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(model_folder()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
