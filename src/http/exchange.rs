//! One request and its answer on one connection.
//!
//! The only file that names the HTTP library. It is `ureq-proto`, the protocol half of `ureq`: HTTP/1.1 as a state
//! machine over buffers. The half with the sockets is ours, because a bridge writes its request instead of handing
//! over a reader (no second thread, no pipe between git and the socket), has to read an answer that comes before an
//! upload has ended, and opens its connection before there is a request.
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

use ureq_proto::client::state::{RecvBody, RecvResponse, SendBody};
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use ureq_proto::http::{Request, Response};
use zeroize::Zeroizing;

use super::error::Error;
use super::head::{AnswerHead, Head, Length};
use super::stream::Stream;
use super::wire::{Watch, Wire, broken};

/// The longest head of an answer, and the most of other framing in one place: a chunk's length, the trailers. curl
/// allows 300 KiB in all; a git server needs less than one.
const HEAD: usize = 64 * 1024;
/// The most that informational answers may take before the one that counts.
const HEADS: usize = 4 * HEAD;
/// Bytes of a chunk of an upload.
const CHUNK: usize = 64 * 1024;
enum State {
    Sending(Call<SendBody>),
    Waiting(Call<RecvResponse>),
    Receiving(Call<RecvBody>),
    Done { reusable: bool },
    Broken,
}

/// One request and its answer.
pub(super) struct Exchange {
    wire: Wire,
    state: State,
    output: Vec<u8>,
    /// Bytes of a body of known length that are still to be sent.
    unsent: u64,
    received: u64,
    /// The server has answered while we were sending: nothing more is sent, and the connection is not used again.
    answered_early: bool,
}

fn malformed(error: impl std::fmt::Display) -> Error {
    Error::Malformed(error.to_string())
}

