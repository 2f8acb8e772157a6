//! What a server says in its packets for the user to read: made harmless for the terminal, and as long as it was.
//!
//! Which packets have a text in them is in `gitprotocol-pack(5)`, "Packfile Data", and in `gitprotocol-common(5)`,
//! `ERR`. Does not depend on how they come and go, which is for `relay`.

use super::controls::Allowed;
use super::packet;
use super::report_status::{Line, ReportStatus};
use super::service::Service;
use super::text::Text;

const DATA: u8 = 1;
const PROGRESS: u8 = 2;
const FATAL: u8 = 3;

/// Whether a packet whose content begins with `start`, which may be cut anywhere, may have a text in it.
pub fn may_be_text(start: &[u8]) -> bool {
    !matches!(start, [] | [DATA, ..])
}

/// Whether a whole line of an answer is one that git goes by, with nothing in it that could steer a terminal but the
/// names of references: git shows a line that it does not expect, whole.
pub fn is_sound(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.iter().all(|byte| matches!(byte, b' '..=b'~')) || names_a_reference(line)
}

/// `<id> <name>`, or `unborn <name>`, and the attributes of `ls-refs` (gitprotocol-v2(5)).
fn names_a_reference(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    let is_id = |word: &[u8]| matches!(word.len(), 40 | 64) && word.iter().all(u8::is_ascii_hexdigit);
    let is_name = |word: &[u8]| !word.is_empty() && !word.iter().any(u8::is_ascii_control);
    let begins = words.next().is_some_and(|word| word == b"unborn" || is_id(word)) && words.next().is_some_and(is_name);
    begins
        && words.all(|word| {
            let target = word.strip_prefix(b"symref-target:").is_some_and(is_name);
            target || word.strip_prefix(b"peeled:").is_some_and(is_id)
        })
}

/// Whether a packet of an answer to a push has a part of its report in it: a text for the user is none.
pub fn is_report(content: &[u8]) -> bool {
    match content {
        [] | [PROGRESS | FATAL, ..] => false,
        [DATA, report @ ..] => !report.is_empty(),
        content => !is_error(content),
    }
}

fn is_error(content: &[u8]) -> bool {
    content.starts_with(b"ERR ") || content.starts_with(b"NACK ")
}

/// The texts of one answer, which go on from one packet to the next.
#[derive(Debug)]
pub struct Texts {
    progress: Text,
    fatal: Allowed,
    report: ReportStatus,
}

/// Returns the packet of gitprotocol-common(5) with which a server says that it cannot go on.
pub fn error_packet(text: &str) -> Vec<u8> {
    let content = [b"ERR ", Text::default().harmless(text.as_bytes()).as_slice()].concat();
    let mut packet = Vec::new();
    packet::write(content.get(..packet::MAX - 4).unwrap_or(&content), &mut packet);
    packet
}

impl Texts {
    /// Returns the texts of an answer that has not begun, in which `allowed` may steer the terminal.
    pub fn new(allowed: Allowed) -> Self {
        Self {
            progress: Text::of_lines(allowed),
            fatal: allowed,
            report: ReportStatus::default(),
        }
    }

