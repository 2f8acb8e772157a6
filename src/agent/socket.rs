//! The agent's socket as a file: where it is by default, how it is made, and whether it is still the same.
//!
//! Only its owner may use the socket, and only its owner may write the directory that it is in: whoever can write there
//! can put another socket in its place, and be what the helper trusts.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::fs::Mode;

use crate::process::Pending;
use crate::report::{Failure, Kind};

/// The longest path of a socket, in bytes (`sun_path` with its NUL).
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
/// How long another agent that starts at the same place is waited for.
const TURN: Duration = Duration::from_secs(5);

/// What tells one file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

/// A socket that clients connect to.
///
/// The file is removed before the listener is closed (fields are dropped in order): until then another agent finds this one
/// there, and the file's number is given to no other file.
pub(super) struct Socket {
    /// Nothing for a socket that another program made, and removes.
    own: Option<(Identity, Pending)>,
    path: PathBuf,
    pub(super) listener: UnixListener,
}

impl Socket {
    /// Makes a socket at `path`, and the directory that it is in if that is missing.
    pub(super) fn bind(path: &Path) -> Result<Self, Failure> {
        check_length(path)?;
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| cannot_serve(path).caused_by(&error))?;
        check_directory(directory, path)?;
        let _turn = turn(directory, path)?;
        remove_stale(path)?;
        let (listener, own) = bind_private(path).map_err(|error| cannot_serve(path).caused_by(&error))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            own: Some(own),
        })
    }

    /// Takes over a socket that is listened to already.
    pub(super) fn inherited(listener: UnixListener) -> Self {
        let address = listener.local_addr().ok();
        let path = address.and_then(|address| address.as_pathname().map(Path::to_owned));
        Self {
            listener,
            path: path.unwrap_or_default(),
            own: None,
        }
    }

    /// Returns where it is; an empty path where nobody can say.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file of the socket is gone, or another one: nobody can connect any more.
    pub(super) fn is_gone(&self) -> bool {
        let Some((identity, _)) = &self.own else { return false };
        match Identity::of(&self.path) {
            Ok(found) => found != *identity,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

fn cannot_serve(path: &Path) -> Failure {
    Failure::new(Kind::Local, format!("cannot serve at '{}'", path.display()))
}

fn check_length(path: &Path) -> Result<(), Failure> {
    let length = path.as_os_str().len();
    if length <= LONGEST {
        return Ok(());
    }
    Err(cannot_serve(path)
        .because(format!("the path has {length} bytes; the system allows {LONGEST}"))
        .hint("use a shorter one, such as '--socket /tmp/bbcloud-$USER/agent.sock'"))
}

/// A directory that others can write is one where they can put a socket of theirs.
fn check_directory(directory: &Path, path: &Path) -> Result<(), Failure> {
    let metadata = fs::metadata(directory).map_err(|error| cannot_serve(path).caused_by(&error))?;
    let own = rustix::process::geteuid().as_raw();
    if metadata.mode() & 0o022 == 0 && [own, 0].contains(&metadata.uid()) {
        return Ok(());
    }
    Err(cannot_serve(path)
        .because(format!("other users can write the directory '{}'", directory.display()))
        .hint(format!(
            "use a directory of your own: 'mkdir -m 700 \"{0}\"', then '--socket \"{0}/agent.sock\"'",
            path.with_extension("d").display()
        )))
}

/// Keeps other agents that start at the same place waiting, for as long as the file is open.
fn turn(directory: &Path, path: &Path) -> Result<File, Failure> {
    let failed = |error: &io::Error| cannot_serve(path).caused_by(error);
    let lock = File::open(directory).map_err(|error| failed(&error))?;
    let end = Instant::now() + TURN;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(fs::TryLockError::Error(error)) => return Err(failed(&error)),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(TURN / 100),
            Err(fs::TryLockError::WouldBlock) => {
                let locked = format!("another process has locked the directory '{}'", directory.display());
                return Err(cannot_serve(path)
                    .because(locked)
                    .hint("use '--socket' with a path in another directory"));
            }
        }
    }
}

/// Removes the socket of an agent that was killed; fails if one serves there, or if it is no socket.
fn remove_stale(path: &Path) -> Result<(), Failure> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_serve(path).caused_by(&error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(cannot_serve(path)
            .because("the file there is not a socket")
            .hint(format!(
                "use another path, or remove the file: 'rm \"{}\"'",
                path.display()
            )));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| cannot_serve(path).caused_by(&error))
        }
        Err(error) => Err(cannot_serve(path).caused_by(&error)),
        Ok(_) => Err(cannot_serve(path)
            .because("another agent already serves there")
            .hint(format!(
                "check it with 'git-remote-bbcloud agent --status --socket \"{}\"'",
                path.display()
            ))),
    }
}

/// The mask is for the whole process, which has no other thread yet that makes files.
fn bind_private(path: &Path) -> io::Result<(UnixListener, (Identity, Pending))> {
    let (place, made) = (path.to_owned(), Arc::new(OnceLock::new()));
    let own = made.clone();
    let mask = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
    let bound = Pending::begin(
        || {
            let listener = UnixListener::bind(path)?;
            let identity = Identity::of(path)?;
            Ok((listener, *made.get_or_init(|| identity)))
        },
        move || {
            // What somebody has put in its place is theirs.
            if Identity::of(&place).ok().as_ref() == own.get() {
                fs::remove_file(&place).ok();
            }
        },
    );
    rustix::process::umask(mask);
    let ((listener, identity), pending) = bound?;
    Ok((listener, (identity, pending)))
}
