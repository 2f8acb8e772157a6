//! A repository at the server, ready to be talked to: the one place where the parts are put together.
//!
//! Address, settings, client and logins meet here and nowhere else, so the helper and the commands for people treat
//! a repository alike.

mod asking;
pub mod door;
mod renewal;

use std::io::{BufRead, Write};
use std::sync::OnceLock;
use std::time::Duration;

use url::Url;

use crate::address::{Address, BaseUrl};
use crate::bridge::controls::Allowed;
use crate::bridge::discovery::Advertisement;
use crate::bridge::service::{Service, Version};
use crate::bridge::{self, Kept, remote, upload_pack};
use crate::cache::Cache;
use crate::credential::parts::Parts;
use crate::credential::policy::Policy;
use crate::credential::username::is_own;
use crate::credential::{Logins, Wanted};
use crate::environment::Environment;
use crate::environment::variable::BBCLOUD_BASE_URL;
use crate::explain::{self, Asked};
use crate::git::config::Config;
use crate::git::value;
use crate::http::client::Client;
use crate::http::settings::Settings;
use crate::report::{Failure, Kind, Report};
use crate::shell::word;
use crate::trace::Trace;
use asking::Agent;
pub use asking::Asking;
use renewal::KeptCopy;

/// A repository at the server.
pub struct Repository {
    /// What requests go through.
    pub remote: remote::Remote<Client, Asking>,
    address: Address,
    base: BaseUrl,
    post_buffer: usize,
    kept: Option<KeptCopy>,
    /// Whether there is a connection already.
    opened: bool,
}

impl Repository {
    /// Returns the repository at `address`, for the remote `name` of git's configuration. Nothing is sent yet.
    pub fn open(
        address: &str,
        name: &str,
        config: &Config,
        environment: &Environment,
        report: Report,
    ) -> Result<Self, Failure> {
        let reach = |address: &Address| Agent::reach(address, config, environment);
        Self::open_through(reach, address, name, config, environment, report)
    }

    /// As [`Repository::open`], but requests go to the server itself even where there is an agent.
    pub fn open_directly(
        address: &str,
        name: &str,
        config: &Config,
        environment: &Environment,
        report: Report,
    ) -> Result<Self, Failure> {
        Self::open_through(|_| Ok(None), address, name, config, environment, report)
    }

    fn open_through(
        reach: impl FnOnce(&Address) -> Result<Option<Agent>, Failure>,
        address: &str,
        name: &str,
        config: &Config,
        environment: &Environment,
        report: Report,
    ) -> Result<Self, Failure> {
        let base = base_url(config, environment)?;
        let address = Address::parse(address, &base)?;
        check_secret_in_url(&address, name, config, report)?;
        let url = address.https_url(&base);
        let mut settings = Settings::read(&url, name, config, environment)?;
        let proactive = settings.proactive_auth.challenges();
        let policy = Policy::read(&url, proactive, config, environment)?;
        let agent = reach(&address)?;
        let asking = if let Some(agent) = &agent {
            settings.agent = Some(agent.path.clone());
            Asking::Agent(address.username().map(str::to_owned))
        } else {
            let parts = Parts::of(&policy, environment, report);
            let logins = Logins::new(Wanted::repository(&address, &base), policy, environment, parts)?;
            Asking::Own(Box::new(logins))
        };
        let post_buffer = settings.post_buffer;
        // Who is signed in is read from the list of accounts: opening the keychain would cost what the copy saves.
        let cache = Cache::open(config, environment)?;
        warn_once(&settings, report);
        let trace = Trace::from_environment(environment, report)?;
        let kept = cache.map(|cache| {
            let slot = cache.slot(url.as_str(), &asking.expected());
            KeptCopy::new(slot, url.as_str(), &settings, report, &trace)
        });
        let client = Client::new(settings, report, trace);
        let opened = agent.is_some();
        #[cfg(unix)]
        if let Some(agent) = agent {
            client.use_agent(agent.stream, &url);
        }
        let mut remote = remote::Remote::new(client, url.to_string(), version(config)?, asking);
        remote.allow(allowed(&url, config, report));
        Ok(Self {
            remote,
            address,
            base,
            post_buffer,
            kept,
            opened,
        })
    }

