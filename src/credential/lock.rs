//! A lock between processes: a file that is locked while it is open. It stays, so it is for directories of ours.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::file;
use crate::process;

/// How long a question that was dismissed is not asked again by the same command.
const DISMISSED: Duration = Duration::from_secs(60);

/// A held lock; dropping it releases it, as does the end of the process.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of the file at `path`; `busy` is called once if another process has it.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn acquire(path: &Path, busy: impl FnOnce()) -> io::Result<Self> {
        let file = private(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                busy();
                file.lock()?;
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self { file })
    }

    /// The user does not want to be asked for `what`: the other processes of the same command need not try.
    pub(super) fn dismiss(&mut self, what: &str) {
        if let Some(job) = process::job() {
            self.leave(&format!("{job} {what}"));
        }
    }

    /// Whether another process of the same command has been sent away by the user when it asked for `what`, just now.
    pub(super) fn is_dismissed(&self, what: &str) -> bool {
        let (Some(job), Some((word, age))) = (process::job(), self.left()) else {
            return false;
        };
        age < DISMISSED && word == format!("{job} {what}")
    }

    /// Leaves a word for whoever takes the lock next. That it cannot be left is no harm.
    fn leave(&mut self, word: &str) {
        let left = self.file.set_len(0).and_then(|()| self.file.rewind());
        left.and_then(|()| self.file.write_all(word.as_bytes())).ok();
    }

    /// Returns the word that was left last, and how long ago that was.
    fn left(&self) -> Option<(String, Duration)> {
        let mut word = String::new();
        (&self.file).take(1024).read_to_string(&mut word).ok()?;
        let modified = self.file.metadata().ok()?.modified().ok()?;
        Some((word, SystemTime::now().duration_since(modified).ok()?))
    }
}

/// Opens the file at `path` to be written, readable for its owner alone, in a directory of the same sort.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, file::PRIVATE);
    if let Some(directory) = path.parent() {
        file::create_private_directory(directory)?;
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_left_for_the_next_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lock");
        let take = || Lock::acquire(&path, || {}).expect("nobody else has it");
        assert_eq!(take().left().expect("an empty word").0, "");
        take().leave("a longer word");
        take().leave("word");
        let (word, age) = take().left().expect("a word");
        assert_eq!(word, "word");
        assert!(age < DISMISSED);
        take().dismiss("a password");
        assert!(take().is_dismissed("a password"));
        assert!(!take().is_dismissed("another"));
    }
}
