//! Replacing a configuration file as git does: under `<file>.lock`, in one step, with its permissions kept.
//!
//! Another git that wants to write meanwhile fails, and so does this one while another writes. Nobody ever reads half
//! a file. It must not know what is in it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::file::{self, Draft};
use crate::report::{Failure, Kind};
use crate::shell;

/// How often a lock of another is tried before it is told.
const ATTEMPTS: usize = 10;
/// The time between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// What becomes of a file.
pub enum Next {
    /// It stays as it is.
    Keep,
    /// It gets this text.
    Text(Zeroizing<Vec<u8>>),
    /// It goes.
    Gone,
}

/// A file that is locked, with its text as it is then. The lock goes with the value.
pub struct Locked {
    path: PathBuf,
    target: PathBuf,
    text: Option<Zeroizing<Vec<u8>>>,
    draft: Draft,
    next: Next,
}

impl Locked {
    /// Locks the file at `path`, which need not be there.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        // A link stays one, as the files of those who keep their configuration elsewhere are.
        let target = file::target(path).map_err(|error| failed("read", path, &error))?;
        if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
            // As `/dev/null`, which some name so that nothing is read.
            let message = format!("'{}' is not a file that can be replaced", path.display());
            return Err(Failure::new(Kind::Local, message).hint(format!(
                "see which file is meant: '{}'",
                shell::show_variables("GIT_CONFIG")
            )));
        }
        let draft = lock(&target)?;
        let text = match fs::read(&target) {
            Ok(text) => Some(Zeroizing::new(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("read", path, &error)),
        };
        Ok(Self {
            path: path.to_owned(),
            target,
            text,
            draft,
            next: Next::Keep,
        })
    }

    /// Returns the text; `None` where there is no file.
    pub fn text(&self) -> Option<&[u8]> {
        self.text.as_ref().map(|text| text.as_slice())
    }

    /// Does all that can fail for want of room, so that only one step is left.
    pub fn prepare(&mut self, next: Next) -> Result<(), Failure> {
        if let Next::Text(text) = &next {
            self.write(text).map_err(|error| failed("write", &self.path, &error))?;
        }
        self.next = next;
        Ok(())
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        let mut file = self.draft.file();
        file.write_all(text)?;
        if let Ok(metadata) = fs::metadata(&self.target) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()
    }

    /// Does the step that was prepared. Where it fails, the file is as it was, and locked.
    pub fn finish(&mut self) -> Result<(), Failure> {
        match self.next {
            Next::Keep => Ok(()),
            Next::Text(_) => (self.draft.replace(&self.target)).map_err(|error| failed("write", &self.path, &error)),
            Next::Gone => fs::remove_file(&self.target).map_err(|error| failed("remove", &self.path, &error)),
        }
    }
}

/// Replaces the file at `path` by what `change` makes of its text, which is `None` where there is no file.
pub fn replace(path: &Path, change: impl FnOnce(Option<&[u8]>) -> Result<Next, Failure>) -> Result<(), Failure> {
    let mut file = Locked::open(path)?;
    file.prepare(change(file.text())?)?;
    file.finish()
}

/// Takes the lock of the file at `target` as git does. It is a draft of that file, and goes with the value.
pub fn lock(target: &Path) -> Result<Draft, Failure> {
    let path = file::with_suffix(target, ".lock");
    // Whoever has it has it for a moment, unless they died.
    let mut again = 1..ATTEMPTS;
    loop {
        match Draft::create(path.clone(), file::PRIVATE) {
            Ok(draft) => return Ok(draft),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && again.next().is_some() => {
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(cannot_lock(target, &path, &error)),
        }
    }
}

fn cannot_lock(target: &Path, lock: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(Kind::Local, format!("cannot lock '{}'", target.display())).caused_by(error);
    if error.kind() == io::ErrorKind::AlreadyExists {
        failure.hint(format!(
            "another git is changing it; if none is, run '{}'",
            shell::remove(lock)
        ))
    } else {
        failure.hint(format!(
            "run '{}' to see who may write there",
            shell::show_permissions(target.parent().unwrap_or(target))
        ))
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::Local, format!("cannot {what} '{}'", path.display())).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) -> Result<(), Failure> {
        let text = Zeroizing::new(text.as_bytes().to_vec());
        replace(path, |_| Ok(Next::Text(text)))
    }

    #[test]
    fn a_lock_of_another_is_respected_and_ours_goes() {
        let directory = tempfile::tempdir().expect("a directory");
        let (config, lock) = (directory.path().join("config"), directory.path().join("config.lock"));
        write(&config, "one").expect("written");
        fs::write(&lock, "").expect("written");
        let failure = write(&config, "two").expect_err("it is locked");
        assert!(failure.message().starts_with("cannot lock '"), "{failure}");
        assert!(lock.exists(), "the lock was another's");
        fs::remove_file(&lock).expect("it is there");
        assert!(replace(&config, |_| Err(Failure::new(Kind::Local, "no"))).is_err());
        assert!(!lock.exists(), "our lock is gone");
        assert_eq!(fs::read(&config).expect("a file"), b"one");
        replace(&config, |text| {
            Ok(if text == Some(b"one") { Next::Gone } else { Next::Keep })
        })
        .expect("removed");
        assert!(!config.exists() && !lock.exists());
    }

    #[test]
    fn only_a_file_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let failure = write(directory.path(), "x").expect_err("it is a directory");
        assert!(
            failure.message().ends_with("is not a file that can be replaced"),
            "{failure}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "one").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("our own");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write(&link, "two").expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&file).expect("a file"), b"two");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
        // As it is in a home whose configuration is not there yet.
        fs::remove_file(&file).expect("there");
        write(&link, "three").expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&file).expect("a file"), b"three");
    }
}
