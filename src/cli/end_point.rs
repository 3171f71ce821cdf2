//! Source or destination of points: a folder or a server.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::bail;

use crate::{app, config::Config};
use duijie_store::{
    EdgeIndex, EdgeOptions, Index, IndexError, Pace, STORE_FORMAT, ServerIndex, StoreShape, transfer::check_shapes,
};

/// Time limit for a server's answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// A place of points, as named by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// An embedded store.
    Folder(PathBuf),
    /// Addresses of a Qdrant server.
    Server(Vec<String>),
}

/// An open place.
pub struct EndPoint {
    /// The index.
    pub index: Arc<dyn Index>,
    /// Versions and dimensions of its content.
    pub shape: StoreShape,
}

// === impl Place ===

impl StoreAddress {
    /// `http://…` and `https://…` are servers, everything else is a folder.
    pub fn of(text: &str) -> Self {
        let like_a_url = ["http://", "https://"].iter().any(|start| text.to_ascii_lowercase().starts_with(start));
        if like_a_url {
            Self::Server(text.split(',').map(|url| url.trim().trim_end_matches('/').to_string()).collect())
        } else {
            Self::Folder(PathBuf::from(text))
        }
    }

    /// The store that the service uses.
    pub fn configured(config: &Config) -> Self {
        match &config.qdrant {
            Some(qdrant) => Self::Server(qdrant.urls.clone()),
            None => Self::Folder(config.store.folder.clone()),
        }
    }

    /// Opens the place for reading or, if a shape is given, for writing points of this shape. Only the latter creates a
    /// missing store. Places become indexes only here.
    ///
    /// # Errors
    /// A sentence if there is no store, or one of another shape; the index's errors.
    pub async fn open(&self, write: Option<&StoreShape>, config: &Config) -> anyhow::Result<EndPoint> {
        match self {
            Self::Folder(folder) => open_folder(folder.clone(), write, config).await,
            Self::Server(urls) => open_server(urls, write, config).await,
        }
    }
}

/// Opens an embedded store.
async fn open_folder(folder: PathBuf, write: Option<&StoreShape>, config: &Config) -> anyhow::Result<EndPoint> {
    let shape = match (EdgeIndex::shape_of(&folder)?, write) {
        (Some(stored), Some(wanted)) => {
            check_shapes(wanted, &stored)?;
            stored
        }
        (Some(stored), None) => stored,
        (None, Some(wanted)) => wanted.clone(),
        (None, None) => bail!("{} 中没有存储，请检查路径", folder.display()),
    };
    if shape.versions.format != STORE_FORMAT {
        let difference = format!("格式：库中为 {}，当前为 {STORE_FORMAT}", shape.versions.format);
        return Err(IndexError::OtherVersions { store: folder.display().to_string(), difference }.into());
    }
    let options = EdgeOptions {
        tuning: app::tuning(config),
        ..EdgeOptions::new(folder, shape.dimensions, shape.versions.clone())
    };
    let index = tokio::task::spawn_blocking(move || EdgeIndex::open(options)).await??;
    Ok(EndPoint { index: Arc::new(index), shape })
}

/// Connects to a server's store, and waits until it is found. The other settings of the server come from the
/// configuration.
async fn open_server(urls: &[String], write: Option<&StoreShape>, config: &Config) -> anyhow::Result<EndPoint> {
    let options = config.qdrant_at(urls);
    let index = match write {
        Some(shape) => ServerIndex::open(&options, shape.clone())?,
        None => ServerIndex::open_any(&options, Pace::default())?,
    };
    index.ready(PATIENCE).await?;
    let shape = index.shape()?;
    if shape.versions.format != STORE_FORMAT {
        let difference = format!("格式：库中为 {}，当前为 {STORE_FORMAT}", shape.versions.format);
        return Err(IndexError::OtherVersions { store: urls.join("、"), difference }.into());
    }
    Ok(EndPoint { index: Arc::new(index), shape })
}

// === impl EndPoint ===

impl EndPoint {
    /// Ends the threads of the index and flushes its writes.
    pub async fn close(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_servers() {
        let check = |text: &str, server: bool| {
            assert_eq!(matches!(StoreAddress::of(text), StoreAddress::Server(_)), server, "{text}");
        };
        check("http://127.0.0.1:6334", true);
        check("HTTPS://qdrant.example", true);
        check("data/store", false);
        check("./http", false);
        check("/http://x", false);
    }

    #[tokio::test]
    async fn a_folder_without_a_store_is_told() {
        let config = Config::read("", []).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_string_lossy().into_owned();
        for (text, want) in [(path.as_str(), "没有存储"), ("/nowhere", "没有存储")] {
            let said = StoreAddress::of(text).open(None, &config).await.err().map(|error| error.to_string());
            assert!(said.as_ref().is_some_and(|said| said.contains(want)), "{text}: {said:?}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "reading makes nothing");
    }
}
