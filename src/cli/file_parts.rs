//! Files that the service streams in parts.

use std::io::Write;

use anyhow::bail;
use futures::{Stream, StreamExt};
use tonic::Status;

use super::client::explain;
use duijie_proto as pb;
use duijie_store::transfer::{PartFile, TransferError};

/// A message that carries a part of a file.
pub trait Carrier {
    /// Takes the part out of the message.
    fn take(&mut self) -> Option<pb::FilePart>;
}

/// Writes all parts of a stream into a file and returns their bytes; `seen` sees each message. The name that the service
/// suggests is not used: the file lies where the user wants it.
///
/// # Errors
/// What the service says; a file without its last part; a failed write.
pub async fn receive<T: Carrier>(
    mut messages: impl Stream<Item = Result<T, Status>> + Unpin,
    file: &PartFile,
    mut seen: impl FnMut(&T),
) -> anyhow::Result<u64> {
    let mut writer = file.writer()?;
    let (mut written, mut complete) = (0, false);
    while let Some(message) = messages.next().await {
        let mut message = message.map_err(|status| explain(&status))?;
        let part = message.take().unwrap_or_default();
        if complete {
            bail!("服务在文件的最后一部分之后又送来数据，文件没有写入，请重试");
        }
        complete = part.complete;
        written += part.chunk.len() as u64;
        let cannot = |source| TransferError::File { path: file.part().to_path_buf(), source };
        writer.write_all(&part.chunk).map_err(cannot)?;
        seen(&message);
    }
    if !complete {
        bail!("服务送来的文件不完整（缺少最后一部分），文件没有写入，请重试");
    }
    Ok(written)
}

// === impl Carrier ===

/// The generated messages share no trait.
macro_rules! carriers {
    ($($message:ident),*) => {
        $(impl Carrier for pb::$message {
            fn take(&mut self) -> Option<pb::FilePart> {
                self.part.take()
            }
        })*
    };
}

carriers!(CreateSnapshotResponse, ExportEventResponse, ExportRematchResponse);

#[cfg(test)]
mod tests {
    use std::fs;

    use futures::stream;

    use super::*;

    fn part(chunk: &str, complete: bool) -> Result<pb::ExportEventResponse, Status> {
        let part = pb::FilePart { chunk: chunk.into(), complete, file_name: "../evil".into(), ..Default::default() };
        Ok(pb::ExportEventResponse { part: Some(part) })
    }

    #[tokio::test]
    async fn a_file_needs_its_last_part_and_keeps_the_users_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let file = PartFile::replacing(&path).unwrap();
        let mut count = 0;
        let parts = stream::iter([part("ab", false), part("c", true)]);
        assert_eq!(receive(parts, &file, |_| count += 1).await.unwrap(), 3);
        file.finish().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), count), ("abc", 2));
        let rows = [
            (vec![part("ab", false)], "不完整"),
            (vec![], "不完整"),
            (vec![Ok(pb::ExportEventResponse::default())], "不完整"),
            (vec![part("ab", true), part("c", true)], "之后又"),
            (vec![part("ab", false), Err(Status::aborted("cut"))], "cut"),
        ];
        for (parts, want) in rows {
            let file = PartFile::replacing(&path).unwrap();
            let said = receive(stream::iter(parts), &file, |_| ()).await.unwrap_err().to_string();
            assert!(said.contains(want), "{said}");
            drop(file);
            assert_eq!(fs::read_to_string(&path).unwrap(), "abc", "what was there before stays");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
