//! The lines of a repository's configuration that git-lfs needs, and those that are out of date.
//!
//! Does not depend on where the configuration is written.

use url::Url;

use super::endpoint::{Endpoints, Found, Moment};
use super::{CREDENTIAL_HELPER, Locate, WATCHER};
use crate::git::config::{Config, Remote};
use crate::git::document::{Document, Key};
use crate::report::Failure;

/// Beside a remote's `lfsurl` and `lfspushurl`: those of their values that this program wrote.
pub const MARK: &str = "bbcloudlfs";

/// Where git-lfs downloads from.
pub const DOWNLOAD: &str = "lfsurl";
/// Where it uploads to, unless that is the same.
pub const UPLOAD: &str = "lfspushurl";

/// A line to add or to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A line is missing.
    Add(Key, String),
    /// A line that this program wrote is out of date.
    Remove(Key, String),
}

impl Edit {
    /// Returns what undoes it.
    #[must_use]
    pub fn undone(self) -> Self {
        match self {
            Self::Add(key, value) => Self::Remove(key, value),
            Self::Remove(key, value) => Self::Add(key, value),
        }
    }

    /// Changes `document`.
    pub fn apply(&self, document: &mut Document) -> Result<(), Failure> {
        match self {
            Self::Add(key, value) => document.add(key, value),
            Self::Remove(key, value) => document.remove(key, value).map(drop),
        }
    }
}

/// What git-lfs reads: git's configuration, and the `.lfsconfig` in the work tree.
pub struct Settings<'a> {
    /// Git's configuration.
    pub config: &'a Config,
    /// The keys and values of `.lfsconfig`.
    pub committed: Vec<(String, String)>,
}

