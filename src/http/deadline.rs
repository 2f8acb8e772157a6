//! A stream that has to be done by a certain time, however much of it there is: a peer that sends a byte now and then
//! could keep a time limit for each read from ever running out.
//!
//! Does not depend on what the stream is.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// A stream whose reads and writes can be told how long to wait.
pub(super) trait Patience {
    /// Sets how long a read and a write wait before they fail with [`io::ErrorKind::WouldBlock`] or `TimedOut`.
    /// Nothing is lost then: both can be tried again.
    fn set_patience(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()>;
}

/// A stream of which every read and write ends by `deadline`, with [`io::ErrorKind::TimedOut`] if nothing has come of
/// it.
pub(super) struct Hurried<'a, S> {
    pub(super) stream: &'a mut S,
    pub(super) deadline: Instant,
}

impl<S: Patience> Hurried<'_, S> {
    fn hurry(&mut self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_patience(Some(left), Some(left))
    }
}

impl<S: Read + Patience> Read for Hurried<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.hurry()?;
        self.stream.read(buffer)
    }
}

impl<S: Write + Patience> Write for Hurried<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hurry()?;
        self.stream.write(bytes)
    }

    fn write_vectored(&mut self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.hurry()?;
        self.stream.write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
