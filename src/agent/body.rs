//! The body of a client's request: a length or chunks, and nothing that is optional in HTTP.
//!
//! A body that ends early is an error, never an end. Does not depend on git.

use std::io::{self, BufRead, Read};

use super::request::Framing;

/// The longest line that tells a chunk's length: eight digits.
const DIGITS: usize = 8;

/// What is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// So many bytes of the whole body.
    Length(u64),
    /// So many bytes of this chunk.
    Chunk(u64),
    /// A chunk's length, which is not the first one.
    NextChunk,
    /// A chunk's length.
    FirstChunk,
    Nothing,
}

/// A body that is read from `from`, and no byte beyond its end.
#[derive(Debug)]
pub(super) struct Body<R> {
    from: R,
    left: Left,
}

impl<R: BufRead> Body<R> {
    pub(super) fn new(from: R, framing: Framing) -> Self {
        let left = match framing {
            Framing::None | Framing::Length(0) => Left::Nothing,
            Framing::Length(length) => Left::Length(length),
            Framing::Chunked => Left::FirstChunk,
        };
        Self { from, left }
    }

    /// Whether all of it has been read.
    pub(super) fn is_complete(&self) -> bool {
        self.left == Left::Nothing
    }

    /// Reads the line before a chunk, with the end of the line after the chunk before.
    fn next_chunk(&mut self) -> io::Result<Left> {
        if self.left == Left::NextChunk {
            self.expect_line_end()?;
        }
        let mut length: u64 = 0;
        let mut digits = 0;
        loop {
            let byte = self.byte()?;
            if byte == b'\r' && digits > 0 {
                break;
            }
            let digit = char::from(byte).to_digit(16).filter(|_| digits < DIGITS);
            length = length * 16 + u64::from(digit.ok_or_else(malformed)?);
            digits += 1;
        }
        if self.byte()? != b'\n' {
            return Err(malformed());
        }
        if length > 0 {
            return Ok(Left::Chunk(length));
        }
        // No trailers.
        self.expect_line_end()?;
        Ok(Left::Nothing)
    }

    fn expect_line_end(&mut self) -> io::Result<()> {
        if [self.byte()?, self.byte()?] == *b"\r\n" {
            Ok(())
        } else {
            Err(malformed())
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.from.read_exact(&mut byte)?;
        Ok(byte[0])
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the chunks of the body are malformed")
}

impl<R: BufRead> Read for Body<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if matches!(self.left, Left::FirstChunk | Left::NextChunk) {
            self.left = self.next_chunk()?;
        }
        let (Left::Length(left) | Left::Chunk(left)) = self.left else {
            return Ok(0);
        };
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        let count = self.from.read(out.get_mut(..most).unwrap_or_default())?;
        if count == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let left = left - count as u64;
        self.left = match self.left {
            Left::Length(_) if left == 0 => Left::Nothing,
            Left::Length(_) => Left::Length(left),
            _ if left == 0 => Left::NextChunk,
            _ => Left::Chunk(left),
        };
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], framing: Framing) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let mut from = bytes;
        let mut body = Body::new(&mut from, framing);
        let mut out = Vec::new();
        body.read_to_end(&mut out)?;
        assert!(body.is_complete());
        Ok((out, from.to_vec()))
    }

    #[test]
    fn a_body_ends_where_it_says() {
        let good = |bytes: &[u8], framing, body: &[u8]| {
            assert_eq!(
                read(bytes, framing).expect("it is good"),
                (body.to_vec(), b"next".to_vec())
            );
        };
        good(b"next", Framing::None, b"");
        good(b"next", Framing::Length(0), b"");
        good(b"abcnext", Framing::Length(3), b"abc");
        good(b"3\r\nabc\r\n0\r\n\r\nnext", Framing::Chunked, b"abc");
        good(b"1\r\na\r\n02\r\nbc\r\n0\r\n\r\nnext", Framing::Chunked, b"abc");
        good(b"A\r\n0123456789\r\n0\r\n\r\nnext", Framing::Chunked, b"0123456789");
        good(b"0\r\n\r\nnext", Framing::Chunked, b"");
    }

    #[test]
    fn what_is_optional_or_cut_is_an_error() {
        for bytes in [
            "",
            "3",
            "3\r\nab",
            "3\r\nabc",
            "3\r\nabc\r\n",
            "3\r\nabc\r\n0\r\n",
            "3\r\nabc\r\n0\r\nX: y\r\n\r\n",
            "3;x=y\r\nabc\r\n0\r\n\r\n",
            "3 \r\nabc\r\n0\r\n\r\n",
            " 3\r\nabc\r\n0\r\n\r\n",
            "3\nabc\n0\n\n",
            "3\r\nabc0\r\n\r\n",
            "+3\r\nabc\r\n0\r\n\r\n",
            "0x3\r\nabc\r\n0\r\n\r\n",
            "-1\r\nabc\r\n0\r\n\r\n",
            "\r\nabc\r\n0\r\n\r\n",
            "000000003\r\nabc\r\n0\r\n\r\n",
            "fffffffffffffffff\r\nabc",
            "g\r\nabc\r\n0\r\n\r\n",
        ] {
            assert!(read(bytes.as_bytes(), Framing::Chunked).is_err(), "{bytes:?}");
        }
        assert!(read(b"ab", Framing::Length(3)).is_err());
    }
}
