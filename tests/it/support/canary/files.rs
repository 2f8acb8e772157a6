//! Files that have a secret in them, or in their names.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::forms::Forms;
use super::traces;

/// So much of a file is looked at at a time.
const PIECE: usize = 4 * 1024 * 1024;

/// What below `root` has a secret in it, but for the files that are `excused`. What git has packed or compressed is
/// not unpacked: the product writes none of it.
pub(super) fn search(root: &Path, forms: &Forms, excused: &[PathBuf]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        let name = path.display();
        if forms.are_in(path.file_name().unwrap_or_default().as_encoded_bytes()) {
            found.push(format!("a file's name: {name}"));
        }
        if metadata.is_dir() {
            // What a test has made unreadable, it has made so for the product, too.
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            open.extend(entries.map(|entry| entry.path()));
        } else if metadata.is_file() && !excused.contains(&path) {
            found.extend(content(&path, forms).map(|line| format!("{name}: {line}")));
        }
    }
    found
}

/// The first line that has a secret in it.
fn content(path: &Path, forms: &Forms) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let mut piece = Vec::new();
    loop {
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut piece).ok()?;
        if read == 0 {
            return None;
        }
        if forms.are_in(&piece)
            && let Some(line) = piece
                .split(|byte| *byte == b'\n')
                .find(|line| suspect(line, path, forms))
        {
            return Some(String::from_utf8_lossy(line).into_owned());
        }
        piece.drain(..piece.len().saturating_sub(forms.overlap()));
    }
}

/// Git's trace tells on purpose what is in its own environment.
fn suspect(line: &[u8], path: &Path, forms: &Forms) -> bool {
    forms.are_in(line) && !traces::tells_the_environment(path, line)
}

#[test]
fn a_secret_is_found_wherever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let forms = Forms::of(&[("ada".to_owned(), "ATATT-x".to_owned())]);
    let found = |excused: &[PathBuf]| search(directory.path(), &forms, excused).len();
    assert_eq!(found(&[]), 0);
    fs::create_dir(place("deep")).unwrap();
    fs::write(place("deep/plain"), b"\xff\xfe ATATT-x!").unwrap();
    fs::write(place("name ATATT-x"), b"").unwrap();
    assert_eq!(found(&[]), 2);
    // Across the border of two pieces.
    let mut large = vec![b'a'; PIECE - 3];
    large.extend_from_slice(b"ATATT-x");
    large.resize(PIECE * 2, b'\n');
    fs::write(place("large"), large).unwrap();
    assert_eq!(found(&[]), 3);
    assert_eq!(found(&[place("deep/plain"), place("large")]), 1);
    // An excuse is for one file, and not for what is below.
    assert_eq!(found(&[place("deep")]), 3);
}
