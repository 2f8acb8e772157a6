//! Packets of git's protocols (`gitprotocol-common(5)`, "pkt-line"): reading them whole, and writing them.
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
    #[error("unexpected end of data in a packet")]
    Truncated,
    /// Four bytes that are no length.
    #[error("invalid packet length '{0}'")]
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

/// Whether `bytes`, the first of a stream, can be those of a packet.
pub fn may_begin(bytes: &[u8]) -> bool {
    let header = bytes.get(..4).unwrap_or(bytes);
    !header.is_empty() && header.iter().all(u8::is_ascii_hexdigit)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_end_of_a_stream_is_not_the_middle_of_a_packet() {
        let mut into = Vec::new();
        assert!(read(&mut &b""[..], &mut into).unwrap().is_none());
        assert!(matches!(read(&mut &b"0009he"[..], &mut into), Err(Error::Truncated)));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let mut stream = Vec::new();
            for content in &contents {
                write(content, &mut stream);
            }
            let (mut from, mut copy) = (stream.as_slice(), Vec::new());
            while read(&mut from, &mut copy).unwrap().is_some() {}
            prop_assert_eq!(copy, stream);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (mut from, mut into) = (bytes.as_slice(), Vec::new());
            while let Ok(Some(_)) = read(&mut from, &mut into) {}
        }
    }
}
