//! What a server says in its packets for the user to read: made harmless for the terminal, and as long as it was.
//!
//! Which packets have a text in them is in `gitprotocol-pack(5)`, "Packfile Data" and "Report Status", and in
//! `gitprotocol-common(5)`, `ERR`. It must not know how they come and go; `relay` does.

use super::service::Service;
use crate::report::steers;

const DATA: u8 = 1;
const PROGRESS: u8 = 2;
const FATAL: u8 = 3;

/// Whether a packet whose content begins with `start`, which may be cut anywhere, may have a text in it.
pub fn may_be_text(start: &[u8]) -> bool {
    matches!(start, [PROGRESS | FATAL | b'E' | b'N', ..])
}

/// The texts of one answer, which go on from one packet to the next.
#[derive(Debug, Default)]
pub struct Texts {
    /// The beginning of a character whose end is in the next packet.
    cut: Vec<u8>,
}

impl Texts {
    /// Returns the next packet's content with `?` for each byte of what could steer a terminal.
    pub fn harmless(&mut self, service: Service, content: &[u8]) -> Vec<u8> {
        let (band, text) = match content {
            [band @ (DATA | PROGRESS | FATAL), text @ ..] => (Some(*band), text),
            text => (None, text),
        };
        let is_text = match band {
            Some(band) => band != DATA,
            None => text.starts_with(b"ERR ") || text.starts_with(b"NACK "),
        };
        let shown = if is_text {
            self.quiet(text)
        } else if service == Service::ReceivePack {
            quiet_report(text)
        } else {
            text.to_vec()
        };
        band.into_iter().chain(shown).collect()
    }

    /// Tabs and line ends stay, the one that returns to the line's beginning too: git shows both as line ends, with
    /// `remote: ` after them.
    fn quiet(&mut self, text: &[u8]) -> Vec<u8> {
        let told = self.cut.len();
        let joined = [std::mem::take(&mut self.cut).as_slice(), text].concat();
        let mut shown = Vec::with_capacity(joined.len());
        for chunk in joined.utf8_chunks() {
            for character in chunk.valid().chars() {
                if steers(character) && !matches!(character, '\n' | '\r' | '\t') {
                    shown.resize(shown.len() + character.len_utf8(), b'?');
                } else {
                    shown.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            shown.extend_from_slice(chunk.invalid());
            if shown.len() == joined.len() {
                self.cut = chunk.invalid().to_vec();
            }
        }
        shown.split_off(told)
    }
}

/// Returns the report of a push, or a piece of it, without control characters: git shows the reasons in it. There is
/// none in the name of a reference (`git-check-ref-format(1)`), but what else there may be in one must stay.
fn quiet_report(report: &[u8]) -> Vec<u8> {
    let quiet = |byte: &u8| {
        if byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t') {
            b'?'
        } else {
            *byte
        }
    };
    report.iter().map(quiet).collect()
}

#[cfg(test)]
mod tests {
    use Service::{ReceivePack, UploadArchive, UploadPack};

    use super::*;

    #[track_caller]
    fn check(service: Service, content: &[u8], shown: &[u8]) {
        let told = Texts::default().harmless(service, content);
        assert_eq!(String::from_utf8_lossy(&told), String::from_utf8_lossy(shown));
        assert_eq!(told.len(), content.len());
    }

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        for service in [UploadPack, ReceivePack, UploadArchive] {
            check(service, b"\x02a\x1b[2Jb\r50%\n\tc\x7f\0", b"\x02a?[2Jb\r50%\n\tc??");
            check(
                service,
                "\x03\u{9b}31m\u{202e}\u{e9}".as_bytes(),
                "\x03??31m???\u{e9}".as_bytes(),
            );
            check(service, b"\x02caf\xe9\xff\xfe", b"\x02caf\xe9\xff\xfe");
            check(service, b"ERR \x1bc\n", b"ERR ?c\n");
        }
        check(UploadArchive, b"NACK \x1bc\n", b"NACK ?c\n");
    }

    #[test]
    fn a_character_in_two_packets_is_one() {
        let said = |text: &str, at: usize| {
            let (one, two) = text.as_bytes().split_at(at);
            let mut texts = Texts::default();
            let [one, two] = [one, two].map(|half| texts.harmless(UploadPack, &[&[PROGRESS], half].concat()));
            [&one[1..], &two[1..]].concat()
        };
        for at in 0..=8 {
            assert_eq!(said("caf\u{c0}\u{2019}", at), "caf\u{c0}\u{2019}".as_bytes());
            for bad in ["ab\u{202e}cde", "abc\u{9b}def", "\u{202e}\u{2066}ab"] {
                let shown = said(bad, at);
                assert!(!String::from_utf8_lossy(&shown).contains(steers), "{bad:?} {at}");
                assert_eq!(shown.len(), bad.len());
            }
        }
    }

    #[test]
    fn a_reason_cannot_steer_it_and_a_name_stays() {
        let reason = "ng refs/heads/\u{202e}a \x1b[8mhidden".as_bytes();
        let shown = "ng refs/heads/\u{202e}a ?[8mhidden".as_bytes();
        check(ReceivePack, reason, shown);
        let in_band = |report: &[u8]| [&[DATA], report].concat();
        check(ReceivePack, &in_band(reason), &in_band(shown));
    }

    #[test]
    fn what_is_no_text_is_not_touched() {
        for content in [&b"\x01PACK\x1b\x07\0\xff"[..], b"NAK\x1b\n", b"E\x1b", b"\x04\x1b", b""] {
            check(UploadPack, content, content);
        }
    }
}
