//! A stream that has to be done by a certain time, however much of it there is: a peer that lets a byte go now and
//! then could keep a time limit for each read from ever running out.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::stream::Stream;

/// A stream of which every read and write ends by `deadline`, with [`io::ErrorKind::TimedOut`] if nothing has come of
/// it.
pub(super) struct Hurried<'a> {
    pub(super) stream: &'a mut Stream,
    pub(super) deadline: Instant,
}

impl Hurried<'_> {
    fn hurry(&mut self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_patience(Some(left), Some(left))
    }
}

impl Read for Hurried<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.hurry()?;
        self.stream.read(buffer)
    }
}

impl Write for Hurried<'_> {
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
