//! Git's two pipes as plain files.
//!
//! The standard library's handles put a line buffer before standard output, which searches every pack for line ends,
//! and a buffer of their own behind standard input.

use std::fs::File;
use std::io;

use crate::report::{Failure, Kind};

/// Bytes that are read from git at once: what a pipe of Linux holds.
pub const BUFFER: usize = 64 * 1024;

/// Returns standard input and standard output without buffers.
#[cfg(unix)]
pub fn standard_streams() -> io::Result<(File, File)> {
    use std::os::fd::AsFd as _;
    let from_git = io::stdin().as_fd().try_clone_to_owned()?;
    let to_git = io::stdout().as_fd().try_clone_to_owned()?;
    Ok((from_git.into(), to_git.into()))
}

/// Returns standard input and standard output without buffers.
#[cfg(windows)]
pub fn standard_streams() -> io::Result<(File, File)> {
    use std::os::windows::io::AsHandle as _;
    let from_git = io::stdin().as_handle().try_clone_to_owned()?;
    let to_git = io::stdout().as_handle().try_clone_to_owned()?;
    Ok((from_git.into(), to_git.into()))
}

/// Words for standard streams that cannot be used.
pub fn broken(error: &io::Error) -> Failure {
    Failure::new(Kind::Local, "cannot use standard input and output").caused_by(error)
}
