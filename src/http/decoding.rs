//! The body of an answer as git sees it: `Content-Encoding` undone, and its end checked twice.
//!
//! Does not depend on requests, nor on connections beyond the exchange that it reads from.

use std::io::{self, Cursor, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::answer_head::AnswerHead;
use super::error::Error;
use super::exchange::Exchange;

/// What `Accept-Encoding` offers, the same as git.
pub(super) const ACCEPTED: &str = "Accept-Encoding: deflate, gzip";

/// A body that is read through its content coding.
pub(super) enum Decoding {
    Identity(Box<Exchange>),
    Gzip(Box<MultiGzDecoder<Raw>>),
    /// `deflate`, of which nothing has been read yet: it has zlib's two bytes before it, or not.
    Deflated(Option<Box<Exchange>>),
    Zlib(Box<ZlibDecoder<Begun>>),
    Deflate(Box<DeflateDecoder<Begun>>),
}

/// The undecoded body as a reader.
pub(super) struct Raw(Box<Exchange>);

/// The same, with the bytes that told what it is.
type Begun = io::Chain<Cursor<Vec<u8>>, Raw>;

impl Read for Raw {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(io::Error::other)
    }
}

impl Decoding {
    /// Returns the body of `exchange`, which is coded as `head` says.
    pub(super) fn new(exchange: Exchange, head: &AnswerHead) -> Result<Self, Error> {
        let exchange = Box::new(exchange);
        // curl takes these two for no coding at all.
        let mut codings = head.words("content-encoding");
        let mut codings = codings
            .by_ref()
            .filter(|coding| coding != "identity" && coding != "none");
        match (codings.next().as_deref(), codings.next()) {
            (None, _) => Ok(Self::Identity(exchange)),
            (Some("gzip" | "x-gzip"), None) => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(Raw(exchange))))),
            (Some("deflate"), None) => Ok(Self::Deflated(Some(exchange))),
            (Some(other), None) => Err(Error::Malformed(format!("unsupported Content-Encoding '{other}'"))),
            (Some(_), Some(_)) => Err(Error::Malformed("more than one Content-Encoding".to_owned())),
        }
    }

    /// Reads the decoded body; 0 at its end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        if let Self::Deflated(exchange) = self
            && let Some(exchange) = exchange.take()
        {
            *self = inflating(exchange)?;
        }
        match self {
            Self::Identity(exchange) => exchange.read(out),
            Self::Gzip(decoder) => decoder.read(out).map_err(broken_coding),
            Self::Zlib(decoder) => decoder.read(out).map_err(broken_coding),
            Self::Deflate(decoder) => decoder.read(out).map_err(broken_coding),
            Self::Deflated(_) => Ok(0),
        }
    }

    /// Ends the body: what HTTP carried must have ended too. Returns the exchange, ready for its connection to be kept.
    pub(super) fn finish(self) -> Result<Option<Exchange>, Error> {
        let exchange = match self {
            Self::Identity(exchange) => Some(exchange),
            Self::Gzip(decoder) => Some(decoder.into_inner().0),
            Self::Zlib(decoder) => Some(decoder.into_inner().into_inner().1.0),
            Self::Deflate(decoder) => Some(decoder.into_inner().into_inner().1.0),
            Self::Deflated(exchange) => exchange,
        };
        let Some(mut exchange) = exchange else { return Ok(None) };
        if exchange.read(&mut [0])? > 0 {
            return Err(Error::Malformed("data after the end of the compressed body".to_owned()));
        }
        Ok(Some(*exchange))
    }
}

/// Begins to decode `deflate`. It means zlib's format (RFC 9110, section 8.4.1.2), but some servers send its content
/// bare; curl tells them apart by the first two bytes, too.
fn inflating(exchange: Box<Exchange>) -> Result<Decoding, Error> {
    let mut raw = Raw(exchange);
    let mut begin = Vec::new();
    raw.by_ref().take(2).read_to_end(&mut begin).map_err(broken_coding)?;
    if begin.is_empty() {
        return Ok(Decoding::Identity(raw.0));
    }
    let is_zlib = match *begin {
        [method, flags] => method & 0x0f == 8 && u16::from_be_bytes([method, flags]) % 31 == 0,
        _ => false,
    };
    let whole = Cursor::new(begin).chain(raw);
    Ok(if is_zlib {
        Decoding::Zlib(Box::new(ZlibDecoder::new(whole)))
    } else {
        Decoding::Deflate(Box::new(DeflateDecoder::new(whole)))
    })
}

/// A cut connection passes through the decoder as it is; what the decoder itself says is about its data.
fn broken_coding(error: io::Error) -> Error {
    error
        .downcast()
        .unwrap_or_else(|error| Error::Malformed(format!("corrupt compressed data: {error}")))
}
