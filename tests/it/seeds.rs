//! Where random tests keep the cases that failed once: below `proptest-regressions/it`, one file for each module. Left to
//! itself, proptest derives a folder from the place of the source, which for these tests is another one than for `src`.

use proptest::{prelude::ProptestConfig, test_runner::FileFailurePersistence};

/// So many cases, or as many as `PROPTEST_CASES` says. Those that fail are kept in a file and tried first from then on.
pub fn config(cases: u32, file: &'static str) -> ProptestConfig {
    let kept = FileFailurePersistence::Direct(file);
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

/// The file of a module's cases.
macro_rules! seeds {
    ($module:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/it/", $module, ".txt")
    };
}
pub(crate) use seeds;

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::test_runner::{FailurePersistence, TestCaseError, TestRunner};

    use super::*;

    /// What one run keeps, the next one tries first, wherever the tests are started.
    #[test]
    fn a_case_that_failed_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let file: &'static str = folder.path().join("it/some/module.txt").to_string_lossy().into_owned().leak();
        let fails = |config: ProptestConfig| {
            let seen = std::cell::RefCell::new(Vec::new());
            let ended = TestRunner::new(config).run(&(0u64..1 << 40), |number| {
                seen.borrow_mut().push(number);
                if number % 7 == 3 { Err(TestCaseError::fail("as always")) } else { Ok(()) }
            });
            (ended.is_err(), seen.into_inner())
        };
        let source = |config: ProptestConfig| ProptestConfig { source_file: Some(file!()), ..config };
        assert!(fails(source(config(1_000, file))).0);
        assert!(fs::read_to_string(file).unwrap().contains("cc "));
        let kept = FileFailurePersistence::Direct(file).load_persisted_failures2(Some(file!()));
        assert_eq!(kept.len(), 1);
        let (failed, seen) = fails(source(config(1, file)));
        assert!(failed && seen[0] % 7 == 3, "{seen:?}");
    }

    #[test]
    fn files_lie_beside_those_of_the_sources() {
        assert!(seeds!("some").ends_with("/proptest-regressions/it/some.txt"));
        assert!(std::path::Path::new(seeds!("some")).is_absolute());
    }
}
