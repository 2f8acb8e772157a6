//! Reads and writes of a TCP socket that wait only so long, and lose nothing when that is over.
//!
//! On Unix the time limits that are set on the socket do that. On Windows a call that they break off may have sent or
//! taken bytes all the same (`SO_RCVTIMEO` and `SO_SNDTIMEO` of Winsock), so there only the waiting is limited, before
//! the call. Does not depend on what is sent.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::TcpStream;

/// Reads once.
pub(super) fn read(mut socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    #[cfg(windows)]
    wait::until(socket, wait::Event::Input)?;
    socket.read(buffer)
}

/// Writes once, as much as there is room for.
pub(super) fn write(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    write_vectored(socket, &[IoSlice::new(bytes)])
}

/// Writes once, as much as there is room for.
#[cfg(not(windows))]
pub(super) fn write_vectored(mut socket: &TcpStream, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    socket.write_vectored(pieces)
}

/// Writes once, as much as there is room for: a call that may wait waits until there is room for all.
#[cfg(windows)]
pub(super) fn write_vectored(mut socket: &TcpStream, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    if !wait::until(socket, wait::Event::Room)? {
        return socket.write_vectored(pieces);
    }
    socket.set_nonblocking(true)?;
    let written = socket.write_vectored(pieces);
    socket.set_nonblocking(false)?;
    written
}

#[cfg(windows)]
mod wait {
    //! The waiting.

    use std::io;
    use std::net::TcpStream;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// What is waited for.
    #[derive(Debug, Clone, Copy)]
    pub(super) enum Event {
        /// Bytes to read, or their end.
        Input,
        /// Room for bytes to write.
        Room,
    }

    /// Waits for `event` within the time that is set on `socket` for it; whether there is such a limit.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it is over.
    pub(super) fn until(socket: &TcpStream, event: Event) -> io::Result<bool> {
        let (limit, flags) = match event {
            Event::Input => (socket.read_timeout()?, PollFlags::IN),
            Event::Room => (socket.write_timeout()?, PollFlags::OUT),
        };
        let Some(limit) = limit else { return Ok(false) };
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(socket, flags)], Some(&limit))? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn nothing_is_lost_when_the_wait_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let near = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
        let (far, _) = listener.accept().expect("a connection");
        for time in [
            near.set_read_timeout(Some(Duration::from_millis(20))),
            near.set_write_timeout(Some(Duration::from_millis(20))),
        ] {
            time.expect("set");
        }
        let is_over = |error: &io::Error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        assert!(read(&near, &mut [0; 4]).is_err_and(|error| is_over(&error)));
        // The peer takes nothing until its buffers and ours are full.
        let pattern: Vec<u8> = (0..=250).cycle().take(100_000).collect();
        let mut sent = Vec::new();
        loop {
            match write(&near, &pattern) {
                Ok(count) => sent.extend_from_slice(&pattern[..count]),
                Err(error) if is_over(&error) => break,
                Err(error) => panic!("{error}"),
            }
        }
        far.set_read_timeout(Some(Duration::from_millis(200))).expect("set");
        let (mut received, mut part) = (Vec::new(), vec![0; 1 << 16]);
        while let Ok(count @ 1..) = read(&far, &mut part) {
            received.extend_from_slice(&part[..count]);
        }
        assert!(received == sent, "{} of {} bytes", received.len(), sent.len());
        write(&far, b"end").expect("there is room");
        assert_eq!(read(&near, &mut part).expect("it has arrived"), 3);
    }
}
