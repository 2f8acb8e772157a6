//! The secret that `login` keeps: from a file, from standard input, or typed by a person.
//!
//! Does not depend on the server, nor on where secrets are kept.

use std::io;

use super::{Arguments, page};
use crate::cli::scene::Scene;
use crate::credential::prompt::question::Target;
use crate::credential::prompt::{Person as _, Prompt};
use crate::credential::{read_file, read_line, unexpanded};
use crate::environment::variable::BBCLOUD_USERNAME;
use crate::report::{Failure, Kind};
use crate::secret::Secret;
use crate::secret::pasted::Pasted;

/// Where secrets are made, and with which permissions.
const WHERE: &str = "\
Create an API token 'with scopes' for the app Bitbucket at
  https://id.atlassian.com/manage-profile/security/api-tokens
to read: read:repository:bitbucket
to push: read:repository:bitbucket and write:repository:bitbucket
wiki:    read:wiki:bitbucket and write:wiki:bitbucket beside them
A repository's, project's or workspace's access token (its settings, 'Access tokens') works as well.
Leave the user name empty for a token; only an app password needs your Bitbucket user name.";

/// What was given, or typed at the terminal.
pub(super) struct Given {
    pub(super) username: Option<String>,
    pub(super) secret: Secret,
    /// Who typed it at the terminal, and can answer one more question.
    pub(super) person: Option<Prompt>,
}

/// Returns the secret of a file or of standard input, with the user name that was given or that a setting has; else
/// both are asked for.
pub(super) fn given(arguments: &Arguments, scene: &Scene<'_>) -> Result<Given, Failure> {
    let environment = scene.environment.line(&BBCLOUD_USERNAME)?;
    let configured = scene.policy.helpers.username.as_deref();
    let username = (arguments.username.as_deref().or(environment)).or(scene.base.username());
    let secret = if let Some(path) = &arguments.token_file {
        Some(read_file(path)?)
    } else if arguments.token_stdin {
        let read = read_line(io::stdin().lock(), "standard input");
        Some(read.map_err(|failure| {
            failure.hint("give it as in 'pass show bitbucket | git-remote-bbcloud login --token-stdin'")
        })?)
    } else {
        None
    };
    let username = username
        .or(configured)
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let given = match secret {
        Some(secret) => Given {
            username,
            secret,
            person: None,
        },
        None => ask(username.as_deref(), arguments, scene)?,
    };
    unwrap(given, scene)
}

/// Takes off what was pasted around the secret, and says so.
fn unwrap(given: Given, scene: &Scene<'_>) -> Result<Given, Failure> {
    let secret = match Pasted::recognize(given.secret) {
        Pasted::Plain(secret) => secret,
        Pasted::Wrapped(secret, wrapping) => {
            scene.report.warning(&format!("ignored {wrapping}"));
            secret
        }
        Pasted::Unexpanded(name) => return Err(unexpanded(&name)),
    };
    Ok(Given { secret, ..given })
}

/// Asks at the terminal, in git's words.
fn ask(username: Option<&str>, arguments: &Arguments, scene: &Scene<'_>) -> Result<Given, Failure> {
    let person = Prompt::at_terminal(scene.report);
    if !scene.policy.interactive || !person.may_be_asked() {
        return Err(
            Failure::new(Kind::Usage, "there is no terminal at which a secret could be asked for")
                .hint("use '--token-stdin' or '--token-file <file>'"),
        );
    }
    let place = Target::of(scene.base.url(), false, scene.policy.helpers.sanitize_prompt);
    scene.report.say(WHERE);
    page::open(&arguments.browser, scene)?;
    let typed = place.ask(&person, username, &[])?;
    let typed = typed.ok_or_else(|| Failure::new(Kind::Usage, "no secret was given"))?;
    Ok(Given {
        username: Some(typed.username),
        secret: typed.secret,
        person: Some(person),
    })
}
