//! Builds all parts from the configuration. The order of construction is here and nowhere else.

mod background;
mod health;
mod probe;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use background::{Background, BackgroundHealth};
pub use health::{Component, Trouble};
pub use probe::Probes;

use crate::{
    config::{Config, RematchTargets},
    events::service::Events,
    foreground::Foreground,
    identity::{Access, Keys, Role},
    ingest::Ingest,
    matching::{Matcher, Settings},
    metrics,
    rematch::{
        job::{JobBounds, JobRequest, Rematch, Selection},
        schedule::Schedule,
        scheduler::{ScheduledJobs, Scheduler},
    },
    signing::Signing,
    watch::Watcher,
};
use duijie_core::{
    domain::{Filter, Kind},
    rank::{Calibration, CalibrationError, Fusion},
    text::{TextError, TextPipeline},
};
use duijie_cpu::Lane;
use duijie_embed::{Embed, EmbedError, Embedder, MeanVectorSource, ModelOptions, ModelSource};
use duijie_insight::{
    evidence::Explainer,
    policy::{Policies, PolicyError},
};
use duijie_store::{
    CollectionKind, EdgeIndex, EdgeOptions, Index, IndexError, STORE_FORMAT, ServerIndex, StoreShape, StoreVersions,
    Tuning,
};

/// Folder of the rule files when none is configured.
const DEFAULT_POLICIES: &str = "policies";
/// The shipped rule files.
const SHIPPED_POLICIES: [(&str, &str); 1] = [("hebei-2021.toml", include_str!("../../policies/hebei-2021.toml"))];

/// The parts of a running service; clones share them.
#[derive(Clone)]
pub struct Parts {
    /// Turns text into terms.
    pub text: Arc<TextPipeline>,
    /// Turns text into vectors.
    pub embedder: Embedder,
    /// Store and search.
    pub index: Arc<dyn Index>,
    /// The query path.
    pub matcher: Matcher,
    /// The import path.
    pub ingest: Ingest,
    /// Matchmaking events.
    pub events: Events,
    /// Evidence for matches.
    pub explainer: Arc<Explainer>,
    /// Re-matching jobs.
    pub rematch: Rematch,
    /// Starts re-matching jobs by schedule.
    pub scheduler: Scheduler,
    /// Streams of new matches.
    pub watcher: Watcher,
    /// Versions that the answers depend on.
    pub versions: Arc<StoreVersions>,
    /// Calls to which batch work yields.
    pub foreground: Foreground,
    /// Tells callers apart.
    pub access: Access,
    /// Signs the tokens that callers hand back.
    pub signing: Signing,
    /// Whether the background tasks are running.
    pub background: BackgroundHealth,
    /// What does not answer.
    pub probes: Probes,
}