impl Settings<'_> {
    fn own(&self, key: &str, marked: &[String]) -> bool {
        let configured = self.config.all(key);
        configured.iter().any(|value| !marked.contains(value)) || self.is_committed(key)
    }

    fn is_committed(&self, key: &str) -> bool {
        self.committed.iter().any(|(other, _)| other.eq_ignore_ascii_case(key))
    }

    /// Whether one endpoint is set for all remotes by the user: then git-lfs does not look at any remote.
    fn has_one_for_all(&self) -> bool {
        self.config.text("lfs.url").is_some() || self.is_committed("lfs.url")
    }

    /// Returns what the section of `remote` says.
    fn found(&self, remote: &Remote) -> Found {
        let marked = self.config.all(&key(remote, MARK).to_string());
        let ours = |name| {
            let values = self.config.all(&key(remote, name).to_string());
            values.into_iter().rfind(|value| marked.contains(value))
        };
        let own = |name| self.own(&key(remote, name).to_string(), &marked);
        Found {
            own_download: own(DOWNLOAD),
            own_upload: own(UPLOAD) || self.config.text("lfs.pushurl").is_some() || self.is_committed("lfs.pushurl"),
            download: ours(DOWNLOAD),
            upload: ours(UPLOAD),
        }
    }

    /// The endpoints of the user's own for all remotes and for `remotes`, as far as they are at `host`.
    fn own_endpoints(&self, remotes: &[Remote], host: &str) -> Vec<String> {
        let of_remotes = remotes
            .iter()
            .flat_map(|remote| [DOWNLOAD, UPLOAD].map(|name| key(remote, name).to_string()));
        let mut values = Vec::new();
        for wanted in ["lfs.url", "lfs.pushurl"]
            .map(str::to_owned)
            .into_iter()
            .chain(of_remotes)
        {
            values.extend(self.config.all(&wanted));
            let committed = self.committed.iter().filter(|(key, _)| *key == wanted);
            values.extend(committed.map(|(_, value)| value.clone()));
        }
        values.retain(|value| host_of(value).as_deref() == Some(host));
        values
    }

    /// Returns the edits that bring every remote up to date; `pushing` is the remote that is pushed to, and when.
    pub fn edits(&self, pushing: Option<(&str, Moment<'_>)>, locate: Locate<'_>) -> Vec<Edit> {
        let remotes = self.config.remotes();
        let mut found: Vec<Edit> = Vec::new();
        for remote in &remotes {
            let moment = pushing.filter(|(name, _)| *name == remote.name);
            let moment = moment.map_or(Moment::Between, |(_, moment)| moment);
            found.extend(self.for_remote(remote, moment, locate));
        }
        let routes = remotes.iter().map(|remote| self.config.route(remote));
        let mut addresses = routes.flat_map(|route| route.fetch.into_iter().chain(route.pushes));
        if let Some(host) = addresses.find_map(|address| host_of(&locate(&address)?)) {
            for own in self.own_endpoints(&remotes, &host) {
                found.extend(self.readable([own.clone()].into_iter()));
                found.extend(self.credential(&own));
            }
        }
        let mut edits = Vec::new();
        for edit in found {
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
        edits
    }

    /// Returns the edits that bring `remote` up to date.
    pub fn for_remote(&self, remote: &Remote, moment: Moment<'_>, locate: Locate<'_>) -> Vec<Edit> {
        let found = self.found(remote);
        let off = matches!(self.config.flag("bbcloud.lfs"), Ok(Some(false)));
        let is_named = !(remote.urls.is_empty() && remote.push_urls.is_empty());
        let wanted = if off || !is_named || self.has_one_for_all() {
            Endpoints::default()
        } else {
            Endpoints::of(&self.config.route(remote), &found, moment, locate)
        };
        let mut edits = self.of_remote(remote, &found, &wanted);
        edits.extend(self.readable(wanted.each().cloned()));
        let others = wanted.foreign.then_some(wanted.upload.as_ref()).flatten();
        for endpoint in wanted.each().filter(|&endpoint| Some(endpoint) != others) {
            edits.extend(self.credential(endpoint));
        }
        edits
    }

    /// Returns the lines by which git-lfs finds `endpoint` for a push to the address `name`, which is no remote's name.
    pub fn lent(&self, name: &str, endpoint: &str) -> Vec<Edit> {
        if self.has_one_for_all() || self.config.text("lfs.pushurl").is_some() || self.is_committed("lfs.pushurl") {
            return Vec::new();
        }
        let mut edits = vec![Edit::Add(Key::new("remote", name, UPLOAD), endpoint.to_owned())];
        edits.extend(self.readable([endpoint.to_owned()].into_iter()));
        edits.extend(self.credential(endpoint));
        edits
    }

    fn of_remote(&self, remote: &Remote, found: &Found, wanted: &Endpoints) -> Vec<Edit> {
        let mut edits = Vec::new();
        for (name, now, then) in [
            (DOWNLOAD, &found.download, &wanted.download),
            (UPLOAD, &found.upload, &wanted.upload),
        ] {
            if now == then {
                continue;
            }
            let gone = |value: &String| Edit::Remove(key(remote, name), value.clone());
            edits.extend(now.iter().map(gone));
            let add = |value: &String| Edit::Add(key(remote, name), value.clone());
            edits.extend(then.iter().map(add));
        }
        let mark = key(remote, MARK);
        let marked = self.config.all(&mark.to_string());
        let gone = marked
            .iter()
            .filter(|value| !wanted.each().any(|other| other == *value));
        for value in gone {
            edits.push(Edit::Remove(mark.clone(), value.clone()));
            let identity = |name| Edit::Remove(Key::new("url", value, name), value.clone());
            let rules = ["insteadof", "pushinsteadof"].into_iter();
            edits.extend(rules.filter(|name| self.stands_for_itself(value, name)).map(identity));
        }
        let new = wanted.each().filter(|value| !marked.contains(value));
        edits.extend(new.map(|value| Edit::Add(mark.clone(), value.clone())));
        edits
    }

    fn stands_for_itself(&self, value: &str, name: &str) -> bool {
        let rules = self.config.by_subsection("url", name);
        rules.iter().any(|(base, start)| base == value && start == value)
    }

    /// git-lfs rewrites even these addresses; of several rules the longest wins, so an address stands for itself.
    fn readable(&self, endpoints: impl Iterator<Item = String>) -> Vec<Edit> {
        let mut edits = Vec::new();
        for url in endpoints.filter(|url| url.starts_with("http")) {
            for (name, base) in [
                ("insteadof", self.config.rewriting(&url)),
                ("pushinsteadof", self.config.rewriting_for_push(&url)),
            ] {
                if base.is_some_and(|base| base != url) {
                    edits.push(Edit::Add(Key::new("url", &url, name), url.clone()));
                }
            }
        }
        edits
    }

    /// The way to the same secret that git has; and whoever is asked about another repository of the host, because its
    /// remote has become an `https://` one, has this program look for values that are out of date.
    fn credential(&self, endpoint: &str) -> Vec<Edit> {
        let Ok(mut bare) = Url::parse(endpoint) else {
            return Vec::new();
        };
        // This fails only for an address without a host.
        bare.set_username("").ok();
        let host = bare.origin().ascii_serialization();
        let asks = |place: &str, program| self.config.has_credential_helper(place, program);
        let add = |place: &str, name, value: &str| Edit::Add(Key::new("credential", place, name), value.to_owned());
        let mut edits = Vec::new();
        if !asks(bare.as_str(), CREDENTIAL_HELPER) {
            // The empty one keeps the secret from helpers that would store it.
            edits.push(add(bare.as_str(), "helper", ""));
            edits.push(add(bare.as_str(), "helper", CREDENTIAL_HELPER));
            edits.push(add(bare.as_str(), "usehttppath", "true"));
        }
        if !asks(&host, CREDENTIAL_HELPER) && !asks(&host, WATCHER) {
            edits.push(add(&host, "helper", WATCHER));
        }
        edits
    }
}

/// Whether `key` is one of a remote's that this program brings up to date.
pub fn is_followed(key: &Key) -> bool {
    key.section == "remote" && [DOWNLOAD, UPLOAD, MARK].contains(&key.name.as_str())
}

/// Removes all marked values of the remote that `of` is a key of, and the marks. Returns the lines that were removed.
pub fn forget(document: &mut Document, of: &Key) -> Result<Vec<(Key, String)>, Failure> {
    let named = |name: &str| Key {
        name: name.to_owned(),
        ..of.clone()
    };
    let mut removed = Vec::new();
    for mark in document.all(&named(MARK)) {
        for key in [DOWNLOAD, UPLOAD, MARK].map(named) {
            if document.remove(&key, &mark)? {
                removed.push((key, mark.to_string()));
            }
        }
    }
    Ok(removed)
}

/// Returns scheme, host and port of `url`.
fn host_of(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.origin().ascii_serialization())
}

fn key(remote: &Remote, name: &str) -> Key {
    Key::new("remote", &remote.name, name)
}
