//! Where the body of an answer ends, and its bytes without their framing (RFC 9112, sections 6 and 7).
//!
//! As lenient as curl: a line of chunked framing may end with LF alone. Does not depend on connections.

use super::answer_head::AnswerHead;
use super::error::Error;

/// How a body is framed, and how much of it is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// This many bytes more (`Content-Length`).
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked(Chunk),
    /// It ends with the connection.
    UntilClose,
}

/// Where in a chunked body its next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the length of a chunk.
    Size(Option<u64>),
    /// In the rest of the line, which has the length before it.
    Extension(u64),
    /// In the content: this many bytes more.
    Data(u64),
    /// In the line end after the content.
    End,
    /// In the trailers: whether the line has a byte yet.
    Trailer(bool),
    /// Behind the end.
    Done,
}

fn malformed(reason: &str) -> Error {
    Error::Malformed(reason.to_owned())
}

impl Body {
    /// Returns how the body of the answer with `head` is framed.
    pub(super) fn of(head: &AnswerHead) -> Result<Self, Error> {
        if matches!(head.status, 101 | 204 | 304) {
            return Ok(Self::Length(0));
        }
        let mut codings = head.words("transfer-encoding").filter(|coding| coding != "identity");
        match (codings.next().as_deref(), codings.next()) {
            (None, _) => {}
            (Some("chunked"), None) => return Ok(Self::Chunked(Chunk::Size(None))),
            _ => return Err(malformed("unsupported Transfer-Encoding")),
        }
        let mut length = None;
        for value in head.words("content-length") {
            let value = value.parse().map_err(|_| malformed("invalid Content-Length"))?;
            if length.is_some_and(|known| known != value) {
                return Err(malformed("conflicting Content-Length headers"));
            }
            length = Some(value);
        }
        Ok(length.map_or(Self::UntilClose, Self::Length))
    }

    /// Whether all of it has been taken. One that ends with the connection never tells so by itself.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Done))
    }

    /// Moves content from `input` to `out`. Returns how many bytes were taken from the one and put into the other.
    pub(super) fn take(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Error> {
        match self {
            Self::UntilClose => {
                let count = moved(input, out, u64::MAX);
                Ok((count, count))
            }
            Self::Length(left) => {
                let count = moved(input, out, *left);
                *left -= count as u64;
                Ok((count, count))
            }
            Self::Chunked(chunk) => chunk.take(input, out),
        }
    }
}

