//! Where a command is run: the settings, the list of accounts, the keychain, and the repository one stands in.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use crate::address::{Address, BaseUrl};
use crate::credential::account::{Account, Scope, StoreKind};
use crate::credential::index::Index;
use crate::credential::keychain::Keychain;
use crate::credential::login::Login;
use crate::credential::parts::Parts;
use crate::credential::policy::Policy;
use crate::credential::{Logins, Wanted};
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_TOKEN_FILE, BITBUCKET_REPO_SLUG, BITBUCKET_WORKSPACE};
use crate::git::config::Config;
use crate::report::{Failure, Kind, Report, plain};
use crate::repository::{self, Repository};

/// How long a command waits for a server that somebody waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What every command for people works with.
pub(super) struct Scene<'a> {
    pub(super) environment: &'a Environment,
    pub(super) report: Report,
    pub(super) config: Config,
    pub(super) base: BaseUrl,
    pub(super) policy: Policy,
    pub(super) keychain: Keychain,
    pub(super) index: Index,
}

impl<'a> Scene<'a> {
    pub(super) fn open(environment: &'a Environment, report: Report) -> Result<Self, Failure> {
        let config = Config::discover(environment)?;
        let base = repository::base_url(&config, environment)?;
        let policy = Policy::read(base.url(), None, &config, environment)?;
        let index = Index::of(environment).ok_or_else(|| {
            Failure::new(
                Kind::Local,
                "there is no home directory to keep the list of accounts in",
            )
            .hint("set HOME or XDG_CONFIG_HOME")
        })?;
        Ok(Self {
            environment,
            report,
            config,
            base,
            keychain: Keychain::new(policy.limits, environment),
            policy,
            index,
        })
    }

    /// Returns where secrets are kept; fails where the user wants none kept.
    pub(super) fn place(&self) -> Result<StoreKind, Failure> {
        self.policy.keep.ok_or_else(|| {
            Failure::new(Kind::Usage, "nothing is kept, because 'bbcloud.store' is false")
                .hint("run 'git config --global --unset bbcloud.store'")
        })
    }

    /// Returns the name of the variable that wins over the keychain.
    pub(super) fn variable(&self) -> Option<&'static str> {
        if self.environment.has_token() {
            return Some("BBCLOUD_TOKEN");
        }
        let file = self.environment.path(&BBCLOUD_TOKEN_FILE).is_some();
        file.then_some("BBCLOUD_TOKEN_FILE")
    }

    /// Returns the repository with which an account for `scope` can be tried: itself, else a remote of the repository
    /// that one stands in.
    pub(super) fn repository_for(&self, scope: &Scope) -> Option<Address> {
        if scope.is_repository() {
            return Address::parse(scope.text(), &self.base).ok();
        }
        let remotes = self.config.remotes();
        let urls = remotes.iter().flat_map(|remote| &remote.urls);
        let ours = urls.filter(|url| url.starts_with("bbcloud:"));
        ours.filter_map(|url| Address::parse(url, &self.base).ok())
            .find(|address| scope.covers(&Scope::of(address)))
    }

    /// Returns the URL in full of a remote here that is `address`: it may name a user, and hold a secret.
    pub(super) fn remote_of(&self, address: &Address) -> Option<String> {
        let remotes = self.config.remotes();
        let mut urls = remotes.into_iter().flat_map(|remote| remote.urls);
        urls.find(|url| {
            url.starts_with("bbcloud:") && Address::parse(url, &self.base).is_ok_and(|found| found == *address)
        })
    }

    /// Returns the repository that one stands in, by its `bbcloud::` remote; else the one that Pipelines builds.
    pub(super) fn here(&self) -> Option<Address> {
        let built = || {
            let workspace = self.environment.text(&BITBUCKET_WORKSPACE)?;
            let repository = self.environment.text(&BITBUCKET_REPO_SLUG)?;
            Address::parse(&format!("{workspace}/{repository}"), &self.base).ok()
        };
        self.repository_for(&Scope::host()).or_else(built)
    }

    /// Opens the repository at `address` to be asked with `login`, and with nothing else.
    pub(super) fn open_repository(&self, address: &Address, login: Login) -> Result<Repository, Failure> {
        let name = address.to_string();
        let mut repository = Repository::open_directly(
            &name,
            &name,
            &self.config,
            &self.environment.without_token(),
            self.report,
        )?;
        repository.remote.credentials_mut().use_only(login);
        repository.give_up_after(PATIENCE);
        Ok(repository)
    }

    /// Returns the login of `account` with its secret from the keychain.
    pub(super) fn login(&self, account: &Account) -> Result<Login, Failure> {
        let read = self.keychain.read(account);
        let secret = read.map_err(|fault| fault.explain(account.target()))?;
        Ok(Login::kept(account, secret))
    }

    /// Returns the logins for `wanted`, as git would try them.
    pub(super) fn logins(&self, wanted: Wanted) -> Result<Logins, Failure> {
        let parts = Parts::of(&self.policy, self.environment, self.report);
        Logins::new(wanted, self.policy.clone(), self.environment, parts)
    }
}

/// Writes words for a person to standard output: names that others chose cannot steer the terminal.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_exactly(&plain(text))
}

/// Writes data to standard output unchanged. A reader that closes it early is not an error.
pub(super) fn print_exactly(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Kind::Local, "cannot write the output").caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// 0 if `good`, else 1.
pub(super) fn exit(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
