//! What the user's settings allow: whom to ask, how long to wait, where to keep a secret.
//!
//! Read once. Does not depend on any source of secrets.

use std::ffi::OsString;
use std::time::Duration;

use url::Url;

use super::account::StoreKind;
use super::expiry::DAYS_BEFORE;
use super::helper::LAST;
use super::keychain::Limits;
use crate::environment::Environment;
use crate::environment::variable as var;
use crate::git::config::Config;
use crate::git::value;
use crate::report::{self, Failure, Kind};

/// How long the keychain may take by itself.
const ALONE: Duration = Duration::from_secs(3);

/// How long a person may take to unlock it.
const DESKTOP: Duration = Duration::from_secs(60);

/// The longest limit that can be set.
const LONGEST: f64 = 3600.0;

/// What the settings for one address say.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where secrets are kept; `None` for nowhere (`bbcloud.store=false`).
    pub keep: Option<StoreKind>,
    /// The time limits of the keychain.
    pub limits: Limits,
    /// Whether anybody may be asked for anything (`credential.interactive`).
    pub interactive: bool,
    /// Whether that may be at the terminal (`GIT_TERMINAL_PROMPT`, `CI`).
    pub terminal: bool,
    /// The program that asks.
    pub askpass: Option<OsString>,
    /// Git's credential helpers.
    pub helpers: HelperSettings,
    /// What helpers are told that the server wants, if they are asked before it says so (`http.proactiveAuth`).
    pub proactive: Option<Vec<String>>,
    /// From how many days before its expiry a secret's owner is reminded (`bbcloud.expiryWarning`); 0 for never, as where
    /// nobody is at the terminal.
    pub remind_before: u32,
}

/// Git's settings for its credential helpers (git-config(1), `credential.*`).
#[derive(Debug, Clone)]
pub struct HelperSettings {
    /// The programs, in order, without this one.
    pub programs: Vec<String>,
    /// The user name that the configuration gives.
    pub username: Option<String>,
    /// Whether they are told the path.
    pub use_http_path: bool,
    /// Whether prompts show a URL that is percent-encoded (`credential.sanitizePrompt`).
    pub sanitize_prompt: bool,
    /// Whether it was this program that started git to ask its helpers, and so us.
    pub asked_by_us: bool,
}

impl HelperSettings {
    fn read(url: &Url, config: &Config) -> Result<Self, Failure> {
        let credential = config.credential(url);
        let programs = credential.list("helper");
        Ok(Self {
            asked_by_us: programs.iter().any(|program| program == LAST),
            programs: programs.into_iter().filter(|program| !is_ours(program)).collect(),
            username: credential.text("username").filter(|name| !name.is_empty()),
            use_http_path: credential.flag("useHttpPath")?.unwrap_or(false),
            sanitize_prompt: credential.flag("sanitizePrompt")?.unwrap_or(true),
        })
    }
}

impl Policy {
    /// Reads the settings for `url`.
    pub fn read(
        url: &Url,
        proactive: Option<Vec<String>>,
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let interactive = interactive(config);
        let terminal = environment.flag(&var::GIT_TERMINAL_PROMPT)?;
        Ok(Self {
            keep: store(config)?,
            limits: limits(config, environment, interactive)?,
            interactive,
            terminal: terminal.unwrap_or(!is_build_server(environment)),
            askpass: askpass(config, environment),
            helpers: HelperSettings::read(url, config)?,
            proactive,
            remind_before: remind_before(config, environment)?,
        })
    }
}

/// `credential.interactive`; git also takes GCM's words.
fn interactive(config: &Config) -> bool {
    match config.text("credential.interactive") {
        Some(text) => !text.eq_ignore_ascii_case("never") && value::boolean(&text) != Some(false),
        None => true,
    }
}

/// `bbcloud.expiryWarning`: a number of days, or a word of git's for on and off; 0 where nobody reads it.
fn remind_before(config: &Config, environment: &Environment) -> Result<u32, Failure> {
    let days = match config.text("bbcloud.expiryWarning") {
        Some(text) => days(&text).ok_or_else(|| {
            let message = format!("unknown value for config 'bbcloud.expiryWarning': {text}");
            Failure::new(Kind::Usage, message)
                .hint("use a number of days, or 'false': 'git config --global bbcloud.expiryWarning 14'")
        })?,
        None => DAYS_BEFORE,
    };
    let is_read = report::is_watched() && !is_build_server(environment);
    Ok(if is_read { days } else { 0 })
}

fn days(text: &str) -> Option<u32> {
    match (value::integer(text), value::boolean(text)) {
        (Some(days), _) => u32::try_from(days).ok(),
        (None, Some(true)) => Some(DAYS_BEFORE),
        (None, Some(false)) => Some(0),
        (None, None) => None,
    }
}

fn is_build_server(environment: &Environment) -> bool {
    let ci = environment.text(&var::CI);
    ci.is_some_and(|text| !text.is_empty() && value::boolean(text) != Some(false))
}

/// `bbcloud.store`: a repository's own file cannot set it, as nothing that decides about secrets.
fn store(config: &Config) -> Result<Option<StoreKind>, Failure> {
    let Some(text) = config.trusted().text("bbcloud.store") else {
        return Ok(Some(StoreKind::System));
    };
    match (StoreKind::parse(&text), value::boolean(&text)) {
        (Some(place), _) => Ok(Some(place)),
        (None, Some(true)) => Ok(Some(StoreKind::System)),
        (None, None) if text.eq_ignore_ascii_case("auto") => Ok(Some(StoreKind::System)),
        (None, Some(false)) => Ok(None),
        (None, None) => Err(
            Failure::new(Kind::Usage, format!("unknown value for config 'bbcloud.store': {text}")).hint(
                "use 'auto' for the keychain, 'keyutils' for the Linux kernel's key ring, or 'false' to keep nothing",
            ),
        ),
    }
}

