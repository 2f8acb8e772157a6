//! `credential`: git's credential protocol (git-credential(1)), so that git-lfs, editors and plain https remotes share
//! the keychain.
//!
//! It answers `get` for its own hosts. What git says in `store` changes nothing, and `erase` only for a moment: a login
//! is replaced by `login` and ends with `logout`, and not because a server had a bad day.

use std::io::{self, BufRead as _};
use std::process::ExitCode;

use clap::Args;
use zeroize::Zeroizing;

use super::large_files::{self, Asker};
use super::scene::{Scene, exit, print_exactly};
use crate::address::{Address, BaseUrl};
use crate::credential::Wanted;
use crate::credential::account::{Scope, closest};
use crate::credential::login::Login;
use crate::credential::refused::Refused;
use crate::origin::Origin;
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
    /// Answer nothing, and only bring up to date what git-lfs reads in this repository
    #[arg(long, hide = true)]
    follow: bool,
}

impl Arguments {
    /// Whether the answer is a secret.
    pub(super) fn hands_a_secret_out(&self) -> bool {
        self.operation == "get"
    }
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
    if !erase && question.is_for(scene) {
        let asker = match (arguments.operation.as_str(), arguments.follow) {
            ("get", false) => Asker::Path(&question.path),
            _ => Asker::Git,
        };
        large_files::follow(asker, scene)?;
    }
    if arguments.follow {
        return Ok(exit(true));
    }
    if !(erase || arguments.operation == "get") || !question.is_for(scene) {
        return Ok(exit(true));
    }
    // Git was started by this program, which has asked the keychain itself.
    if scene.policy.helpers.asked_by_us {
        return Ok(exit(true));
    }
    let Some(scope) = question.scope(&scene.base) else {
        return Ok(exit(true));
    };
    if erase {
        tell_rejected(&question, &scope, scene)?;
    }
    let Some((login, created)) = answer(&question, &scope, scene)? else {
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
    print_exactly(&text)?;
    Ok(exit(true))
}

/// The server has rejected a login: it stays, and whoever sits there is told what helps.
fn tell_rejected(question: &Question, scope: &Scope, scene: &Scene<'_>) -> Result<(), Failure> {
    let accounts = scene.index.read()?;
    let named = question.username.as_deref();
    let account = closest(&accounts, &question.host, scope, named);
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
fn answer(question: &Question, scope: &Scope, scene: &Scene<'_>) -> Result<Option<(Login, u64)>, Failure> {
    let name = question.username.as_deref();
    let wanted = Wanted::question(&question.host, scope.clone(), name, &scene.base);
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
            // In the one form under which secrets are kept; what is no host is for nobody.
            "host" => self.host = Origin::named("https", value).map_or(value.to_owned(), |origin| origin.key()),
            "path" => value.clone_into(&mut self.path),
            "username" => self.username = Some(value.to_owned()).filter(|name| !name.is_empty()),
            "password" => self.password = Some(Secret::new(value)),
            "url" => self.set_url(value),
            _ => {}
        }
    }