    /// Begins to connect while git and the keychain are busy.
    pub fn open_early(&self) {
        if !self.opened {
            self.remote.http().open_early(&self.address.https_url(&self.base));
        }
    }

    /// Returns the repository's URL, without any secret.
    pub fn url(&self) -> String {
        self.address.https_url(&self.base).to_string()
    }

    /// Returns the address, and the URL below which it is.
    pub fn place(&self) -> (&Address, &BaseUrl) {
        (&self.address, &self.base)
    }

    /// Returns how many bytes of a request are held in memory, at most (`http.postBuffer`).
    pub fn post_buffer(&self) -> usize {
        self.post_buffer
    }

    /// Returns what the repository advertised the last time, if that may be used.
    pub fn kept(&self) -> Option<Advertisement> {
        let wanted = self.remote.version() == Version::V2;
        self.kept.as_ref().filter(|_| wanted)?.slot.load()
    }

    /// Keeps `advertisement` for the next time. Not that of a repository that has moved: a first request without
    /// asking before would go to the old place every time.
    pub fn keep(&mut self, advertisement: &Advertisement) {
        if let Some(kept) = self.kept.as_mut().filter(|_| !self.remote.has_moved()) {
            kept.replace(advertisement);
        }
    }

    /// Serves git's fetches; `assumed` is what git was told, if that was kept and is not what the server says now.
    pub fn upload_pack(
        &mut self,
        git: (&mut impl BufRead, &mut impl Write),
        assumed: Option<Advertisement>,
    ) -> Result<(), bridge::Error> {
        let kept = self.kept.as_mut().map(|copy| copy as &mut dyn Kept);
        let kept = assumed.zip(kept);
        upload_pack::serve(&mut self.remote, git, self.post_buffer, kept)
    }

    /// Asks the server whether it accepts who is asking.
    ///
    /// # Errors
    /// What it says instead; and if it leads to another server, which has not been shown the secret.
    pub fn check_login(&mut self) -> Result<(), Failure> {
        let asked = self.remote.advertisement(Service::UploadPack);
        asked.map_err(|error| self.explain(Service::UploadPack, error))?;
        if self.remote.is_elsewhere() {
            return Err(self.led_elsewhere());
        }
        Ok(())
    }

    /// Returns what an answer of another server means: nothing about the secret, which it was not sent.
    pub fn led_elsewhere(&self) -> Failure {
        let (host, address) = (self.base.host(), &self.address);
        let message = format!("'{host}' leads to another server for '{address}', which was not shown the secret");
        let url = self.address.https_url(&self.base);
        Failure::new(Kind::Refused, message).hint(format!("see where it leads: 'curl -sI {url}/info/refs'"))
    }

    /// Gives up after `limit`, however slowly the server answers: for commands that somebody waits for.
    pub fn give_up_after(&self, limit: Duration) {
        self.remote.http().give_up_after(limit);
    }

    /// Says what `error` means for the user.
    pub fn explain(&self, service: Service, error: bridge::Error) -> Failure {
        let asked = Asked {
            address: &self.address,
            base: &self.base,
            service,
            who: self.remote.credentials().current().map(Into::into),
        };
        explain::explain(&asked, error)
    }

    /// The same for git, whose own words programs look for in the last line.
    pub fn explain_to_git(&self, service: Service, error: bridge::Error) -> Failure {
        let words = explain::git_words(&self.url(), &error);
        let failure = self.explain(service, error);
        match words {
            Some(words) => failure.as_git_says(words),
            None => failure,
        }
    }
}

/// Returns the address that a remote should have: with the name of whoever is asking, and not with a token's.
pub fn own_address(address: &Address) -> String {
    if address.username().is_some_and(is_own) {
        address.bbcloud()
    } else {
        address.without_user().bbcloud()
    }
}

/// Returns the URL of the large files at `address`, with the name of whoever is asking: git-lfs has it from there only.
pub fn lfs_url(address: &Address, base: &BaseUrl) -> Url {
    let mut url = address.lfs_url(base);
    if let Some(name) = address.username().filter(|name| is_own(name)) {
        // This fails only for a URL without a host, which the base URL is not.
        url.set_username(name).ok();
    }
    url
}

