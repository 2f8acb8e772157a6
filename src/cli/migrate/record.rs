//! One line of a configuration that was changed or added, as the repository's journal keeps it: without secrets.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::plan::Change;
use crate::cli::journal::Journal;
use crate::git::document::Key;
use crate::git::layout::Layout;
use crate::git::lfs;
use crate::git::replace::Patience;
use crate::redact;
use crate::report::Failure;

/// The journal's name in a repository's directory.
const NAME: &str = "bbcloud-migrated.json";

/// What its list of changes is called.
const LIST: &str = "changes";

/// One line that was changed or added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// The configuration file, as in [`super::files::Text::name`].
    pub(super) file: String,
    /// The key as git writes it.
    key: String,
    /// `None` for a line that was added.
    pub(super) before: Option<String>,
    pub(super) after: String,
    /// Whether `before` had a secret.
    pub(super) secret: bool,
}

impl Line {
    pub(super) fn changed(file: &str, change: &Change) -> Self {
        Self {
            file: file.to_owned(),
            key: change.key.to_string(),
            before: Some(change.bare.clone()),
            after: change.to.clone(),
            secret: change.has_secret(),
        }
    }

    pub(super) fn added(file: &str, key: &Key, value: String) -> Self {
        Self {
            file: file.to_owned(),
            key: key.to_string(),
            before: None,
            after: value,
            secret: false,
        }
    }

    /// The line for the user: what was done, or what is undone.
    pub(super) fn shown(&self) -> String {
        let (key, after) = (self.shown_key(), redact::address(&self.after));
        match &self.before {
            Some(before) => format!("{key}: {after} -> {}\n", redact::address(before)),
            None => format!("{key} = {after}\n"),
        }
    }

    /// The key for the user.
    pub(super) fn shown_key(&self) -> String {
        redact::address(&self.key)
    }

    /// Returns the key and the value to put back, if this is a line that `migrate` writes. The journal may be somebody
    /// else's, prepared so that another line would be changed, in another file.
    pub(super) fn checked(&self) -> Option<(Key, Option<String>)> {
        let key = Key::parse(&self.key).filter(|_| is_configuration(Path::new(&self.file)))?;
        let is_url = matches!(
            (key.section.as_str(), key.subsection.is_some(), key.name.as_str()),
            ("remote", true, "url" | "pushurl" | "lfsurl" | "lfspushurl")
                | ("submodule", true, "url")
                | ("lfs", false, "url" | "pushurl")
        );
        let is_added = matches!(
            (key.section.as_str(), key.subsection.is_some(), key.name.as_str()),
            ("remote", true, "lfsurl" | "lfspushurl" | lfs::edits::MARK)
                | ("url", true, "insteadof" | "pushinsteadof")
                | ("credential", true, "helper" | "usehttppath")
        );
        match &self.before {
            None => is_added.then_some((key, None)),
            // An older version wrote some secrets.
            Some(before) => {
                let before = redact::bare(before).filter(|before| is_url && is_address(before))?;
                Some((key, Some(before)))
            }
        }
    }
}

/// Whether `name` is one of a repository's own configuration files, seen from the directory of all its work trees.
fn is_configuration(name: &Path) -> bool {
    let parts: Vec<Component<'_>> = name.components().collect();
    let is = |part: &Component<'_>, name: &str| part.as_os_str() == name;
    match parts.as_slice() {
        [file] => is(file, "config") || is(file, "config.worktree"),
        [worktrees, Component::Normal(_), file] => is(worktrees, "worktrees") && is(file, "config.worktree"),
        _ => false,
    }
}

/// Whether git connects to `text` with nothing but HTTP, SSH or this helper: `ext::…` would start any program.
fn is_address(text: &str) -> bool {
    let is_helper = text
        .split_once("::")
        .is_some_and(|(name, _)| name != "bbcloud" && !name.contains('/'));
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_known = scheme.is_none_or(|scheme| {
        let known = [
            "https",
            "http",
            "ssh",
            "git+ssh",
            "ssh+git",
            "bbcloud",
            "bbcloud::bbcloud",
        ];
        known.contains(&scheme.as_str()) || scheme.starts_with("bbcloud::")
    });
    !text.starts_with('-') && !text.contains(char::is_control) && is_known && (!is_helper || text.contains("://["))
}

/// The journal of a repository.
pub(super) fn read(place: &Layout) -> Result<Journal<Line>, Failure> {
    Journal::read(place.common_dir.join(NAME), LIST)
}

/// The journal of a repository, to be changed.
pub(super) fn lock(place: &Layout, patience: Patience) -> Result<Journal<Line>, Failure> {
    Journal::lock(place.common_dir.join(NAME), LIST, patience)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(file: &str, key: &str, before: Option<&str>) -> Line {
        Line {
            file: file.to_owned(),
            key: key.to_owned(),
            before: before.map(str::to_owned),
            after: "bbcloud::a/b".to_owned(),
            secret: false,
        }
    }

    #[test]
    fn only_lines_that_migrate_writes_are_put_back() {
        const URL: &str = "https://bitbucket.org/a/b";
        for (file, key, before, good) in [
            ("config", "remote.origin.url", Some(URL), true),
            (
                "config.worktree",
                "remote.a.b.pushurl",
                Some("git@bitbucket.org:a/b"),
                true,
            ),
            ("worktrees/x/config.worktree", "lfs.url", Some(URL), true),
            ("config", "submodule.x.url", Some("ssh://git@[::1]:22/a/b"), true),
            ("config", "credential.https://bitbucket.org.helper", None, true),
            ("config", "remote.origin.lfsurl", None, true),
            ("config", "remote.origin.lfspushurl", None, true),
            ("config", "remote.origin.bbcloudLfs", None, true),
            ("config", "core.sshCommand", Some(URL), false),
            ("config", "core.fsmonitor", None, false),
            ("config", "credential.helper", Some(URL), false),
            ("config", "remote.origin.url", Some("ext::sh -c touch% x"), false),
            ("config", "remote.origin.url", Some("-oProxyCommand=x"), false),
            (
                "config",
                "remote.origin.url",
                Some("https://bitbucket.org/a\n[core]"),
                false,
            ),
            ("config", "remote.origin.url", Some("file:///etc"), false),
            ("../config", "remote.origin.url", Some(URL), false),
            ("/home/a/.gitconfig", "remote.origin.url", Some(URL), false),
            ("worktrees/../config.worktree", "remote.origin.url", Some(URL), false),
            ("hooks/config", "remote.origin.url", Some(URL), false),
        ] {
            assert_eq!(
                line(file, key, before).checked().is_some(),
                good,
                "{file} {key} {before:?}"
            );
        }
        let old = line(
            "config",
            "remote.origin.url",
            Some("ssh://ada:hunter2@bitbucket.org/a/b"),
        );
        let (_, before) = old.checked().expect("an older version wrote it");
        assert_eq!(before.as_deref(), Some("ssh://ada@bitbucket.org/a/b"));
        assert!(!old.shown().contains("hunter2"));
    }
}
