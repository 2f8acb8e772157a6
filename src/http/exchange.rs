//! One request and its answer on one connection: HTTP/1.1 without sockets (`wire`), heads (`head`, `answer_head`) or the
//! framing of bodies (`body`).
//!
//! Not a library's, for what git does besides requests and answers: it writes a request instead of handing over a reader
//! (no second thread, no pipe between git and the socket), reads an answer that comes before an upload has ended, opens
//! its connection before there is a request, and accepts the answers that curl accepts.
//!
//! Beside the others, for a process that sends a GET and a POST over TLS 1.3 on loopback with the 145 certificates of
//! Debian's store and the test's (user and system time, median of 60 runs in turns; a program that does nothing else):
//!
//! | client | CPU | size of the program |
//! |---|--:|--:|
//! | this one | 3.1 ms | 3.5 MB, of which most is gitoxide's configuration |
//! | `ureq` 3.5 with rustls and ring | 3.4 ms | 2.1 MB |
//! | `reqwest` 0.12, blocking, with rustls and ring | 3.6 ms | 2.8 MB |
//! | `git-remote-https` (libcurl with GnuTLS), with its credential helper | 55 ms | |

use std::io;
use std::time::Duration;

use super::answer_head::AnswerHead;
use super::body::Body;
use super::error::Error;
use super::head::{Head, Length};
use super::stream::Stream;
use super::wire::{Watch, Wire, broken};

/// The longest head of an answer with the informational answers before it: curl's limit (`MAX_HTTP_RESP_HEADER_SIZE`).
const HEADS: usize = 300 * 1024;
/// The most of other framing in one place: a chunk's length, the trailers.
const FRAMING: usize = 64 * 1024;
/// Bytes of a chunk of an upload.
const CHUNK: usize = 64 * 1024;

/// How far an exchange has come.
enum State {
    /// The body of the request is being sent.
    Sending(Sending),
    /// The head of the answer is to come.
    Waiting,
    /// The body of the answer is to come. `reusable` says whether another request may follow it.
    Receiving { body: Body, reusable: bool },
    /// The answer has ended.
    Done { reusable: bool },
}

/// How the body of a request is sent.
#[derive(Clone, Copy)]
enum Sending {
    /// This many bytes more.
    Known(u64),
    Chunked,
}

/// One request and its answer.
pub(super) struct Exchange {
    wire: Wire,
    state: State,
    output: Vec<u8>,
    received: u64,
    /// The server has answered while we were sending: nothing more is sent, and the connection is not used again.
    answered_early: bool,
}

fn malformed(reason: &str) -> Error {
    Error::Malformed(reason.to_owned())
}

impl Exchange {
    /// Sends the head of a request over `stream`; a body, if there is one, follows with [`Exchange::write`].
    pub(super) fn start(stream: Stream, head: &Head<'_>, watch: &Watch) -> Result<Self, Error> {
        let mut exchange = Self {
            wire: Wire::new(stream, watch)?,
            state: match head.length {
                Length::None => State::Waiting,
                Length::Known(length) => State::Sending(Sending::Known(length)),
                Length::Chunked => State::Sending(Sending::Chunked),
            },
            output: Vec::new(),
            received: 0,
            answered_early: false,
        };
        let text = head.text();
        watch.trace.sent_head(&text);
        match exchange.send(&text) {
            Ok(()) | Err(Error::AnsweredEarly) => Ok(exchange),
            Err(error) => Err(error),
        }
    }

