//! What git says to a remote helper, a line at a time (`gitremote-helpers(7)`, "COMMANDS").
//!
//! Bytes in, [`Command`] out; it must not know what becomes of one.

use crate::bridge::packet;
use crate::bridge::service::Service;

/// The longest line that git may send: it has to go into a packet for `fetch-pack`. A ref's name is at most a few
/// kilobytes.
pub const MAX_LINE: usize = packet::MAX - 4;

/// A command of git.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// `capabilities`
    Capabilities,
    /// `option <name> <value>`
    Option {
        /// Which one.
        name: String,
        /// The rest of the line, unquoted where git quotes it (C style).
        value: Vec<u8>,
    },
    /// `connect <service>`
    Connect(Service),
    /// `list`, or `list for-push`
    List {
        /// Whether git means to push.
        for_push: bool,
    },
    /// `fetch <id> <name>`, one of a batch that a blank line ends
    Fetch(Vec<u8>),
    /// The blank line that ends a batch, or the session.
    Blank,
    /// Something else, which this helper has not advertised.
    Unknown(String),
}

impl Command {
    /// Returns the command in `line`, which has no line end.
    pub fn parse(line: &[u8]) -> Self {
        let unknown = || Self::Unknown(line.escape_ascii().to_string());
        let mut words = line.splitn(2, |byte| *byte == b' ');
        match (words.next().unwrap_or_default(), words.next()) {
            (b"", None) => Self::Blank,
            (b"capabilities", None) => Self::Capabilities,
            (b"list", None) => Self::List { for_push: false },
            (b"list", Some(b"for-push")) => Self::List { for_push: true },
            (b"connect", Some(name)) => Service::parse(name).map_or_else(unknown, Self::Connect),
            (b"fetch", Some(wanted)) if !wanted.is_empty() => Self::Fetch(wanted.to_owned()),
            (b"option", Some(option)) => parse_option(option).unwrap_or_else(unknown),
            _ => unknown(),
        }
    }
}

fn parse_option(option: &[u8]) -> Option<Command> {
    let mut halves = option.splitn(2, |byte| *byte == b' ');
    let name = String::from_utf8(halves.next()?.to_owned()).ok()?;
    let value = halves.next().unwrap_or_default();
    let value = match value.first() {
        Some(b'"') => gix::quote::ansi_c::undo(value.into()).ok()?.0.to_vec(),
        _ => value.to_owned(),
    };
    Some(Command::Option { name, value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_command_is_known_by_its_line() {
        assert_eq!(Command::parse(b""), Command::Blank);
        assert_eq!(Command::parse(b"capabilities"), Command::Capabilities);
        assert_eq!(Command::parse(b"list for-push"), Command::List { for_push: true });
        assert_eq!(
            Command::parse(b"connect git-receive-pack"),
            Command::Connect(Service::ReceivePack)
        );
        assert_eq!(Command::parse(b"fetch 123 HEAD"), Command::Fetch(b"123 HEAD".to_vec()));
        let option = |name: &str, value: &[u8]| Command::Option {
            name: name.into(),
            value: value.into(),
        };
        assert_eq!(Command::parse(b"option depth 3"), option("depth", b"3"));
        assert_eq!(
            Command::parse(b"option deepen-since \"2020-01-01 \\303\\274\""),
            option("deepen-since", "2020-01-01 ü".as_bytes())
        );
        assert_eq!(Command::parse(b"option cloning"), option("cloning", b""));
    }

    #[test]
    fn what_was_not_advertised_is_unknown() {
        for line in [
            &b"connect git-evil"[..],
            b"push :x",
            b"fetch ",
            b"capabilities now",
            b"\xff\xfe",
            b" ",
            b"list x",
        ] {
            assert!(matches!(Command::parse(line), Command::Unknown(_)), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            Command::parse(&line);
        }

        #[test]
        fn no_option_makes_the_parser_panic(rest in "\\PC{0,40}", quoted in any::<bool>()) {
            let quote = if quoted { "\"" } else { "" };
            Command::parse(format!("option x {quote}{rest}{quote}").as_bytes());
        }
    }
}
