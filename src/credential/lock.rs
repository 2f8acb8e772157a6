//! A lock between processes: a file that is locked while it is open.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A held lock; dropping it releases it, as does the end of the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the file at `path`; `busy` is called once if another process has it.
    pub(super) fn acquire(path: &Path, busy: impl FnOnce()) -> io::Result<Self> {
        let file = private(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                busy();
                file.lock()?;
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self { _file: file })
    }
}

/// Opens the file at `path` to be written, readable for its owner alone, in a directory of the same sort.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        options.mode(0o600);
        if let Some(directory) = path.parent() {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
    }
    #[cfg(not(unix))]
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    options.open(path)
}