    /// Sends a part of the body. [`Error::AnsweredEarly`] says that the server does not want the rest of it.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.answered_early {
                return Err(Error::AnsweredEarly);
            }
            self.wire.listen().inspect_err(|_| self.answered_early = true)?;
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK));
            match &mut self.state {
                State::Sending(Sending::Known(left)) => {
                    *left = left
                        .checked_sub(now.len() as u64)
                        .ok_or_else(|| malformed("a body longer than its length"))?;
                    self.wire.trace.sent_data(now);
                    self.send(now)?;
                }
                State::Sending(Sending::Chunked) => {
                    self.wire.trace.sent_data(now);
                    self.send_chunk(now)?;
                }
                _ => return Err(malformed("a body where none belongs")),
            }
            bytes = later;
        }
        Ok(())
    }

    /// Sends a chunk with its framing, in one piece.
    fn send_chunk(&mut self, content: &[u8]) -> Result<(), Error> {
        let mut chunk = std::mem::take(&mut self.output);
        chunk.clear();
        chunk.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
        chunk.extend_from_slice(content);
        chunk.extend_from_slice(b"\r\n");
        let sent = self.send(&chunk);
        self.output = chunk;
        sent
    }

    /// Ends the body, so that the answer can be read.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let State::Sending(sending) = self.state else {
            return Ok(());
        };
        if !self.answered_early {
            match sending {
                Sending::Known(0) => {}
                Sending::Known(_) => return Err(malformed("a body shorter than its length")),
                Sending::Chunked => match self.send(b"0\r\n\r\n") {
                    Ok(()) | Err(Error::AnsweredEarly) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        self.state = State::Waiting;
        Ok(())
    }

    /// Gives an upload up that the server has answered already: the answer is still to be read.
    pub(super) fn give_up_body(&mut self) {
        if let State::Sending(_) = self.state {
            self.answered_early = true;
            self.state = State::Waiting;
        }
    }

    /// Waits for the head of the answer.
    pub(super) fn read_head(&mut self) -> Result<AnswerHead, Error> {
        let mut heads = 0;
        loop {
            let unread = self.wire.unread();
            if let Some((head, length)) = AnswerHead::parse(unread)? {
                self.wire.trace.received_head(unread.get(..length).unwrap_or_default());
                self.wire.consume(length);
                heads += length;
                if heads >= HEADS {
                    return Err(malformed("its headers are too long"));
                }
                // Informational: the answer is still to come (RFC 9110, section 15.2). After 101 there is none.
                if matches!(head.status, 100..=199 if head.status != 101) {
                    continue;
                }
                self.wire.allow_silence();
                let body = Body::of(&head)?;
                // Two lengths may be two opinions of where the next answer begins.
                let reusable = head.keeps_alive()
                    && head.status != 101
                    && body != Body::UntilClose
                    && !(matches!(body, Body::Chunked(_)) && head.all("content-length").next().is_some());
                self.state = State::Receiving { body, reusable };
                self.complete();
                return Ok(head);
            }
            if heads + unread.len() >= HEADS {
                return Err(malformed("its headers are too long"));
            }
            if self.receive()? == 0 {
                return self.refusal_without_end();
            }
        }
    }

    /// Takes a head that ends with the connection, as curl does, if it is a refusal: one that is cut says no all the same.
    fn refusal_without_end(&mut self) -> Result<AnswerHead, Error> {
        let unread = self.wire.unread();
        if unread.is_empty() {
            return Err(Error::NoAnswer);
        }
        let whole = [unread, b"\n\n"].concat();
        match AnswerHead::parse(&whole) {
            Ok(Some((head, _))) if head.status >= 400 && unread.ends_with(b"\n") => {
                self.wire.trace.received_head(unread);
                let length = unread.len();
                self.wire.consume(length);
                self.state = State::Receiving {
                    body: Body::UntilClose,
                    reusable: false,
                };
                Ok(head)
            }
            _ => Err(Error::Cut { received: 0 }),
        }
    }

    /// Reads bytes of the body into `out`; 0 means that the answer is complete.
    ///
    /// [`Error::Cut`] if the connection ends before the body does, wherever that is.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let mut framing = 0;
        loop {
            let State::Receiving { body, .. } = &mut self.state else {
                return Ok(0);
            };
            let (used, made) = body.take(self.wire.unread(), out)?;
            self.wire.consume(used);
            self.received += made as u64;
            self.wire.trace.received_data(out.get(..made).unwrap_or_default());
            self.complete();
            if made > 0 || out.is_empty() || !matches!(self.state, State::Receiving { .. }) {
                return Ok(made);
            }
            // Lengths and trailers without a byte of the body: more of them than any server needs.
            framing += used;
            if framing >= FRAMING {
                return Err(malformed("its chunk headers or trailers are too long"));
            }
            if self.receive()? == 0 {
                if !self.ends_with_connection() {
                    return Err(Error::Cut {
                        received: self.received,
                    });
                }
                self.state = State::Done { reusable: false };
            }
        }
    }

    fn complete(&mut self) {
        if let State::Receiving { body, reusable } = self.state
            && body.is_complete()
        {
            self.state = State::Done { reusable };
        }
    }

    /// See [`Stream::set_unheard`].
    pub(super) fn set_unheard(&self, limit: Option<Duration>) -> io::Result<()> {
        self.wire.stream().set_unheard(limit)
    }

    fn ends_with_connection(&self) -> bool {
        matches!(
            self.state,
            State::Receiving {
                body: Body::UntilClose,
                ..
            }
        )
    }

    /// Returns the connection if another request may follow on it.
    pub(super) fn into_stream(self) -> Option<Stream> {
        let clean = self.wire.unread().is_empty() && !self.answered_early;
        matches!(self.state, State::Done { reusable: true } if clean).then(|| self.wire.into_stream())
    }

    /// Reads what is left of the body if that is at most `most` bytes, so that the connection can be used again.
    pub(super) fn drain(&mut self, mut most: usize) {
        let mut out = [0; 4096];
        while let Ok(count @ 1..) = self.read(&mut out) {
            let Some(left) = most.checked_sub(count) else { return };
            most = left;
        }
    }

    /// Returns the connection behind a proxy that has answered `CONNECT` with success: what follows is not HTTP's.
    pub(super) fn into_tunnel(self) -> Result<Stream, Error> {
        if self.wire.unread().is_empty() {
            Ok(self.wire.into_stream())
        } else {
            Err(malformed("data before the first request"))
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let sent = self.wire.send(bytes);
        self.answered_early |= matches!(sent, Err(Error::AnsweredEarly));
        sent
    }

    /// Reads more of what the server sends; 0 at the end of the connection.
    fn receive(&mut self) -> Result<usize, Error> {
        match self.wire.receive()? {
            Ok(count) => Ok(count),
            Err(error) => self.ended(error),
        }
    }

    /// A connection that is reset, or closed without TLS' own farewell, has ended; whether that is a cut answer is
    /// for the framing of HTTP to say, except where the end of the connection is all the framing there is.
    fn ended(&self, error: io::Error) -> Result<usize, Error> {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                if self.ends_with_connection() {
                    Err(Error::Cut {
                        received: self.received,
                    })
                } else {
                    Ok(0)
                }
            }
            _ => Err(broken(error)),
        }
    }
}
