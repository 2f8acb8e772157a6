//! Fetching with protocol version 2: every request of git is self-contained and becomes one POST.

use std::io::{BufRead, Write};

use gix_transport::client::blocking_io::http::Http;

use super::discovery::Advertisement;
use super::framing::{Framing, Run};
use super::outcome::Outcome;
use super::packet::{self, Packet};
use super::relay::{not_gits, relay};
use super::remote::Remote;
use super::service::{Service, Version};
use super::{Credentials, Error, Kept};

/// Serves git until it ends the session: with a flush packet of its own, or by closing its end.
///
/// `hold` bytes of a request are kept in memory. If git has been told a `kept` advertisement (that, and where it is
/// kept), any request may be the first that the server cannot answer as promised: see `ask_again`.
pub fn serve<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    (from_git, to_git): (&mut impl BufRead, &mut impl Write),
    hold: usize,
    mut kept: Option<(Advertisement, &mut dyn Kept)>,
) -> Result<(), Error> {
    let mut request = Vec::new();
    let mut unused = true;
    loop {
        request.clear();
        let answer = match read_request(from_git, &mut request, hold)? {
            end @ (Request::End | Request::Break) => {
                if matches!(end, Request::Break) {
                    remote.note_break();
                }
                // Git does not even begin with what it was told: better that it is told the server's own word next.
                if let Some((_, copy)) = kept.filter(|_| unused) {
                    copy.forget();
                }
                return Ok(());
            }
            Request::Whole => {
                if let Some((_, copy)) = kept.as_mut().filter(|_| std::mem::take(&mut unused)) {
                    copy.used(remote.credentials_mut().authorization().map_err(Error::Credentials)?);
                }
                let answer = post(remote, &request, kept.is_none());
                match (answer, &mut kept) {
                    (Err(error), Some((told, copy))) if may_be_stale(&error) => {
                        let answer = ask_again(remote, &request, told, *copy)?;
                        kept = None;
                        answer
                    }
                    (answer, _) => answer?,
                }
            }
            Request::Begun => upload(remote, from_git, &mut request)?,
        };
        relay(answer, Service::UploadPack, remote.allowed(), to_git)?;
    }
}

/// Sends a request and waits for its answer to begin, so that a refusal in git's own words counts as one, too: unless it
/// `is_final`, and then git says what it is told.
fn post<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    request: &[u8],
    is_final: bool,
) -> Result<H::ResponseBody, Error> {
    let mut answer = remote.post(Service::UploadPack, request, true)?;
    let begin = answer.fill_buf()?;
    if begin.is_empty() {
        return Err(Error::Protocol("the server sent an empty response".to_owned()));
    }
    // Of its first packet, as much as has come.
    let mut framing = Framing::default();
    match framing.step(begin) {
        Ok(Run::Header(head)) => {
            if let Some(content) = begin.get(head..).filter(|content| !content.is_empty()) {
                framing.step(content).ok();
            }
        }
        Ok(Run::Content(_)) => {}
        Err(error) => return Err(not_gits(&error)),
    }
    match framing.reported() {
        Some(text) if !is_final => Err(Error::Reported(text)),
        _ => Ok(answer),
    }
}

/// Whether `error` can come from a kept advertisement that no longer holds. A refused credential, a server in trouble
/// and a broken connection say nothing about it.
fn may_be_stale(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => !matches!(refusal.status, 401 | 429 | 500..),
        // A request that is redirected, where only the first of a session may be.
        Error::Http(unfinished) => unfinished.outcome == Outcome::Elsewhere,
        Error::ContentType { .. } | Error::Protocol(_) | Error::Reported(_) => true,
        _ => false,
    }
}

/// The server did not answer as the kept advertisement promised, and nothing of its answer has reached git: it is asked
/// for a new one. Either that fails, which is the real reason, or the request is sent again to what it says now.
///
/// # Errors
/// [`Error::Changed`] if the server can no longer do what git was `told` it can. If it still says the same, then what
/// it answers now is the reason.
fn ask_again<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    request: &[u8],
    told: &Advertisement,
    kept: &mut dyn Kept,
) -> Result<H::ResponseBody, Error> {
    kept.forget();
    let fresh = remote.advertisement(Service::UploadPack)?;
    if fresh.version() < Version::V2 {
        return Err(Error::Changed);
    }
    let answer = post(remote, request, fresh == *told).map_err(|error| match error {
        Error::ContentType { .. } | Error::Protocol(_) | Error::Reported(_) if fresh != *told => Error::Changed,
        error => error,
    })?;
    if !remote.has_moved() {
        kept.replace(&fresh);
    }
    Ok(answer)
}

/// Sends a request that is too long to be held, as it comes.
fn upload<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    from_git: &mut impl BufRead,
    request: &mut Vec<u8>,
) -> Result<H::ResponseBody, Error> {
    let mut upload = remote.upload(Service::UploadPack)?;
    let mut more = true;
    let mut sent = upload.post_body.write_all(request);
    while sent.is_ok() && more {
        request.clear();
        more = matches!(read_request(from_git, request, 1)?, Request::Begun);
        sent = upload.post_body.write_all(request);
    }
    remote.finish_upload(Service::UploadPack, upload, sent.map_err(Into::into))
}

enum Request {
    /// Git has nothing more to ask.
    End,
    /// Git has closed its end without a word.
    Break,
    /// All of it, flush included.
    Whole,
    /// More than is held in memory, and not all of it.
    Begun,
}

fn read_request(from_git: &mut impl BufRead, into: &mut Vec<u8>, hold: usize) -> Result<Request, Error> {
    loop {
        let packet = packet::read(from_git, into).map_err(|error| from_git_error(error, into))?;
        match packet {
            None if into.is_empty() => return Ok(Request::Break),
            None => return Err(from_git_error(packet::Error::Truncated, into)),
            Some(Packet::Flush) if into.len() == 4 => return Ok(Request::End),
            Some(Packet::Flush) => return Ok(Request::Whole),
            Some(_) if into.len() >= hold => return Ok(Request::Begun),
            Some(_) => {}
        }
    }
}

/// Words for a request of git that is none.
pub(super) fn from_git_error(error: packet::Error, read: &[u8]) -> Error {
    Error::FromGit(match error {
        packet::Error::Read(error) => error,
        error => std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            format!("{error}, after {} bytes of a request", read.len()),
        ),
    })
}
