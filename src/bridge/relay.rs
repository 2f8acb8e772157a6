//! Passing an answer on to git as it arrives: every byte of it for git, nothing in it for the terminal to obey.
//!
//! Git shows what a server says in its protocol as it is (`sideband.allowControlCharacters` of newer ones has them do
//! otherwise), so an escape sequence in a `remote:` line could clear the screen or hide a refusal. Texts keep their
//! length, so no packet changes its size; what is data is not touched.

use std::io::{self, BufRead, Write};

use super::Error;
use super::controls::Allowed;
use super::framing::{Framing, Run};
use super::packet;
use super::service::Service;
use super::sideband::{self, Texts};

/// Passes a body on to git and checks that it is complete; `allowed` in its messages may steer the terminal. Returns whether there was something in it for git itself,
/// and not only for its user.
///
/// # Errors
/// [`Error::Protocol`] if it does not end with a flush packet, unless it is empty and the answer to a push, which has
/// none if git has asked for no report.
/// [`Error::AfterAll`] if the report of a push is complete, and then the answer breaks.
pub fn relay(
    mut body: impl BufRead,
    service: Service,
    allowed: Allowed,
    to_git: &mut impl Write,
) -> Result<bool, Error> {
    let mut passage = Passage::new(service, allowed);
    loop {
        // Git has a whole report then, and shows it. Of any other answer the last packet has been held back.
        let is_complete = service == Service::ReceivePack && passage.framing.missing().is_none();
        let bytes = body.fill_buf().map_err(|error| after(is_complete, error.into()))?;
        if bytes.is_empty() {
            break;
        }
        match passage.pass(bytes, to_git).map_err(Error::ToGit)? {
            Passed::All => {}
            Passed::Broken { error, .. } => {
                return Err(after(is_complete, not_gits(&error)));
            }
        }
        let count = bytes.len();
        body.consume(count);
        if service == Service::ReceivePack && passage.framing.missing().is_none() {
            // All that git waits for; it may close its end now, and what HTTP has to add may take its time.
            to_git.flush().map_err(Error::ToGit)?;
        }
    }
    passage
        .release(to_git)
        .and_then(|()| to_git.flush())
        .map_err(Error::ToGit)?;
    let framing = passage.framing;
    if let Some(text) = framing.reported() {
        // `git send-pack` does not show the text of such a packet.
        return Err(match service {
            Service::ReceivePack => Error::Reported(text),
            Service::UploadPack | Service::UploadArchive => Error::Told,
        });
    }
    let may_be_empty = service == Service::ReceivePack;
    match framing.missing() {
        Some(_) if may_be_empty && framing.total() == 0 => Ok(false),
        Some(reason) => Err(Error::Protocol(reason)),
        None => Ok(passage.for_git),
    }
}

/// An answer that is not packets.
pub(super) fn not_gits(error: &packet::Error) -> Error {
    Error::Protocol(format!("invalid git protocol data from the server: {error}"))
}

fn after(is_complete: bool, error: Error) -> Error {
    if is_complete {
        Error::AfterAll(Box::new(error))
    } else {
        error
    }
}

/// The length of a flush packet.
const FLUSH: usize = 4;

/// An answer of a service on its way.
pub struct Passage {
    /// How far it has come.
    pub framing: Framing,
    service: Service,
    /// A packet with a text in it, until it is whole: 64 KiB at most.
    held: Vec<u8>,
    /// What of a flush packet came last, in an answer that may end with it. Git takes such an answer for complete, so it
    /// gets it only once HTTP has ended well, or there is more.
    last: Vec<u8>,
    texts: Texts,
    /// Whether there was content that git does not just show.
    for_git: bool,
}

/// What became of bytes that were to be passed on.
#[must_use]
pub enum Passed<'a> {
    /// They have been, but for a text that is not whole yet.
    All,
    /// Only those before `rest` have been.
    Broken {
        /// What is wrong with them.
        error: packet::Error,
        /// Those from the first that can belong to no packet.
        rest: &'a [u8],
    },
}

impl Passage {
    /// Returns the passage of an answer that has not begun.
    pub fn new(service: Service, allowed: Allowed) -> Self {
        Self {
            framing: Framing::default(),
            service,
            held: Vec::new(),
            last: Vec::new(),
            texts: Texts::new(allowed),
            for_git: false,
        }
    }

