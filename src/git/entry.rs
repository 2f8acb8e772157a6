//! One value of git's configuration, and its reading as text, boolean, number or path.
//!
//! It must not know which value of a key counts.

use std::path::PathBuf;

use gix::bstr::{BString, ByteSlice as _, ByteVec as _};

use super::value;
use crate::report::{Failure, Kind};

/// A value with its key, as one line of a configuration file has it.
pub(super) struct Entry {
    /// In lower case.
    pub(super) section: String,
    /// As it is written.
    pub(super) subsection: Option<BString>,
    /// In lower case.
    pub(super) name: String,
    /// `None` for a name without `=`, which means true.
    pub(super) value: Option<BString>,
    /// Whether it comes from the user, the system or the command line, and not from a repository.
    pub(super) trusted: bool,
}

impl Entry {
    /// Whether this is a value of `key`, in which only the subsection's case counts.
    pub(super) fn is(&self, key: &str) -> bool {
        let Some((section, rest)) = key.split_once('.') else {
            return false;
        };
        let (subsection, name) = match rest.rsplit_once('.') {
            Some((subsection, name)) => (Some(subsection.as_bytes()), name),
            None => (None, rest),
        };
        self.section.eq_ignore_ascii_case(section)
            && self.name.eq_ignore_ascii_case(name)
            && self.subsection.as_ref().map(|subsection| subsection.as_bytes()) == subsection
    }

    /// The value as text; what is not UTF-8 becomes U+FFFD, and no value becomes `None`.
    pub(super) fn text(&self) -> Option<String> {
        Some(self.value.as_ref()?.to_str_lossy().into_owned())
    }

    /// The value as it is; no value becomes `None`.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        Some(self.value.as_ref()?.to_vec())
    }

    /// The value as a boolean.
    pub(super) fn flag(&self) -> Result<bool, Failure> {
        match &self.value {
            None => Ok(true),
            Some(text) => text
                .to_str()
                .ok()
                .and_then(value::boolean)
                .ok_or_else(|| self.bad("boolean config value")),
        }
    }

    /// The value as a number.
    pub(super) fn number(&self) -> Result<i64, Failure> {
        let number = self.value.as_ref().and_then(|text| value::integer(text.to_str().ok()?));
        number.ok_or_else(|| self.bad("numeric config value"))
    }

    /// The value as a path with `~`, `~user` and `%(prefix)` expanded; `None` if it is empty for an absent
    /// `:(optional)` file. An empty path stays one, since some keys give it a meaning.
    pub(super) fn path(&self, places: &Prefixes) -> Result<Option<PathBuf>, Failure> {
        let Some(text) = &self.value else {
            return Err(self.bad("path"));
        };
        if text.is_empty() {
            return Ok(Some(PathBuf::new()));
        }
        let mut text = text.clone();
        if cfg!(windows) && places.prefix.is_some() && is_rooted(&text) {
            text.insert_str(0, "%(prefix)");
        }
        let path = gix::config::Path::from(text);
        let optional = path.is_optional;
        let path = path.interpolate(places.context()).map_err(|_| self.bad("path"))?;
        Ok((!optional || path.exists()).then_some(path))
    }

    fn bad(&self, what: &str) -> Failure {
        let text = self.value.as_ref().map(|text| text.to_str_lossy()).unwrap_or_default();
        Failure::new(
            Kind::Usage,
            format!("bad {what} '{text}' for '{}.{}'", self.section, self.name),
        )
        .hint(format!(
            "run 'git config --show-origin --get-regexp {}' to see where it is set",
            self.name
        ))
    }
}

/// Whether a path begins at a root without a drive, by which git on Windows means its own directory
/// (`interpolate_path` in its `config.c`). Two slashes are another machine.
fn is_rooted(path: &[u8]) -> bool {
    path.starts_with(b"/") && !path.starts_with(b"//")
}

/// What paths in the configuration can begin with.
#[derive(Clone, Default)]
pub(super) struct Prefixes {
    /// `~`
    pub(super) home: Option<PathBuf>,
    /// `%(prefix)`
    pub(super) prefix: Option<PathBuf>,
}

impl Prefixes {
    pub(super) fn context(&self) -> gix::config::path::interpolate::Context<'_> {
        gix::config::path::interpolate::Context {
            git_install_dir: self.prefix.as_deref(),
            home_dir: self.home.as_deref(),
            home_for_user: Some(gix::config::path::interpolate::home_for_user),
        }
    }
}

/// Keeps what follows the last empty value, by which git's lists are begun anew.
pub(super) fn reset<T: AsRef<[u8]>>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.fold(Vec::new(), |mut list, value| {
        if value.as_ref().is_empty() {
            list.clear();
        } else {
            list.push(value);
        }
        list
    })
}

#[cfg(test)]
fn entry(key: &str, value: Option<&str>) -> Entry {
    let (section, name) = key.split_once('.').expect("a key");
    Entry {
        section: section.to_owned(),
        subsection: None,
        name: name.to_owned(),
        value: value.map(BString::from),
        trusted: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_is_named_with_the_way_to_find_it() {
        let failure = entry("http.sslverify", Some("maybe")).flag().expect_err("no boolean");
        assert_eq!(
            failure.message(),
            "bad boolean config value 'maybe' for 'http.sslverify'"
        );
        assert_eq!(
            failure.hints(),
            ["run 'git config --show-origin --get-regexp sslverify' to see where it is set"]
        );
        assert!(entry("http.sslverify", None).flag().expect("true"));
        assert!(entry("http.postbuffer", None).number().is_err());
    }

    #[test]
    fn paths_are_expanded() {
        let places = Prefixes {
            home: Some(PathBuf::from("/home/me")),
            prefix: None,
        };
        let path = |text: &str| entry("http.sslcainfo", Some(text)).path(&places);
        assert_eq!(
            path("~/ca.pem").expect("a path"),
            Some(PathBuf::from("/home/me/ca.pem"))
        );
        assert_eq!(path("").expect("a path"), Some(PathBuf::new()));
        assert_eq!(path(":(optional)/no/such/file").expect("a path"), None);
        assert!(path("~nobody-has-this-name/ca.pem").is_err());
    }

    #[test]
    fn an_empty_value_begins_a_list_anew() {
        assert_eq!(reset(["a", "", "b", "c"].map(str::to_owned).into_iter()), ["b", "c"]);
    }
}
