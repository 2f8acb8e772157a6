//! The bytes of one connection: TCP, or TLS over it, or TLS over a proxy's TLS.
//!
//! Does not depend on HTTP. What it adds to `Read` and `Write` is [`Stream::has_input`]: whether the peer has said
//! something while we were still talking, which is how an answer that comes before the end of an upload is noticed.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::ops::Range;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use socket2::SockRef;

#[cfg(unix)]
use super::agent;
use super::deadline::{Hurried, Patience};
use super::error::Error;
use super::tcp;
use super::tls::Client;

/// One end of a connection.
#[derive(Debug)]
pub(super) enum Stream {
    /// Clear text: loopback, or the way to a proxy.
    Plain(TcpStream),
    /// A proxy's socket on this machine.
    #[cfg(unix)]
    Local(UnixStream),
    /// TLS over another stream.
    Tls(Box<Tls>),
}

/// Bytes that are read from under TLS at once. rustls asks for 4 KiB at a time, which is a quarter of a record; with
/// this, and with records written together, a clone or a push needs a fifth less CPU.
const AHEAD: usize = 64 * 1024;

/// TLS over another stream.
#[derive(Debug)]
pub(super) struct Tls {
    session: ClientConnection,
    inner: Stream,
    ahead: Ahead,
    host: String,
}

/// What has been read from under TLS, and not been taken by it yet.
#[derive(Debug, Default)]
struct Ahead {
    buffer: Vec<u8>,
    unread: Range<usize>,
}

impl Ahead {
    /// Hands what has been read to `session`; where that is nothing, reads once.
    fn feed(&mut self, session: &mut ClientConnection, inner: &mut Stream) -> io::Result<usize> {
        if self.unread.is_empty() {
            self.buffer.resize(AHEAD, 0);
            self.unread = 0..inner.read(&mut self.buffer)?;
        }
        let mut unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
        let count = session.read_tls(&mut unread)?;
        self.unread.start += count;
        Ok(count)
    }
}

impl Stream {
    /// Connects to the agent whose socket is at `path`.
    #[cfg(unix)]
    pub(super) fn agent(path: &Path) -> Result<Self, Error> {
        let connected = agent::connect(path, agent::SILENCE);
        connected.map(Self::Local).map_err(|source| Error::Agent {
            path: path.display().to_string(),
            source,
        })
    }

    /// Completes a TLS handshake with `host` over this stream, before `deadline`.
    pub(super) fn secure(mut self, client: &Client, host: &str, deadline: Instant) -> Result<Self, Error> {
        let failed = |source| Error::Tls {
            host: host.to_owned(),
            source,
        };
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| failed(rustls::Error::General(format!("'{host}' is no name for a certificate"))))?;
        let mut session = ClientConnection::new(Arc::clone(&client.config), name).map_err(failed)?;
        while session.is_handshaking() {
            let mut hurried = Hurried {
                stream: &mut self,
                deadline,
            };
            if let Err(error) = session.complete_io(&mut hurried) {
                // A server that has asked for a certificate and got none says only that.
                if let Some(fault) = client.fault() {
                    return Err(fault);
                }
                return Err(match error.downcast::<rustls::Error>() {
                    Ok(source) => failed(source),
                    Err(error) => match error.kind() {
                        io::ErrorKind::Interrupted => continue,
                        io::ErrorKind::UnexpectedEof => Error::NoAnswer,
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => too_late(host),
                        _ => Error::Broken(error),
                    },
                });
            }
        }
        if let Some(fault) = client.fault() {
            return Err(fault);
        }
        Ok(Self::Tls(Box::new(Tls {
            session,
            inner: self,
            ahead: Ahead::default(),
            host: host.to_owned(),
        })))
    }

    /// Sets how long the peer may leave what was sent unacknowledged before the connection is given up.
    ///
    /// # Errors
    /// Where the system has no such thing.
    #[cfg(target_os = "linux")]
    pub(super) fn set_unheard(&self, limit: Option<Duration>) -> io::Result<()> {
        self.socket().set_tcp_user_timeout(limit)
    }

    /// Only Linux has such a limit.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "as on Linux")]
    pub(super) fn set_unheard(&self, limit: Option<Duration>) -> io::Result<()> {
        match limit {
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
            None => Ok(()),
        }
    }

    /// Returns the version of TLS and its cipher, for the trace.
    pub(super) fn security(&self) -> String {
        let Self::Tls(tls) = self else {
            return "clear text".to_owned();
        };
        let version = tls.session.protocol_version();
        let suite = tls.session.negotiated_cipher_suite().map(|suite| suite.suite());
        format!("{} with {}", word(version), word(suite))
    }

    /// Returns the server's certificate in DER.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        let Self::Tls(tls) = self else { return None };
        tls.session.peer_certificates()?.first().map(AsRef::as_ref)
    }

    fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Plain(socket) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Local(socket) => SockRef::from(socket),
            Self::Tls(tls) => tls.inner.socket(),
        }
    }

    /// Whether a read would return at once: there is plain text, the end, or an error.
    pub(super) fn has_input(&mut self) -> bool {
        if let Self::Tls(tls) = self {
            return tls.has_input();
        }
        has_bytes(&self.socket())
    }
}

