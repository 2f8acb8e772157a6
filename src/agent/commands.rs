//! The command list of a push, read more strictly than git reads it (`gitprotocol-pack(5)`, "Reference Update Request").
//!
//! The agent decides by what it reads here, and the server acts on what git's own `receive-pack` reads there: whatever
//! the two could read differently is refused. Does not depend on rules.

use std::io::BufRead;

use gix::bstr::ByteSlice as _;

use crate::bridge::packet::{self, Packet};

/// The longest command list. Some 40,000 refs fit.
pub const LONGEST: usize = 4 * 1024 * 1024;

/// What a push does to one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The object that the ref must have before, as hexadecimal digits; zeros for a ref that must not exist.
    pub old: String,
    /// The object that it gets; zeros to delete it.
    pub new: String,
    /// The ref's full name.
    pub name: Vec<u8>,
}

/// The sort of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The ref must not exist before.
    Create,
    /// The ref changes, perhaps to something that does not follow from what it was.
    Update,
    /// The ref is gone after it.
    Delete,
}

/// Why a command list cannot be passed on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The client broke off, or sent what is no packet.
    #[error("the push's list of refs is malformed: {0}")]
    Ended(#[source] packet::Error),
    /// It is longer than [`LONGEST`].
    #[error("the push names too many refs at once")]
    TooLong,
    /// There is nothing in it.
    #[error("the push names no ref")]
    Empty,
    /// It is signed: what is signed repeats the list in a form of its own.
    #[error("signed pushes are not served")]
    Signed,
    /// It is not what git writes.
    #[error("the push's list of refs is malformed: {0}")]
    Malformed(&'static str),
}

impl Command {
    /// Returns what it does. A new value of zero deletes, whatever the old value is.
    pub fn effect(&self) -> Effect {
        match (is_zero(&self.new), is_zero(&self.old)) {
            (true, _) => Effect::Delete,
            (false, true) => Effect::Create,
            (false, false) => Effect::Update,
        }
    }
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}

/// Reads the list up to its flush packet, and appends its bytes as they are to `bytes`.
pub fn read(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> Result<Vec<Command>, Fault> {
    let mut commands: Vec<Command> = Vec::new();
    let mut id_length = None;
    loop {
        let start = bytes.len();
        let packet = packet::read(from, bytes).map_err(Fault::Ended)?;
        if bytes.len() > LONGEST {
            return Err(Fault::TooLong);
        }
        match packet {
            None => return Err(Fault::Ended(packet::Error::Truncated)),
            Some(Packet::Flush) if commands.is_empty() => return Err(Fault::Empty),
            Some(Packet::Flush) => return Ok(commands),
            Some(Packet::Data(1..)) => {}
            Some(_) => return Err(Fault::Malformed("an unexpected kind of packet")),
        }
        let line = packet::content(bytes.get(start..).unwrap_or_default());
        if let Some(command) = command(line, commands.is_empty(), &mut id_length)? {
            commands.push(command);
        }
    }
}

/// Returns what one line says; nothing if it names a shallow commit.
fn command(line: &[u8], is_first: bool, id_length: &mut Option<usize>) -> Result<Option<Command>, Fault> {
    if line.starts_with(b"push-cert") {
        return Err(Fault::Signed);
    }
    if let Some(id) = line.strip_prefix(b"shallow ") {
        if !is_first {
            return Err(Fault::Malformed("a shallow commit after a ref"));
        }
        check_id(id, id_length)?;
        return Ok(None);
    }
    // Git's capabilities follow the first command, after a NUL.
    let command = match line.find_byte(0) {
        None => line,
        Some(end) if is_first && !line.get(end + 1..).unwrap_or_default().contains(&0) => {
            line.get(..end).unwrap_or_default()
        }
        Some(_) => return Err(Fault::Malformed("a NUL where none belongs")),
    };
    let mut fields = command.splitn(3, |byte| *byte == b' ');
    let mut next = || {
        fields
            .next()
            .ok_or(Fault::Malformed("a line with fewer than three fields"))
    };
    let (old, new, name) = (next()?, next()?, next()?);
    let (old, new) = (check_id(old, id_length)?, check_id(new, id_length)?);
    if !name.starts_with(b"refs/") || gix::validate::reference::name(name.as_bstr()).is_err() {
        return Err(Fault::Malformed("an invalid ref name"));
    }
    Ok(Some(Command {
        old,
        new,
        name: name.to_owned(),
    }))
}

/// Checks that `id` is an object's name, and as long as the ones before.
fn check_id(id: &[u8], length: &mut Option<usize>) -> Result<String, Fault> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !matches!(id.len(), 40 | 64) || *length.get_or_insert(id.len()) != id.len() || !id.iter().all(is_digit) {
        return Err(Fault::Malformed("an invalid object name"));
    }
    Ok(String::from_utf8_lossy(id).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";

    fn list(lines: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines {
            packet::write(line, &mut bytes);
        }
        bytes.extend_from_slice(b"0000");
        bytes
    }

    fn read_list(lines: &[&[u8]]) -> Result<Vec<Command>, Fault> {
        let bytes = list(lines);
        let mut copy = Vec::new();
        let done = read(&mut bytes.as_slice(), &mut copy);
        if done.is_ok() {
            assert_eq!(copy, bytes);
        }
        done
    }

    fn line(old: &str, new: &str, rest: &str) -> Vec<u8> {
        format!("{old} {new} {rest}").into_bytes()
    }

    #[test]
    fn a_list_of_git_is_read() {
        let first = line(ZERO, ONE, "refs/heads/a\0 report-status side-band-64k agent=git/2\n");
        let second = line(ONE, ZERO, "refs/heads/b\n");
        let shallow = format!("shallow {ONE}\n");
        let commands = read_list(&[shallow.as_bytes(), &first, &second]).expect("it is good");
        let effects: Vec<_> = commands.iter().map(Command::effect).collect();
        assert_eq!(effects, [Effect::Create, Effect::Delete]);
        assert_eq!(commands[0].name, b"refs/heads/a");
    }

    #[test]
    fn what_follows_the_flush_stays_unread() {
        let mut bytes = list(&[&line(ZERO, ONE, "refs/heads/a\0report-status")]);
        bytes.extend_from_slice(b"PACK");
        let mut rest = bytes.as_slice();
        assert!(read(&mut rest, &mut Vec::new()).is_ok());
        assert_eq!(rest, b"PACK");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let good = line(ZERO, ONE, "refs/heads/a");
        let long = "1".repeat(64);
        for (what, lines) in [
            ("nothing", vec![]),
            ("an empty packet", vec![Vec::new()]),
            ("only a line end", vec![b"\n".to_vec()]),
            ("two fields", vec![format!("{ZERO} {ONE}").into_bytes()]),
            ("two spaces", vec![line(ZERO, ONE, " refs/heads/a")]),
            ("a tab", vec![format!("{ZERO}\t{ONE} refs/heads/a").into_bytes()]),
            ("upper case", vec![line(&"A".repeat(40), ONE, "refs/heads/a")]),
            ("a short id", vec![line(&"0".repeat(39), ONE, "refs/heads/a")]),
            ("two lengths", vec![line(ZERO, &long, "refs/heads/a")]),
            (
                "two lengths in two lines",
                vec![good.clone(), line(&long, &long, "refs/heads/b")],
            ),
            ("HEAD", vec![line(ZERO, ONE, "HEAD")]),
            ("no refs/", vec![line(ZERO, ONE, "heads/a")]),
            ("another case of refs/", vec![line(ZERO, ONE, "Refs/heads/a")]),
            ("dots", vec![line(ZERO, ONE, "refs/heads/../a")]),
            ("two slashes", vec![line(ZERO, ONE, "refs//heads/a")]),
            ("a lock", vec![line(ZERO, ONE, "refs/heads/a.lock")]),
            ("a slash at the end", vec![line(ZERO, ONE, "refs/heads/")]),
            ("a line end inside", vec![line(ZERO, ONE, "refs/heads/a\nx")]),
            (
                "a line end before the NUL",
                vec![line(ZERO, ONE, "refs/heads/a\n\0report-status")],
            ),
            ("two line ends", vec![line(ZERO, ONE, "refs/heads/a\n\n")]),
            ("a carriage return", vec![line(ZERO, ONE, "refs/heads/a\r\n")]),
            ("a space at the end", vec![line(ZERO, ONE, "refs/heads/a ")]),
            (
                "a NUL in the second line",
                vec![good.clone(), line(ZERO, ONE, "refs/heads/b\0x")],
            ),
            ("two NULs", vec![line(ZERO, ONE, "refs/heads/a\0x\0y")]),
            ("a certificate", vec![b"push-cert\0x\n".to_vec()]),
            ("an error", vec![b"ERR no".to_vec()]),
            (
                "a shallow commit with more",
                vec![format!("shallow {ONE} x").into_bytes(), good.clone()],
            ),
            (
                "a shallow commit with a NUL",
                vec![format!("shallow {ONE}\0x").into_bytes(), good.clone()],
            ),
            (
                "a shallow commit after a ref",
                vec![good.clone(), format!("shallow {ONE}").into_bytes()],
            ),
        ] {
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            assert!(read_list(&lines).is_err(), "{what}");
        }
    }

    #[test]
    fn other_packets_and_ends_are_refused() {
        let good = list(&[&line(ZERO, ONE, "refs/heads/a")]);
        let (open, _) = good.split_at(good.len() - 4);
        for end in ["0001", "0002", "0003", "zzzz", "00", "", "0009ab"] {
            let bytes = [open, end.as_bytes()].concat();
            assert!(read(&mut bytes.as_slice(), &mut Vec::new()).is_err(), "{end}");
        }
    }

    #[test]
    fn a_list_without_an_end_is_not_held() {
        let line = line(ZERO, ONE, &format!("refs/heads/{}", "a".repeat(200)));
        let mut packet = Vec::new();
        packet::write(&line, &mut packet);
        let endless = packet.repeat(LONGEST / packet.len() + 2);
        let mut held = Vec::new();
        assert!(matches!(read(&mut endless.as_slice(), &mut held), Err(Fault::TooLong)));
        assert!(held.len() < LONGEST + packet::MAX);
    }
}
