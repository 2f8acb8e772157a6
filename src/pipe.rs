//! Git's two pipes as plain files, and whose turn it is on them.
//!
//! The standard library's handles put a line buffer before standard output, which searches every pack for line ends,
//! and a buffer of their own behind standard input.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::report::{Failure, Kind};

/// Bytes that are read from git at once: what a pipe of Linux holds.
pub const BUFFER: usize = 64 * 1024;

/// Whether git has been told all that it waits for. It closes its end then, and only its death closes it before.
#[derive(Debug, Clone, Default)]
pub struct Settled(Arc<AtomicBool>);

impl Settled {
    /// Whether it is so now.
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, settled: bool) {
        self.0.store(settled, Ordering::Release);
    }
}

/// What git says. Whatever it is, git then waits for something.
#[derive(Debug)]
pub struct FromGit {
    file: File,
    settled: Settled,
}

/// What git is told. A flush is where git no longer waits.
#[derive(Debug)]
pub struct ToGit {
    file: File,
    settled: Settled,
}

impl Read for FromGit {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count > 0 {
            self.settled.set(false);
        }
        Ok(count)
    }
}

impl Write for ToGit {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.settled.set(true);
        self.file.flush()
    }
}

impl ToGit {
    /// Returns the pipe itself, to be watched, and what is known of it.
    ///
    /// # Errors
    /// If there is no descriptor for it.
    #[cfg(unix)]
    pub fn watched(&self) -> io::Result<(File, Settled)> {
        Ok((another(&self.file)?, self.settled.clone()))
    }
}

/// Returns standard input and standard output without buffers.
pub fn standard_streams() -> io::Result<(FromGit, ToGit)> {
    let (from, to) = files()?;
    let settled = Settled::default();
    let from_git = FromGit {
        file: from,
        settled: settled.clone(),
    };
    Ok((from_git, ToGit { file: to, settled }))
}

#[cfg(unix)]
fn files() -> io::Result<(File, File)> {
    Ok((another(io::stdin())?, another(io::stdout())?))
}

/// Returns another descriptor of the same pipe. The numbers up to 9 are the user's: `GIT_TRACE_CURL=5` is a descriptor
/// that was there before, or none. Where there are no others (`ulimit -n 8`), any will do.
#[cfg(unix)]
fn another(pipe: impl std::os::fd::AsFd) -> io::Result<File> {
    use rustix::io::fcntl_dupfd_cloexec;
    let descriptor = fcntl_dupfd_cloexec(&pipe, 10).or_else(|_| fcntl_dupfd_cloexec(&pipe, 3))?;
    Ok(descriptor.into())
}

#[cfg(windows)]
fn files() -> io::Result<(File, File)> {
    use std::os::windows::io::AsHandle as _;
    let from_git = io::stdin().as_handle().try_clone_to_owned()?;
    let to_git = io::stdout().as_handle().try_clone_to_owned()?;
    Ok((from_git.into(), to_git.into()))
}

/// Words for standard streams that cannot be used.
pub fn broken(error: &io::Error) -> Failure {
    Failure::new(Kind::Local, "cannot use standard input and output").caused_by(error)
}
