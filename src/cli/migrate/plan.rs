//! Which lines of a configuration file are to be changed, and into what.
//!
//! Does not change anything itself.

use zeroize::Zeroizing;

use super::meaning::Meaning;
use crate::address::{Address, BaseUrl};
use crate::git::document::{Document, Key, Value};
use crate::redact;
use crate::report::{Failure, Kind};
use crate::repository::own_address;

/// Which remotes are meant.
pub(super) enum Choice {
    /// The one that git would fetch from.
    Default,
    All,
    Named(String),
}

/// One value that becomes another.
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) index: usize,
    /// As it is, secret and all.
    pub(super) from: Zeroizing<String>,
    /// As it is without its secret.
    pub(super) bare: String,
    pub(super) to: String,
    pub(super) address: Address,
}

impl Change {
    /// What is left alone together if one of it cannot be changed, as in `remote.origin`.
    pub(super) fn group(&self) -> String {
        group(&self.key)
    }

    /// The line for the user.
    pub(super) fn line(&self) -> String {
        let key = redact::address(&self.key.to_string());
        format!(
            "{key}: {} -> {}\n",
            redact::address(&self.from),
            redact::address(&self.to)
        )
    }

    /// Whether a secret is lost with the change, or has to be kept elsewhere.
    pub(super) fn has_secret(&self) -> bool {
        redact::hides(&self.from)
    }
}

/// What is to be done with one file.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// What is at Bitbucket and not to be understood.
    pub(super) broken: Vec<(String, Failure)>,
}

impl Plan {
    /// Returns the plan for the file with `values`, of whose remotes those in `chosen` are meant.
    pub(super) fn new(values: Vec<Value>, chosen: &[String], submodules: bool, base: &BaseUrl) -> Self {
        let mut plan = Self::default();
        for Value { key, index, text } in values {
            let to_bbcloud = match (key.section.as_str(), key.subsection.as_deref(), key.name.as_str()) {
                ("remote", Some(name), "url" | "pushurl") if is_in(chosen, name) => true,
                ("submodule", Some(_), "url") if submodules => true,
                ("remote", Some(name), "lfsurl" | "lfspushurl") if is_in(chosen, name) => false,
                ("lfs", None, "url" | "pushurl") => false,
                _ => continue,
            };
            match Meaning::of(&text, base) {
                Meaning::Other => {}
                Meaning::Broken(failure) => plan.broken.push((group(&key), failure)),
                // An address for git-lfs stays https; only its secret goes.
                Meaning::Ours(_) if !to_bbcloud && !redact::hides(&text) => {}
                Meaning::Ours(address) => match redact::bare(&text) {
                    Some(without) if !redact::hides(&key.to_string()) => plan.changes.push(Change {
                        to: if to_bbcloud {
                            own_address(&address)
                        } else {
                            without.clone()
                        },
                        key,
                        index,
                        from: text,
                        bare: without,
                        address,
                    }),
                    _ => plan.broken.push((group(&key), looks_like_a_secret(&text))),
                },
            }
        }
        plan
    }
}

/// Its name or its path would be written to the record.
fn looks_like_a_secret(url: &str) -> Failure {
    let message = format!(
        "'{}' has something in its path or its name that looks like a secret",
        redact::address(url)
    );
    Failure::new(Kind::Usage, message).hint("rename the remote, or set its URL with 'git remote set-url'")
}

fn group(key: &Key) -> String {
    match &key.subsection {
        Some(subsection) => format!("{}.{subsection}", key.section),
        None => key.section.clone(),
    }
}

fn is_in(names: &[String], name: &str) -> bool {
    names.iter().any(|other| other == name)
}

/// Names of remotes that have a URL, and whether one of these is of Bitbucket.
fn remotes(documents: &[&Document], base: &BaseUrl) -> Vec<(String, bool)> {
    let mut remotes: Vec<(String, bool)> = Vec::new();
    for value in documents.iter().flat_map(|document| document.values()) {
        let ("remote", Some(name), "url" | "pushurl") = (
            value.key.section.as_str(),
            &value.key.subsection,
            value.key.name.as_str(),
        ) else {
            continue;
        };
        let ours = !matches!(Meaning::of(&value.text, base), Meaning::Other);
        match remotes.iter_mut().find(|(other, _)| other == name) {
            Some((_, known)) => *known |= ours,
            None => remotes.push((name.clone(), ours)),
        }
    }
    remotes
}

/// Returns the names of the remotes that are meant, and of those of Bitbucket that are not.
pub(super) fn choose(
    choice: &Choice,
    documents: &[&Document],
    branch: Option<&str>,
    base: &BaseUrl,
) -> Option<(Vec<String>, Vec<String>)> {
    let remotes = remotes(documents, base);
    let ours = || remotes.iter().filter(|(_, ours)| *ours).map(|(name, _)| name.clone());
    let chosen = match choice {
        Choice::All => remotes.iter().map(|(name, _)| name.clone()).collect(),
        Choice::Named(name) => {
            remotes.iter().find(|(other, _)| other == name)?;
            vec![name.clone()]
        }
        Choice::Default => {
            let upstream = branch.and_then(|branch| {
                let key = Key::new("branch", branch, "remote");
                documents.iter().flat_map(|document| document.all(&key)).next_back()
            });
            let upstream = upstream.map_or_else(|| "origin".to_owned(), |name| name.to_string());
            let of_name = remotes.iter().find(|(name, _)| *name == upstream);
            match (of_name, ours().collect::<Vec<_>>().as_slice()) {
                (Some((name, true)), _) => vec![name.clone()],
                // Where there is no choice, none need be made.
                (_, [only]) => vec![only.clone()],
                (Some((name, false)), _) => vec![name.clone()],
                (None, _) => Vec::new(),
            }
        }
    };
    let others = ours().filter(|name| !is_in(&chosen, name)).collect();
    Some((chosen, others))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(choice: &Choice, text: &str) -> (Vec<String>, Vec<String>) {
        let document = Document::parse(text.as_bytes(), "config").expect("sound");
        choose(choice, &[&document], Some("main"), &BaseUrl::default()).expect("known")
    }

    #[test]
    fn the_remote_that_git_would_fetch_from_is_meant() {
        const TWO: &str = "[remote \"origin\"]\nurl = https://bitbucket.org/a/b\n\
            [remote \"up\"]\nurl = git@bitbucket.org:a/c\n[remote \"hub\"]\nurl = https://github.com/a/b\n";
        assert_eq!(
            chosen(&Choice::Default, TWO),
            (vec!["origin".to_owned()], vec!["up".to_owned()])
        );
        let upstream = format!("{TWO}[branch \"main\"]\nremote = up\n");
        assert_eq!(chosen(&Choice::Default, &upstream).0, ["up"]);
        assert_eq!(
            chosen(&Choice::Default, "[remote \"bb\"]\nurl = https://bitbucket.org/a/b\n").0,
            ["bb"]
        );
        assert_eq!(chosen(&Choice::All, TWO).0.len(), 3);
        assert_eq!(chosen(&Choice::Named("up".to_owned()), TWO).0, ["up"]);
        let document = Document::parse(TWO.as_bytes(), "config").expect("sound");
        let unknown = Choice::Named("nobody".to_owned());
        assert!(choose(&unknown, &[&document], None, &BaseUrl::default()).is_none());
    }
}
