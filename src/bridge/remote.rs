//! The server as the bridge sees it: a base URL, services below it, and somebody who says who is asking.
//!
//! Every request of a session goes through here, so that the answer's type, a redirected base and a refused credential
//! are looked after once.

use std::io::{self, BufRead, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use zeroize::Zeroizing;

use super::controls::Allowed;
use super::discovery::Advertisement;
use super::outcome::{Outcome, Unfinished};
use super::packet;
use super::service::{Service, Version};
use super::{Credentials, Error};
use crate::origin::Origin;

/// Requests of a fetch beyond this many bytes are compressed, as git does (`remote-curl.c`, `post_rpc`).
const GZIP_FROM: usize = 1024;

/// A repository at a server.
pub struct Remote<H, C> {
    http: H,
    url: String,
    /// Where it was looked for first: the server that secrets are for.
    home: Option<Origin>,
    moved: bool,
    version: Version,
    credentials: C,
    allowed: Allowed,
    git_broke_off: bool,
    posts: Arc<AtomicUsize>,
}

/// What [`Remote::upload`] writes to and reads from.
pub type Upload<H> = PostResponse<<H as Http>::Headers, <H as Http>::ResponseBody, <H as Http>::PostBody>;

impl<H: Http, C: Credentials> Remote<H, C> {
    /// Returns the repository at `url`, which has no slash at its end.
    pub fn new(http: H, url: String, version: Version, credentials: C) -> Self {
        Self {
            http,
            home: Origin::parse(&url),
            url,
            moved: false,
            version,
            credentials,
            allowed: Allowed::default(),
            git_broke_off: false,
            posts: Arc::default(),
        }
    }

    /// Returns the number of requests to services, as it grows.
    pub fn posts(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.posts)
    }

    /// Git ended the session without its last packet.
    pub(super) fn note_break(&mut self) {
        self.git_broke_off = true;
    }

    /// Whether git ended the session without its last packet: it says why.
    pub fn git_broke_off(&self) -> bool {
        self.git_broke_off
    }

    /// Lets `allowed` in the server's messages reach the terminal.
    pub fn allow(&mut self, allowed: Allowed) {
        self.allowed = allowed;
    }

    /// Returns what in the server's messages may steer the terminal.
    pub fn allowed(&self) -> Allowed {
        self.allowed
    }

    /// Returns the version of the protocol that is asked for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether a redirect has led to another URL than the one that was asked for.
    pub fn has_moved(&self) -> bool {
        self.moved
    }

    /// Whether that URL is of another server: one that is sent no secret, and so accepts none.
    pub fn is_elsewhere(&self) -> bool {
        let base = self.http.redirected_base_url();
        let server = Origin::parse(base.as_deref().unwrap_or(&self.url));
        let is_home = |server: Origin| {
            let home = self.home.as_ref();
            home.is_some_and(|home| server.may_have_secrets_of(home))
        };
        !server.is_some_and(is_home)
    }

    /// Returns the client, to be told what git has said of the network.
    pub fn http(&self) -> &H {
        &self.http
    }

    /// Returns who is asking.
    pub fn credentials(&self) -> &C {
        &self.credentials
    }

    /// Returns who is asking, to be told who is to ask.
    pub fn credentials_mut(&mut self) -> &mut C {
        &mut self.credentials
    }

    /// Asks for the advertisement of `service`.
    pub fn advertisement(&mut self, service: Service) -> Result<Advertisement, Error> {
        loop {
            let url = format!("{}/info/refs?service={}", self.url, service.name());
            let lines = self.lines(service, vec![line("Accept: */*"), line("Pragma: no-cache")])?;
            let GetResponse { headers, mut body } = self.http.get(&url, &self.url, lines).map_err(wrapped)?;
            let wanted = format!("application/x-{}-advertisement", service.name());
            if !self.accepted(check_type(headers, &wanted), true)? {
                continue;
            }
            if let Some(base) = self.http.redirected_base_url() {
                self.url = base;
                self.moved = true;
            }
            return Advertisement::read(service, &mut body);
        }
    }

    /// Sends a request that is held in memory, and returns the body of the answer. `compress` is for fetches only: no
    /// server need understand a compressed push.
    pub fn post(&mut self, service: Service, request: &[u8], compress: bool) -> Result<H::ResponseBody, Error> {
        let compressed = if compress && request.len() > GZIP_FROM {
            Some(gzip(request).map_err(Error::FromGit)?)
        } else {
            None
        };
        loop {
            let mut lines = post_lines(service);
            if compressed.is_some() {
                lines.push(line("Content-Encoding: gzip"));
            }
            let upload = self.start(service, lines, PostBodyDataKind::BoundedAndFitsIntoMemory)?;
            let PostResponse {
                mut post_body,
                headers,
                mut body,
            } = upload;
            post_body.write_all(compressed.as_deref().unwrap_or(request))?;
            drop(post_body);
            let checked = check_result(service, headers, &mut body);
            if self.accepted(checked, service != Service::ReceivePack)? {
                return Ok(body);
            }
        }
    }

    /// Begins a request of unknown length; [`Remote::finish_upload`] ends it.
    pub fn upload(&mut self, service: Service) -> Result<Upload<H>, Error> {
        self.start(service, post_lines(service), PostBodyDataKind::Unbounded)
    }

    /// Ends an upload and returns the body of the answer. A refused credential is not replaced: what has been
    /// uploaded is gone.
    ///
    /// `sent` is what became of the last write to its body. A server that does not want the rest has answered already
    /// ([`Outcome::AnsweredEarly`]), and the answer says why; any other failure is the reason itself.
    pub fn finish_upload(
        &mut self,
        service: Service,
        upload: Upload<H>,
        sent: Result<(), Unfinished>,
    ) -> Result<H::ResponseBody, Error> {
        if let Err(error) = sent
            && error.outcome != Outcome::AnsweredEarly
        {
            return Err(Error::Http(error));
        }
        let PostResponse {
            post_body,
            headers,
            mut body,
        } = upload;
        drop(post_body);
        check_result(service, headers, &mut body)?;
        Ok(body)
    }

    fn start(
        &mut self,
        service: Service,
        lines: Vec<Zeroizing<String>>,
        kind: PostBodyDataKind,
    ) -> Result<Upload<H>, Error> {
        let url = format!("{}/{}", self.url, service.name());
        let lines = self.lines(service, lines)?;
        self.posts.fetch_add(1, Ordering::Relaxed);
        self.http.post(&url, &self.url, lines, kind).map_err(wrapped)
    }

    fn lines(&mut self, service: Service, mut lines: Vec<Zeroizing<String>>) -> Result<Vec<Zeroizing<String>>, Error> {
        lines.extend(self.version.for_service(service).header().map(line));
        lines.extend(self.credentials.authorization().map_err(Error::Credentials)?);
        Ok(lines)
    }

    /// Returns whether an answer, `checked`, accepts the request; if not, the request is to be sent once more, as far as
    /// it `may_repeat`.
    fn accepted(&mut self, checked: Result<(), Error>, may_repeat: bool) -> Result<bool, Error> {
        match checked {
            Err(Error::Refused(refusal)) => {
                let again = self
                    .credentials
                    .refused(&refusal, may_repeat)
                    .map_err(Error::Credentials)?;
                if again { Ok(false) } else { Err(Error::Refused(refusal)) }
            }
            Err(error) => Err(error),
            Ok(()) => {
                let elsewhere = self.is_elsewhere();
                self.credentials.accepted(elsewhere);
                Ok(true)
            }
        }
    }
}

