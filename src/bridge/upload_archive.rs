//! `git archive --remote`: one request, one answer, in any version of the protocol.

use std::io::{BufRead, Write};

use gix_transport::client::blocking_io::http::Http;

use super::packet::{self, Packet};
use super::relay::relay;
use super::remote::Remote;
use super::service::Service;
use super::upload_pack::from_git_error;
use super::{Credentials, Error};

/// Passes git's arguments to the server and its archive back.
pub fn serve<H: Http, C: Credentials>(
    remote: &mut Remote<H, C>,
    from_git: &mut impl BufRead,
    to_git: &mut impl Write,
) -> Result<(), Error> {
    let mut request = Vec::new();
    loop {
        match packet::read(from_git, &mut request) {
            Ok(Some(Packet::Flush)) => break,
            Ok(Some(_)) => {}
            Ok(None) if request.is_empty() => return Ok(()),
            Ok(None) => return Err(from_git_error(packet::Error::Truncated, &request)),
            Err(error) => return Err(from_git_error(error, &request)),
        }
    }
    let body = remote.post(Service::UploadArchive, &request, true)?;
    relay(body, Service::UploadArchive, remote.allowed(), to_git).map(drop)
}
