//! A client's connection: requests that are read from it, and answers that are written to it.
//!
//! A client that has gone is noticed in every wait: its request is then given up. One that waits is told every few
//! seconds that the agent is alive (`102`), so that it can tell a slow server from an agent that was stopped.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::SendFlags;

use super::request::{self, LONGEST};
use crate::http::agent::{ACCOUNT, ANSWER, Said};
use crate::http::upstream::Abandon;

/// How long a thread waits for the next request of its client.
const LINGER: Duration = Duration::from_secs(1);
/// How long a client may take to send the head of a request that it has begun.
const HEAD: Duration = Duration::from_secs(10);
/// How often a client that waits is told that the agent is alive.
const BEAT: Duration = Duration::from_secs(5);
/// How long a client that was refused may take to read why, and how much of what it sends meanwhile is thrown away.
const FAREWELL: Duration = Duration::from_secs(2);
/// The same in bytes.
const THROWN_AWAY: usize = 1024 * 1024;
/// Bytes that are read from a client, and written to it, at once.
pub(super) const BUFFER: usize = 128 * 1024;
/// Room before a chunk for its length and a line end.
const CHUNK_HEAD: usize = 10;

/// What a wait is watched by.
#[derive(Debug)]
pub(super) struct Wait {
    stream: UnixStream,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the client was last told that the agent is alive; nothing where it does not wait.
    beat: Option<Instant>,
    has_gone: bool,
    /// The request to give up.
    abandon: Option<Abandon>,
}

impl Wait {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks once whether the client is still there, and says that the agent is.
    pub(super) fn look(&self) {
        let mut state = self.state();
        let Some(beat) = state.beat else { return };
        if has_hung_up(&self.stream) {
            state.has_gone = true;
            if let Some(abandon) = &state.abandon {
                abandon.now();
            }
        } else if beat.elapsed() >= BEAT {
            // A client that takes nothing is stopped; it is not waited for. Of one that has gone no signal comes: Rust's
            // programs ignore SIGPIPE.
            rustix::net::send(&self.stream, b"HTTP/1.1 102 Processing\r\n\r\n", SendFlags::DONTWAIT).ok();
            state.beat = Some(Instant::now());
        }
    }

    fn begin(&self) {
        *self.state() = State {
            beat: Some(Instant::now()),
            ..State::default()
        };
    }

    fn end(&self) {
        let mut state = self.state();
        state.beat = None;
        state.abandon = None;
    }

    /// Has `abandon` given up when the client goes, or now if it has gone already.
    pub(super) fn give_up_with(&self, abandon: Abandon) {
        let mut state = self.state();
        if state.has_gone {
            abandon.now();
        }
        state.abandon = Some(abandon);
    }
}

