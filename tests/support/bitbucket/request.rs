//! What arrives: request heads and bodies, read through one fixed buffer a connection.

use std::io;

use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt as _};

const BUFFER: usize = 64 * 1024;
const MAX_HEADERS: usize = 96;

/// The reading half of a connection, with the bytes that have arrived and not been used.
pub(crate) struct Inbound<R> {
    io: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: AsyncRead + Unpin> Inbound<R> {
    pub(crate) fn new(io: R) -> Self {
        Self {
            io,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.io
    }

    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Waits for more bytes. None left to come is `false`.
    pub(crate) async fn fill(&mut self) -> io::Result<bool> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        if free.is_empty() {
            return Err(io::Error::other("a request head larger than the buffer"));
        }
        let count = self.io.read(free).await?;
        self.end += count;
        Ok(count > 0)
    }

    async fn fill_or_fail(&mut self) -> io::Result<()> {
        if self.fill().await? {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// The next request's head, or `None` if the client has closed the connection between two requests.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some((length, head)) = Head::parse(self.buffered())? {
                self.start += length;
                return Ok(Some(head));
            }
            if !self.fill().await? {
                return if self.buffered().is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }
}

/// A request's first line and headers, as they came.
pub(crate) struct Head {
    pub(crate) method: String,
    /// Path and query, as on the wire.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) http10: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Option<(usize, Self)>> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let Status::Complete(length) = request.parse(bytes).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let head = Self {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: request
                .headers
                .iter()
                .map(|header| (header.name.to_owned(), text(header.value)))
                .collect(),
            http10: request.version == Some(0),
        };
        Ok(Some((length, head)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(self.target.as_str(), |(path, _)| path)
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Whether header `name` lists `token`.
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        let values = self.header(name).unwrap_or_default();
        values.split(',').any(|value| {
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .eq_ignore_ascii_case(token)
        })
    }

    pub(crate) fn body(&self) -> Body {
        if self.lists("transfer-encoding", "chunked") {
            return Body::ChunkHead;
        }
        let length = self
            .header("content-length")
            .and_then(|length| length.trim().parse().ok());
        length.map_or(Body::Done, Body::Length)
    }
}

/// How far a request's body has been read.
pub(crate) enum Body {
    Length(u64),
    ChunkHead,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Done,
}

impl Body {
    /// The next piece of the body, without its framing; empty at the end.
    pub(crate) async fn next<'a, R: AsyncRead + Unpin>(&mut self, inbound: &'a mut Inbound<R>) -> io::Result<&'a [u8]> {
        loop {
            if matches!(self, Self::Length(0) | Self::Done) {
                return Ok(&[]);
            }
            if inbound.buffered().is_empty() {
                inbound.fill_or_fail().await?;
            }
            if let Self::Length(left) | Self::Chunk(left) = self {
                let count = inbound
                    .buffered()
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                if matches!(self, Self::Chunk(0)) {
                    *self = Self::ChunkEnd;
                }
                inbound.start += count;
                return Ok(inbound
                    .buffer
                    .get(inbound.start - count..inbound.start)
                    .unwrap_or_default());
            }
            self.framing(inbound).await?;
        }
    }

    /// Steps over one piece of chunked framing, or waits for the rest of it.
    async fn framing<R: AsyncRead + Unpin>(&mut self, inbound: &mut Inbound<R>) -> io::Result<()> {
        let bytes = inbound.buffered();
        if matches!(self, Self::ChunkHead) {
            let invalid = |_| io::Error::other("not a chunk size");
            if let Status::Complete((length, size)) = httparse::parse_chunk_size(bytes).map_err(invalid)? {
                inbound.start += length;
                *self = if size == 0 { Self::Trailer } else { Self::Chunk(size) };
                return Ok(());
            }
        } else if let Some(line) = bytes.windows(2).position(|pair| pair == b"\r\n") {
            inbound.start += line + 2;
            match (&self, line) {
                (Self::ChunkEnd, 0) => *self = Self::ChunkHead,
                (Self::ChunkEnd, _) => return Err(io::Error::other("a chunk longer than it said")),
                (_, 0) => *self = Self::Done,
                (_, _) => {}
            }
            return Ok(());
        }
        inbound.fill_or_fail().await
    }
}
