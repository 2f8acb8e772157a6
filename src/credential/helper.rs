//! Git's credential helpers, asked by git itself: `git credential fill`, `approve` and `reject` speak the whole protocol
//! of the git that is installed, today's and tomorrow's (git-credential(1)).
//!
//! Does not depend on the order of sources. Git does not prompt here: a last helper is added after the user's, and it
//! always answers, so git never reaches its own prompt.

use std::process::Stdio;

use url::Url;
use zeroize::Zeroizing;

use super::parts::Helpers;
use super::policy::HelperSettings;
use crate::git::credential::run;
use crate::secret::Secret;

/// The helper behind the user's: it gives back the user name, if one is known by now, with a password that is never sent.
/// Git passes it on to all that it starts, which is how our own `credential` command knows that it has been asked already.
pub const LAST: &str = "!f() { test \"$1\" = get || exit 0; u=username=; while read -r l && test -n \"$l\"; do \
    case \"$l\" in username=*) u=$l ;; esac; done; printf '%s\\npassword=git-remote-bbcloud: no password\\n' \"$u\"; }; f";

/// The password that means that no helper knew one.
const NO_PASSWORD: &str = "git-remote-bbcloud: no password";

/// What the helpers are asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The repository's URL, without a user.
    pub url: &'a Url,
    /// The user name, if one is known.
    pub username: Option<&'a str>,
    /// The `WWW-Authenticate` values of the refusal, if there was one.
    pub challenges: &'a [String],
    /// The answer that the server wants continued, if this is not the first round.
    pub before: Option<&'a Found>,
}

/// What the helpers answered.
#[derive(Debug)]
pub enum Answer {
    /// A secret.
    Login(Found),
    /// No helper knows one; perhaps the user name.
    Nothing(Option<String>),
    /// A helper says that nobody else is to be asked (`quit=true`).
    Quit,
}

/// A helper's secret, to be approved or rejected.
#[derive(Debug, Clone)]
pub struct Found {
    /// The user name, which may be empty.
    pub username: String,
    /// The password, or what follows `authtype` in the header.
    pub secret: Secret,
    /// The scheme of the header, where the helper chose it; else Basic.
    pub authtype: Option<String>,
    /// Whether a refusal means another round (`continue`).
    pub continues: bool,
    /// What a further round passes on (`state[]`).
    state: Vec<String>,
    /// Every line that git wrote, to be passed back.
    lines: Zeroizing<Vec<u8>>,
}

/// The helpers of git's configuration.
pub(super) struct GitCredential {
    any: bool,
}

impl GitCredential {
    pub(super) fn new(settings: &HelperSettings) -> Self {
        Self {
            any: !settings.programs.is_empty(),
        }
    }
}

impl Helpers for GitCredential {
    fn fill(&self, question: &Question<'_>) -> Answer {
        if !self.any {
            return Answer::Nothing(None);
        }
        let setting = format!("credential.helper={LAST}");
        match run("fill", &question.lines(), &[&setting], Stdio::piped()) {
            Ok(output) if output.status.success() => Answer::read(Zeroizing::new(output.stdout)),
            // The last helper always answers, so only a helper before it can have ended the search; git said which.
            Ok(_) => Answer::Quit,
            Err(_) => Answer::Nothing(None),
        }
    }

    fn approve(&self, found: &Found) {
        found.tell("approve", &[]);
    }

    fn reject(&self, found: &Found, challenges: &[String]) {
        found.tell("reject", challenges);
    }
}

impl Question<'_> {
    fn lines(&self) -> Vec<u8> {
        let host = self.url.host_str().unwrap_or_default();
        let host = match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let path = percent_encoding::percent_decode_str(self.url.path().trim_start_matches('/')).decode_utf8_lossy();
        let mut lines = vec![
            "capability[]=authtype".to_owned(),
            "capability[]=state".to_owned(),
            format!("protocol={}", self.url.scheme()),
            format!("host={host}"),
            format!("path={path}"),
        ];
        lines.extend(self.username.map(|name| format!("username={name}")));
        lines.extend(self.challenges.iter().map(challenge));
        let scheme = self.before.and_then(|found| found.authtype.as_ref());
        lines.extend(scheme.map(|scheme| format!("authtype={scheme}")));
        let state = self.before.map(|found| found.state.as_slice()).unwrap_or_default();
        lines.extend(state.iter().map(|text| format!("state[]={text}")));
        // A line end in a value would be a line of its own.
        lines.retain(|line| !line.contains(['\n', '\0']));
        (lines.join("\n") + "\n\n").into_bytes()
    }
}

