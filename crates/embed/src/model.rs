//! Which model, and what its vectors depend on.

use super::{
    EmbedError, MeanVector, Recipe, Runtime, folder::Folder, folder::hex, hub::HubModel, pool::HEAD_SHARE,
    window::WINDOW_VERSION,
};
use fastembed::{InitOptionsUserDefined, QuantizationMode, TextEmbedding, UserDefinedEmbeddingModel};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, thread};

/// Texts that may wait in each of the two lanes by default: four to eight seconds of titles for two cores, or some
/// 70 MB of Chinese at its longest.
const DEFAULT_QUEUE_TEXTS: usize = 1024;
/// Hexadecimal digits of the version: 48 bits, enough to tell apart all models that one service will ever see.
const VERSION_DIGITS: usize = 12;

/// Where the model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// Folder with `model.onnx`, the tokeniser's files and `SHA256SUMS`.
    Folder(PathBuf),
    /// Name of fastembed's list, e.g. `BAAI/bge-small-zh-v1.5`.
    Hub {
        /// The name.
        name: String,
        /// Folder for what is fetched; where the environment sets `HF_HOME`, that folder.
        cache: PathBuf,
    },
}

/// Which mean vector is taken from the vectors of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MeanVectorSource {
    /// `mean_vector.json` of the model's folder; none where there is no such file, and none for a model of the hub.
    #[default]
    Model,
    /// None at all.
    None,
    /// This file.
    File(PathBuf),
}

/// What [`super::Embedder::build`] needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOptions {
    /// Where the model comes from.
    pub source: ModelSource,
    /// Sessions, each with a thread of its own; 0: one for each core.
    pub sessions: usize,
    /// Texts that may wait in each lane, interactive and bulk; at least 1 is used.
    pub queue_texts: usize,
    /// The mean vector of its vectors.
    pub mean_vector: MeanVectorSource,
}

/// Which vectors these are. Stored with them: vectors of two versions must not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelIdentity {
    /// Name of the folder or in the hub.
    pub name: String,
    /// Name and 12 hexadecimal digits over everything here that a vector depends on; with a mean vector `-c` and its version.
    pub version: String,
    /// Length of a vector.
    pub dimensions: usize,
    /// Lowest cosine that unrelated texts reach.
    pub cosine_floor: f32,
    /// Longest piece in tokens, prefix and special tokens with it.
    pub max_tokens: usize,
}

/// A model whose files are there and whole; sessions are opened from it.
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
    /// A session for each core and the default queue.
    pub fn new(source: ModelSource) -> Self {
        Self { source, sessions: 0, queue_texts: DEFAULT_QUEUE_TEXTS, mean_vector: MeanVectorSource::default() }
    }

    /// Sessions to open.
    pub(super) fn session_count(&self) -> usize {
        match self.sessions {
            0 => thread::available_parallelism().map_or(1, std::num::NonZero::get),
            sessions => sessions,
        }
    }
}

// === impl ModelIdentity ===

impl ModelIdentity {
    /// The same model with this mean vector, from which unrelated texts have a cosine of about 0.
    pub(super) fn centred(&self, mean_vector: &MeanVector) -> Self {
        let version = format!("{}-c{}", self.version, mean_vector.version());
        Self { version, cosine_floor: 0.0, ..self.clone() }
    }
}

// === impl Model ===

impl Model {
    /// Reads the folder, or fetches the model.
    ///
    /// # Errors
    /// Those of a folder ([`EmbedError::FileMissing`], [`EmbedError::FileAltered`], [`EmbedError::Recipe`]) or of the
    /// hub ([`EmbedError::UnknownName`], [`EmbedError::Hub`], [`EmbedError::Session`]).
    pub fn open(runtime: &Runtime, source: &ModelSource) -> Result<Self, EmbedError> {
        let origin = match source {
            ModelSource::Folder(folder) => Origin::Folder(Box::new(Folder::read(folder)?)),
            ModelSource::Hub { name, cache } => Origin::Hub(Box::new(HubModel::fetch(runtime, name, cache)?)),
        };
        Ok(Self { runtime: runtime.clone(), origin })
    }

    /// Name of the folder or in the hub.
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

    /// The mean vector that is asked for.
    ///
    /// # Errors
    /// [`EmbedError::MeanVector`], for a file that is named and missing too.
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

    /// Identity of the vectors of a session with these dimensions and this limit.
    pub(super) fn identity(&self, dimensions: usize, max_tokens: usize) -> ModelIdentity {
        let recipe = self.recipe();
        let hashes = match &self.origin {
            Origin::Folder(folder) => &folder.hashes,
            Origin::Hub(model) => &model.hashes,
        };
        // Debug writes strings quoted and escaped, so no two recipes run together to the same text
        let parts = format!(
            "{hashes:?} {:?} {:?} {:?} {} {max_tokens} {WINDOW_VERSION} {HEAD_SHARE}",
            recipe.pooling, recipe.query_prefix, recipe.passage_prefix, recipe.symmetric
        );
        let digits: String = hex(&Sha256::digest(parts)).chars().take(VERSION_DIGITS).collect();
        let name = self.name().to_string();
        let version = format!("{name}-{digits}");
        ModelIdentity { name, version, dimensions, cosine_floor: recipe.cosine_floor, max_tokens }
    }

    /// Opens fastembed's part of a session: one thread inside, so that sessions do not fight for cores.
    pub(super) fn open_embedding(&self) -> Result<TextEmbedding, EmbedError> {
        let folder = match &self.origin {
            Origin::Folder(folder) => folder,
            Origin::Hub(model) => return model.open(&self.runtime),
        };
        let recipe = &folder.recipe;
        // one_at_a_time is kept by the batches, where fastembed would only refuse
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
