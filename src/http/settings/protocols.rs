//! To which protocols a redirect may lead: `protocol.allow`, `protocol.<name>.allow` and `GIT_ALLOW_PROTOCOL`.
//!
//! Git asks these before it starts the helper; what a server answers later is for us to judge.

use crate::environment::Environment;
use crate::environment::variable::GIT_ALLOW_PROTOCOL;
use crate::git::config::Config;
use crate::report::{Failure, Kind};

/// Which protocols a redirect may lead to. Whether a secret may go there is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols {
    /// `http`
    pub http: bool,
    /// `https`
    pub https: bool,
}

/// What may follow a redirect, which no person has asked for.
pub(super) fn after_redirect(config: &Config, environment: &Environment) -> Result<Protocols, Failure> {
    if let Some(list) = environment.text(&GIT_ALLOW_PROTOCOL) {
        let lists = |name| list.split(':').any(|part| part == name);
        // Our own addresses are https: who allows them cannot mean to forbid it.
        return Ok(Protocols {
            http: lists("http"),
            https: lists("https") || lists("bbcloud"),
        });
    }
    let allows = |name: &str| {
        let own = format!("protocol.{name}.allow");
        let (key, text) = match (config.text(&own), config.text("protocol.allow")) {
            (Some(text), _) => (own, text),
            (None, Some(text)) => ("protocol.allow".to_owned(), text),
            (None, None) => return Ok(true),
        };
        match text.to_ascii_lowercase().as_str() {
            "always" => Ok(true),
            "never" | "user" => Ok(false),
            _ => Err(
                Failure::new(Kind::Usage, format!("unknown value for config '{key}': {text}"))
                    .hint(format!("run 'git config --global {key} always'")),
            ),
        }
    };
    Ok(Protocols {
        http: allows("http")?,
        https: allows("https")?,
    })
}
