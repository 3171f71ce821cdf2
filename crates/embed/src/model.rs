//! Choice of the model, and identity of its vectors.

use super::{
    EmbedError, MeanVector, Recipe, Runtime, folder::Folder, folder::hex, hub::HubModel, pool::HEAD_SHARE,
    window::WINDOW_VERSION,
};
use fastembed::{InitOptionsUserDefined, QuantizationMode, TextEmbedding, UserDefinedEmbeddingModel};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, thread};

/// Default number of texts that may wait in each of the two lanes: four to eight seconds of titles on two cores, or up
/// to 70 MB of Chinese text.
const DEFAULT_QUEUE_TEXTS: usize = 1024;
/// Hexadecimal digits of the version: 48 bits, enough to distinguish all models of one service.
const VERSION_DIGITS: usize = 12;

/// Source of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// Folder with `model.onnx`, the tokeniser's files and `SHA256SUMS`.
    Folder(PathBuf),
    /// Name in fastembed's list, e.g. `BAAI/bge-small-zh-v1.5`.
    Hub {
        /// The name.
        name: String,
        /// Download folder; if `HF_HOME` is set in the environment, that folder.
        cache: PathBuf,
    },
}

/// Choice of the mean vector subtracted from a model's vectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MeanVectorSource {
    /// `mean_vector.json` of the model's folder; none without that file or for a model from the hub.
    #[default]
    Model,
    /// No mean vector.
    None,
    /// This file.
    File(PathBuf),
}

/// Options of [`super::Embedder::build`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOptions {
    /// Source of the model.
    pub source: ModelSource,
    /// Sessions, each with its own thread; 0 means one per core.
    pub sessions: usize,
    /// Texts that may wait in each lane, interactive and bulk; 0 counts as 1.
    pub queue_texts: usize,
    /// Mean vector to subtract.
    pub mean_vector: MeanVectorSource,
}

/// Identity of vectors, stored with them: vectors of different versions must not be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelIdentity {
    /// Name of the folder or hub model.
    pub name: String,
    /// Name and 12 hexadecimal digits over everything that a vector depends on; with a mean vector `-c` and its
    /// version.
    pub version: String,
    /// Length of a vector.
    pub dimensions: usize,
    /// Lowest cosine of unrelated texts.
    pub cosine_floor: f32,
    /// Longest window in tokens, including prefix and special tokens.
    pub max_tokens: usize,
}

/// A model with verified files; sessions are opened from it.
pub struct Model {
    runtime: Runtime,
    origin: Origin,
}

enum Origin {
    Folder(Box<Folder>),
    Hub(Box<HubModel>),
}

// === impl ModelOptions ===

impl ModelOptions {
    /// One session per core and the default queue.
    pub fn new(source: ModelSource) -> Self {
        Self { source, sessions: 0, queue_texts: DEFAULT_QUEUE_TEXTS, mean_vector: MeanVectorSource::default() }
    }

    /// Number of sessions to open.
    pub(super) fn session_count(&self) -> usize {
        match self.sessions {
            0 => thread::available_parallelism().map_or(1, std::num::NonZero::get),
            sessions => sessions,
        }
    }
}

// === impl ModelIdentity ===

impl ModelIdentity {
    /// Identity with this mean vector subtracted; unrelated texts then have a cosine of about 0.
    pub(super) fn centred(&self, mean_vector: &MeanVector) -> Self {
        let version = format!("{}-c{}", self.version, mean_vector.version());
        Self { version, cosine_floor: 0.0, ..self.clone() }
    }
}

// === impl Model ===

impl Model {
    /// Reads the folder, or downloads the model.
    ///
    /// # Errors
    /// Errors of a folder ([`EmbedError::FileMissing`], [`EmbedError::FileAltered`], [`EmbedError::Recipe`]) or of the
    /// hub ([`EmbedError::UnknownName`], [`EmbedError::Hub`], [`EmbedError::Session`]).
    pub fn open(runtime: &Runtime, source: &ModelSource) -> Result<Self, EmbedError> {
        let origin = match source {
            ModelSource::Folder(folder) => Origin::Folder(Box::new(Folder::read(folder)?)),
            ModelSource::Hub { name, cache } => Origin::Hub(Box::new(HubModel::fetch(runtime, name, cache)?)),
        };
        Ok(Self { runtime: runtime.clone(), origin })
    }

    /// Name of the folder or hub model.
    pub fn name(&self) -> &str {
        match &self.origin {
            Origin::Folder(folder) => &folder.name,
            Origin::Hub(model) => &model.name,
        }
    }

    /// How the model wants its texts.
    pub(crate) fn recipe(&self) -> &Recipe {
        match &self.origin {
            Origin::Folder(folder) => &folder.recipe,
            Origin::Hub(model) => &model.recipe,
        }
    }

    /// Loads the chosen mean vector.
    ///
    /// # Errors
    /// [`EmbedError::MeanVector`]; also if a named file is missing.
    pub fn mean_vector(&self, source: &MeanVectorSource) -> Result<Option<MeanVector>, EmbedError> {
        match (source, &self.origin) {
            (MeanVectorSource::None, _) | (MeanVectorSource::Model, Origin::Hub(_)) => Ok(None),
            (MeanVectorSource::Model, Origin::Folder(folder)) => Ok(folder.mean_vector.clone()),
            (MeanVectorSource::File(path), _) => match MeanVector::read(path)? {
                None => Err(EmbedError::MeanVector { path: path.clone(), detail: "文件不存在".to_string() }),
                mean_vector => Ok(mean_vector),
            },
        }
    }

    /// Identity of a session's vectors with these dimensions and this token limit.
    pub(super) fn identity(&self, dimensions: usize, max_tokens: usize) -> ModelIdentity {
        let recipe = self.recipe();
        let hashes = match &self.origin {
            Origin::Folder(folder) => &folder.hashes,
            Origin::Hub(model) => &model.hashes,
        };
        // Debug quotes and escapes strings, so different recipes never give the same text
        let parts = format!(
            "{hashes:?} {:?} {:?} {:?} {} {max_tokens} {WINDOW_VERSION} {HEAD_SHARE}",
            recipe.pooling, recipe.query_prefix, recipe.passage_prefix, recipe.symmetric
        );
        let digits: String = hex(&Sha256::digest(parts)).chars().take(VERSION_DIGITS).collect();
        let name = self.name().to_string();
        let version = format!("{name}-{digits}");
        ModelIdentity { name, version, dimensions, cosine_floor: recipe.cosine_floor, max_tokens }
    }

    /// Opens a fastembed session with one inner thread, so that sessions do not compete for cores.
    pub(super) fn open_embedding(&self) -> Result<TextEmbedding, EmbedError> {
        let folder = match &self.origin {
            Origin::Folder(folder) => folder,
            Origin::Hub(model) => return model.open(&self.runtime),
        };
        let recipe = &folder.recipe;
        // batches respect one_at_a_time; fastembed would only refuse
        let model = UserDefinedEmbeddingModel::new(folder.onnx.clone(), folder.tokenizer.clone())
            .with_quantization(QuantizationMode::None)
            .with_pooling(recipe.pooling.to_fastembed());
        let options = InitOptionsUserDefined::new()
            .with_environment(self.runtime.environment())
            .with_max_length(recipe.max_tokens)
            .with_intra_threads(1);
        let error = |e: fastembed::Error| EmbedError::Session { name: folder.name.clone(), detail: e.to_string() };
        TextEmbedding::try_new_from_user_defined(model, options).map_err(error)
    }
}
