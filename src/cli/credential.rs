//! `credential`: git's credential protocol (git-credential(1)), so that git-lfs, editors and plain https remotes share
//! the keychain.
//!
//! It answers `get` for its own hosts. What git says in `store` changes nothing, and `erase` only for a moment: a login
//! is replaced by `login` and ends with `logout`, and not because a server had a bad day.

use std::io::{self, BufRead as _};
use std::process::ExitCode;

use clap::Args;
use zeroize::Zeroizing;

use super::scene::{Scene, exit, print};
use crate::address::Address;
use crate::credential::Wanted;
use crate::credential::account::{Scope, closest};
use crate::credential::login::Login;
use crate::credential::refused::Refused;
use crate::report::{Failure, Kind};
use crate::secret::Secret;

/// The longest question, in bytes.
const MAX: u64 = 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  git config --global credential.https://bitbucket.org.helper '!git-remote-bbcloud credential'
  git config --global credential.https://bitbucket.org.useHttpPath true
  printf 'url=https://bitbucket.org/acme/widgets\\n' | git-remote-bbcloud credential get

With 'useHttpPath' git says which repository it is about, so that accounts for one workspace or repository are found.";

/// Answer git's credential protocol on standard input and output
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What git asks for: get, store or erase; anything else is left to other helpers
    operation: String,
}

/// What git asks about. Other attributes, such as `capability[]`, `state[]` and `wwwauth[]`, say nothing that matters.
#[derive(Default)]
pub(super) struct Question {
    protocol: String,
    host: String,
    path: String,
    username: Option<String>,
    /// What `erase` is about.
    password: Option<Secret>,
}

pub(super) fn run(arguments: &Arguments, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let question = Question::read(io::stdin().lock())?;
    let erase = arguments.operation == "erase";
    if !(erase || arguments.operation == "get") || !question.is_for(scene) {
        return Ok(exit(true));
    }
    // Git was started by this program, which has asked the keychain itself.
    if scene.policy.helpers.asked_by_us {
        return Ok(exit(true));
    }
    if erase {
        tell_rejected(&question, scene)?;
    }
    let Some((login, created)) = answer(&question, scene)? else {
        return Ok(exit(true));
    };
    let refused = Refused {
        host: &question.host,
        path: &question.path,
        username: &login.username,
    };
    if erase {
        if question.password.as_ref() == Some(&login.secret) {
            refused.note(&scene.index);
        }
        return Ok(exit(true));
    }
    if refused.when(&scene.index).is_some_and(|when| created <= when) {
        scene.report.warning(&format!(
            "'{}' has just refused the {} of '{}' {} for '{}'",
            question.host,
            login.kind(),
            login.username,
            login.source,
            question.path
        ));
        return Ok(exit(true));
    }
    let login = login.checked()?;
    let mut text = Zeroizing::new(String::with_capacity(
        256 + login.username.len() + login.secret.expose().len(),
    ));
    for part in [
        "username=",
        login.username.as_str(),
        "\npassword=",
        login.secret.expose(),
        "\n",
    ] {
        text.push_str(part);
    }
    print(&text)?;
    Ok(exit(true))
}

/// The server has rejected a login: it stays, and whoever sits there is told what helps.
fn tell_rejected(question: &Question, scene: &Scene<'_>) -> Result<(), Failure> {
    let accounts = scene.index.read()?;
    let named = question.username.as_deref();
    let account = closest(&accounts, &question.host, &question.scope(scene), named);
    if let Some(account) = account.filter(|account| named == Some(account.username.as_str())) {
        scene.report.hint(&format!(
            "'{}' rejected the {} of '{}', which stays in the {}: run 'git-remote-bbcloud login --replace --for {}'",
            account.host,
            account.kind,
            account.username,
            account.place,
            account.target()
        ));
    }
    Ok(())
}

/// Returns the login for what git asks about, and when it was kept, if it was.
fn answer(question: &Question, scene: &Scene<'_>) -> Result<Option<(Login, u64)>, Failure> {
    let scope = question.scope(scene);
    let wanted = Wanted::question(&question.host, scope, question.username.as_deref(), &scene.base);
    scene.logins(wanted)?.look_up_own()
}