fn post_lines(service: Service) -> Vec<Zeroizing<String>> {
    vec![
        format!("Content-Type: application/x-{}-request", service.name()).into(),
        format!("Accept: {}", result_type(service)).into(),
    ]
}

fn result_type(service: Service) -> String {
    format!("application/x-{}-result", service.name())
}

/// Checks the answer to a POST. Git itself does not look at its type, and some proxies change it; so an answer of another
/// type is taken if it begins with a packet.
fn check_result(service: Service, headers: impl BufRead, body: &mut impl BufRead) -> Result<(), Error> {
    match check_type(headers, &result_type(service)) {
        Err(Error::ContentType { .. }) if packet::may_begin(body.fill_buf()?) => Ok(()),
        checked => checked,
    }
}

/// Reads the headers up to their end and compares the type (`gitprotocol-http(5)`: clients must check it).
fn check_type(mut headers: impl BufRead, wanted: &str) -> Result<(), Error> {
    let mut lines = Vec::new();
    headers.read_to_end(&mut lines)?;
    // Whatever else a server says in its headers, be it in Latin-1.
    let lines = String::from_utf8_lossy(&lines);
    let named = lines
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-type"))
        .map_or("nothing", |(_, value)| {
            value.split(';').next().unwrap_or_default().trim()
        });
    if named.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Error::ContentType {
        found: named.to_owned(),
        expected: wanted.to_owned(),
    })
}

fn gzip(request: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(request.len() / 2), Compression::default());
    encoder.write_all(request)?;
    encoder.finish()
}

/// What gitoxide's trait itself fails with comes before anything is sent.
fn wrapped(error: gix::error::Error) -> Error {
    Error::Http(Unfinished::new(Outcome::Unsent, error))
}

fn line(text: &str) -> Zeroizing<String> {
    text.to_owned().into()
}
