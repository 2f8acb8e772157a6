//! The fuzz targets on the stable toolchain: their corpus, each file of it cut and changed, and noise.
//!
//! `make fuzz` runs the same functions under libFuzzer for as long as it is told.

#[path = "../fuzz/entry.rs"]
mod entry;

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};

/// How many inputs each target gets from proptest.
const CASES: u32 = 300;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let files = fs::read_dir(&directory).expect("every target has a corpus");
    files
        .map(|file| fs::read(file.expect("a directory can be read").path()).expect("a file can be read"))
        .collect()
}

#[test]
fn every_corpus_passes_whole_and_cut() {
    for (name, run) in entry::ALL {
        let corpus = corpus(name);
        assert!(corpus.len() >= 5, "{name} has a corpus of {}", corpus.len());
        for input in corpus {
            run(&input);
            for end in (0..input.len()).step_by(1 + input.len() / 40) {
                run(input.get(..end).unwrap_or_default());
            }
        }
    }
}

#[test]
fn a_corpus_with_changes_passes() {
    for (name, run) in entry::ALL {
        let corpus = corpus(name);
        let change = (any::<usize>(), vec((any::<usize>(), any::<u8>()), 1..6), any::<bool>());
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        });
        let done = runner.run(&change, |(which, changes, doubled)| {
            let mut input = corpus[which % corpus.len()].clone();
            for (at, byte) in changes {
                let at = at % (input.len() + 1);
                match input.get_mut(at) {
                    Some(place) if byte % 3 > 0 => *place = byte,
                    _ => input.insert(at, byte),
                }
            }
            if doubled {
                input.extend_from_within(..);
            }
            run(&input);
            Ok(())
        });
        assert!(done.is_ok(), "{name}: {done:?}");
    }
}

#[test]
fn noise_passes() {
    for (name, run) in entry::ALL {
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        });
        let done = runner.run(&vec(any::<u8>(), 0..200), |input| {
            run(&input);
            Ok(())
        });
        assert!(done.is_ok(), "{name}: {done:?}");
    }
}

/// A target without an entry here would never be replayed, and one without a program never fuzzed.
#[test]
fn targets_and_entries_are_the_same() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/targets");
    let mut programs: Vec<_> = fs::read_dir(targets)
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    programs.sort();
    let mut entries: Vec<_> = entry::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    entries.sort();
    assert_eq!(programs, entries);
}