impl Patience for Stream {
    fn set_patience(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        let socket = self.socket();
        socket.set_read_timeout(read)?;
        socket.set_write_timeout(write)
    }
}

fn word(value: Option<impl std::fmt::Debug>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"))
}

fn too_late(host: &str) -> Error {
    Error::Connect {
        peer: host.to_owned(),
        source: io::ErrorKind::TimedOut.into(),
    }
}

/// A peek that does not wait. Three system calls, but only one portable name. A signal is no input.
fn has_bytes(socket: &SockRef<'_>) -> bool {
    if socket.set_nonblocking(true).is_err() {
        return true;
    }
    let quiet = loop {
        match socket.peek(&mut [MaybeUninit::uninit()]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break error.kind() == io::ErrorKind::WouldBlock,
            Ok(_) => break false,
        }
    };
    socket.set_nonblocking(false).is_err() || !quiet
}

impl Tls {
    /// TLS 1.3 sends session tickets after the handshake: bytes on the socket are not yet bytes for us.
    fn has_input(&mut self) -> bool {
        loop {
            match self.session.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() > 0 || state.peer_has_closed() => return true,
                Err(_) => return true,
                Ok(_) => {}
            }
            if self.ahead.unread.is_empty() && !self.inner.has_input() {
                return false;
            }
            match self.ahead.feed(&mut self.session, &mut self.inner) {
                Ok(1..) => {}
                Err(error) if is_passing(&error) => return false,
                _ => return true,
            }
        }
    }

    /// Sends the records that are ready. Where that has to wait, they stay ready.
    fn drain(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if self.session.write_tls(&mut self.inner)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Fills `buffer` as far as that goes without waiting; waits only where there is nothing at all.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            let space = buffer.get_mut(filled..).unwrap_or_default();
            match self.session.reader().read(space) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(count @ 1..) if count < space.len() => {
                    filled += count;
                    continue;
                }
                Ok(count) => return Ok(filled + count),
                // It is still there the next time.
                Err(_) if filled > 0 => return Ok(filled),
                error => return error,
            }
            if filled > 0 && self.ahead.unread.is_empty() {
                return Ok(filled);
            }
            // An answer to the peer's key update, say; the peer may wait for it. A peer that takes no more may have
            // left an answer all the same: whether there is one, the next lines tell.
            self.drain().ok();
            match self.session.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() > 0 || state.peer_has_closed() => {}
                Ok(_) => {
                    self.ahead.feed(&mut self.session, &mut self.inner)?;
                }
                // What is good goes first; rustls says the same the next time.
                Err(_) if filled > 0 => return Ok(filled),
                Err(source) => {
                    // The alert that tells the peer why; it may be gone already.
                    self.drain().ok();
                    let host = self.host.clone();
                    return Err(io::Error::new(io::ErrorKind::InvalidData, Error::Tls { host, source }));
                }
            }
        }
    }

    /// What came before goes first, so that rustls' buffer stays within its bound and a peer that takes nothing is
    /// noticed.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.drain()?;
        self.session.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.inner.flush()
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => tcp::read(socket, buffer),
            #[cfg(unix)]
            Self::Local(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => tcp::write(socket, bytes),
            #[cfg(unix)]
            Self::Local(socket) => socket.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    /// TLS writes its records with it, all that are ready in one system call.
    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => tcp::write_vectored(socket, pieces),
            #[cfg(unix)]
            Self::Local(socket) => socket.write_vectored(pieces),
            Self::Tls(tls) => tls.write(pieces.iter().find(|piece| !piece.is_empty()).map_or(&[], |piece| piece)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            #[cfg(unix)]
            Self::Local(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