impl Answer {
    /// Reads what `git credential fill` wrote.
    fn read(lines: Zeroizing<Vec<u8>>) -> Self {
        let Ok(text) = std::str::from_utf8(&lines) else {
            return Self::Nothing(None);
        };
        let values = |wanted: &'static str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.filter(move |(name, _)| *name == wanted).map(|(_, value)| value)
        };
        let last = |wanted: &'static str| values(wanted).next_back();
        let username = last("username");
        let (authtype, secret) = match (last("authtype"), last("credential")) {
            (Some(authtype), Some(credential)) => (Some(authtype.to_owned()), credential),
            _ => match last("password") {
                Some(password) if password != NO_PASSWORD => (None, password),
                _ => return Self::Nothing(username.filter(|name| !name.is_empty()).map(str::to_owned)),
            },
        };
        Self::Login(Found {
            username: username.unwrap_or_default().to_owned(),
            secret: Secret::new(secret),
            authtype,
            continues: last("continue").is_some_and(|value| crate::git::value::boolean(value) == Some(true)),
            state: values("state[]").map(str::to_owned).collect(),
            lines,
        })
    }
}

impl Found {
    /// Returns a secret that the user has given, to be kept by the helpers.
    pub fn given(url: &Url, username: &str, secret: &Secret) -> Self {
        let question = Question {
            url,
            username: Some(username),
            challenges: &[],
            before: None,
        };
        let mut lines = Zeroizing::new(Vec::with_capacity(4096));
        lines.extend(question.lines().strip_suffix(b"\n").unwrap_or_default());
        lines.extend_from_slice(b"password=");
        lines.extend_from_slice(secret.expose().as_bytes());
        lines.push(b'\n');
        Self {
            username: username.to_owned(),
            secret: secret.clone(),
            authtype: None,
            continues: false,
            state: Vec::new(),
            lines,
        }
    }

    /// What helpers make of it is their own matter, for git as well.
    fn tell(&self, action: &str, challenges: &[String]) {
        let more: String = challenges
            .iter()
            .map(challenge)
            .filter(|line| !line.contains(['\n', '\0']))
            .map(|line| line + "\n")
            .collect();
        let mut lines = Zeroizing::new(Vec::with_capacity(self.lines.len() + more.len() + 1));
        lines.extend_from_slice(&self.lines);
        lines.extend_from_slice(more.as_bytes());
        lines.push(b'\n');
        run(action, &lines, &[], Stdio::null()).ok();
    }
}

/// A `WWW-Authenticate` value as git's protocol has it.
fn challenge(value: &String) -> String {
    format!("wwwauth[]={value}")
}

#[cfg(test)]
pub(super) fn found(username: &str, secret: &str, more: &str) -> Found {
    let lines = format!("username={username}\npassword={secret}\n{more}");
    match Answer::read(Zeroizing::new(lines.into_bytes())) {
        Answer::Login(found) => found,
        other => panic!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question<'a>(url: &'a Url, challenges: &'a [String], before: Option<&'a Found>) -> String {
        let question = Question {
            url,
            username: Some("a@b"),
            challenges,
            before,
        };
        String::from_utf8(question.lines()).expect("text")
    }

    #[test]
    fn git_is_asked_with_all_that_is_known() {
        let url = Url::parse("https://bitbucket.org:8443/acme/%7Bx%7D.git").expect("a URL");
        let challenges = [
            "Basic realm=\"x\"".to_owned(),
            "Bearer".to_owned(),
            "two\nlines".to_owned(),
        ];
        let lines = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=bitbucket.org:8443\n\
            path=acme/{x}.git\nusername=a@b\nwwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer\n";
        assert_eq!(question(&url, &challenges, None), format!("{lines}\n"));
        let before = found(
            "ada",
            "x",
            "authtype=Two\ncredential=x\nstate[]=one\nstate[]=two\ncontinue=1\n",
        );
        assert!(before.continues);
        assert_eq!(
            question(&url, &challenges, Some(&before)),
            format!("{lines}authtype=Two\nstate[]=one\nstate[]=two\n\n")
        );
    }

    #[test]
    fn an_answer_is_a_login_a_name_or_nothing() {
        let read = |text: &str| Answer::read(Zeroizing::new(text.as_bytes().to_vec()));
        let last = format!("username=ada\npassword={NO_PASSWORD}\n");
        assert!(matches!(read(&last), Answer::Nothing(Some(name)) if name == "ada"));
        assert!(matches!(read("protocol=https\nhost=x\n"), Answer::Nothing(None)));
        let Answer::Login(found) = read("authtype=Bearer\ncredential=abc=\nusername=\n") else {
            panic!("a login");
        };
        assert_eq!(
            (found.authtype.as_deref(), found.secret.expose()),
            (Some("Bearer"), "abc=")
        );
        let Answer::Login(found) = read("username=ada\npassword= p=q\n") else {
            panic!("a login");
        };
        assert_eq!((found.username.as_str(), found.authtype), ("ada", None));
    }
}
