//! One rule of `--allow`: `<workspace>/<repository>[/wiki][:<verb>[=<ref pattern>]]`.
//!
//! Does not depend on requests: [`Policy`](super::policy::Policy) asks it.

use std::fmt;

use super::commands::{Command, Effect};
use super::glob::Glob;
use crate::address::Address;
use crate::report::{Failure, Kind};

/// What a rule may look like, for hints.
const EXAMPLES: &str = "use a rule such as 'acme/widgets', 'acme/*:push' or 'acme/widgets:create=refs/heads/ai/*'";

/// What may be done beyond reading, and to which refs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verb {
    Read,
    /// Creates and overwrites.
    Push(Glob),
    Create(Glob),
    Delete(Glob),
}

/// A rule, which allows and never forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    workspace: Glob,
    repository: Glob,
    wiki: bool,
    verb: Verb,
}

impl Rule {
    /// Returns the rule that `text` writes.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        Self::read(text).map_err(|reason| {
            Failure::new(Kind::Usage, format!("not a valid rule: '{text}'"))
                .because(reason)
                .hint(EXAMPLES)
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let (place, verb) = match text.split_once(':') {
            Some((place, verb)) => (place, Some(verb)),
            None => (text, None),
        };
        let mut parts = place.split('/');
        let workspace = name(parts.next().unwrap_or_default())?;
        let repository = parts.next().ok_or("missing repository name")?;
        let repository = name(repository.strip_suffix(".git").unwrap_or(repository))?;
        let wiki = match (parts.next(), parts.next()) {
            (None, _) => false,
            (Some("wiki"), None) => true,
            _ => return Err("only 'wiki' may follow the repository's name"),
        };
        Ok(Self {
            text: text.to_owned(),
            workspace,
            repository,
            wiki,
            verb: verb.map_or(Ok(Verb::Read), Verb::read)?,
        })
    }

    /// Whether the rule is about the repository at `address`, or about its wiki.
    pub(super) fn covers(&self, address: &Address) -> bool {
        self.wiki == address.is_wiki()
            && is_for(&self.workspace, address.workspace())
            && is_for(&self.repository, address.repository())
    }

    /// Whether the rule allows any change.
    pub(super) fn allows_changes(&self) -> bool {
        self.verb != Verb::Read
    }

    /// Whether the rule allows what `command` does to its ref.
    pub(super) fn allows(&self, command: &Command) -> bool {
        match (&self.verb, command.effect()) {
            (Verb::Delete(refs), Effect::Delete)
            | (Verb::Push(refs), Effect::Create | Effect::Update)
            | (Verb::Create(refs), Effect::Create) => refs.matches(&command.name),
            _ => false,
        }
    }
}

impl Verb {
    fn read(text: &str) -> Result<Self, &'static str> {
        let (word, pattern) = match text.split_once('=') {
            Some((word, pattern)) => (word, Some(pattern)),
            None => (text, None),
        };
        let refs = match pattern {
            None => Glob::exact("refs/**"),
            Some(pattern) if !pattern.starts_with("refs/") => return Err("a ref pattern begins with 'refs/'"),
            Some(pattern) if pattern.contains(|c: char| c.is_control() || c == ' ') => {
                return Err("a ref pattern holds no space and no control character");
            }
            Some(pattern) => Glob::exact(pattern),
        };
        match word {
            "read" if pattern.is_none() => Ok(Self::Read),
            "read" => Err("'read' is for all refs: the server decides which ones it shows"),
            "push" => Ok(Self::Push(refs)),
            "create" => Ok(Self::Create(refs)),
            "delete" => Ok(Self::Delete(refs)),
            _ => Err("after the colon comes 'read', 'push', 'create' or 'delete'"),
        }
    }
}

/// A name with wildcards, or a UUID in braces, which has none.
fn name(text: &str) -> Result<Glob, &'static str> {
    if text.is_empty() {
        return Err("empty name");
    }
    let is_uuid = text.starts_with('{') && text.ends_with('}');
    let allowed = |c: char| {
        c.is_ascii_alphanumeric() || "_.-".contains(c) || (!is_uuid && c == '*') || (is_uuid && "{}".contains(c))
    };
    if text.chars().all(allowed) {
        Ok(Glob::name(text))
    } else {
        Err("a name holds letters, digits, '_', '.', '-' and '*'")
    }
}

/// A UUID is another name of something that rules call by its usual one, so no wildcard covers it.
fn is_for(pattern: &Glob, name: &str) -> bool {
    pattern.matches(name.as_bytes()) && (!name.starts_with('{') || pattern.is_literal())
}

/// As it was written.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_says_nothing_clear_is_an_error() {
        for text in [
            "",
            "acme",
            "**",
            "/widgets",
            "acme/",
            "acme//widgets",
            "acme/widgets/",
            "acme/widgets/wiki/x",
            "acme/widgets/src",
            "acme/widgets:",
            "acme/widgets:write",
            "acme/widgets:PUSH",
            "acme/widgets:read=refs/heads/x",
            "acme/widgets:push=heads/x",
            "acme/widgets:push=",
            "acme/widgets:push=refs/heads/a b",
            "acme/wid gets",
            "acme/{*}",
            "acme/%7B",
            "acme/..\\x",
            "bbcloud::acme/widgets",
        ] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_is_shown_as_it_was_written() {
        for text in [
            "acme/widgets",
            "acme/*:push",
            "Acme/widgets.git:read",
            "acme/widgets/wiki:create=refs/heads/**",
            "{00000000-0000-4000-8000-000000000001}/*:delete",
        ] {
            assert_eq!(Rule::parse(text).expect(text).to_string(), text);
        }
    }
}