impl Exchange {
    /// Sends the head of a request over `stream`; a body, if there is one, follows with [`Exchange::write`].
    pub(super) fn start(stream: Stream, head: &Head<'_>, watch: &Watch) -> Result<Self, Error> {
        let request = match head.length {
            Length::None => Request::get(head.url),
            Length::Known(length) => Request::post(head.url).header("content-length", length),
            Length::Chunked => Request::post(head.url).header("transfer-encoding", "chunked"),
        };
        let mut call = Call::new(request.body(()).map_err(malformed)?)
            .map_err(malformed)?
            .proceed();
        let mut text = Zeroizing::new(vec![0; 1024 + 2 * head.url.len()]);
        let used = call.write(&mut text).map_err(malformed)?;
        let text = head.spliced(text.get(..used).unwrap_or_default());
        let state = match call.proceed().map_err(malformed)? {
            Some(SendRequestResult::SendBody(call)) => State::Sending(call),
            Some(SendRequestResult::RecvResponse(call)) => State::Waiting(call),
            _ => return Err(malformed("the request does not fit its head")),
        };
        let mut exchange = Self {
            wire: Wire::new(stream, watch)?,
            state,
            output: Vec::new(),
            unsent: if let Length::Known(length) = head.length {
                length
            } else {
                0
            },
            received: 0,
            answered_early: false,
        };
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
            let State::Sending(call) = &mut self.state else {
                return Err(malformed("a body where none belongs"));
            };
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK));
            self.wire.trace.sent_data(now);
            if call.is_chunked() {
                self.output.resize(CHUNK + 32, 0);
                let (used, made) = call.write(now, &mut self.output).map_err(malformed)?;
                let output = std::mem::take(&mut self.output);
                let sent = self.send(output.get(..made).unwrap_or_default());
                self.output = output;
                sent?;
                bytes = bytes.get(used..).unwrap_or_default();
            } else {
                call.consume_direct_write(now.len()).map_err(malformed)?;
                self.unsent = self.unsent.saturating_sub(now.len() as u64);
                self.send(now)?;
                bytes = later;
            }
        }
        Ok(())
    }

    /// Ends the body, so that the answer can be read.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let State::Sending(call) = &mut self.state else {
            return Ok(());
        };
        let mut end = [0; 16];
        let (_, made) = call.write(&[], &mut end).map_err(malformed)?;
        let end = end.get(..made).unwrap_or_default().to_vec();
        if !self.answered_early {
            match self.send(&end) {
                Ok(()) | Err(Error::AnsweredEarly) => {}
                Err(error) => return Err(error),
            }
        }
        let State::Sending(call) = std::mem::replace(&mut self.state, State::Broken) else {
            return Ok(());
        };
        self.state = State::Waiting(
            call.proceed()
                .ok_or_else(|| malformed("the body is shorter than its length"))?,
        );
        Ok(())
    }

    /// Gives an upload up that the server has answered already: the answer is still to be read.
    pub(super) fn give_up_body(&mut self) -> Result<(), Error> {
        if let State::Sending(call) = &mut self.state {
            self.answered_early = true;
            if !call.is_chunked() {
                // The state machine wants to see every byte; these are never sent, and the connection is closed after.
                let unsent = usize::try_from(self.unsent).map_err(malformed)?;
                call.consume_direct_write(unsent).map_err(malformed)?;
            }
        }
        self.finish()
    }

    /// Waits for the head of the answer.
    pub(super) fn read_head(&mut self) -> Result<AnswerHead, Error> {
        let mut heads = 0;
        loop {
            let State::Waiting(call) = &mut self.state else {
                return Err(malformed("an answer before the end of the request"));
            };
            let unread = self.wire.unread();
            let (used, answer) = call.try_response(unread, false).map_err(malformed)?;
            self.wire.trace.received_head(unread.get(..used).unwrap_or_default());
            self.wire.consume(used);
            if let Some(answer) = answer {
                self.expect_body()?;
                return Ok(answer_head(&answer));
            }
            heads += used;
            if used > 0 && heads < HEADS {
                continue;
            }
            if heads >= HEADS || self.wire.unread().len() >= HEAD {
                return Err(malformed("its headers are too long"));
            }
            if self.receive()? == 0 {
                return Err(if self.wire.unread().is_empty() {
                    Error::NoAnswer
                } else {
                    Error::Cut { received: 0 }
                });
            }
        }
    }

    fn expect_body(&mut self) -> Result<(), Error> {
        let State::Waiting(call) = std::mem::replace(&mut self.state, State::Broken) else {
            return Err(malformed("a head where none belongs"));
        };
        self.state = match call.proceed() {
            Some(RecvResponseResult::RecvBody(call)) => State::Receiving(call),
            Some(RecvResponseResult::Redirect(call)) => State::Done {
                reusable: !call.must_close_connection(),
            },
            Some(RecvResponseResult::Cleanup(call)) => State::Done {
                reusable: !call.must_close_connection(),
            },
            None => return Err(malformed("a head without an end")),
        };
        Ok(())
    }

    /// Reads decoded bytes of the body into `out`; 0 means that the answer is complete.
    ///
    /// [`Error::Cut`] if the connection ends before the body does, wherever that is.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let mut framing = 0;
        loop {
            let State::Receiving(call) = &mut self.state else {
                return Ok(0);
            };
            let (used, made) = call.read(self.wire.unread(), out).map_err(malformed)?;
            self.wire.consume(used);
            self.received += made as u64;
            self.wire.trace.received_data(out.get(..made).unwrap_or_default());
            if call.can_proceed() && call.body_mode() != ureq_proto::BodyMode::CloseDelimited {
                self.complete();
            }
            if made > 0 || !matches!(self.state, State::Receiving(_)) {
                return Ok(made);
            }
            // Lengths and trailers without a byte of the body: more of them than any server needs.
            framing += used;
            if framing.max(self.wire.unread().len()) >= HEAD {
                return Err(malformed("its chunk headers or trailers are too long"));
            }
            if used == 0 && self.receive()? == 0 {
                let State::Receiving(call) = &self.state else {
                    return Ok(0);
                };
                if !call.can_proceed() {
                    return Err(Error::Cut {
                        received: self.received,
                    });
                }
                self.complete();
            }
        }
    }

    fn complete(&mut self) {
        if let State::Receiving(call) = std::mem::replace(&mut self.state, State::Broken) {
            let reusable = match call.proceed() {
                Some(RecvBodyResult::Redirect(call)) => !call.must_close_connection(),
                Some(RecvBodyResult::Cleanup(call)) => !call.must_close_connection(),
                None => false,
            };
            self.state = State::Done { reusable };
        }
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
        let framed = match &self.state {
            State::Receiving(call) => call.body_mode() != ureq_proto::BodyMode::CloseDelimited,
            _ => true,
        };
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                if framed {
                    Ok(0)
                } else {
                    Err(Error::Cut {
                        received: self.received,
                    })
                }
            }
            _ => Err(broken(error)),
        }
    }
}

fn answer_head(answer: &Response<()>) -> AnswerHead {
    let headers = answer.headers().iter();
    AnswerHead {
        status: answer.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
    }
}
