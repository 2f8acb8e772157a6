//! Bytes to and from a server, with an ear for it while we talk, an eye on the pace, and the trace.
//!
//! It must not know how requests and bodies are framed, only how the beginning of an answer looks.

use std::io::{self, Read as _, Write as _};
use std::ops::Range;
use std::time::{Duration, Instant};

use super::answer_head::{self, Early};
use super::deadline::Patience as _;
use super::error::Error;
use super::pace::Pace;
use super::settings::LowSpeed;
use super::stream::Stream;
use super::upstream::Abandon;
use crate::trace::Trace;

/// Bytes of an answer that are read at once: eight TLS records.
const INPUT: usize = 128 * 1024;
/// How much of an answer is taken while its request is still being sent.
const EARLY: usize = 1024 * 1024;
/// How long a write waits before it is looked whether the server says something: two sides that only talk to each
/// other would wait for ever.
const WRITE_SLICE: Duration = Duration::from_millis(250);
/// How long a read waits before the pace is looked at.
const READ_SLICE: Duration = Duration::from_secs(1);

/// How an exchange is watched.
#[derive(Clone, Default)]
pub(super) struct Watch {
    /// Where what goes over the wire is shown.
    pub(super) trace: Trace,
    /// When to give it up.
    pub(super) low_speed: Option<LowSpeed>,
    /// When an answer has to be there: for a proxy's, which belongs to connecting.
    pub(super) deadline: Option<Instant>,
    /// What tells that nobody waits for it any more.
    pub(super) abandon: Option<Abandon>,
    /// How long the other side, an agent, may keep silent before its answer begins.
    pub(super) silence: Option<Duration>,
}

impl Watch {
    /// Whether nobody waits any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandon.as_ref().is_some_and(Abandon::is_so)
    }
}

/// A connection with what has arrived on it.
pub(super) struct Wire {
    stream: Stream,
    input: Vec<u8>,
    /// The part of `input` that has arrived and is not used yet.
    unread: Range<usize>,
    pace: Option<Pace>,
    deadline: Option<Instant>,
    abandon: Option<Abandon>,
    silence: Option<Duration>,
    heard: Instant,
    pub(super) trace: Trace,
}

impl Wire {
    pub(super) fn new(stream: Stream, watch: &Watch) -> Result<Self, Error> {
        let is_timed = watch.low_speed.is_some() || watch.deadline.is_some();
        let is_timed = is_timed || watch.abandon.is_some() || watch.silence.is_some();
        let read_slice = is_timed.then_some(READ_SLICE);
        stream
            .set_patience(read_slice, Some(WRITE_SLICE))
            .map_err(Error::Broken)?;
        Ok(Self {
            stream,
            input: Vec::new(),
            unread: 0..0,
            pace: watch.low_speed.map(Pace::new),
            deadline: watch.deadline,
            abandon: watch.abandon.clone(),
            silence: watch.silence,
            heard: Instant::now(),
            trace: watch.trace.clone(),
        })
    }

    /// Returns what has arrived and is not used yet.
    pub(super) fn unread(&self) -> &[u8] {
        self.input.get(self.unread.clone()).unwrap_or_default()
    }

    /// Marks the first `count` bytes of it as used.
    pub(super) fn consume(&mut self, count: usize) {
        self.unread.start = self.unread.end.min(self.unread.start + count);
    }

    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// An answer has begun: from now on its sender may take its time.
    pub(super) fn allow_silence(&mut self) {
        self.silence = None;
    }

    /// Sends all of `bytes`. [`Error::AnsweredEarly`] if the server has refused the request meanwhile.
    pub(super) fn send(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let sent = self.push(|stream| stream.write(bytes))?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        self.push(|stream| stream.flush().map(|()| 0)).map(drop)
    }

    /// Writes once. While the server takes nothing, it is heard: it may be waiting for us to read.
    fn push(&mut self, mut write: impl FnMut(&mut Stream) -> io::Result<usize>) -> Result<usize, Error> {
        loop {
            let started = self.pace.as_ref().map(|_| Instant::now());
            let done = write(&mut self.stream);
            self.spent(started, *done.as_ref().unwrap_or(&0))?;
            match done {
                Ok(count) => return Ok(count),
                Err(error) if is_waiting(&error) => {
                    self.listen()?;
                    self.check_wait()?;
                }
                Err(error) => return Err(self.cut_off(error)),
            }
        }
    }

    /// Hears what the server says while the request is being sent. [`Error::AnsweredEarly`] if it does not want the
    /// rest; only the beginning of an answer says so, never the mere arrival of bytes.
    pub(super) fn listen(&mut self) -> Result<(), Error> {
        self.hear()?;
        if answer_head::early(self.unread()) == Early::Refused {
            return Err(Error::AnsweredEarly);
        }
        Ok(())
    }

    fn hear(&mut self) -> Result<(), Error> {
        while self.unread.len() < EARLY && self.stream.has_input() {
            // The end of the server's side is for the next write, or for the reading of the answer, to notice.
            if !matches!(self.receive()?, Ok(1..)) {
                break;
            }
        }
        Ok(())
    }

    /// A write has failed. A server that has refused an upload closes the connection: its answer is there to be read.
    fn cut_off(&mut self, error: io::Error) -> Error {
        self.hear().ok();
        if answer_head::early(self.unread()) != Early::Unknown {
            return Error::AnsweredEarly;
        }
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                Error::NoAnswer
            }
            _ => broken(error),
        }
    }

    /// Reads more of what the server sends; 0 at the end of the connection. The outer error is a stall, the inner one
    /// means what the state of the exchange says.
    pub(super) fn receive(&mut self) -> Result<io::Result<usize>, Error> {
        if self.unread.start > 0 {
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        self.input.resize(INPUT.max(self.unread.end + INPUT / 8), 0);
        loop {
            let space = self.input.get_mut(self.unread.end..).unwrap_or_default();
            let started = self.pace.as_ref().map(|_| Instant::now());
            let done = self.stream.read(space);
            self.spent(started, *done.as_ref().unwrap_or(&0))?;
            match done {
                Err(error) if is_waiting(&error) => self.check_wait()?,
                Ok(count) => {
                    self.heard = Instant::now();
                    self.unread.end += count;
                    return Ok(Ok(count));
                }
                error => return Ok(error),
            }
        }
    }

    /// Nothing has come in a slice of time. Fails if there is no reason to wait on.
    fn check_wait(&self) -> Result<(), Error> {
        if self.abandon.as_ref().is_some_and(Abandon::is_so) {
            return Err(Error::Abandoned);
        }
        match self.silence {
            Some(limit) if self.heard.elapsed() > limit => Err(Error::SilentAgent {
                seconds: limit.as_secs(),
            }),
            _ => Ok(()),
        }
    }

    fn spent(&mut self, started: Option<Instant>, bytes: usize) -> Result<(), Error> {
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(Error::Broken(io::ErrorKind::TimedOut.into()));
        }
        match (&mut self.pace, started) {
            (Some(pace), Some(started)) => pace.spent(started.elapsed(), bytes),
            _ => Ok(()),
        }
    }
}

/// Whether a time slice has run out, or a signal has come: nothing has happened to the connection.
fn is_waiting(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// TLS says more than that the connection failed.
pub(super) fn broken(error: io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(Error::Broken)
}
