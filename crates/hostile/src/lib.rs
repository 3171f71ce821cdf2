//! Hostile input for tests: what a fuzzer does, for the seconds that CI has.
//!
//! Each crate that reads bytes from outside has a module `fuzzing` with functions that take any bytes and check what they
//! promise. `cargo fuzz` runs them for as long as wanted (`fuzz/`); [`check`] runs them in tests.

use std::{fs, path::Path};

/// Longest made-up input.
const MAX_BYTES: usize = 2_000;
/// Made-up inputs of a test.
const CASES: usize = 2_000;

/// Runs a property on each input of the corpus of `target` (`fuzz/corpus/<target>`), and on made-up ones: corpus inputs
/// changed in some places, and random bytes. The same ones in every run.
///
/// # Panics
/// If the property does, or if the target has no corpus.
pub fn check(target: &str, property: impl Fn(&[u8])) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "fuzz/corpus/{target} is empty");
    corpus.iter().for_each(|input| property(input));
    let dice = &mut fastrand::Rng::with_seed(1);
    for _ in 0..CASES {
        property(&made_up(&corpus, dice));
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

/// An input like those of the corpus.
fn made_up(corpus: &[Vec<u8>], dice: &mut fastrand::Rng) -> Vec<u8> {
    if dice.u8(..) < 16 {
        return (0..dice.usize(..MAX_BYTES)).map(|_| dice.u8(..)).collect();
    }
    let mut input = corpus[dice.usize(..corpus.len())].clone();
    for _ in 0..1 + dice.usize(..4) {
        change(&mut input, corpus, dice);
    }
    input
}

/// One change: a bit, a byte, a part left out or repeated, a part of another input, a cut.
fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut fastrand::Rng) {
    let part = |bytes: &[u8], dice: &mut fastrand::Rng| {
        let start = dice.usize(..=bytes.len());
        start..start + dice.usize(..=(bytes.len() - start).min(40))
    };
    let place = dice.usize(..=input.len());
    match dice.u8(..6) {
        0 if place < input.len() => input[place] ^= 1 << dice.u8(..8),
        1 if place < input.len() => input[place] = dice.u8(..),
        2 => drop(input.drain(part(input, dice))),
        3 => {
            let repeated = input[part(input, dice)].to_vec();
            input.splice(place..place, repeated);
        }
        4 => {
            let other = &corpus[dice.usize(..corpus.len())];
            let taken = other[part(other, dice)].to_vec();
            input.splice(place..place, taken);
        }
        _ => input.truncate(place),
    }
}
