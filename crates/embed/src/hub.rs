//! A model named in fastembed's list, downloaded from the Hugging Face hub or a mirror (`HF_ENDPOINT`).

use super::{
    EmbedError, Runtime,
    folder::sha256_file,
    recipe::{Pooling, Recipe},
};
use fastembed::{EmbeddingModel, ModelInfo, QuantizationMode, TextEmbedding, TextInitOptions};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// A model of fastembed's list, with its files in the cache.
#[derive(Debug, Clone)]
pub struct HubModel {
    /// Name in the hub: `Xenova/bge-small-zh-v1.5`.
    pub name: String,
    /// Recipe: pooling, prefixes, limits.
    pub recipe: Recipe,
    /// SHA-256 of the graph, its additional files, and the tokeniser, hexadecimal.
    pub hashes: Vec<String>,
    model: EmbeddingModel,
    cache: PathBuf,
}

// === impl HubModel ===

impl HubModel {
    /// Downloads the model into `cache`; needs no network if it is already there.
    ///
    /// If `HF_HOME` is set, fastembed stores its files there, so `cache` must be the same folder.
    ///
    /// # Errors
    /// [`EmbedError::UnknownName`], [`EmbedError::Hub`] when the hub cannot be reached, [`EmbedError::Session`].
    pub fn fetch(runtime: &Runtime, name: &str, cache: &Path) -> Result<Self, EmbedError> {
        let info = find(name).ok_or_else(|| EmbedError::UnknownName { name: name.to_string() })?;
        let family = Recipe::of_family(&info.model_code);
        let pooling = Pooling::from_fastembed(TextEmbedding::get_default_pooling_method(&info.model));
        let dynamic = TextEmbedding::get_quantization_mode(&info.model) == QuantizationMode::Dynamic;
        // fastembed pools as its own list says, whatever the family
        let recipe = Recipe { pooling, one_at_a_time: dynamic, ..family.unwrap_or_else(|| Recipe::plain(pooling)) };
        let mut model = Self {
            name: info.model_code.clone(),
            recipe,
            hashes: Vec::new(),
            model: info.model.clone(),
            cache: cache.to_path_buf(),
        };
        // opening downloads the files
        model.open(runtime)?;
        model.hashes = model.hash_files(&info)?;
        Ok(model)
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`EmbedError::Hub`], [`EmbedError::Session`].
    pub fn open(&self, runtime: &Runtime) -> Result<TextEmbedding, EmbedError> {
        let mut options = TextInitOptions::new(self.model.clone())
            .with_cache_dir(self.cache.clone())
            .with_max_length(self.recipe.max_tokens)
            .with_show_download_progress(false)
            .with_intra_threads(1);
        options.environment = Some(runtime.environment());
        // the hub's client panics if the system has no home folder
        let opened = catch_unwind(AssertUnwindSafe(|| TextEmbedding::try_new(options)));
        let name = self.name.clone();
        match opened {
            Ok(Ok(embedding)) => Ok(embedding),
            Ok(Err(error @ (fastembed::Error::ModelRetrieval { .. } | fastembed::Error::Other(_)))) => {
                Err(EmbedError::Hub { name, detail: chain(&error) })
            }
            Ok(Err(error)) => Err(EmbedError::Session { name, detail: chain(&error) }),
            Err(_) => Err(EmbedError::Hub { name, detail: "未设置 HOME".to_string() }),
        }
    }

    fn hash_files(&self, info: &ModelInfo<EmbeddingModel>) -> Result<Vec<String>, EmbedError> {
        let repository = self.cache.join(format!("models--{}", self.name.replace('/', "--")));
        let hash = |file: &str| {
            let commit = fs::read_to_string(repository.join("refs").join("main"))?;
            sha256_file(&repository.join("snapshots").join(commit.trim()).join(file))
        };
        let files = [info.model_file.as_str(), "tokenizer.json"].into_iter();
        let files = files.chain(info.additional_files.iter().map(String::as_str));
        files.map(|file| hash(file).map_err(|e| self.not_in_cache(file, &e))).collect()
    }

    fn not_in_cache(&self, file: &str, error: &std::io::Error) -> EmbedError {
        let cache = self.cache.display();
        EmbedError::Hub { name: self.name.clone(), detail: format!("缓存 {cache} 中没有 {file}：{error}") }
    }
}

/// Finds a model by its hub name, by the last part of it (`BAAI/bge-small-zh-v1.5` is downloaded from
/// `Xenova/bge-small-zh-v1.5`, which has the ONNX files), or by fastembed's own name (`BGESmallZHV15`).
fn find(name: &str) -> Option<ModelInfo<EmbeddingModel>> {
    let models = TextEmbedding::list_supported_models();
    let last = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        last.trim_end_matches("-onnx").to_string()
    };
    let wanted = last(name);
    let by_code = models.iter().find(|info| info.model_code == name);
    let by_own_name = || models.iter().find(|info| format!("{:?}", info.model).eq_ignore_ascii_case(name));
    let by_last = || models.iter().find(|info| !wanted.is_empty() && last(&info.model_code) == wanted);
    by_code.or_else(by_own_name).or_else(by_last).cloned()
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{model_folder, runtime};

    #[test]
    fn names_that_are_found() {
        let check = |name: &str, want: Option<&str>| {
            assert_eq!(find(name).map(|info| info.model_code).as_deref(), want, "{name}");
        };
        check("BAAI/bge-small-zh-v1.5", Some("Xenova/bge-small-zh-v1.5"));
        check("Xenova/bge-small-zh-v1.5", Some("Xenova/bge-small-zh-v1.5"));
        check("BGESmallZHV15", Some("Xenova/bge-small-zh-v1.5"));
        check("bge-large-zh-v1.5", Some("Xenova/bge-large-zh-v1.5"));
        check("intfloat/multilingual-e5-large", Some("Qdrant/multilingual-e5-large-onnx"));
        check("没有这个模型", None);
        check("", None);
        check("/", None);
    }

    #[test]
    fn an_unknown_name_is_refused_without_asking_the_hub() {
        let cache = tempfile::tempdir().unwrap();
        let error = HubModel::fetch(&runtime(), "没有这个模型", cache.path()).unwrap_err();
        assert!(error.to_string().contains("没有名为 没有这个模型 的内置模型"), "{error}");
    }

    #[test]
    fn a_model_in_the_cache_needs_no_network() {
        // the shipped model under the name of its origin, in the layout of the hub's client
        let cache = tempfile::tempdir().unwrap();
        let repository = cache.path().join("models--intfloat--multilingual-e5-small");
        let snapshot = repository.join("snapshots").join("c0ffee");
        fs::create_dir_all(snapshot.join("onnx")).unwrap();
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs").join("main"), "c0ffee").unwrap();
        for file in ["tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"] {
            fs::copy(model_folder().join(file), snapshot.join(file)).unwrap();
        }
        fs::copy(model_folder().join("model.onnx"), snapshot.join("onnx").join("model.onnx")).unwrap();
        let model = HubModel::fetch(&runtime(), "intfloat/multilingual-e5-small", cache.path()).unwrap();
        assert_eq!(model.recipe, Recipe::e5());
        assert!(model.hashes[0].starts_with("2bd2e663"), "{:?}", model.hashes);
    }
}
