//! Replacing a configuration file as git does: under `<file>.lock`, in one step, with its permissions kept.
//!
//! Another git that wants to write meanwhile fails, and so does this one while another writes. Nobody ever reads half
//! a file. It must not know what is in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::report::{Failure, Kind};

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

/// The lock file, which goes with the value unless it has taken the other's place.
struct Lock {
    path: PathBuf,
    file: Option<File>,
}

impl Lock {
    fn acquire(target: &Path) -> Result<Self, Failure> {
        let mut path = target.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Whoever has it has it for a moment, unless they died.
        let mut again = 1..ATTEMPTS;
        loop {
            match options.open(&path) {
                Ok(file) => {
                    let file = Some(file);
                    return Ok(Self { path, file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && again.next().is_some() => {
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(cannot_lock(target, &path, &error)),
            }
        }
    }

    fn replace(mut self, target: &Path, text: &[u8]) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.write_all(text)?;
            if let Ok(metadata) = fs::metadata(target) {
                file.set_permissions(metadata.permissions())?;
            }
            file.sync_all()?;
        }
        fs::rename(&self.path, target)?;
        // What has been renamed is not there to be removed.
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.file.take());
        if !self.path.as_os_str().is_empty() {
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Replaces the file at `path` by what `change` makes of its text, which is `None` where there is no file.
pub fn replace(path: &Path, change: impl FnOnce(Option<&[u8]>) -> Result<Next, Failure>) -> Result<(), Failure> {
    // A link stays one, as the files of those who keep their configuration elsewhere are.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        // As `/dev/null`, which some name so that nothing is read.
        let message = format!("'{}' is not a file that can be replaced", path.display());
        return Err(Failure::new(Kind::Local, message).hint("see which file is meant: 'env | grep GIT_CONFIG'"));
    }
    let lock = Lock::acquire(&target)?;
    let text = match fs::read(&target) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed("read", path, &error)),
    };
    match change(text.as_ref().map(|text| text.as_slice()))? {
        Next::Keep => Ok(()),
        Next::Text(text) => lock
            .replace(&target, &text)
            .map_err(|error| failed("write", path, &error)),
        Next::Gone => fs::remove_file(&target).map_err(|error| failed("remove", path, &error)),
    }
}

fn cannot_lock(target: &Path, lock: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(Kind::Local, format!("cannot lock '{}'", target.display())).caused_by(error);
    if error.kind() == io::ErrorKind::AlreadyExists {
        failure.hint(format!(
            "another git is changing it; if none is, run 'rm \"{}\"'",
            lock.display()
        ))
    } else {
        failure.hint(format!(
            "run 'ls -ld \"{}\"' to see who may write there",
            target.parent().unwrap_or(target).display()
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
    }
}