fn limits(config: &Config, environment: &Environment, interactive: bool) -> Result<Limits, Failure> {
    let given = match environment
        .text(&var::BBCLOUD_KEYCHAIN_TIMEOUT)
        .filter(|text| !text.is_empty())
    {
        Some(text) => Some((text.to_owned(), "BBCLOUD_KEYCHAIN_TIMEOUT")),
        None => config
            .trusted()
            .text("bbcloud.keychainTimeout")
            .map(|text| (text, "bbcloud.keychainTimeout")),
    };
    let given = given.map(|(text, name)| seconds(&text, name)).transpose()?;
    let desktop = interactive && has_desktop(environment) && !is_build_server(environment);
    Ok(Limits {
        alone: given.unwrap_or(ALONE),
        desktop: desktop.then(|| given.unwrap_or(DESKTOP)),
    })
}

fn seconds(text: &str, name: &str) -> Result<Duration, Failure> {
    let number: Option<f64> = text.trim().parse().ok();
    match number.filter(|number| *number > 0.0 && *number <= LONGEST) {
        Some(number) => Ok(Duration::from_secs_f64(number)),
        None => Err(Failure::new(
            Kind::Usage,
            format!("'{name}' is no number of seconds between 0 and {LONGEST}: {text}"),
        )
        .hint("use a number such as 10")),
    }
}

/// Whether the keychain can ask for its password and be answered. A terminal is not enough for that where a password
/// is asked for in a window.
fn has_desktop(environment: &Environment) -> bool {
    let named = |variable| environment.os(variable).is_some_and(|text| !text.is_empty());
    if cfg!(windows) {
        // The Credential Manager is open while its user is signed in, and never asks.
        return false;
    }
    if cfg!(target_os = "macos") {
        // Every session has the desktop's windows, but for those that come in from elsewhere.
        return !named(&var::SSH_CONNECTION);
    }
    named(&var::DISPLAY) || named(&var::WAYLAND_DISPLAY)
}

/// As git chooses it: the first that is set, even if it is set to nothing, which means nobody.
fn askpass(config: &Config, environment: &Environment) -> Option<OsString> {
    let git = environment.os(&var::GIT_ASKPASS).map(OsString::from);
    let chosen = git
        .or_else(|| config.text("core.askPass").map(OsString::from))
        .or_else(|| environment.os(&var::SSH_ASKPASS).map(OsString::from));
    chosen.filter(|program| !program.is_empty())
}

/// Whether a helper of git's configuration is this program, which need not be asked twice.
fn is_ours(helper: &str) -> bool {
    // What is no words for a shell is a command of another, or one that fails.
    let words = shell_words::split(helper.trim_start_matches('!')).unwrap_or_default();
    let mut programs = words.iter().map(|word| {
        let name = word.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        name.strip_suffix(".exe").unwrap_or(&name).to_owned()
    });
    match programs.next().as_deref() {
        Some("bbcloud" | "git-remote-bbcloud") => true,
        Some("git") => programs.next().as_deref() == Some("remote-bbcloud"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_helper_is_known_by_its_name() {
        for ours in [
            "!git-remote-bbcloud credential",
            "!git remote-bbcloud credential",
            "/usr/bin/git-remote-bbcloud credential",
            "!'/opt/bin/git-remote-bbcloud' credential",
            "!\"C:/Program Files/bbcloud/git-remote-bbcloud.exe\" credential",
            "C:/Program\\ Files/bbcloud/Git-Remote-Bbcloud.EXE credential",
            "!'C:\\Program Files\\git-remote-bbcloud.exe' credential",
            "!'C:/Program Files/Git/cmd/git.exe' remote-bbcloud credential",
            "bbcloud",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "store",
            "cache --timeout=3",
            "!f() { cat git-remote-bbcloud; }; f",
            "",
            "!git foo",
            "!'git-remote-bbcloud credential",
            "!my-git-remote-bbcloud credential",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_time_limit_is_a_number_of_seconds() {
        assert_eq!(seconds("0.5", "x").expect("a number"), Duration::from_millis(500));
        for bad in ["0", "-1", "x", "NaN", "inf", "1e9"] {
            assert!(seconds(bad, "x").is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_desktop_may_keep_us_waiting() {
        let config = Config::load(&Environment::from_pairs([("GIT_CONFIG_NOSYSTEM", "1")])).expect("no configuration");
        let of = |pairs: &[(&str, &str)]| {
            limits(&config, &Environment::from_pairs(pairs.iter().copied()), true).expect("limits")
        };
        if cfg!(target_os = "linux") {
            assert_eq!(
                of(&[]),
                Limits {
                    alone: ALONE,
                    desktop: None
                }
            );
            assert_eq!(of(&[("DISPLAY", ":0")]).desktop, Some(DESKTOP));
            assert_eq!(of(&[("DISPLAY", ":0"), ("CI", "true")]).desktop, None);
            assert_eq!(
                of(&[("DISPLAY", ""), ("BBCLOUD_KEYCHAIN_TIMEOUT", "1")]).alone,
                Duration::from_secs(1)
            );
        }
    }
}
