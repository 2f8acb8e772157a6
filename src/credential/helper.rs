//! Git's credential helpers, through gitoxide: asked as git asks them, and told what became of the answer.
//!
//! It must not know in which order sources are asked. Nobody is prompted from here.

use gix::credentials::Program;
use gix::credentials::helper::{Action, Cascade, NextAction};
use gix::credentials::protocol::{Context, ContextOptions};
use url::Url;

use super::policy::HelperSettings;
use crate::report::{Failure, Kind};
use crate::secret::Secret;

/// What the helpers answered.
pub(super) enum Answer {
    /// A user name and a secret.
    Login(Found),
    /// No helper knows it.
    Nothing,
    /// A helper says that nobody else is to be asked (`quit=true`).
    Quit,
}

/// A login of a helper's, to be approved or rejected.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) username: String,
    pub(super) secret: Secret,
    next: NextAction,
}

/// The helpers for one address.
pub(super) struct Helpers<'a> {
    settings: &'a HelperSettings,
}

impl<'a> Helpers<'a> {
    pub(super) fn new(settings: &'a HelperSettings) -> Self {
        Self { settings }
    }

    /// Asks them in order who is to sign in at `url`; `challenges` are what the server wants (`WWW-Authenticate`).
    pub(super) fn ask(&self, url: &Url, username: Option<&str>, challenges: &[String]) -> Result<Answer, Failure> {
        if self.settings.programs.is_empty() {
            return Ok(Answer::Nothing);
        }
        let mut url = url.clone();
        if let Some(name) = username {
            // This fails only for a URL without a host, which none of ours is.
            url.set_username(name).ok();
        }
        let mut context = Context::from_url(url.as_str(), self.options());
        context.www_authenticate = challenges.iter().map(|text| text.as_str().into()).collect();
        match self.cascade()?.invoke(Action::Get(context), nobody()) {
            Ok(Some(outcome)) => Ok(Answer::Login(Found {
                username: outcome.identity.username,
                secret: Secret::new(outcome.identity.password),
                next: outcome.next,
            })),
            Err(error) if error.is_cancelled() => Ok(Answer::Quit),
            // Git goes on where a helper fails, too; the helper has said why.
            Ok(None) | Err(_) => Ok(Answer::Nothing),
        }
    }

    /// Tells them that the server has accepted it, so that they keep it.
    pub(super) fn approve(&self, found: Found) -> Result<(), Failure> {
        self.tell(found.next.store())
    }

    /// Tells them that the server has rejected it, so that they forget it.
    pub(super) fn reject(&self, found: Found) -> Result<(), Failure> {
        self.tell(found.next.erase())
    }

    fn tell(&self, action: Action) -> Result<(), Failure> {
        // What helpers make of it is their own matter, for git as well.
        drop(self.cascade()?.invoke(action, nobody()));
        Ok(())
    }

    fn cascade(&self) -> Result<Cascade, Failure> {
        let mut programs = Vec::new();
        for definition in &self.settings.programs {
            let program = Program::from_custom_definition(definition.as_str()).map_err(|error| {
                Failure::new(
                    Kind::Usage,
                    format!("the credential helper '{definition}' cannot be started"),
                )
                .because(error.to_string())
            })?;
            programs.push(program);
        }
        Ok(Cascade {
            programs,
            use_http_path: self.settings.use_http_path,
            context_options: self.options(),
            ..Cascade::default()
        })
    }

    fn options(&self) -> ContextOptions {
        ContextOptions {
            protect_protocol: self.settings.protect_protocol,
        }
    }
}

fn nobody() -> gix::prompt::Options {
    gix::prompt::Options {
        askpass: None,
        mode: gix::prompt::Mode::Disable,
    }
}
