//! The body of an answer as git sees it: `Content-Encoding` undone, and its end checked twice.
//!
//! It must not know requests or connections beyond the exchange that it reads from.

use std::io::{self, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::error::Error;
use super::exchange::Exchange;

/// What `Accept-Encoding` offers, the same as git.
pub(super) const ACCEPTED: &str = "Accept-Encoding: deflate, gzip";

/// A body that is read through its content coding.
pub(super) enum Decoding {
    Identity(Box<Exchange>),
    Gzip(Box<MultiGzDecoder<Raw>>),
    Deflate(Box<ZlibDecoder<Raw>>),
}

/// The undecoded body as a reader.
pub(super) struct Raw(Box<Exchange>);

impl Read for Raw {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(io::Error::other)
    }
}

impl Decoding {
    /// Returns the body of `exchange`, which is coded as `coding` (the value of `Content-Encoding`) says.
    pub(super) fn new(exchange: Exchange, coding: &str) -> Result<Self, Error> {
        let exchange = Box::new(exchange);
        match coding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity(exchange)),
            "gzip" | "x-gzip" => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(Raw(exchange))))),
            "deflate" => Ok(Self::Deflate(Box::new(ZlibDecoder::new(Raw(exchange))))),
            other => Err(Error::Malformed(format!("unsupported Content-Encoding '{other}'"))),
        }
    }

    /// Reads the decoded body; 0 at its end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Identity(exchange) => exchange.read(out),
            Self::Gzip(decoder) => decoder.read(out).map_err(broken_coding),
            Self::Deflate(decoder) => decoder.read(out).map_err(broken_coding),
        }
    }

    /// Ends the body: what HTTP carried must have ended too. Returns the exchange, ready for its connection to be kept.
    pub(super) fn finish(self) -> Result<Exchange, Error> {
        let mut exchange = match self {
            Self::Identity(exchange) => exchange,
            Self::Gzip(decoder) => decoder.into_inner().0,
            Self::Deflate(decoder) => decoder.into_inner().0,
        };
        if exchange.read(&mut [0])? > 0 {
            return Err(Error::Malformed("data after the end of the compressed body".to_owned()));
        }
        Ok(*exchange)
    }
}

/// A cut connection passes through the decoder as it is; what the decoder itself says is about its data.
fn broken_coding(error: io::Error) -> Error {
    error
        .downcast()
        .unwrap_or_else(|error| Error::Malformed(format!("corrupt compressed data: {error}")))
}