/// Returns the URL of the large files at an address as git has it; `None` unless git calls this program for it.
pub fn lfs_url_of(address: &str, base: &BaseUrl) -> Option<String> {
    let address = address
        .starts_with("bbcloud:")
        .then(|| Address::parse(address, base).ok())??;
    Some(lfs_url(&address, base).to_string())
}

/// What git would warn about is told once, however many repositories a command opens.
fn warn_once(settings: &Settings, report: Report) {
    static WARNED: OnceLock<()> = OnceLock::new();
    if !settings.warnings.is_empty() && WARNED.set(()).is_ok() {
        for warning in &settings.warnings {
            report.warning(warning);
        }
    }
}

/// Returns where repositories are: `BBCLOUD_BASE_URL`, then `bbcloud.baseUrl`, which a repository's own configuration
/// cannot set, because it decides where secrets go.
pub fn base_url(config: &Config, environment: &Environment) -> Result<BaseUrl, Failure> {
    let given = environment
        .text(&BBCLOUD_BASE_URL)
        .filter(|text| !text.is_empty())
        .map(str::to_owned);
    match given.or_else(|| config.trusted().text("bbcloud.baseUrl")) {
        Some(text) => BaseUrl::parse(&text),
        None => Ok(BaseUrl::default()),
    }
}

/// `sideband.allowControlCharacters`: what it means to git, but nothing is allowed by default.
fn allowed(url: &Url, config: &Config, report: Report) -> Allowed {
    let Some(text) = config.sideband(url).text("allowControlCharacters") else {
        return Allowed::default();
    };
    match (value::boolean(&text), Allowed::parse(&text)) {
        (Some(true), _) => Allowed::ALL,
        (Some(false), _) => Allowed::default(),
        (None, Some(allowed)) => allowed,
        (None, None) => {
            let text = format!("unrecognized value for 'sideband.allowControlCharacters': '{text}'");
            report.warning(&text);
            Allowed::default()
        }
    }
}

/// `protocol.version`; git itself fails on a value that it does not know.
fn version(config: &Config) -> Result<Version, Failure> {
    match config.text("protocol.version").as_deref() {
        Some("0") => Ok(Version::V0),
        Some("1") => Ok(Version::V1),
        Some("2") | None => Ok(Version::V2),
        Some(other) => Err(Failure::new(
            Kind::Usage,
            format!("unknown value for config 'protocol.version': {other}"),
        )
        .hint("run 'git config --global protocol.version 2'")),
    }
}

/// `transfer.credentialsInUrl`, which git does not apply to addresses of helpers. Git allows where it is unset; here a
/// secret in a URL is the very thing that the keychain is for, so unset means a warning.
fn check_secret_in_url(address: &Address, remote: &str, config: &Config, report: Report) -> Result<(), Failure> {
    static WARNED: OnceLock<()> = OnceLock::new();
    if address.secret().is_none() {
        return Ok(());
    }
    let found = format!("the URL of '{address}' contains a secret, visible to anyone who can read the git config");
    let login = format!("git-remote-bbcloud login --for {}", address.scope());
    // Git passes an address that was given instead of a remote as its name.
    let is_known = config.remotes().iter().any(|known| known.name == remote);
    let hint = if is_known {
        let (name, plain) = (word(remote), word(&own_address(address)));
        format!("run '{login}' and 'git remote set-url {name} {plain}'")
    } else {
        format!("run '{login}', and use '{}'", own_address(address))
    };
    match config.text("transfer.credentialsInUrl").as_deref() {
        Some("allow") => Ok(()),
        Some("die") => Err(Failure::new(Kind::Usage, found).hint(hint)),
        Some("warn") | None => {
            if WARNED.set(()).is_ok() {
                report.warning(&found);
                report.hint(&hint);
            }
            Ok(())
        }
        Some(other) => Err(Failure::new(
            Kind::Usage,
            format!("unknown value for config 'transfer.credentialsInUrl': {other}"),
        )
        .hint("run 'git config --global transfer.credentialsInUrl warn'")),
    }
}