fn has_hung_up(stream: &UnixStream) -> bool {
    #[cfg(target_os = "linux")]
    let wanted = PollFlags::RDHUP;
    #[cfg(not(target_os = "linux"))]
    let wanted = PollFlags::empty();
    let mut watched = [PollFd::new(stream, wanted)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ready = poll(&mut watched, Some(&now)).is_ok_and(|ready| ready > 0);
    ready
        && watched
            .iter()
            .any(|watched| watched.revents().intersects(PollFlags::HUP | PollFlags::ERR | wanted))
}

/// The side of a connection that answers are written to.
pub(super) struct Answers {
    stream: UnixStream,
    pub(super) wait: Arc<Wait>,
    /// Whether an answer has begun.
    begun: bool,
    /// What was written of bodies, for the log.
    pub(super) bytes: u64,
}

/// What a client does next.
pub(super) enum Next {
    /// It sends a request, whose head this is.
    Head(Vec<u8>),
    /// It sends nothing for now.
    Idle,
    /// It has closed the connection.
    Ended,
}

/// A client's connection.
pub(super) struct Client {
    pub(super) requests: BufReader<UnixStream>,
    pub(super) answers: Answers,
}

impl Client {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        // A listener that does not wait may give this on to what it accepts.
        stream.set_nonblocking(false)?;
        let wait = Wait {
            stream: stream.try_clone()?,
            state: Mutex::default(),
        };
        Ok(Self {
            answers: Answers {
                stream: stream.try_clone()?,
                wait: Arc::new(wait),
                begun: false,
                bytes: 0,
            },
            requests: BufReader::with_capacity(BUFFER, stream),
        })
    }

    /// Waits a moment for the next request, and then for the rest of its head. From then on the client waits.
    pub(super) fn next_head(&mut self) -> io::Result<Next> {
        self.requests.get_ref().set_read_timeout(Some(LINGER))?;
        match self.requests.fill_buf() {
            Ok([]) => return Ok(Next::Ended),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(Next::Idle);
            }
            Err(error) => return Err(error),
        }
        self.requests.get_ref().set_read_timeout(Some(HEAD))?;
        let mut head = Vec::new();
        let start = Instant::now();
        while request::end(&head).is_none() {
            let count = head.len();
            // What does not become a request is not waited for.
            if count >= LONGEST || start.elapsed() > HEAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let most = (LONGEST - count) as u64;
            match io::Read::take(&mut self.requests, most).read_until(b'\n', &mut head) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.requests.get_ref().set_read_timeout(None)?;
        self.answers.begun = false;
        self.answers.bytes = 0;
        self.answers.wait.begin();
        Ok(Next::Head(head))
    }

    /// Returns the connection, on which nothing has been read ahead, to be watched until there is a request.
    pub(super) fn into_stream(self) -> UnixStream {
        self.requests.into_inner()
    }

    /// Lets a client that has been refused in the middle of its request read why.
    pub(super) fn part(mut self) {
        self.answers.wait.end();
        let stream = &self.answers.stream;
        stream.shutdown(std::net::Shutdown::Write).ok();
        stream.set_read_timeout(Some(FAREWELL / 4)).ok();
        let (end, mut thrown) = (Instant::now() + FAREWELL, 0);
        while thrown < THROWN_AWAY && Instant::now() < end {
            match self.requests.fill_buf() {
                Ok([]) => return,
                Ok(bytes) => {
                    let count = bytes.len();
                    thrown += count;
                    self.requests.consume(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

impl Answers {
    /// Tells a client that waits for a word that the body of its request is wanted.
    pub(super) fn invite(&mut self) -> io::Result<()> {
        let _beats = self.wait.state();
        (&self.stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Whether the answer has begun, so that no other one may follow.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Writes what the server answered a moment ago: it wants another login than this `account`.
    pub(super) fn refuse_again(&mut self, account: Option<&str>) -> io::Result<()> {
        let account = account.map_or_else(String::new, |account| format!("{ACCOUNT}: {account}\r\n"));
        let answer = format!(
            "HTTP/1.1 401 -\r\nWWW-Authenticate: Basic\r\n{account}Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        self.start()?;
        self.stream.write_all(answer.as_bytes())
    }

    /// Writes an answer of the agent's own.
    pub(super) fn say(&mut self, status: u16, said: Said, text: &str) -> io::Result<()> {
        let answer = format!(
            "HTTP/1.1 {status} {}\r\n{ANSWER}: {}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
            said.word(),
            said.word(),
            text.len()
        );
        self.start()?;
        self.stream.write_all(answer.as_bytes())
    }

    /// Writes the head of an answer whose body follows in chunks; `fields` are whole lines.
    pub(super) fn begin(&mut self, status: u16, fields: &[u8]) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {status} -\r\n").into_bytes();
        head.extend_from_slice(fields);
        if has_body(status) {
            head.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        head.extend_from_slice(b"\r\n");
        self.start()?;
        self.stream.write_all(&head)
    }

    fn start(&mut self) -> io::Result<()> {
        self.wait.end();
        if std::mem::replace(&mut self.begun, true) {
            return Err(io::Error::other("an answer after an answer"));
        }
        Ok(())
    }

    /// Writes the body that `read` returns piece by piece, and its end.
    pub(super) fn body(&mut self, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_HEAD + BUFFER + 2];
        loop {
            let space = buffer.get_mut(CHUNK_HEAD..CHUNK_HEAD + BUFFER).unwrap_or_default();
            let count = read(space)?;
            if count == 0 {
                return self.stream.write_all(b"0\r\n\r\n");
            }
            self.bytes += count as u64;
            let head = format!("{count:x}\r\n");
            let start = CHUNK_HEAD - head.len();
            place(&mut buffer, start, head.as_bytes());
            place(&mut buffer, CHUNK_HEAD + count, b"\r\n");
            let chunk = buffer.get(start..CHUNK_HEAD + count + 2).unwrap_or_default();
            self.stream.write_all(chunk)?;
        }
    }
}

/// Whether an answer of this status has a body (RFC 9110, section 6.4.1).
pub(super) fn has_body(status: u16) -> bool {
    !matches!(status, 204 | 304)
}

fn place(buffer: &mut [u8], start: usize, bytes: &[u8]) {
    for (to, from) in buffer.iter_mut().skip(start).zip(bytes) {
        *to = *from;
    }
}