    /// Passes on the next bytes of the answer, in as few writes as can be.
    ///
    /// # Errors
    /// If `to` cannot be written.
    pub fn pass<'a>(&mut self, mut bytes: &'a [u8], to: &mut impl Write) -> io::Result<Passed<'a>> {
        self.release(to)?;
        let mut at = 0;
        while let Some(next) = bytes.get(at..).filter(|next| !next.is_empty()) {
            match self.framing.step(next) {
                // A line that is here whole is looked at where it is: there may be a hundred thousand of them.
                Ok(Run::Content(count)) if self.is_sound_line(next.get(..count)) => {
                    self.for_git = true;
                    at += count;
                }
                Ok(Run::Content(count)) if self.is_text() => {
                    let (before, rest) = bytes.split_at(at);
                    let (text, rest) = rest.split_at(count);
                    to.write_all(before)?;
                    self.hold(text, to)?;
                    (bytes, at) = (rest, 0);
                }
                Ok(Run::Header(count)) => at += count,
                Ok(Run::Content(count)) => {
                    self.for_git = true;
                    at += count;
                }
                Err(error) => {
                    let (before, rest) = bytes.split_at(at);
                    to.write_all(before)?;
                    return Ok(Passed::Broken { error, rest });
                }
            }
        }
        if self.service != Service::ReceivePack && self.framing.missing().is_none() {
            let flush = bytes.len().saturating_sub(FLUSH);
            self.last.extend_from_slice(bytes.get(flush..).unwrap_or_default());
            bytes = bytes.get(..flush).unwrap_or_default();
        }
        to.write_all(bytes)?;
        Ok(Passed::All)
    }

    /// Passes on what was held back of a last packet.
    ///
    /// # Errors
    /// If `to` cannot be written.
    pub fn release(&mut self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.last)?;
        self.last.clear();
        Ok(())
    }

    /// Whether `content` is all of a packet, and a line in which nothing has to be made harmless.
    fn is_sound_line(&self, content: Option<&[u8]>) -> bool {
        let is_whole = self.held.is_empty() && self.framing.is_between_packets();
        let is_line = self.service != Service::ReceivePack && !matches!(self.framing.start(), [0..=3, ..]);
        is_whole
            && is_line
            && content.is_some_and(sideband::is_sound)
            && !content.is_some_and(|text| text.starts_with(b"ERR "))
    }

    /// Whether the packet that has begun may have a text for the user in it. The answer to a push has nothing else.
    fn is_text(&self) -> bool {
        self.service == Service::ReceivePack || sideband::may_be_text(self.framing.start())
    }

    fn hold(&mut self, text: &[u8], to: &mut impl Write) -> io::Result<()> {
        self.held.extend_from_slice(text);
        if self.framing.is_between_packets() {
            self.for_git |= sideband::is_report(&self.held);
            to.write_all(&self.texts.harmless(self.service, &self.held))?;
            self.held.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed(service: Service, chunks: &[&[u8]]) -> Vec<u8> {
        let (mut passage, mut to) = (Passage::new(service, Allowed::default()), Vec::new());
        for chunk in chunks {
            assert!(matches!(passage.pass(chunk, &mut to).unwrap(), Passed::All));
        }
        passage.release(&mut to).unwrap();
        to
    }

    #[test]
    fn texts_are_made_harmless_and_packets_stay_packets() {
        let bytes = b"0008NAK\n0009\x01PA\x1b\x070009\x02a\x1bc\r00000008ERR\x1b0009ERR \x1b0000";
        let told = b"0008NAK\n0009\x01PA\x1b\x070009\x02a?c\r00000008ERR?0009ERR ?0000";
        let pieces: Vec<_> = bytes.chunks(1).collect();
        for chunks in [&[&bytes[..]][..], &pieces] {
            assert_eq!(
                String::from_utf8_lossy(&passed(Service::UploadPack, chunks)),
                String::from_utf8_lossy(told)
            );
        }
    }

    #[test]
    fn the_last_packet_is_held_back_until_the_answer_has_ended() {
        for cut in 0..4 {
            let (one, two) = b"0008NAK\n0000".split_at(8 + cut);
            let (mut passage, mut to) = (Passage::new(Service::UploadPack, Allowed::default()), Vec::new());
            for part in [one, two] {
                assert!(matches!(passage.pass(part, &mut to).unwrap(), Passed::All));
            }
            assert!(!to.ends_with(b"0000"), "{cut}");
            passage.release(&mut to).unwrap();
            assert_eq!(to, b"0008NAK\n0000");
        }
        let (mut passage, mut to) = (Passage::new(Service::ReceivePack, Allowed::default()), Vec::new());
        assert!(matches!(passage.pass(b"0000", &mut to).unwrap(), Passed::All));
        assert_eq!(to, b"0000");
    }

    #[test]
    fn what_is_no_packet_stays_with_the_caller() {
        let (mut passage, mut to) = (Passage::new(Service::UploadPack, Allowed::default()), Vec::new());
        let passed = passage.pass(b"0008NAK\nPACK\x1b", &mut to).unwrap();
        assert!(matches!(passed, Passed::Broken { rest: b"PACK\x1b", .. }));
        assert_eq!(to, b"0008NAK\n");
    }

    proptest! {
        #[test]
        fn any_chunking_passes_alike(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..20),
            size in 1_usize..40,
        ) {
            let mut bytes = Vec::new();
            for content in &contents {
                packet::write(content, &mut bytes);
            }
            bytes.extend_from_slice(b"0000");
            let pieces: Vec<_> = bytes.chunks(size).collect();
            for service in [Service::UploadPack, Service::ReceivePack, Service::UploadArchive] {
                let whole = passed(service, &[&bytes]);
                prop_assert_eq!(&passed(service, &pieces), &whole);
                prop_assert_eq!(whole.len(), bytes.len());
            }
        }
    }
}
