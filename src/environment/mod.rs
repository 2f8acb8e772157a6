//! The environment, read once into a value: the only place that asks the process for it.
//!
//! It must not know what the values are used for. `BBCLOUD_TOKEN` is kept apart as a [`Secret`], and no value is
//! shown when an [`Environment`] is debugged: headers and proxies carry secrets too.

pub mod setting;
pub mod variable;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::git::value;
use crate::report::{Failure, Kind};
use crate::secret::Secret;
use crate::shell;

pub use variable::Variable;
use variable::{ALL, BBCLOUD_TOKEN, BBCLOUD_TOKEN_FILE, GIT_CONFIG_COUNT, HOME, HOMEDRIVE, HOMEPATH, USERPROFILE};

/// The most `GIT_CONFIG_KEY_<n>` pairs that are read; a count beyond it is refused as git refuses what it cannot hold.
const MOST_CONFIG_PAIRS: usize = 10_000;

/// What the environment says: every [`Variable`], and `GIT_CONFIG_KEY_<n>` with `GIT_CONFIG_VALUE_<n>`.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<OsString, OsString>,
    token: Option<Secret>,
    /// Whether there is one that is no text.
    token_is_odd: bool,
}

impl Environment {
    /// Reads this process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn from_process() -> Self {
        let named = |name: OsString| std::env::var_os(&name).map(|value| (name, value));
        let mut environment = Self::from_pairs(ALL.iter().filter_map(|variable| named(variable.name.into())));
        let pairs = (0..environment.config_count().unwrap_or_default()).flat_map(|n| [key_name(n), value_name(n)]);
        environment.values.extend(pairs.filter_map(|name| named(name.into())));
        environment
    }

    /// Takes the environment from `pairs` of names and values; a later pair wins.
    pub fn from_pairs<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut environment = Self::default();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            if name == BBCLOUD_TOKEN.name {
                environment.token = value.into_string().ok().map(Secret::new);
                environment.token_is_odd = environment.token.is_none();
            } else {
                environment.values.insert(name, value);
            }
        }
        environment
    }

    /// Returns the value as it is, empty or not; `None` where it is unset.
    pub fn os(&self, variable: &Variable) -> Option<&OsStr> {
        self.values.get(OsStr::new(variable.name)).map(OsString::as_os_str)
    }

    /// Returns the value as text; `None` where it is unset or not UTF-8.
    pub fn text(&self, variable: &Variable) -> Option<&str> {
        self.os(variable)?.to_str()
    }

    /// Returns the value as one line of text; `None` where it is unset or empty.
    ///
    /// Fails where it is not UTF-8 or holds a control character: a line end would be a second line elsewhere.
    pub fn line(&self, variable: &Variable) -> Result<Option<&str>, Failure> {
        let Some(value) = self.os(variable) else {
            return Ok(None);
        };
        let text = value.to_str().ok_or_else(|| not_text(variable))?;
        if text.contains(char::is_control) {
            return Err(
                Failure::new(Kind::Usage, format!("{} holds a control character", variable.name))
                    .hint(format!("run '{}', or set it to one line", shell::unset(variable.name))),
            );
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Returns the value as a path; `None` where it is unset or empty.
    pub fn path(&self, variable: &Variable) -> Option<PathBuf> {
        self.os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Returns the directories of a list such as `PATH`, in order.
    pub fn paths(&self, variable: &Variable) -> impl Iterator<Item = PathBuf> {
        self.os(variable).into_iter().flat_map(std::env::split_paths)
    }

    /// Whether the variable is set, to whatever value.
    pub fn has(&self, variable: &Variable) -> bool {
        self.os(variable).is_some()
    }

    /// Returns the value as a boolean in git's words (an empty value is false); `None` where it is unset.
    ///
    /// Fails on any other word, as git does.
    pub fn flag(&self, variable: &Variable) -> Result<Option<bool>, Failure> {
        let Some(text) = self.os(variable) else { return Ok(None) };
        match text.to_str().and_then(value::boolean) {
            Some(flag) => Ok(Some(flag)),
            None => Err(Failure::new(
                Kind::Usage,
                format!(
                    "bad boolean environment value '{}' for '{}'",
                    text.display(),
                    variable.name
                ),
            )
            .hint(format!(
                "run '{}', or set it to true or false",
                shell::unset(variable.name)
            ))),
        }
    }

    /// Returns the secret of `BBCLOUD_TOKEN`; `None` where it is unset or empty.
    ///
    /// Fails where it is not UTF-8: another secret in its place would be a surprise.
    pub fn token(&self) -> Result<Option<Secret>, Failure> {
        if self.token_is_odd {
            return Err(not_text(&BBCLOUD_TOKEN));
        }
        Ok(self.token.clone().filter(|token| !token.is_empty()))
    }

    /// Whether `BBCLOUD_TOKEN` is set to something, good or not.
    pub fn has_token(&self) -> bool {
        self.token_is_odd || self.token.as_ref().is_some_and(|token| !token.is_empty())
    }

    /// Returns the same environment without the secret of a build server.
    #[must_use]
    pub fn without_token(&self) -> Self {
        let mut environment = self.clone();
        environment.token = None;
        environment.token_is_odd = false;
        environment.values.remove(OsStr::new(BBCLOUD_TOKEN_FILE.name));
        environment
    }

    /// Returns the same environment without `variables`.
    #[must_use]
    pub fn without(&self, variables: &[&Variable]) -> Self {
        let mut environment = self.clone();
        for variable in variables {
            environment.values.remove(OsStr::new(variable.name));
        }
        environment
    }

    /// Returns the user's directory: `HOME`, and on Windows where that is unset the one that git then sets `HOME` to
    /// for whatever it starts (`setup_windows_environment` in its `compat/mingw.c`).
    pub fn home(&self) -> Option<PathBuf> {
        let windows = || {
            if cfg!(windows) {
                self.windows_home(Path::is_dir)
            } else {
                None
            }
        };
        self.path(&HOME).or_else(windows)
    }

    /// The home share may be a network drive that is not connected, and services have one inside of the system.
    fn windows_home(&self, is_directory: impl FnOnce(&Path) -> bool) -> Option<PathBuf> {
        let share = self.os(&HOMEDRIVE).zip(self.os(&HOMEPATH)).map(|(drive, path)| {
            let mut share = drive.to_owned();
            share.push(path);
            PathBuf::from(share)
        });
        let is_system = |share: &Path| {
            let text = share.to_string_lossy().to_lowercase();
            text.trim_end_matches(['/', '\\']).ends_with("system32")
        };
        share
            .filter(|share| is_directory(share) && !is_system(share))
            .or_else(|| self.path(&USERPROFILE))
    }

    /// Returns the pairs that `GIT_CONFIG_COUNT` announces, in order (git-config(1), "ENVIRONMENT").
    ///
    /// Fails where the count is no number or a pair is missing, as git does.
    pub fn config_pairs(&self) -> Result<Vec<(&OsStr, &OsStr)>, Failure> {
        let value = |name: String, what: &str| {
            let value = self.values.get(OsStr::new(&name)).map(OsString::as_os_str);
            value.ok_or_else(|| Failure::new(Kind::Usage, format!("missing config {what} {name}")).hint(unset_pairs()))
        };
        (0..self.config_count()?)
            .map(|n| Ok((value(key_name(n), "key")?, value(value_name(n), "value")?)))
            .collect()
    }

    fn config_count(&self) -> Result<usize, Failure> {
        let Some(text) = self.os(&GIT_CONFIG_COUNT).filter(|text| !text.is_empty()) else {
            return Ok(0);
        };
        let count = text.to_str().and_then(|text| text.trim_start().parse().ok());
        count
            .filter(|count| *count <= MOST_CONFIG_PAIRS)
            .ok_or_else(|| Failure::new(Kind::Usage, "bogus count in GIT_CONFIG_COUNT").hint(unset_pairs()))
    }
}

fn not_text(variable: &Variable) -> Failure {
    Failure::new(Kind::Usage, format!("{} is not UTF-8", variable.name)).hint(format!(
        "run '{}', or set it to plain text",
        shell::unset(variable.name)
    ))
}

/// What helps where nobody remembers what they were for.
fn unset_pairs() -> String {
    format!("run '{}'", shell::unset(GIT_CONFIG_COUNT.name))
}

fn key_name(n: usize) -> String {
    format!("GIT_CONFIG_KEY_{n}")
}

fn value_name(n: usize) -> String {
    format!("GIT_CONFIG_VALUE_{n}")
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::variable::{CI, GIT_SSL_NO_VERIFY, GIT_TRACE_REDACT};
    use super::*;

    #[test]
    fn the_token_is_a_secret_and_nothing_else() {
        let environment = Environment::from_pairs([("BBCLOUD_TOKEN", "hunter2"), ("https_proxy", "http://me:pw@p")]);
        assert_eq!(environment.token().expect("text").expect("a token").expose(), "hunter2");
        assert_eq!(environment.os(&BBCLOUD_TOKEN), None);
        assert_eq!(format!("{environment:?}"), r#"{"https_proxy"}"#);
    }

    #[test]
    fn the_home_of_windows_is_the_one_that_git_chooses() {
        let all = [
            ("HOMEDRIVE", "H:"),
            ("HOMEPATH", "\\ada"),
            ("USERPROFILE", "C:\\Users\\ada"),
        ];
        let home = |pairs: &[(&'static str, &'static str)], is_directory: bool| {
            let environment = Environment::from_pairs(pairs.iter().copied());
            let home = environment.windows_home(|_| is_directory);
            home.map(|home| home.display().to_string()).unwrap_or_default()
        };
        assert_eq!(home(&all, true), "H:\\ada");
        assert_eq!(home(&all, false), "C:\\Users\\ada", "the share is not connected");
        assert_eq!(home(&all[1..], true), "C:\\Users\\ada");
        assert_eq!(home(&all[2..], true), "C:\\Users\\ada");
        let service = [("HOMEDRIVE", "C:"), ("HOMEPATH", "\\Windows\\System32\\"), all[2]];
        assert_eq!(home(&service, true), "C:\\Users\\ada");
        assert_eq!(home(&[], true), "");
    }

    #[test]
    fn an_empty_token_is_none() {
        let environment = Environment::from_pairs([("BBCLOUD_TOKEN", " ")]);
        assert!(environment.token().expect("text").is_none() && !environment.has_token());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_told_and_not_ignored() {
        use std::os::unix::ffi::OsStrExt as _;
        let value = OsStr::from_bytes(b"ATBB\xff");
        let environment = Environment::from_pairs([("BBCLOUD_TOKEN", value), ("BBCLOUD_USERNAME", value)]);
        let failure = environment.token().expect_err("it is not UTF-8");
        assert_eq!(failure.message(), "BBCLOUD_TOKEN is not UTF-8");
        assert!(environment.has_token());
        assert!(environment.line(&variable::BBCLOUD_USERNAME).is_err());
    }

    #[test]
    fn flags_are_gits_words() {
        let flag = |text: &str| Environment::from_pairs([("GIT_TRACE_REDACT", text)]).flag(&GIT_TRACE_REDACT);
        assert_eq!(flag("Yes").expect("a boolean"), Some(true));
        assert_eq!(flag("0").expect("a boolean"), Some(false));
        assert_eq!(flag("").expect("a boolean"), Some(false));
        let failure = flag("maybe").expect_err("no boolean");
        assert_eq!(
            failure.message(),
            "bad boolean environment value 'maybe' for 'GIT_TRACE_REDACT'"
        );
        assert_eq!(Environment::default().flag(&CI).expect("unset"), None);
        assert!(Environment::from_pairs([("GIT_SSL_NO_VERIFY", "")]).has(&GIT_SSL_NO_VERIFY));
    }

    #[test]
    fn announced_pairs_must_be_there() {
        let pairs = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "a.b")];
        let failure = Environment::from_pairs(pairs).config_pairs().expect_err("no value");
        assert_eq!(failure.message(), "missing config value GIT_CONFIG_VALUE_0");
        for (text, good) in [("", true), ("0", true), ("-1", false), ("x", false), ("10001", false)] {
            assert_eq!(
                Environment::from_pairs([("GIT_CONFIG_COUNT", text)])
                    .config_pairs()
                    .is_ok(),
                good,
                "{text}"
            );
        }
    }
}
