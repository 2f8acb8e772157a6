//! What the agent works with: the user's environment, configuration and accounts, without anything of a repository.
//!
//! Git's configuration is read again when it is older than a moment, so that a change needs no new agent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use super::route::Route;
use crate::address::{Address, BaseUrl};
use crate::credential::index::Index;
use crate::credential::keychain::Keychain;
use crate::credential::parts::Parts;
use crate::credential::policy::Policy;
use crate::credential::{Logins, Wanted};
use crate::environment::Environment;
use crate::environment::variable as var;
use crate::git::config::Config;
use crate::http::settings::Settings;
use crate::report::{Failure, Kind, Report};
use crate::repository;

/// How long git's configuration is taken to be the same.
const SAME: Duration = Duration::from_secs(1);

/// What of the environment a repository or a `git -c` decides, and what leads to an agent.
const LEFT_OUT: [&var::Variable; 5] = [
    &var::GIT_DIR,
    &var::GIT_COMMON_DIR,
    &var::GIT_CONFIG_PARAMETERS,
    &var::GIT_CONFIG_COUNT,
    &var::BBCLOUD_AGENT_SOCK,
];

/// The surroundings of one agent.
pub(super) struct Surroundings {
    pub(super) base: BaseUrl,
    pub(super) report: Report,
    environment: Environment,
    config: Mutex<(Arc<Config>, Instant)>,
}

impl Surroundings {
    pub(super) fn new(environment: &Environment, report: Report) -> Result<Self, Failure> {
        let environment = environment.without(&LEFT_OUT);
        let config = Config::load(&environment)?;
        Ok(Self {
            base: repository::base_url(&config, &environment)?,
            report,
            environment,
            config: Mutex::new((Arc::new(config), Instant::now())),
        })
    }

    fn config(&self) -> Result<Arc<Config>, Failure> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if config.1.elapsed() > SAME {
            *config = (Arc::new(Config::load(&self.environment)?), Instant::now());
        }
        Ok(config.0.clone())
    }

    /// Returns how requests for `url` are sent.
    pub(super) fn settings(&self, url: &Url) -> Result<Settings, Failure> {
        let mut settings = Settings::read(url, url.as_str(), &*self.config()?, &self.environment)?;
        // The client's wish counts.
        settings.accept_language = None;
        Ok(settings)
    }

    /// Returns the logins for `address`.
    pub(super) fn logins(&self, address: &Address) -> Result<Logins, Failure> {
        let config = self.config()?;
        let url = address.https_url(&self.base);
        let proactive = Settings::read(&url, url.as_str(), &config, &self.environment)?.proactive_auth;
        let policy = Policy::read(&url, proactive.challenges(), &config, &self.environment)?;
        let parts = Parts::of(&policy, &self.environment, self.report);
        let wanted = Wanted::repository(address, &self.base);
        Logins::new(wanted, policy, &self.environment, parts)
    }

    /// Returns the address of `route`, with the user name that the client asked for.
    pub(super) fn address(&self, route: &Route, user: Option<&str>) -> Result<Address, Failure> {
        let Some(user) = user else {
            return Ok(route.address.clone());
        };
        let address = Address::parse(&format!("{user}@{}", route.address), &self.base)?;
        if address.secret().is_some() || address.without_user() != route.address {
            return Err(Failure::new(Kind::Usage, "not a valid user name"));
        }
        Ok(address)
    }

    /// Returns the list of accounts and the keychain, to see whether it is locked.
    pub(super) fn keychain(&self) -> Option<(Index, Keychain)> {
        let config = self.config().ok()?;
        let policy = Policy::read(self.base.url(), None, &config, &self.environment).ok()?;
        Some((
            Index::of(&self.environment)?,
            Keychain::new(policy.limits, &self.environment),
        ))
    }
}
