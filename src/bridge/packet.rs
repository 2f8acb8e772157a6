//! Packets of git's protocols (`gitprotocol-common(5)`, "pkt-line"): reading them whole, and following them by.
//!
//! gitoxide's decoder refuses the empty packet `0004`, which git itself accepts; a bridge must not be stricter than
//! the two that it connects.

use std::io::{self, BufRead};

/// The longest packet, its length included (`LARGE_PACKET_MAX` of git).
pub const MAX: usize = 65520;

/// Why the next packet cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stream itself failed.
    #[error("the stream failed")]
    Read(#[source] io::Error),
    /// The stream ended inside a packet.
    #[error("the stream ends inside a packet")]
    Truncated,
    /// Four bytes that are no length.
    #[error("'{0}' is no packet length")]
    Invalid(String),
}

/// What a packet is, told by its first four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    /// `0000`
    Flush,
    /// `0001`
    Delimiter,
    /// `0002`
    ResponseEnd,
    /// Content of this many bytes, 0 to 65,516.
    Data(usize),
}

impl Packet {
    /// Returns what `header` announces.
    ///
    /// # Errors
    /// If it is not four hexadecimal digits, or a length that no packet has.
    pub fn parse(header: [u8; 4]) -> Result<Self, Error> {
        let broken = || Error::Invalid(header.escape_ascii().to_string());
        if !header.iter().all(u8::is_ascii_hexdigit) {
            return Err(broken());
        }
        let digits = header.iter().filter_map(|digit| char::from(*digit).to_digit(16));
        match digits.fold(0, |length, digit| length * 16 + digit as usize) {
            0 => Ok(Self::Flush),
            1 => Ok(Self::Delimiter),
            2 => Ok(Self::ResponseEnd),
            length @ 4..=MAX => Ok(Self::Data(length - 4)),
            _ => Err(broken()),
        }
    }
}

/// Appends the next packet to `into`, its length included. Returns nothing at the end of the stream.
///
/// # Errors
/// See [`Error`]; what was read of a broken packet stays in `into`.
pub fn read(from: &mut impl BufRead, into: &mut Vec<u8>) -> Result<Option<Packet>, Error> {
    if from.fill_buf().map_err(Error::Read)?.is_empty() {
        return Ok(None);
    }
    let mut header = [0; 4];
    from.read_exact(&mut header).map_err(ended)?;
    into.extend_from_slice(&header);
    let packet = Packet::parse(header)?;
    if let Packet::Data(length) = packet {
        let start = into.len();
        into.resize(start + length, 0);
        from.read_exact(into.get_mut(start..).unwrap_or_default())
            .map_err(ended)?;
    }
    Ok(Some(packet))
}

/// `read_exact` makes an error without a payload of its own where a stream just ends.
fn ended(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof && error.get_ref().is_none() {
        Error::Truncated
    } else {
        Error::Read(error)
    }
}

/// Returns the content of a packet that [`read`] appended, without a line end.
pub fn content(packet: &[u8]) -> &[u8] {
    let content = packet.get(4..).unwrap_or_default();
    content.strip_suffix(b"\n").unwrap_or(content)
}

/// Appends a packet with `content` to `into`. Content beyond the longest packet is the caller's mistake.
pub fn write(content: &[u8], into: &mut Vec<u8>) {
    debug_assert!(content.len() + 4 <= MAX, "BUG: a packet holds at most 65,516 bytes");
    into.extend_from_slice(format!("{:04x}", content.len() + 4).as_bytes());
    into.extend_from_slice(content);
}

/// As much of a packet as is kept: enough for what a server has to say in one.
const START: usize = 1024;

/// Follows a stream of packets as it passes, without copying: only so can an answer that ends in the middle be told
/// from one that is complete, where the end of the HTTP body alone says nothing.
#[derive(Debug, Default)]
pub struct Framing {
    header: [u8; 4],
    header_bytes: usize,
    content_left: usize,
    total: u64,
    last: Option<Packet>,
    /// The first bytes of the last packet.
    start: Vec<u8>,
}

impl Framing {
    /// Follows `bytes`, the next of the stream.
    ///
    /// # Errors
    /// [`Error::Invalid`] at the first four bytes that are no packet length.
    pub fn follow(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.total += bytes.len() as u64;
        while let Some(&byte) = bytes.first() {
            if self.content_left > 0 {
                let count = self.content_left.min(bytes.len());
                let (now, later) = bytes.split_at(count);
                let room = START.saturating_sub(self.start.len()).min(count);
                self.start.extend_from_slice(now.get(..room).unwrap_or_default());
                self.content_left -= count;
                bytes = later;
                continue;
            }
            if let Some(place) = self.header.get_mut(self.header_bytes) {
                *place = byte;
            }
            self.header_bytes += 1;
            bytes = bytes.get(1..).unwrap_or_default();
            if self.header_bytes == 4 {
                self.header_bytes = 0;
                let packet = Packet::parse(self.header)?;
                if let Packet::Data(length) = packet {
                    self.content_left = length;
                }
                self.start.clear();
                self.last = Some(packet);
            }
        }
        Ok(())
    }