impl Question {
    /// Reads git's lines up to a blank one.
    pub(super) fn read(input: impl io::Read) -> Result<Self, Failure> {
        let mut question = Self::default();
        let mut input = io::BufReader::new(input.take(MAX));
        // One buffer of its full size, because the password is among the lines of `store`.
        let mut line = Zeroizing::new(Vec::with_capacity(64 * 1024));
        loop {
            line.clear();
            let read = input.read_until(b'\n', &mut line);
            read.map_err(|error| Failure::new(Kind::Local, "cannot read git's question").caused_by(&error))?;
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.is_empty() {
                return Ok(question);
            }
            let text = String::from_utf8_lossy(text);
            let text = Zeroizing::new(text.into_owned());
            let Some((name, value)) = text.split_once('=') else {
                return Err(Failure::new(Kind::Protocol, "git's question has a line without '='"));
            };
            question.set(name, value);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "protocol" => value.clone_into(&mut self.protocol),
            "host" => {
                let host = value.to_ascii_lowercase();
                // The port of https need not be named, and a host's key never does.
                self.host = host.strip_suffix(":443").map_or(host.clone(), str::to_owned);
            }
            "path" => value.clone_into(&mut self.path),
            "username" => self.username = Some(value.to_owned()).filter(|name| !name.is_empty()),
            "password" => self.password = Some(Secret::new(value)),
            "url" => self.set_url(value),
            _ => {}
        }
    }

    /// A URL stands for its parts (git-credential(1), `url`).
    fn set_url(&mut self, value: &str) {
        let Ok(url) = url::Url::parse(value) else { return };
        url.scheme().clone_into(&mut self.protocol);
        let host = url.host_str().unwrap_or_default();
        self.host = url
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        url.path().trim_start_matches('/').clone_into(&mut self.path);
        let name = percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy();
        self.username = Some(name.into_owned()).filter(|name| !name.is_empty());
    }

    /// Whether a secret may go there: over TLS, or in clear text where the base URL itself does so on this machine.
    fn is_for(&self, scene: &Scene<'_>) -> bool {
        let is_base = self.host == scene.base.host_and_port();
        match self.protocol.as_str() {
            "https" => !self.host.is_empty(),
            "http" => is_base && scene.base.url().scheme() == "http",
            _ => false,
        }
    }

    /// The repository that the path names, else everything at the host.
    fn scope(&self, scene: &Scene<'_>) -> Scope {
        let path = self.path.trim_matches('/');
        let path = if self.host == scene.base.host_and_port() {
            match below(path, scene.base.url().path().trim_matches('/')) {
                Some(path) => path,
                None => return Scope::host(),
            }
        } else {
            path
        };
        let mut parts = path.split('/');
        let (Some(workspace), Some(repository)) = (parts.next(), parts.next()) else {
            return Scope::host();
        };
        let address = Address::parse(&format!("{workspace}/{repository}"), &scene.base);
        address.map_or_else(|_| Scope::host(), |address| Scope::of(&address))
    }
}

/// Returns the rest of `path` below `prefix`, which is whole segments of it.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    match path.strip_prefix(prefix)? {
        rest if prefix.is_empty() || rest.is_empty() => Some(rest),
        rest => rest.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String, String, Option<String>)> {
        let question = Question::read(text.as_bytes()).ok()?;
        Some((question.protocol, question.host, question.path, question.username))
    }

    #[test]
    fn every_attribute_of_git_is_read_or_ignored() {
        let text = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=BitBucket.org\npath=a/b.git\n\
            wwwauth[]=Basic realm=\"x\"\nstate[]=other.x=1\nephemeral=1\ncontinue=1\nauthtype=Bearer\ncredential=x\n\
            password_expiry_utc=1\noauth_refresh_token=x\npassword=p\nusername=\nnew-thing=1\n\nhost=late\n";
        let expected = (
            "https".to_owned(),
            "bitbucket.org".to_owned(),
            "a/b.git".to_owned(),
            None,
        );
        assert_eq!(read(text), Some(expected));
        assert_eq!(read("host\n"), None);
    }

    #[test]
    fn a_base_url_is_a_prefix_by_whole_segments() {
        assert_eq!(below("bb/acme/widgets.git", "bb"), Some("acme/widgets.git"));
        assert_eq!(below("acme/widgets", ""), Some("acme/widgets"));
        assert_eq!(below("bb", "bb"), Some(""));
        assert_eq!(below("bbacme/widgets.git", "bb"), None);
        assert_eq!(below("acme/widgets.git", "bb"), None);
    }

    #[test]
    fn a_url_stands_for_its_parts() {
        let expected = (
            "https".to_owned(),
            "localhost:1".to_owned(),
            "a/b".to_owned(),
            Some("a@b".to_owned()),
        );
        assert_eq!(read("url=https://a%40b@localhost:1/a/b\n"), Some(expected));
    }
}
