//! Replacing a configuration file as git does: under `<file>.lock`, in one step, with its permissions kept.
//!
//! Another git that wants to write meanwhile waits and then fails, and so does this one while another writes. Nobody
//! ever reads half a file. Does not depend on what is in it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::LONGEST;
use super::config::Config;
use crate::file::{self, Draft};
use crate::report::{Failure, Kind};
use crate::shell::{self, quoted};

/// The longest time between two tries for a lock.
const PAUSE: Duration = Duration::from_millis(20);

/// How long to wait for the lock of another: `core.configLockTimeout`, as git does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(Option<Duration>);

impl Patience {
    /// Returns the patience that `config` sets: milliseconds, 0 for none, less for one without an end.
    ///
    /// Fails if it is not a number.
    pub fn of(config: &Config) -> Result<Self, Failure> {
        let milliseconds = config.number("core.configLockTimeout")?;
        Ok(milliseconds.map_or_else(Self::default, |time| {
            Self(u64::try_from(time).ok().map(Duration::from_millis))
        }))
    }
}

/// A second, git's own default.
impl Default for Patience {
    fn default() -> Self {
        Self(Some(Duration::from_secs(1)))
    }
}

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
    /// Locks the file at `path`, which need not be there. A link stays one, as the files of those who keep their
    /// configuration elsewhere are.
    pub fn open(path: &Path, patience: Patience) -> Result<Self, Failure> {
        let target = file::target(path).map_err(|error| failed("read", path, &error))?;
        Self::lock(path, target, patience)
    }

    /// As [`Locked::open`], for a file that others may have made: it must not be a link, which may lead anywhere.
    pub fn open_unlinked(path: &Path, patience: Patience) -> Result<Self, Failure> {
        if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(is_link(path));
        }
        Self::lock(path, path.to_owned(), patience)
    }

    fn lock(path: &Path, target: PathBuf, patience: Patience) -> Result<Self, Failure> {
        if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
            // As `/dev/null`, which some name so that nothing is read.
            let message = format!("'{}' is not a file that can be replaced", path.display());
            return Err(Failure::new(Kind::Local, message).hint(format!(
                "see which file is meant: '{}'",
                shell::show_variables("GIT_CONFIG")
            )));
        }
        let draft = lock(&target, patience)?;
        let text = match file::read(&target, LONGEST) {
            Ok(text) => Some(text),
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
pub fn replace(
    path: &Path,
    patience: Patience,
    change: impl FnOnce(Option<&[u8]>) -> Result<Next, Failure>,
) -> Result<(), Failure> {
    let mut file = Locked::open(path, patience)?;
    file.prepare(change(file.text())?)?;
    file.finish()
}

/// Takes the lock of the file at `target` as git does. It is a draft of that file, and goes with the value.
pub fn lock(target: &Path, patience: Patience) -> Result<Draft, Failure> {
    let path = file::with_suffix(target, ".lock");
    let begin = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        // Whoever has it has it for a moment, unless they died.
        let goes_on = patience.0.is_none_or(|patience| begin.elapsed() < patience);
        match Draft::create(path.clone(), file::PRIVATE) {
            Ok(draft) => return Ok(draft),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && goes_on => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE);
            }
            Err(error) => return Err(cannot_lock(target, &path, &error)),
        }
    }
}

/// A file that others may have made is a link.
pub fn is_link(path: &Path) -> Failure {
    let failure = Failure::new(
        Kind::Local,
        format!("'{}' is a link, and is not changed", path.display()),
    );
    match file::target(path) {
        Ok(target) => failure.hint(format!(
            "see what it leads to: 'git config --file {} --list'",
            quoted(&target.display().to_string())
        )),
        Err(error) => failure.caused_by(&error),
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
        replace(path, Patience(Some(Duration::ZERO)), |_| Ok(Next::Text(text)))
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
        assert!(replace(&config, Patience::default(), |_| Err(Failure::new(Kind::Local, "no"))).is_err());
        assert!(!lock.exists(), "our lock is gone");
        assert_eq!(fs::read(&config).expect("a file"), b"one");
        replace(&config, Patience::default(), |text| {
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

    #[test]
    fn a_lock_is_waited_for_as_long_as_git_would() {
        let directory = tempfile::tempdir().expect("a directory");
        let (config, held) = (directory.path().join("config"), directory.path().join("config.lock"));
        fs::write(&held, "").expect("written");
        let waiting = std::thread::spawn({
            let config = config.clone();
            move || lock(&config, Patience(None)).map(drop)
        });
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!waiting.is_finished(), "longer than the default");
        fs::remove_file(&held).expect("it is there");
        waiting.join().expect("no panic").expect("locked");
        let set = |value: &'static str| {
            let pairs = [
                ("GIT_CONFIG_NOSYSTEM", "1"),
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "core.configLockTimeout"),
                ("GIT_CONFIG_VALUE_0", value),
            ];
            let environment = crate::environment::Environment::from_pairs(pairs);
            Patience::of(&Config::load(&environment).expect("sound"))
        };
        assert_eq!(set("0").expect("a number"), Patience(Some(Duration::ZERO)));
        assert_eq!(set("-1").expect("a number"), Patience(None));
        assert!(set("long").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_others_made_is_not_written_through() {
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "one").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let Err(failure) = Locked::open_unlinked(&link, Patience::default()) else {
            panic!("it is a link");
        };
        assert!(
            failure.message().ends_with("is a link, and is not changed"),
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
