//! Records of a file that were read already: an id that comes again with other content is told.

use std::{collections::HashMap, sync::Arc};

use sha2::{Digest, Sha256};

use super::{CellError, build::id_of_content};
use duijie_core::domain::Record;

/// Most records that are remembered: about 100 bytes each.
const MAX_RECORDS: usize = 2_000_000;

/// Records by their name's hash.
#[derive(Debug, Default)]
pub struct Seen {
    records: HashMap<u64, First>,
    /// Whether there were more than are remembered.
    pub full: bool,
}

#[derive(Debug, Clone)]
struct First {
    content: u64,
    sheet: Arc<str>,
    row: u64,
    revision: u64,
}

// === impl Seen ===

impl Seen {
    /// Remembers a record; returns a warning if another row has its id and other content. A derived id is then made over
    /// the content, so that no record replaces another.
    pub fn take(
        &mut self,
        record: &mut Record,
        sheet: &Arc<str>,
        row: u64,
        derived: bool,
        column: &str,
    ) -> Option<CellError> {
        let content = hash(&serde_json::to_vec(&record).unwrap_or_default());
        let name = hash(record.name().to_string().as_bytes());
        let own = First { content, sheet: sheet.clone(), row, revision: record.revision };
        let Some(first) = self.records.get(&name).cloned() else {
            self.remember(name, own);
            return None;
        };
        if first.content == content {
            return None;
        }
        let elsewhere = if first.sheet == *sheet { String::new() } else { format!("工作表“{}”", first.sheet) };
        let before = format!("{elsewhere}第 {} 行", first.row);
        if derived {
            record.id = id_of_content(record);
            let name = hash(record.name().to_string().as_bytes());
            self.remember(name, own);
            let reason = format!(
                "表中没有编号列，这一行的名称、单位与{before}相同而内容不同，已另存为 {}；请加一列编号，以免日后分不清",
                record.id
            );
            return Some(CellError { column: "（整行）".into(), value: record.title.clone(), reason });
        }
        self.remember(name, own);
        // a higher revision says that it replaces the one before
        let meant = first.revision < record.revision;
        let reason = format!("编号与{before}相同而内容不同，以本行为准，{before}的内容被替换；如不是同一条，请改编号");
        (!meant).then(|| CellError { column: column.to_string(), value: record.id.clone(), reason })
    }

    fn remember(&mut self, name: u64, own: First) {
        self.full |= self.records.len() == MAX_RECORDS && !self.records.contains_key(&name);
        if !self.full {
            self.records.insert(name, own);
        }
    }
}

/// First eight bytes of SHA-256.
fn hash(bytes: &[u8]) -> u64 {
    Sha256::digest(bytes).iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}
