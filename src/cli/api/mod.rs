//! `api`: Bitbucket's REST API with the secret that git uses, for scripts and for a look.
//!
//! The answer goes to standard output as it comes, at a terminal without what would steer it. An error of the API is told in words, and standard output then
//! stays empty; what a script has read before an answer was cut is followed by an exit code of 1.

mod pages;
mod place;
mod screen;

use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use url::Url;
use zeroize::Zeroizing;

use super::scene::{PATIENCE, Scene};
use crate::address::BaseUrl;
use crate::bridge::outcome::{Effect, Extent, Unfinished};
use crate::credential::Wanted;
use crate::credential::account::Scope;
use crate::credential::login::Login;
use crate::explain::{network, rest};
use crate::http::rest::{Call, Reply, Rest};
use crate::http::settings::{LowSpeed, Settings};
use crate::report::{Failure, Kind};
use crate::trace::Trace;

/// The largest body that is sent, in bytes: it is held in memory.
const MAX: u64 = 64 * 1024 * 1024;

/// When an answer is given up where `http.lowSpeedLimit` says nothing.
const STOPPED: LowSpeed = LowSpeed {
    limit: 100,
    time: Duration::from_secs(120),
};

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud api /user
  git-remote-bbcloud api '/repositories/{workspace}/{repo}/commits?pagelen=10'
  git-remote-bbcloud api --paginate /repositories/acme
  echo '{\"title\": \"Fix\", \"source\": {\"branch\": {\"name\": \"fix\"}}}' |
    git-remote-bbcloud api --input - '/repositories/{workspace}/{repo}/pullrequests'

'{workspace}' and '{repo}' stand for those of the repository you are in: its 'bbcloud::' remote, or, in Bitbucket
Pipelines, the repository that is built.

With --paginate the 'values' of all pages are written as one JSON array; if a page fails, the array has no end and the
exit code is 1.

The secret is the one that git gets. Beside an API token the API wants the e-mail address of the Atlassian account:
'git-remote-bbcloud login --email <address>', or BBCLOUD_EMAIL. It goes to the API and nowhere else: redirects to other
hosts, as for downloads, are followed without it.";

/// Ask Bitbucket's REST API
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What to ask for, below the API's address; it begins with a slash
    #[arg(value_name = "/PATH")]
    path: String,
    /// The method [default: GET, or POST with --input]
    #[arg(short = 'X', long, value_name = "METHOD", ignore_case = true,
        value_parser = ["GET", "POST", "PUT", "PATCH", "DELETE"])]
    method: Option<String>,
    /// Send a file as JSON; '-' is standard input
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Ask for all pages, and write their values as one array
    #[arg(long, conflicts_with = "input")]
    paginate: bool,
}

pub(super) fn run(arguments: &Arguments, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let method = method(arguments)?;
    let base = place::api_url(scene)?;
    let url = place::url(&arguments.path, &base, scene.here().as_ref())?;
    let body = arguments.input.as_deref().map(read_input).transpose()?;
    let mut api = Api::open(&base, &url, scene)?;
    if arguments.paginate {
        pages::write_values(&mut api, url)?;
    } else {
        let mut reply = api.ask(method, url, body)?;
        let out = &mut screen::open();
        // As it comes: a download may be of any size.
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = reply.read(&mut buffer).map_err(|error| api.broken(error))?;
            let bytes = buffer.get(..count).unwrap_or_default();
            if count == 0 || !write(out, bytes)? {
                break;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn method(arguments: &Arguments) -> Result<&'static str, Failure> {
    let given = arguments.method.as_deref().map(str::to_ascii_uppercase);
    let method = match (given.as_deref(), arguments.input.is_some()) {
        (None | Some("GET"), false) => "GET",
        (Some("GET"), true) => {
            return Err(Failure::new(Kind::Usage, "a GET sends no file").hint("leave '--input' or '-X GET' out"));
        }
        (Some("PUT"), _) => "PUT",
        (Some("PATCH"), _) => "PATCH",
        (Some("DELETE"), _) => "DELETE",
        _ => "POST",
    };
    if arguments.paginate && method != "GET" {
        return Err(Failure::new(Kind::Usage, "only a GET has pages").hint(format!("leave '-X {method}' out")));
    }
    Ok(method)
}

fn read_input(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &io::Error| {
        Failure::new(Kind::Local, format!("cannot read the input from '{}'", path.display())).caused_by(error)
    };
    let mut body = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX + 1).read_to_end(&mut body)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX + 1).read_to_end(&mut body))
    };
    read.map_err(|error| failed(&error))?;
    if body.len() as u64 > MAX {
        return Err(Failure::new(
            Kind::Usage,
            format!("the input is longer than {MAX} bytes"),
        ));
    }
    Ok(body)
}

/// Writes data to standard output. Returns whether anybody wants more of it.
fn write(out: &mut impl Write, bytes: &[u8]) -> Result<bool, Failure> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(Kind::Local, "cannot write the output").caused_by(&error)),
    }
}

/// The API, and who asks it.
struct Api<'a> {
    base: &'a BaseUrl,
    rest: Rest,
    login: Option<Login>,
}

impl<'a> Api<'a> {
    fn open(base: &'a BaseUrl, url: &Url, scene: &Scene<'_>) -> Result<Self, Failure> {
        let mut settings = Settings::read(url, url.as_str(), &scene.config, scene.environment)?;
        // A download may take as long as it has to, and a server that has stopped may not.
        settings.low_speed.get_or_insert(STOPPED);
        settings.connect_timeout.get_or_insert(PATIENCE);
        for warning in &settings.warnings {
            scene.report.warning(warning);
        }
        let scope = place::scope(url, base, &scene.base);
        let here = scene.here().filter(|address| Scope::of(address) == scope);
        let wanted = match &here {
            Some(address) => Wanted::repository(address, &scene.base),
            None => Wanted::place(scope, &scene.base),
        };
        let login = scene.logins(wanted)?.look_up(scene.environment)?;
        if let Some(login) = login.as_ref().filter(|login| login.rest_authorization().is_none()) {
            return Err(rest::no_email(login));
        }
        let trace = Trace::from_environment(scene.environment, scene.report)?;
        Ok(Self {
            base,
            rest: Rest::new(settings, scene.report, trace, None),
            login,
        })
    }

    /// Sends a request. An answer of the API that says no is a failure.
    fn ask(&mut self, method: &'static str, url: Url, body: Option<Vec<u8>>) -> Result<Reply, Failure> {
        let mut lines: Vec<Zeroizing<String>> = vec!["Accept: */*".to_owned().into()];
        if body.is_some() {
            lines.push("Content-Type: application/json".to_owned().into());
        }
        lines.extend(self.login.as_ref().and_then(Login::rest_authorization));
        let asked = format!("{method} {}", url.path());
        let root = self.base.url().path().trim_end_matches('/');
        let path = url.path().strip_prefix(root).unwrap_or(url.path()).to_owned();
        let sent = self.rest.send(Call {
            method,
            url,
            lines,
            body,
            follow: true,
        });
        let mut reply = sent.map_err(|unfinished| match (method, unfinished.outcome.effect(Extent::Whole)) {
            ("GET", _) | (_, Effect::None) => self.broken(unfinished),
            (_, Effect::Unknown) => rest::unknown(&self.broken(unfinished), &asked, &path),
        })?;
        if reply.status() < 300 {
            return Ok(reply);
        }
        Err(rest::explain(&reply.refusal(), &asked, self.login.as_ref()))
    }

    fn broken(&self, error: impl Into<Unfinished>) -> Failure {
        network::explain(self.base, error)
    }
}