    /// Returns the next packet's content with `?` for each byte of what could steer a terminal.
    pub fn harmless(&mut self, service: Service, content: &[u8]) -> Vec<u8> {
        let (band, text) = match content {
            [band @ (DATA | PROGRESS | FATAL), text @ ..] => (Some(*band), text),
            text => (None, text),
        };
        let shown = match band {
            Some(DATA) if service == Service::ReceivePack => self.report.harmless(text),
            Some(DATA) => text.to_vec(),
            Some(PROGRESS) => self.progress.harmless(text),
            Some(FATAL) => Text::of_one(self.fatal).harmless(text),
            None if is_error(text) => Text::default().harmless(text),
            None if service == Service::ReceivePack => Line::default().harmless(text),
            None if is_sound(text) => text.to_vec(),
            Some(_) | None => Text::default().harmless(text),
        };
        band.into_iter().chain(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use Service::{ReceivePack, UploadArchive, UploadPack};

    use super::*;
    use crate::report::steers;

    #[track_caller]
    fn check(service: Service, content: &[u8], shown: &[u8]) {
        let told = Texts::new(Allowed::default()).harmless(service, content);
        assert_eq!(String::from_utf8_lossy(&told), String::from_utf8_lossy(shown));
        assert_eq!(told.len(), content.len());
    }

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        for service in [UploadPack, ReceivePack, UploadArchive] {
            check(service, b"\x02a\x1b[2Jb\r50%\n\tc\x7f\0", b"\x02a?[2Jb\r50%\n\tc??");
            check(
                service,
                "\x03\u{9b}31m\u{202e}\u{61c}\u{e9}".as_bytes(),
                "\x03??31m?????\u{e9}".as_bytes(),
            );
            check(service, b"\x02caf\xe9\xff\xfe", b"\x02caf\xe9\xff\xfe");
            check(service, b"\x02\x9b2J\xe9\x9b2J", b"\x02?2J\xe9?2J");
            check(service, b"ERR \x1bc\n", b"ERR ?c\n");
            check(service, b"\x03no\ryes", b"\x03no?yes");
        }
        check(UploadArchive, b"NACK \x1bc\n", b"NACK ?c\n");
    }

    #[test]
    fn what_the_user_allows_stays_in_messages_and_nowhere_else() {
        let mut texts = Texts::new(Allowed::parse("color").expect("a word"));
        let mut said = |content: &[u8]| texts.harmless(ReceivePack, content);
        assert_eq!(said(b"\x02a\x1b[31mb\x1b[2J"), b"\x02a\x1b[31mb?[2J");
        assert_eq!(said(b"\x03\x1b[31mb\x07"), b"\x03\x1b[31mb?");
        assert_eq!(said(b"ERR \x1b[31mb"), b"ERR ?[31mb");
        assert_eq!(said(b"ng refs/heads/a \x1b[31mb"), b"ng refs/heads/a ?[31mb");
        let mut all = Texts::new(Allowed::ALL);
        assert_eq!(
            all.harmless(UploadPack, b"\x02\x1b]0;t\x07\x9b"),
            b"\x02\x1b]0;t\x07\x9b"
        );
    }

    #[test]
    fn an_error_packet_fits_and_cannot_steer_the_terminal() {
        assert_eq!(error_packet("no\u{1b}"), b"000bERR no?");
        assert_eq!(error_packet(&"x".repeat(100_000)).len(), 65_520);
    }

    #[test]
    fn a_character_in_two_packets_is_one() {
        let said = |text: &str, at: usize| {
            let (one, two) = text.as_bytes().split_at(at);
            let mut texts = Texts::new(Allowed::default());
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
        let reason = "ng refs/heads/\u{202e}a \x1b[8m\u{202e}hidden".as_bytes();
        let shown = "ng refs/heads/\u{202e}a ?[8m???hidden".as_bytes();
        check(ReceivePack, reason, shown);
        let in_band = |line: &[u8]| [&[DATA], format!("{:04x}", line.len() + 4).as_bytes(), line].concat();
        check(ReceivePack, &in_band(reason), &in_band(shown));
    }

    #[test]
    fn data_and_names_are_not_touched() {
        const ID: &str = "1234567890123456789012345678901234567890";
        for content in [&b"\x01PACK\x1b\x07\0\xff"[..], b"NAK\n", b"packfile\n", b""] {
            check(UploadPack, content, content);
        }
        let name = format!("{ID} refs/heads/\u{202e}a\u{9b} symref-target:refs/heads/\u{202e} peeled:{ID}\n");
        check(UploadPack, name.as_bytes(), name.as_bytes());
        check(
            UploadPack,
            "unborn HEAD symref-target:refs/heads/\u{e9}\n".as_bytes(),
            "unborn HEAD symref-target:refs/heads/\u{e9}\n".as_bytes(),
        );
    }

    #[test]
    fn a_line_that_git_would_show_cannot_steer_it() {
        const ID: &str = "1234567890123456789012345678901234567890";
        for line in [
            "shallow \u{9b}2J\u{202e}".to_owned(),
            "NAK\u{1b}".to_owned(),
            "\u{202e}packfile".to_owned(),
            format!("{ID} refs/heads/\u{202e} peeled:\u{9b}"),
            format!("{ID} refs/heads/a \u{9b}"),
            format!("ACK {ID} \u{202e}"),
        ] {
            let shown = Texts::new(Allowed::default()).harmless(UploadPack, line.as_bytes());
            assert_eq!(shown.len(), line.len());
            assert!(!String::from_utf8_lossy(&shown).contains(steers), "{line:?}");
        }
    }
}
