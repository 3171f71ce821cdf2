//! Data kept per record: sketches and hashes, no texts.

use super::{
    content::{Title, normal, split},
    limits::{TEXT_VALUES, TITLE_VALUES},
    shingle::{add_shingles, hash, letters},
    sketch::sketch,
};
use crate::domain::{Detail, Record, RecordName, gb};

/// A record without its texts.
#[derive(Debug)]
pub(super) struct Signed {
    /// Its name.
    pub name: RecordName,
    /// Registration number in capitals; empty if missing or invalid.
    pub number: Box<str>,
    /// Hash of the owner's credit code; 0 if there is none.
    pub owner_code: u64,
    /// Hash of the owner's name; 0 if there is none.
    pub owner_name: u64,
    /// Hash of title and body.
    pub text_key: u64,
    /// Number of shingles of title and body, repeats included.
    pub shingles: u32,
    /// Sketch of the title's character pairs.
    pub title: [u16; TITLE_VALUES],
    /// Sketch of the shingles of title and body.
    pub text: [u16; TEXT_VALUES],
}

// === impl Signed ===

impl Signed {
    /// Computes the sketches and hashes of a record.
    pub fn new(record: &Record) -> Self {
        let title = normal(&record.title);
        let mut shingles = Vec::new();
        let mut text_key = 0;
        let texts = split(&record.body).map(normal);
        for text in std::iter::once(title.clone()).chain(texts) {
            let letters = letters(&text);
            add_shingles::<3>(&letters, &mut shingles);
            text_key = super::shingle::mix(text_key ^ hash(letters));
        }
        let owner = record.owner.as_ref();
        let code = owner.map(|owner| owner.credit_code.trim().to_ascii_uppercase()).unwrap_or_default();
        let name = owner.map(|owner| letters(&normal(&owner.name))).unwrap_or_default();
        Self {
            name: record.name(),
            number: number(record),
            owner_code: if gb::is_credit_code(&code) { hash(code.chars()) } else { 0 },
            owner_name: if name.is_empty() { 0 } else { hash(name) },
            text_key,
            shingles: u32::try_from(shingles.len()).unwrap_or(u32::MAX),
            title: sketch(&Title::new(&title).pairs),
            text: sketch(&shingles),
        }
    }

    /// Returns whether both have the same owner. If both have credit codes, the codes decide: branches share names.
    pub fn same_owner(&self, other: &Self) -> bool {
        match (self.owner_code, other.owner_code) {
            (0, _) | (_, 0) => self.owner_name != 0 && self.owner_name == other.owner_name,
            (one, another) => one == another,
        }
    }

    /// Returns whether both have known owners that differ.
    pub fn other_owner(&self, other: &Self) -> bool {
        let has_owner = |signed: &Self| signed.owner_code != 0 || signed.owner_name != 0;
        has_owner(self) && has_owner(other) && !self.same_owner(other)
    }
}

/// Registration number in normal form: half width, capitals, no blanks or hyphens; empty if invalid.
fn number(record: &Record) -> Box<str> {
    let Detail::Achievement(achievement) = &record.detail else { return Box::default() };
    let number: String = normal(&achievement.registration_number).chars().filter(char::is_ascii_alphanumeric).collect();
    let number = number.to_ascii_uppercase();
    // a serial of zeros is a form placeholder
    let is_real = gb::is_registration_number(&number) && !number.ends_with("Y0000");
    if is_real { number.into_boxed_str() } else { Box::default() }
}
