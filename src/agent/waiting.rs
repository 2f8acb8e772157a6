//! Connected clients without a request: they cost a descriptor each and no thread, and the oldest make room for new ones.
//!
//! A client may end a connection at any time between requests, and so may the agent (RFC 9112, section 9.3). Does not
//! depend on what requests say.

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long a client may keep a connection without a request.
const IDLE: Duration = Duration::from_secs(60);
/// The most clients that wait.
const MOST: usize = 256;

/// Clients that wait, the one that waits longest first.
#[derive(Default)]
pub(super) struct Waiting {
    clients: VecDeque<(UnixStream, Instant)>,
    /// Whether none of them could make room for a new one the last time: all have sent requests.
    full: bool,
}

impl Waiting {
    /// Whether another client can be accepted.
    pub(super) fn has_room(&self) -> bool {
        !self.full
    }

    /// Adds clients; those that waited longest without a request make room.
    pub(super) fn extend(&mut self, streams: impl IntoIterator<Item = UnixStream>) {
        let now = Instant::now();
        self.clients.extend(streams.into_iter().map(|stream| (stream, now)));
        while self.clients.len() > MOST {
            let oldest = self.clients.iter().position(|(stream, _)| !is_ready(stream));
            self.full = oldest.is_none();
            let Some(oldest) = oldest else { return };
            self.clients.remove(oldest);
        }
        self.full = false;
    }

    /// Returns what to poll to learn when one of them says something.
    pub(super) fn watched(&self) -> impl Iterator<Item = PollFd<'_>> {
        let streams = self.clients.iter().map(|(stream, _)| stream);
        streams.map(|stream| PollFd::new(stream, PollFlags::IN))
    }

    /// Returns those that say something now, `most` of them; the others wait on.
    pub(super) fn take_ready(&mut self, most: usize) -> Vec<UnixStream> {
        let (mut ready, mut waiting) = (Vec::new(), VecDeque::new());
        for (stream, since) in self.clients.drain(..) {
            if ready.len() < most && is_ready(&stream) {
                ready.push(stream);
            } else {
                waiting.push_back((stream, since));
            }
        }
        self.clients = waiting;
        self.full &= ready.is_empty();
        ready
    }

    /// Closes those that have waited for too long.
    pub(super) fn drop_old(&mut self) {
        self.clients
            .retain(|(stream, since)| since.elapsed() < IDLE || is_ready(stream));
    }
}

/// Whether there is something to read, the end included.
fn is_ready(stream: &UnixStream) -> bool {
    let mut watched = [PollFd::new(stream, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut watched, Some(&now)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn pairs(count: usize) -> (Vec<UnixStream>, Vec<UnixStream>) {
        (0..count).map(|_| UnixStream::pair().expect("two sockets")).unzip()
    }

    #[test]
    fn the_oldest_without_a_request_makes_room() {
        let (mut theirs, ours) = pairs(MOST + 1);
        theirs[0].write_all(b"x").expect("it is open");
        let mut waiting = Waiting::default();
        waiting.extend(ours);
        assert!(waiting.has_room() && waiting.clients.len() == MOST);
        assert_eq!(waiting.take_ready(9).len(), 1, "the first one stayed");
        let closed = std::io::Read::read(&mut theirs[1], &mut [0]);
        assert!(matches!(closed, Ok(0)), "the second one went");
    }

    #[test]
    fn where_all_have_requests_none_is_accepted_until_one_is_taken() {
        let (mut theirs, ours) = pairs(MOST + 1);
        for stream in &mut theirs {
            stream.write_all(b"x").expect("it is open");
        }
        let mut waiting = Waiting::default();
        waiting.extend(ours);
        assert!(!waiting.has_room());
        assert_eq!(waiting.take_ready(2).len(), 2);
        assert!(waiting.has_room());
    }
}