/// Why the service cannot start: one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The model or its runtime.
    #[error(transparent)]
    Model(#[from] EmbedError),
    /// The store.
    #[error(transparent)]
    Store(#[from] IndexError),
    /// The dictionary.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The calibration of the levels.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// The calibration's file.
    #[error("无法读取校准文件 {path}，请检查 match.calibration：{source}", path = path.display())]
    CalibrationFile {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The region of scheduled jobs.
    #[error("rematch.region = \"{0}\" 不是 GB/T 2260 中的地区代码，应形如 13、1301 或 130100")]
    Region(String),
    /// The extra dictionary's file.
    #[error("无法读取附加词典 {path}，请检查 text.dictionary：{source}", path = path.display())]
    Dictionary {
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The rule files: all mistakes, one line each.
    #[error("政策规则有误，请改正 {folder} 中的文件，或检查 policy.folder：\n{source}", folder = folder.display())]
    Policy {
        /// Their folder.
        folder: PathBuf,
        /// All mistakes.
        source: PolicyError,
    },
}

// === impl Parts ===

impl Parts {
    /// Loads the runtime, the model and the dictionary, and opens the store.
    ///
    /// # Errors
    /// The first part that cannot be loaded.
    pub fn build(config: &Config) -> Result<Self, StartError> {
        Self::build_with(config, embedder(config)?)
    }

    /// Opens the store and loads the dictionary, with a model that is already loaded.
    ///
    /// # Errors
    /// The first part that cannot be loaded.
    pub fn build_with(config: &Config, embedder: Embedder) -> Result<Self, StartError> {
        let text = Arc::new(text_pipeline(config)?);
        // before the store is opened, so that a wrong file is reported at once
        let explainer = Arc::new(Explainer::new(&text, policies(config)?));
        let versions = versions(&text, &embedder);
        let settings = settings(config, &embedder)?;
        let index = index(config, embedder.identity().dimensions, versions.clone())?;
        let plan = plan(config)?;
        let mut parts = Self::new(text, embedder, index, explainer, versions, settings);
        parts.rematch = parts.rematch.with_bounds(JobBounds {
            all: config.rematch.max_open_jobs,
            of_caller: config.rematch.max_open_jobs_per_caller,
        });
        parts.scheduler = Scheduler::new(Arc::clone(&parts.index), parts.rematch.clone(), plan);
        parts.access = Access::new(parts.access.keys().clone(), config.access.anonymous);
        parts.events = parts.events.with_deadline(config.events.planning_deadline);
        Ok(parts)
    }

    /// Assembles parts made elsewhere; no job starts by itself, and callers need no key.
    pub fn new(
        text: Arc<TextPipeline>,
        embedder: Embedder,
        index: Arc<dyn Index>,
        explainer: Arc<Explainer>,
        versions: StoreVersions,
        settings: Settings,
    ) -> Self {
        let (versions, foreground) = (Arc::new(versions), Foreground::default());
        let rematch = Rematch::new(Arc::clone(&index), settings.clone(), Arc::clone(&versions), foreground.clone());
        let embed: Arc<dyn Embed> = Arc::new(embedder.clone());
        let matcher = Matcher::new(Arc::clone(&text), Arc::clone(&embed), Arc::clone(&index), settings);
        let ingest = Ingest::new(Arc::clone(&text), embed, Arc::clone(&index));
        let scheduler = Scheduler::new(Arc::clone(&index), rematch.clone(), ScheduledJobs::default());
        let watcher = Watcher::new(Arc::clone(&index), matcher.clone());
        let events = Events::new(Arc::clone(&index), matcher.clone(), &versions);
        let signing = Signing::new(Arc::clone(&index));
        let access = Access::new(Keys::new(Arc::clone(&index)), Some(Role::Administrator));
        Self {
            text,
            embedder,
            index,
            matcher,
            ingest,
            events,
            explainer,
            rematch,
            scheduler,
            watcher,
            versions,
            foreground,
            access,
            signing,
            background: BackgroundHealth::default(),
            probes: Probes::default(),
        }
    }

    /// Copies the state of the parts into the metrics.
    pub(crate) fn note_metrics(&self) {
        let status = self.index.status();
        for status in status.kinds {
            metrics::records(status.kind.collection(), status.points);
            metrics::damaged(status.kind.collection(), status.damaged);
        }
        metrics::damaged(CollectionKind::Documents.collection(), status.documents_damaged);
        metrics::nodes_away(status.nodes.iter().filter(|node| !node.answers).count());
        let stats = self.embedder.stats();
        metrics::embedder(stats.texts_embedded, stats.texts_queued);
        for lane in Lane::ALL {
            let stats = duijie_cpu::stats(lane);
            metrics::cpu(lane.name(), stats.pending, stats.running);
        }
        metrics::threads(duijie_cpu::threads());
    }
}

/// The configured matching settings, adapted to this embedder.
///
/// # Errors
/// When the calibration cannot be read or used.
pub fn settings(config: &Config, embedder: &Embedder) -> Result<Settings, StartError> {
    let matching = &config.matching;
    Ok(Settings {
        candidates: matching.candidates,
        fusion: Fusion {
            dense_weight: matching.dense_weight,
            bm25_saturation: matching.bm25_saturation,
            cosine_floor: f64::from(embedder.identity().cosine_floor),
        },
        // without mean-centering the best records share only what all records share: nDCG@10 -0.013
        feedback: if embedder.mean_vector().is_some() { matching.feedback } else { 0 },
        calibration: Arc::new(calibration(config)?),
    })
}

/// The scheduled jobs.
fn plan(config: &Config) -> Result<ScheduledJobs, StartError> {
    let it = &config.rematch;
    let targets = match it.targets {
        RematchTargets::Achievements => vec![Kind::Achievement],
        RematchTargets::Experts => vec![Kind::Expert],
        RematchTargets::Both => vec![Kind::Achievement, Kind::Expert],
    };
    let filter = Filter { regions: it.region.clone().into_iter().collect(), ..Filter::default() };
    let filter = filter.checked(Kind::Demand).map_err(|_| StartError::Region(it.region.clone().unwrap_or_default()))?;
    Ok(ScheduledJobs {
        schedule: Schedule { nightly: it.nightly, time_zone: it.time_zone.clone(), after_changes: it.after_changes },
        request: JobRequest {
            selection: Selection::Filter(Box::new(filter)),
            targets,
            limit: it.limit,
            ..JobRequest::default()
        },
    })
}

/// The configured calibration of the levels.
fn calibration(config: &Config) -> Result<Calibration, StartError> {
    let Some(path) = &config.matching.calibration else { return Ok(Calibration::shipped()?) };
    let read = fs::read_to_string(path);
    let text = read.map_err(|source| StartError::CalibrationFile { path: path.clone(), source })?;
    Ok(Calibration::read(&text)?)
}

/// Versions of a store written by this service.
pub fn versions(text: &TextPipeline, embedder: &Embedder) -> StoreVersions {
    StoreVersions { format: STORE_FORMAT, text: text.version().to_string(), model: embedder.identity().version.clone() }
}

/// The configured store: opened in this process, or a connection to a server. Needs a tokio runtime.
///
/// # Errors
/// When the embedded store cannot be opened, or the server's options are wrong.
pub fn index(config: &Config, dimensions: usize, versions: StoreVersions) -> Result<Arc<dyn Index>, IndexError> {
    Ok(match &config.qdrant {
        Some(qdrant) => Arc::new(ServerIndex::open(qdrant, StoreShape { versions, dimensions })?),
        None => Arc::new(EdgeIndex::open(store_options(config, dimensions, versions))?),
    })
}

/// Options for opening the configured embedded store.
pub(crate) fn store_options(config: &Config, dimensions: usize, versions: StoreVersions) -> EdgeOptions {
    EdgeOptions { tuning: tuning(config), ..EdgeOptions::new(config.store.folder.clone(), dimensions, versions) }
}

/// Tuning of an embedded store.
pub(crate) fn tuning(config: &Config) -> Tuning {
    let optimize_after_points = config.store.optimize_points;
    Tuning { optimize_after_points, disk_reserve_bytes: config.store.disk_reserve_bytes, ..Tuning::default() }
}

/// The text pipeline with the configured extra dictionary.
///
/// # Errors
/// When the dictionary cannot be read or has mistakes.
pub(crate) fn text_pipeline(config: &Config) -> Result<TextPipeline, StartError> {
    let extra = match &config.text.dictionary {
        Some(path) => {
            let read = fs::read_to_string(path);
            Some(read.map_err(|source| StartError::Dictionary { path: path.clone(), source })?)
        }
        None => None,
    };
    Ok(TextPipeline::new(extra.as_deref())?)
}

/// The configured rules. If none are configured and the working directory has no such folder, these are the shipped
/// rules. A configured folder must exist: a silently missing rule would be worse than a service that does not start.
///
/// # Errors
/// All mistakes of all files, with line numbers.
pub fn policies(config: &Config) -> Result<Policies, StartError> {
    let folder = &config.policy.folder;
    let read = match folder {
        None => Ok(Policies::default()),
        Some(folder) if folder.as_path() == Path::new(DEFAULT_POLICIES) && !folder.exists() => {
            Policies::parse(SHIPPED_POLICIES)
        }
        Some(folder) => Policies::load(folder),
    };
    read.map_err(|source| StartError::Policy { folder: folder.clone().unwrap_or_default(), source })
}

/// The configured model, loaded.
///
/// # Errors
/// When ONNX Runtime or the model cannot be loaded.
pub fn embedder(config: &Config) -> Result<Embedder, StartError> {
    let runtime = duijie_embed::load(&config.model.runtime)?;
    let source = model_source(config);
    let mean_vector = match config.model.mean_vector.as_deref() {
        None => MeanVectorSource::Model,
        Some("none") => MeanVectorSource::None,
        Some(path) => MeanVectorSource::File(PathBuf::from(path)),
    };
    let (sessions, queue_texts) = (config.model.sessions, config.model.queue_texts);
    let options = ModelOptions { source, sessions, queue_texts, mean_vector };
    Ok(Embedder::build(&runtime, &options)?)
}

/// A folder if it exists or the value can only be a path; otherwise a name on the hub.
fn model_source(config: &Config) -> ModelSource {
    let source = &config.model.source;
    let folder = PathBuf::from(source);
    let like_a_path = source.starts_with(['.', '/']) || source.starts_with("models/");
    if folder.is_dir() || like_a_path {
        ModelSource::Folder(folder)
    } else {
        ModelSource::Hub { name: source.clone(), cache: config.model.cache.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_what_lies_in_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(DEFAULT_POLICIES);
        assert_eq!(Policies::parse(SHIPPED_POLICIES).unwrap(), Policies::load(&folder).unwrap());
    }
}