    /// Returns how many bytes have passed.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns what the server reported, if the last packet was `ERR …`.
    pub fn reported(&self) -> Option<String> {
        let text = self.start.strip_prefix(b"ERR ")?;
        Some(String::from_utf8_lossy(text).trim_end().to_owned())
    }

    /// Returns why an answer to `fetch-pack` may not end here: one of version 0 ends with a flush packet too, or with the
    /// last word of a negotiation (`gitprotocol-pack(5)`, "Packfile Negotiation").
    pub fn missing_for_fetch_pack(&self) -> Option<String> {
        let missing = self.missing()?;
        let start = self.start.strip_suffix(b"\n").unwrap_or(&self.start);
        let last_word = start == b"NAK"
            || start
                .strip_prefix(b"ACK ")
                .is_some_and(|id| id.iter().all(u8::is_ascii_hexdigit));
        let whole = self.header_bytes == 0 && self.content_left == 0;
        (!whole || !last_word).then_some(missing)
    }

    /// Returns why the stream may not end here: nothing if it is at the end of a flush packet.
    pub fn missing(&self) -> Option<String> {
        if self.header_bytes > 0 || self.content_left > 0 {
            Some(format!("the answer ended after {} bytes, inside a packet", self.total))
        } else if self.last == Some(Packet::Flush) {
            None
        } else {
            Some(format!(
                "the answer ended after {} bytes, before its last packet",
                self.total
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn follow(chunks: &[&[u8]]) -> Result<Framing, Error> {
        let mut framing = Framing::default();
        for chunk in chunks {
            framing.follow(chunk)?;
        }
        Ok(framing)
    }

    #[test]
    fn an_answer_ends_with_a_flush_packet() {
        assert_eq!(follow(&[b"0009hello0000"]).unwrap().missing(), None);
        assert!(follow(&[b"0009hello"]).unwrap().missing().is_some());
        assert!(follow(&[b"0009hel"]).unwrap().missing().is_some());
        assert!(follow(&[b"0009hello00"]).unwrap().missing().is_some());
        assert!(follow(&[]).unwrap().missing().is_some());
        assert_eq!(follow(&[b"00040000"]).unwrap().missing(), None);
    }

    #[test]
    fn an_answer_to_fetch_pack_may_also_end_with_the_last_word_of_a_negotiation() {
        let missing = |bytes: &[u8]| follow(&[bytes]).unwrap().missing_for_fetch_pack();
        let id = "1".repeat(40);
        assert_eq!(missing(b"0008NAK\n"), None);
        assert_eq!(missing(b"0009hello0000"), None);
        assert_eq!(missing(format!("0031ACK {id}\n").as_bytes()), None);
        for cut in [
            &b""[..],
            b"0008NA",
            b"0008NAK\n00",
            b"000cshallow\n",
            format!("0038ACK {id} common\n").as_bytes(),
        ] {
            assert!(missing(cut).is_some(), "{cut:?}");
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bytes in [&b"<htm"[..], b"0003", b"+001", b"fff1", b"00 5"] {
            assert!(follow(&[bytes]).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn an_error_of_the_server_is_kept() {
        assert_eq!(
            follow(&[b"0009hello000f", b"ERR nope", b"!!\n"])
                .unwrap()
                .reported()
                .unwrap(),
            "nope!!"
        );
        assert_eq!(follow(&[b"000fERR nope!!\n0009hello"]).unwrap().reported(), None);
    }

    #[test]
    fn the_end_of_a_stream_is_not_the_middle_of_a_packet() {
        let mut into = Vec::new();
        assert!(read(&mut &b""[..], &mut into).unwrap().is_none());
        assert!(matches!(read(&mut &b"0009he"[..], &mut into), Err(Error::Truncated)));
    }

    proptest! {
        #[test]
        fn any_chunking_is_followed_alike(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
            cuts in prop::collection::vec(1_usize..40, 1..30),
            end in any::<bool>(),
        ) {
            let mut stream = Vec::new();
            for content in &contents {
                write(content, &mut stream);
            }
            if end {
                stream.extend_from_slice(b"0000");
            }
            let whole = follow(&[&stream]).unwrap();
            let mut pieces = Framing::default();
            let (mut rest, mut cut) = (stream.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*cut.next().unwrap()));
                pieces.follow(now).unwrap();
                rest = later;
            }
            prop_assert_eq!(whole.missing(), pieces.missing());
            prop_assert_eq!(whole.reported(), pieces.reported());
            prop_assert_eq!(whole.missing().is_none(), end);

            let (mut from, mut copy) = (stream.as_slice(), Vec::new());
            while read(&mut from, &mut copy).unwrap().is_some() {}
            prop_assert_eq!(copy, stream);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (mut from, mut into) = (bytes.as_slice(), Vec::new());
            while let Ok(Some(_)) = read(&mut from, &mut into) {}
            follow(&[&bytes]).ok();
        }
    }
}
