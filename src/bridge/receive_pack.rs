//! Pushing: commands and pack as one POST, its answer back to git.
//!
//! The command list has to be read, not only passed on: a push that only deletes has no pack, and git keeps its end of
//! the pipe open while it waits for the report. Waiting for the end of git's stream would then be waiting for ever.

use std::io::{BufRead, Write};

use gix_transport::client::blocking_io::http::Http;

use super::outcome::{Effect, Extent, Outcome, Unfinished};
use super::packet::{self, Packet};
use super::relay::relay;
use super::remote::Remote;
use super::service::Service;
use super::upload_pack::from_git_error;
use super::{Credentials, Error};

/// What comes before the pack (`gitprotocol-pack(5)`, "Reference Update Request").
#[derive(Debug, Default)]
struct Commands {
    bytes: Vec<u8>,
    /// There is something to be done; a dry run and a push with nothing to do end in a lone flush packet.
    any: bool,
    /// There is a command that is no deletion, and so a pack follows, be it an empty one.
    has_pack: bool,
    /// Git wants to be told what became of them.
    wants_report: bool,
}

/// Passes one push to the server. `hold` bytes of it are kept in memory, so that a small push can tell its length.
pub fn serve<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    from_git: &mut impl BufRead,
    to_git: &mut impl Write,
    hold: usize,
) -> Result<(), Error> {
    let Commands {
        bytes: mut request,
        any,
        has_pack,
        wants_report,
    } = read_commands(from_git)?;
    if !any {
        return Ok(());
    }
    let (body, extent) = if has_pack && !fill(from_git, &mut request, hold)? {
        stream(remote, from_git, &request)?
    } else {
        let body = remote.post(Service::ReceivePack, &request, false);
        (body.map_err(|error| judged(error, Extent::Whole))?, Extent::Whole)
    };
    let relayed = match relay(body, Service::ReceivePack, remote.allowed(), to_git) {
        Ok(false) if wants_report => Err(Error::Protocol("the server sent no report of the push".to_owned())),
        relayed => relayed.map(drop),
    };
    relayed.map_err(|error| judged(error, extent))
}

/// Says so where nobody knows what a push that failed did at the server.
fn judged(error: Error, extent: Extent) -> Error {
    match error.outcome().map(|outcome| outcome.effect(extent)) {
        Some(Effect::Unknown) => Error::Unknown(Box::new(error)),
        Some(Effect::None) | None => error,
    }
}

/// Reads up to `hold` bytes of the pack. Returns whether that was all of it.
fn fill(from_git: &mut impl BufRead, request: &mut Vec<u8>, hold: usize) -> Result<bool, Error> {
    while request.len() < hold {
        let bytes = from_git.fill_buf().map_err(Error::FromGit)?;
        if bytes.is_empty() {
            return Ok(true);
        }
        request.extend_from_slice(bytes);
        let count = bytes.len();
        from_git.consume(count);
    }
    Ok(from_git.fill_buf().map_err(Error::FromGit)?.is_empty())
}

/// Uploads what git sends as it comes. Returns the body of the answer, and how much the server was sent before it.
fn stream<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    from_git: &mut impl BufRead,
    begun: &[u8],
) -> Result<(H::ResponseBody, Extent), Error> {
    let mut upload = remote.upload(Service::ReceivePack)?;
    let mut sent = upload.post_body.write_all(begun).map_err(Unfinished::from);
    while sent.is_ok() {
        let bytes = from_git.fill_buf().map_err(Error::FromGit)?;
        if bytes.is_empty() {
            break;
        }
        sent = upload.post_body.write_all(bytes).map_err(Unfinished::from);
        let count = bytes.len();
        from_git.consume(count);
    }
    let extent = match &sent {
        Ok(()) => Extent::Whole,
        Err(unfinished) if unfinished.outcome == Outcome::AnsweredEarly => Extent::InPart,
        // The end of the pack may have been in what was sent last: git's end of the pipe tells.
        Err(_) if from_git.fill_buf().is_ok_and(<[u8]>::is_empty) => Extent::Whole,
        Err(_) => Extent::InPart,
    };
    let body = remote.finish_upload(Service::ReceivePack, upload, sent);
    let body = body.map_err(|error| judged(error, extent))?;
    Ok((body, extent))
}

