//! The names of workspaces and repositories, and the path that they make.
//!
//! It must not know hosts and users.

use std::borrow::Cow;

use super::fault::Fault;
use crate::redact::piece;

/// The longest name in bytes. Bitbucket tells no limit; its own names are far shorter.
const LONGEST: usize = 200;

/// The pages of a repository in the browser that are not its wiki, and git's own `info`.
const PAGES: [&str; 27] = [
    "addon",
    "admin",
    "annotate",
    "branch",
    "branches",
    "commit",
    "commits",
    "compare",
    "deployments",
    "diff",
    "downloads",
    "fork",
    "forks",
    "full-commit",
    "get",
    "history-node",
    "info",
    "issues",
    "jira",
    "pipelines",
    "pull-request",
    "pull-requests",
    "raw",
    "security",
    "src",
    "tags",
    "test-management",
];

/// A repository or its wiki.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RepositoryName {
    /// The workspace's name or `{uuid}`.
    pub(super) workspace: String,
    /// The repository's name or `{uuid}`, without `.git`.
    pub(super) repository: String,
    /// Whether its wiki is meant.
    pub(super) wiki: bool,
}

impl RepositoryName {
    /// Returns what `workspace/repository[.git][/wiki][/]` names.
    pub(super) fn parse(path: &str) -> Result<Self, Fault> {
        Self::read(path, |below| (below == "wiki").then_some(true))
    }

    /// As [`RepositoryName::parse`], for a path that may go on with a page in the browser.
    pub(super) fn parse_page(path: &str) -> Result<Self, Fault> {
        Self::read(path, |below| match below.split('/').next().unwrap_or_default() {
            "wiki" => Some(true),
            page if PAGES.contains(&page) => Some(false),
            _ => None,
        })
    }

    /// `is_wiki` says what the path below the repository means, if anything.
    fn read(path: &str, is_wiki: impl Fn(&str) -> Option<bool>) -> Result<Self, Fault> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Err(Fault::new("missing workspace and repository names"));
        }
        let Some((workspace, rest)) = path.split_once('/') else {
            let workspace = name(path)?;
            return Err(Fault::new("missing repository name")
                .hint(format!("use 'bbcloud::{}/<repository>'", piece(&workspace))));
        };
        let (repository, below) = match rest.split_once('/') {
            Some((repository, below)) => (repository, Some(below)),
            None => (rest, None),
        };
        let workspace = name(workspace)?;
        let repository = repository_name(repository)?;
        let wiki = match below {
            None => false,
            Some(below) => is_wiki(below).ok_or_else(|| third_part(&workspace, &repository, below))?,
        };
        Ok(Self {
            workspace,
            repository,
            wiki,
        })
    }
}

fn third_part(workspace: &str, repository: &str, below: &str) -> Fault {
    let place = format!("{}/{}", piece(workspace), piece(repository));
    let fault = if below.split('/').next() == Some("") {
        Fault::new("a part of it is empty")
    } else {
        Fault::quoting("only 'wiki' may follow the repository, not ", below, "")
    };
    fault.hint(format!("use 'bbcloud::{place}' or 'bbcloud::{place}/wiki'"))
}

/// Returns the repository's name without `.git`.
fn repository_name(text: &str) -> Result<String, Fault> {
    let repository = name(text)?;
    match repository.strip_suffix(".git") {
        // Such a name could not be written without losing a piece of it.
        Some(repository) if repository.strip_suffix(".git").is_some() => Err(Fault::quoting(
            "the repository name ",
            repository,
            " ends in '.git' itself",
        )),
        Some(repository) => name(repository),
        None => Ok(repository),
    }
}

/// Returns a valid name, the braces of a UUID decoded.
fn name(text: &str) -> Result<String, Fault> {
    let name = braces(text);
    if name.is_empty() {
        return Err(Fault::new("a part of it is empty"));
    }
    if matches!(&*name, "." | ".." | ".git") {
        return Err(Fault::new(format!("'{name}' is not a name")));
    }
    if name.len() > LONGEST {
        return Err(Fault::new(format!("a name in it is longer than {LONGEST} bytes")));
    }
    if is_uuid(name.strip_suffix(".git").unwrap_or(&name)) {
        return Ok(name.into_owned());
    }
    match name.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c)) {
        None => Ok(name.into_owned()),
        Some(' ') => Err(Fault::quoting("the name ", &name, " holds a space")),
        Some('{' | '}') => Err(Fault::quoting("", &name, " is not a UUID in braces")),
        Some(c) => Err(Fault::quoting(
            "the name ",
            &name,
            &format!(" holds the character '{}'", piece(&c.to_string())),
        )),
    }
}

fn braces(text: &str) -> Cow<'_, str> {
    if text.contains('%') {
        let text = text.replace("%7B", "{").replace("%7b", "{");
        text.replace("%7D", "}").replace("%7d", "}").into()
    } else {
        text.into()
    }
}

/// Whether `text` is 8-4-4-4-12 hexadecimal digits in braces.
fn is_uuid(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return false;
    };
    let groups = digits.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]) && digits.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}