    /// A URL stands for its parts, and for nothing that was said before. It is taken apart as git does it
    /// (`credential_from_url_gently` in its `credential.c`), and not as a browser would: one that git and the server
    /// read in two ways must not get a secret. Where git refuses it, nothing is left of the question.
    fn set_url(&mut self, value: &str) {
        *self = Self::default();
        let Some((protocol, rest)) = value.split_once("://").filter(|(protocol, _)| !protocol.is_empty()) else {
            return;
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (userinfo, host) = authority.split_once('@').unwrap_or(("", authority));
        let (name, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let path = path.trim_start_matches('/');
        let parts = [name, password, host, path].map(|part| {
            let decoded = percent_encoding::percent_decode_str(part).decode_utf8().ok()?;
            (!decoded.contains(char::is_control)).then(|| Zeroizing::new(decoded.into_owned()))
        });
        let [Some(name), Some(password), Some(host), Some(path)] = parts else {
            return;
        };
        self.set("protocol", protocol);
        self.set("host", &host);
        self.set("path", path.trim_end_matches('/'));
        self.set("username", &name);
        if !password.is_empty() {
            self.set("password", &password);
        }
    }

    /// Whether a secret may go there: over TLS, or in clear text where the base URL itself does so on this machine.
    fn is_for(&self, scene: &Scene<'_>) -> bool {
        let base = Origin::of(scene.base.url());
        Origin::named(&self.protocol, &self.host)
            .is_some_and(|origin| origin.is_secure() || origin.may_have_secrets_of(&base))
    }

    /// The repository that the path names, else everything at the host. `None` for what is not below the base URL:
    /// only whole segments of a path are below it.
    fn scope(&self, base: &BaseUrl) -> Option<Scope> {
        let mut parts = self.path.trim_matches('/').split('/').filter(|part| !part.is_empty());
        if self.host == base.host_and_port() && !self.path.is_empty() {
            let mut prefix = base.url().path().split('/').filter(|part| !part.is_empty());
            if !prefix.all(|part| parts.next() == Some(part)) {
                return None;
            }
        }
        let (Some(workspace), Some(repository)) = (parts.next(), parts.next()) else {
            return Some(Scope::host());
        };
        if [workspace, repository].iter().any(|part| matches!(*part, "." | "..")) {
            return None;
        }
        let address = Address::parse(&format!("{workspace}/{repository}"), base);
        Some(address.map_or_else(|_| Scope::host(), |address| Scope::of(&address)))
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
    fn a_url_stands_for_its_parts() {
        let expected = (
            "https".to_owned(),
            "localhost:1".to_owned(),
            "a/b".to_owned(),
            Some("a@b".to_owned()),
        );
        assert_eq!(read("url=https://a%40b@localhost:1/a/b\n"), Some(expected));
    }

    #[test]
    fn a_url_is_read_as_git_reads_it() {
        for (url, host, path) in [
            ("https://bitbucket.org/a/b.git/", "bitbucket.org", "a/b.git"),
            ("https://BitBucket.org:443//a%2Fb", "bitbucket.org", "a/b"),
            ("https://bitbucket.org?x", "bitbucket.org", "?x"),
            // A browser would read these as another host's, or as bitbucket.org's.
            ("https://bitbucket.org\\@evil.example/a", "evil.example", "a"),
            (
                "https://evil.example\\.bitbucket.org/a",
                "evil.example\\.bitbucket.org",
                "a",
            ),
            (
                "https://a@evil.example@bitbucket.org/a",
                "evil.example@bitbucket.org",
                "a",
            ),
            ("https:///bitbucket.org/a", "", "bitbucket.org/a"),
            ("https:bitbucket.org/a", "", ""),
            ("https:/bitbucket.org/a", "", ""),
            ("https://\u{ff42}itbucket.org/a", "\u{ff42}itbucket.org", "a"),
            ("https://bit\tbucket.org/a", "", ""),
            ("https://bitbucket.org/a%0ahost=evil", "", ""),
            ("bitbucket.org/a", "", ""),
        ] {
            let (_, read_host, read_path, _) = read(&format!("url={url}\n")).expect("lines");
            assert_eq!((read_host.as_str(), read_path.as_str()), (host, path), "{url}");
        }
        let reset = read("username=ada\npath=x/y\nurl=https://bitbucket.org\n").expect("lines");
        assert_eq!((reset.2.as_str(), reset.3), ("", None));
    }

    #[test]
    fn only_whole_segments_are_below_the_base_url() {
        let base = BaseUrl::parse("https://git.example/bb").expect("a URL");
        let scope = |path: &str| {
            let question = Question {
                host: "git.example".to_owned(),
                path: path.to_owned(),
                ..Question::default()
            };
            question.scope(&base).map(|scope| scope.text().to_owned())
        };
        assert_eq!(scope("bb/acme/widgets.git").as_deref(), Some("acme/widgets"));
        assert_eq!(scope("").as_deref(), Some(""));
        assert_eq!(scope("bb").as_deref(), Some(""));
        for path in ["bbacme/widgets.git", "acme/widgets.git", "bb/../acme/widgets", "b"] {
            assert_eq!(scope(path), None, "{path}");
        }
    }
}