fn read_commands(from_git: &mut impl BufRead) -> Result<Commands, Error> {
    let mut commands = Commands::default();
    let mut push_options = false;
    loop {
        let start = commands.bytes.len();
        let packet = packet::read(from_git, &mut commands.bytes).map_err(|error| from_git_error(error, &[]))?;
        let line = packet::content(commands.bytes.get(start..).unwrap_or_default());
        match packet {
            None if commands.bytes.is_empty() => return Ok(commands),
            None => return Err(from_git_error(packet::Error::Truncated, &commands.bytes)),
            Some(Packet::Flush) => break,
            Some(_) => {}
        }
        let mut halves = line.splitn(2, |byte| *byte == 0);
        let command = halves.next().unwrap_or_default();
        if let Some(capabilities) = halves.next() {
            let asks = |name: &[u8]| {
                capabilities
                    .split(|byte| *byte == b' ')
                    .any(|word| word.trim_ascii() == name)
            };
            push_options |= asks(b"push-options");
            commands.wants_report |= asks(b"report-status") || asks(b"report-status-v2");
        }
        let (any, has_pack) = match updates(command) {
            Some(new_id) => (true, new_id.iter().any(|byte| *byte != b'0')),
            None => (command == b"push-cert", false),
        };
        commands.any |= any;
        commands.has_pack |= has_pack;
    }
    if commands.any && push_options {
        read_push_options(from_git, &mut commands.bytes)?;
    }
    Ok(commands)
}

fn read_push_options(from_git: &mut impl BufRead, into: &mut Vec<u8>) -> Result<(), Error> {
    loop {
        match packet::read(from_git, into).map_err(|error| from_git_error(error, &[]))? {
            Some(Packet::Flush) => return Ok(()),
            Some(_) => {}
            None => return Err(from_git_error(packet::Error::Truncated, into)),
        }
    }
}

/// Returns the new id of `<old id> SP <new id> SP <ref>`, which a push certificate holds as well.
fn updates(line: &[u8]) -> Option<&[u8]> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let is_id = |word: &&[u8]| matches!(word.len(), 40 | 64) && word.iter().all(u8::is_ascii_hexdigit);
    let _old = words.next().filter(is_id)?;
    let new = words.next().filter(is_id)?;
    words.next().map(|_| new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "1111111111111111111111111111111111111111";
    const NEW: &str = "2222222222222222222222222222222222222222";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    fn commands(lines: &[String]) -> Commands {
        let mut bytes = Vec::new();
        for line in lines {
            match line.as_str() {
                "0000" => bytes.extend_from_slice(b"0000"),
                line => packet::write(line.as_bytes(), &mut bytes),
            }
        }
        let expected = bytes.clone();
        bytes.extend_from_slice(b"PACK");
        let mut from_git = bytes.as_slice();
        let commands = read_commands(&mut from_git).unwrap();
        assert_eq!(commands.bytes, expected);
        assert_eq!(from_git, b"PACK");
        commands
    }

    #[test]
    fn an_update_is_followed_by_a_pack_and_a_deletion_is_not() {
        let update = commands(&[format!("{OLD} {NEW} refs/heads/a\0report-status"), "0000".into()]);
        assert!(update.any && update.has_pack);
        let deletion = commands(&[format!("{OLD} {ZERO} refs/heads/a\0report-status"), "0000".into()]);
        assert!(deletion.any && !deletion.has_pack);
        let both = commands(&[
            format!("{OLD} {ZERO} refs/heads/a\0report-status"),
            format!("{ZERO} {NEW} refs/heads/b"),
            "0000".into(),
        ]);
        assert!(both.any && both.has_pack);
    }

    #[test]
    fn a_dry_run_has_nothing_to_do_even_from_a_shallow_clone() {
        assert!(!commands(&["0000".into()]).any);
        assert!(!commands(&[format!("shallow {OLD}"), "0000".into()]).any);
    }

    #[test]
    fn push_options_come_before_the_pack() {
        let commands = commands(&[
            format!("{OLD} {NEW} refs/heads/a\0report-status push-options"),
            "0000".into(),
            "ci.skip".into(),
            "0000".into(),
        ]);
        assert!(commands.has_pack);
    }

    #[test]
    fn a_push_that_ends_among_its_options_is_none() {
        let mut bytes = Vec::new();
        packet::write(format!("{OLD} {NEW} refs/heads/a\0push-options").as_bytes(), &mut bytes);
        bytes.extend_from_slice(b"0000000bci.skip");
        for end in [bytes.len() - 11, bytes.len() - 3, bytes.len()] {
            let error = read_commands(&mut &bytes[..end]).unwrap_err();
            assert!(matches!(error, Error::FromGit(_)), "{end}: {error}");
        }
    }

    #[test]
    fn the_commands_of_a_certificate_count() {
        for (new, has_pack) in [(NEW, true), (ZERO, false)] {
            let commands = commands(&[
                "push-cert\0report-status".into(),
                "certificate version 0.1\n".into(),
                "pusher Mia <mia@example.com> 1700000000 +0000\n".into(),
                "nonce 1-2\n".into(),
                "\n".into(),
                format!("{OLD} {new} refs/heads/a\n"),
                "-----BEGIN SSH SIGNATURE-----\n".into(),
                "push-cert-end\n".into(),
                "0000".into(),
            ]);
            assert!(commands.any);
            assert_eq!(commands.has_pack, has_pack);
        }
    }
}
