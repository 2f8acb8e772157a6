//! Following a stream of packets as it passes, without copying: only so can an answer that ends in the middle be told
//! from one that is complete, where the end of the HTTP body alone says nothing.
//!
//! It must not know what the packets are about; `relay` does.

use super::packet::{Error, Packet};

/// As much of a packet as is kept: enough for what a server has to say in one.
const START: usize = 1024;

/// A run of bytes within one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// This many bytes of the four that say what the packet is.
    Header(usize),
    /// This many bytes of its content.
    Content(usize),
}

/// Where in a stream of packets its next byte belongs.
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
    /// Follows the first of `bytes`, the next of the stream: up to the end of a packet's header or of its content,
    /// whichever comes first.
    ///
    /// # Errors
    /// [`Error::Invalid`] at the end of four bytes that are no packet length.
    pub fn step(&mut self, bytes: &[u8]) -> Result<Run, Error> {
        let in_content = self.content_left > 0;
        let left = if in_content {
            self.content_left
        } else {
            4 - self.header_bytes
        };
        let now = bytes.get(..left).unwrap_or(bytes);
        self.total += now.len() as u64;
        if in_content {
            let room = START.saturating_sub(self.start.len());
            self.start.extend_from_slice(now.get(..room).unwrap_or(now));
            self.content_left -= now.len();
            return Ok(Run::Content(now.len()));
        }
        for (place, byte) in self.header.iter_mut().skip(self.header_bytes).zip(now) {
            *place = *byte;
        }
        self.header_bytes += now.len();
        if self.header_bytes == 4 {
            self.begin_packet()?;
        }
        Ok(Run::Header(now.len()))
    }

    fn begin_packet(&mut self) -> Result<(), Error> {
        self.header_bytes = 0;
        let packet = Packet::parse(self.header)?;
        if let Packet::Data(length) = packet {
            self.content_left = length;
        }
        self.start.clear();
        self.last = Some(packet);
        Ok(())
    }

    /// Returns how many bytes have passed.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the first 1,024 bytes at most of the last packet's content, as far as they have passed.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// Whether the last packet has passed whole.
    pub fn is_between_packets(&self) -> bool {
        self.header_bytes == 0 && self.content_left == 0
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
        (!self.is_between_packets() || !last_word).then_some(missing)
    }

    /// Returns why the stream may not end here: nothing if it is at the end of a flush packet.
    pub fn missing(&self) -> Option<String> {
        if !self.is_between_packets() {
            Some(format!(
                "unexpected end of response after {} bytes (in a packet)",
                self.total
            ))
        } else if self.last == Some(Packet::Flush) {
            None
        } else {
            Some(format!(
                "unexpected end of response after {} bytes (missing flush packet)",
                self.total
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bridge::packet::write;

    fn follow(chunks: &[&[u8]]) -> Result<Framing, Error> {
        let mut framing = Framing::default();
        for chunk in chunks {
            let mut rest = *chunk;
            while !rest.is_empty() {
                let (Run::Header(count) | Run::Content(count)) = framing.step(rest)?;
                rest = &rest[count..];
            }
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
        let reported = |chunks: &[&[u8]]| follow(chunks).unwrap().reported();
        assert_eq!(reported(&[b"0009hello000f", b"ERR nope", b"!!\n"]).unwrap(), "nope!!");
        assert_eq!(reported(&[b"000fERR nope!!\n0009hello"]), None);
    }

    proptest! {
        #[test]
        fn any_chunking_is_followed_alike(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
            size in 1_usize..40,
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
            let pieces: Vec<_> = stream.chunks(size).collect();
            let pieces = follow(&pieces).unwrap();
            prop_assert_eq!(whole.missing(), pieces.missing());
            prop_assert_eq!(whole.reported(), pieces.reported());
            prop_assert_eq!(whole.start(), pieces.start());
            prop_assert_eq!(whole.missing().is_none(), end);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            follow(&[&bytes]).ok();
        }
    }
}