/// Copies as much as there is, fits and is allowed.
fn moved(input: &[u8], out: &mut [u8], most: u64) -> usize {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let count = input.len().min(out.len()).min(most);
    if let (Some(to), Some(from)) = (out.get_mut(..count), input.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

impl Chunk {
    fn take(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Error> {
        let (mut used, mut made) = (0, 0);
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            match self {
                Self::Done => break,
                Self::Data(left) => {
                    let count = moved(rest, out.get_mut(made..).unwrap_or_default(), *left);
                    if count == 0 {
                        break;
                    }
                    (used, made) = (used + count, made + count);
                    *left -= count as u64;
                    if *left == 0 {
                        *self = Self::End;
                    }
                }
                _ => {
                    *self = self.after(rest.first().copied().unwrap_or_default())?;
                    used += 1;
                }
            }
        }
        Ok((used, made))
    }

    /// Returns the place after one byte of framing.
    fn after(self, byte: u8) -> Result<Self, Error> {
        Ok(match (self, byte) {
            (Self::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = u64::from(char::from(byte).to_digit(16).unwrap_or_default());
                let longer = size.unwrap_or_default().checked_mul(16).map(|size| size + digit);
                Self::Size(Some(longer.ok_or_else(|| malformed("invalid chunk length"))?))
            }
            (Self::Size(Some(size)) | Self::Extension(size), b'\n') => match size {
                0 => Self::Trailer(false),
                size => Self::Data(size),
            },
            (Self::Size(Some(size)), b'\r' | b';' | b' ' | b'\t') | (Self::Extension(size), _) => Self::Extension(size),
            (Self::Size(_), _) => return Err(malformed("invalid chunk length")),
            (Self::End, b'\n') => Self::Size(None),
            (Self::End, b'\r') => Self::End,
            (Self::End, _) => return Err(malformed("a chunk is longer than its length")),
            (Self::Trailer(false), b'\n') => Self::Done,
            (Self::Trailer(_), b'\n') => Self::Trailer(false),
            (Self::Trailer(begun), b'\r') => Self::Trailer(begun),
            (Self::Trailer(_), _) => Self::Trailer(true),
            (state, _) => state,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(headers: &[(&str, &str)]) -> AnswerHead {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        AnswerHead {
            headers: headers.collect(),
            ..AnswerHead::default()
        }
    }

    /// Takes `pieces` one after the other; returns the content, and whether it is complete.
    fn taken(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), Error> {
        let (mut body, mut content) = (Body::Chunked(Chunk::Size(None)), Vec::new());
        for piece in pieces {
            let mut rest = *piece;
            loop {
                let mut out = [0; 7];
                let (used, made) = body.take(rest, &mut out)?;
                content.extend_from_slice(&out[..made]);
                rest = &rest[used..];
                if used == 0 {
                    break;
                }
            }
        }
        Ok((content, body.is_complete()))
    }

    #[test]
    fn the_headers_say_how_a_body_is_framed() {
        let of = |headers| Body::of(&head(headers));
        assert_eq!(of(&[]).unwrap(), Body::UntilClose);
        assert_eq!(of(&[("content-length", "5")]).unwrap(), Body::Length(5));
        assert_eq!(of(&[("content-length", "5, 5")]).unwrap(), Body::Length(5));
        let chunked = Body::Chunked(Chunk::Size(None));
        assert_eq!(of(&[("transfer-encoding", "Chunked")]).unwrap(), chunked);
        assert_eq!(
            of(&[("content-length", "5"), ("transfer-encoding", "identity, chunked")]).unwrap(),
            chunked
        );
        for headers in [
            [("content-length", "5"), ("content-length", "6")],
            [("content-length", "-1"), ("x", "y")],
            [("content-length", "99999999999999999999999"), ("x", "y")],
            [("transfer-encoding", "gzip, chunked"), ("x", "y")],
            [("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert!(Body::of(&head(&headers)).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn lines_of_chunked_framing_end_with_crlf_or_lf() {
        for text in [
            "5\r\nhello\r\n0\r\n\r\n",
            "5\nhello\n0\n\n",
            "005;a=b\r\nhello\r\n0\r\nX-A: b\r\n\r\n",
            "2 \r\nhe\r\n3\r\nllo\r\n00\r\nX: y\n\n",
        ] {
            assert_eq!(
                taken(&[text.as_bytes()]).unwrap(),
                (b"hello".to_vec(), true),
                "{text:?}"
            );
        }
        assert!(!taken(&[b"5\r\nhello\r\n0\r\n"]).unwrap().1);
        assert!(!taken(&[b"5\r\nhel"]).unwrap().1);
    }

    #[test]
    fn invalid_chunks_are_refused() {
        for text in [
            "zz\r\n",
            "\r\n",
            ";x\r\n",
            "ffffffffffffffffffff\r\n",
            "2\r\n0000",
            "5x\r\n",
        ] {
            assert!(taken(&[text.as_bytes()]).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_pieces_of_chunks_give_the_same_content(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..10),
            size in 1_usize..40,
        ) {
            let mut text = Vec::new();
            for chunk in &chunks {
                text.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                text.extend_from_slice(chunk);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
            let pieces: Vec<_> = text.chunks(size).collect();
            prop_assert_eq!(taken(&pieces).unwrap(), (chunks.concat(), true));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            taken(&[&bytes]).ok();
        }
    }
}
