//! Fetching from a server that speaks version 0 or 1: git's own `fetch-pack --stateless-rpc` negotiates, and each of
//! its requests becomes one POST.
//!
//! This file knows the conversation with `fetch-pack`; who starts it and with which options is the helper's business.

use std::io::{self, BufRead, Read, Write};

use gix_transport::client::blocking_io::http::Http;

use super::controls::Allowed;
use super::discovery::{Advertisement, Ref};
use super::packet::{self, Packet};
use super::relay::{Passage, Passed};
use super::remote::Remote;
use super::service::Service;
use super::{Credentials, Error};

/// Writes the refs of `advertisement` as the answer to git's `list` (`gitremote-helpers(7)`).
///
/// # Errors
/// [`Error::Protocol`] if git could take one of them for something else; it is told none of them then.
pub fn list(advertisement: &Advertisement, with_format: bool, to_git: &mut impl Write) -> Result<(), Error> {
    let mut lines = Vec::new();
    if with_format {
        lines.extend([b":object-format ", advertisement.object_format()?, b"\n"].concat());
    }
    for Ref { id, name, target } in advertisement.refs()? {
        match target {
            Some(target) => lines.extend([b"@", target].concat()),
            None => lines.extend_from_slice(id),
        }
        lines.extend([b" ", name, b"\n"].concat());
    }
    lines.push(b'\n');
    to_git
        .write_all(&lines)
        .and_then(|()| to_git.flush())
        .map_err(Error::ToGit)
}

/// Bridges one run of `fetch-pack --stateless-rpc --stdin`.
///
/// It first reads the wanted refs (`wanted`, lines of `<id> <name>`) and the advertisement from `to_child`. Then each
/// of its requests comes as packets up to a flush, wrapped once more, and each answer goes back as it arrives.
/// `to_child` is closed when it has sent its last request.
pub fn serve<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    advertisement: &Advertisement,
    wanted: &[Vec<u8>],
    mut to_child: impl Write,
    from_child: &mut impl BufRead,
) -> Result<(), Error> {
    let mut opening = Vec::new();
    for line in wanted {
        packet::write(line, &mut opening);
    }
    opening.extend_from_slice(b"0000");
    to_child.write_all(&opening).map_err(Error::FetchPack)?;
    to_child.write_all(advertisement.bytes()).map_err(Error::FetchPack)?;
    to_child.flush().map_err(Error::FetchPack)?;
    let mut request = Vec::new();
    while read_request(from_child, &mut request)? {
        let mut body = remote.post(Service::UploadPack, &request, true)?;
        if copy(&mut body, remote.allowed(), &mut to_child)? == After::End {
            break;
        }
    }
    Ok(())
}

/// What may follow an answer.
#[derive(PartialEq, Eq)]
enum After {
    /// Another request.
    Request,
    /// Nothing: there was a bare pack in it.
    End,
}

/// Unwraps the next request. Returns whether there is one: an empty request ends the session.
fn read_request(from_child: &mut impl BufRead, request: &mut Vec<u8>) -> Result<bool, Error> {
    let failed = |error: packet::Error| match error {
        packet::Error::Read(error) => Error::FetchPack(error),
        error => Error::FetchPack(io::Error::new(io::ErrorKind::InvalidData, error)),
    };
    request.clear();
    let mut wrapped = Vec::new();
    loop {
        wrapped.clear();
        match packet::read(from_child, &mut wrapped).map_err(failed)? {
            Some(Packet::Data(_)) => request.extend_from_slice(wrapped.get(4..).unwrap_or_default()),
            Some(_) => return Ok(!request.is_empty()),
            None if request.is_empty() => return Ok(false),
            None => return Err(failed(packet::Error::Truncated)),
        }
    }
}

/// Passes an answer on and checks that it is complete: `fetch-pack` would wait for the rest of it, and we for its next
/// request. Without sidebands a pack is no packets, and the end of the pipe has to say where it ends.
fn copy(body: &mut impl BufRead, allowed: Allowed, to_child: &mut impl Write) -> Result<After, Error> {
    let mut passage = Passage::new(Service::UploadPack, allowed);
    let mut after = After::Request;
    loop {
        let bytes = body.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let mut rest = bytes;
        if after == After::Request {
            rest = match passage.pass(bytes, to_child).map_err(Error::FetchPack)? {
                Passed::All => &[],
                Passed::Broken { rest, .. } => {
                    after = After::End;
                    rest
                }
            };
        }
        to_child.write_all(rest).map_err(Error::FetchPack)?;
        let count = bytes.len();
        body.consume(count);
    }
    passage
        .release(to_child)
        .and_then(|()| to_child.flush())
        .map_err(Error::FetchPack)?;
    let framing = passage.framing;
    if framing.reported().is_some() {
        return Err(Error::Told);
    }
    match framing.missing_for_fetch_pack() {
        Some(reason) if after == After::Request => Err(Error::Protocol(reason)),
        _ => Ok(after),
    }
}

/// Reads what is left of `fetch-pack`'s output after its last request: lines for git, such as `lock …`.
pub fn remainder(from_child: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    from_child.read_to_end(&mut lines)?;
    Ok(lines)
}
