//! Secrets of a store: random keys that all instances on it share, such as the one that signs tokens.
//!
//! They are documents. A copy of a store takes them along; a snapshot does not hold them.

use crate::{Document, DocumentQuery, DocumentWrite, Documents, Expect, Key, Result};

/// Folder of the secrets.
const FOLDER: &str = "secrets";

/// A random key.
pub type Secret = [u8; 32];

/// The secret of this name. The first caller's `fresh` one is kept. One that cannot be read is replaced.
///
/// # Errors
/// Errors of the store.
pub async fn secret(store: &(impl Documents + ?Sized), name: &str, fresh: Secret) -> Result<Secret> {
    loop {
        let stored = store.read_documents(FOLDER, &[Key::from(name)]).await?.into_iter().next().flatten();
        let expect = match &stored {
            None => Expect::Absent,
            Some(document) => match serde_json::from_str(&document.text) {
                Ok(secret) => return Ok(secret),
                Err(_) => Expect::Version(document.version),
            },
        };
        let text = serde_json::json!(fresh).to_string();
        // where another instance was faster, its secret is read
        store.write_documents(vec![DocumentWrite::new(FOLDER, name, text, expect)]).await?;
    }
}

/// Whether a document is a secret.
pub(crate) fn is_secret(document: &Document) -> bool {
    document.folder == FOLDER
}

/// Number of secrets.
pub(crate) async fn count(store: &(impl Documents + ?Sized)) -> Result<u64> {
    store.count_documents(DocumentQuery::folder(FOLDER)).await
}

/// Copies all secrets. Those of the target are replaced.
pub(crate) async fn copy(source: &(impl Documents + ?Sized), target: &(impl Documents + ?Sized)) -> Result<()> {
    let secrets = crate::documents::all_documents(source, DocumentQuery::folder(FOLDER)).await?;
    if !secrets.is_empty() {
        target.write_documents(secrets.into_iter().map(DocumentWrite::from).collect()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryIndex;

    #[tokio::test]
    async fn the_first_secret_is_kept_and_goes_with_a_copy() {
        let (store, other) = (MemoryIndex::new(4), MemoryIndex::new(4));
        assert_eq!(secret(&store, "tokens", [1; 32]).await.unwrap(), [1; 32]);
        assert_eq!(secret(&store, "tokens", [2; 32]).await.unwrap(), [1; 32]);
        assert_eq!(secret(&store, "others", [3; 32]).await.unwrap(), [3; 32]);
        assert_eq!(secret(&other, "tokens", [4; 32]).await.unwrap(), [4; 32]);
        copy(&store, &other).await.unwrap();
        assert_eq!(secret(&other, "tokens", [5; 32]).await.unwrap(), [1; 32]);
        assert_eq!((count(&store).await.unwrap(), count(&other).await.unwrap()), (2, 2));
    }

    #[tokio::test]
    async fn a_damaged_secret_is_replaced() {
        let store = MemoryIndex::new(4);
        let damaged = DocumentWrite::new(FOLDER, "tokens", "[1,2]".into(), Expect::Any);
        store.write_documents(vec![damaged]).await.unwrap();
        assert_eq!(secret(&store, "tokens", [1; 32]).await.unwrap(), [1; 32]);
        assert_eq!(secret(&store, "tokens", [2; 32]).await.unwrap(), [1; 32]);
    }
}
