//! Large files go where the commits go: before git fetches or pushes, git-lfs is told where.
//!
//! Git starts the helper for a push before the `pre-push` hook, by which git-lfs uploads: what is refused here is
//! refused before anything is sent. Does not depend on the lines that git-lfs reads (`git::lfs`).

use crate::address::{Address, BaseUrl};
use crate::environment::Environment;
use crate::git::config::{Config, Remote};
use crate::git::lfs::edits::Edit;
use crate::git::lfs::endpoint::Moment;
use crate::git::lfs::follow;
use crate::process::Pending;
use crate::report::{Failure, Kind, Report};
use crate::repository::{Repository, lfs_url, lfs_url_of};

/// What is known when git asks for a service of the remote `name`.
pub(super) struct LargeFiles<'a> {
    pub(super) name: &'a str,
    pub(super) repository: &'a Repository,
    pub(super) config: &'a Config,
    pub(super) environment: &'a Environment,
}

impl LargeFiles<'_> {
    /// Brings git-lfs's endpoints up to date. A failure is a warning: a fetch works without, and git-lfs itself fails
    /// where it would have to look in the wrong place.
    pub(super) fn before_fetch(&self, report: Report, quiet: bool) {
        let Some(local) = follow::Repository::of(self.config, self.environment) else {
            return;
        };
        let base = self.repository.place().1;
        let locate = |address: &str| lfs_url_of(address, base);
        if let Err(failure) = local.follow(self.config, None, &locate, self.environment)
            && !quiet
        {
            let message = format!("git-lfs does not know where the large files are: {}", failure.message());
            report.warning(&message);
            report.hint(&self.by_hand());
        }
    }

    /// Sees to it that the upload of this push goes to the repository that is pushed to. Returns what ends with it.
    ///
    /// # Errors
    /// If that cannot be, and the push has large files.
    pub(super) fn before_push(&self) -> Result<Option<Pending>, Failure> {
        let Some(local) = follow::Repository::of(self.config, self.environment) else {
            return Ok(None);
        };
        let told = if self.is_address() {
            self.lend(&local)
        } else {
            self.refuse_order().and_then(|()| self.turn(&local))
        };
        match told {
            Err(failure) if local.pushes_large_files(self.config) => Err(failure),
            told => Ok(told.unwrap_or_default()),
        }
    }

    /// git-lfs asks the repository that git fetches from what it has, and leaves that out: of several push URLs, those
    /// after this one would get no files.
    fn refuse_order(&self) -> Result<(), Failure> {
        let base = self.repository.place().1;
        let remotes = self.config.remotes();
        let Some(remote) = remotes.iter().find(|remote| remote.name == self.name) else {
            return Ok(());
        };
        let route = self.config.route(remote);
        let is_fetched = |address: &&String| {
            let fetched = route.fetch.as_deref().and_then(|fetch| lfs_url_of(fetch, base));
            fetched.is_some() && lfs_url_of(address, base) == fetched
        };
        let (Some(first), Some(last)) = (route.pushes.iter().find(is_fetched), route.pushes.last()) else {
            return Ok(());
        };
        if is_fetched(&last) {
            return Ok(());
        }
        let others = route.pushes.iter().filter(|address| !is_fetched(address));
        let add = |address: &String| format!("git remote set-url --add --push {} {}", self.name, shown(address, base));
        let commands: Vec<String> = others.chain([first]).map(add).collect();
        let (first, last) = (shown(first, base), shown(last, base));
        let message = format!("the large files would be pushed to '{first}' only, and not to '{last}'");
        let mut failure = Failure::new(Kind::Usage, message)
            .because("git-lfs takes what the repository has that it fetches from for pushed everywhere")
            .hint(format!("name '{first}' last, so that each push URL gets its files:"));
        if !remote.push_urls.is_empty() {
            failure = failure.hint(format!("git config --unset-all remote.{}.pushurl", self.name));
        }
        Err(commands.into_iter().fold(failure, Failure::hint))
    }

    /// Points the remote's upload to where it is pushed to. Of several push URLs, each has its turn.
    fn turn(&self, local: &follow::Repository) -> Result<Option<Pending>, Failure> {
        let base = self.repository.place().1.clone();
        let pushed = self.repository.place().0.bbcloud();
        let locate = move |address: &str| lfs_url_of(address, &base);
        let pushing = Some((self.name, Moment::Pushing(&pushed)));
        local
            .follow(self.config, pushing, &locate, self.environment)
            .map_err(|failure| self.refused(failure))?;
        let remote = self
            .config
            .remotes()
            .into_iter()
            .find(|remote| remote.name == self.name);
        let has_several = remote.is_some_and(|remote| self.config.route(&remote).pushes.len() > 1);
        if !has_several {
            return Ok(None);
        }
        let (local, environment, name) = (local.clone(), self.environment.clone(), self.name.to_owned());
        Ok(at_end(move || {
            // What cannot be put back now is put back before the next fetch or push.
            if let Ok(config) = local.config(&environment) {
                let pushed = Some((name.as_str(), Moment::Pushed));
                local.follow(&config, pushed, &locate, &environment).ok();
            }
        }))
    }

    /// Tells git-lfs about an address that has no section in the configuration; else it takes `origin` for it.
    fn lend(&self, local: &follow::Repository) -> Result<Option<Pending>, Failure> {
        let (address, base) = self.repository.place();
        Self::refuse_secret(address)?;
        let locate = |address: &str| lfs_url_of(address, base);
        // git-lfs takes an address for the remote that is pushed there.
        local
            .follow(self.config, None, &locate, self.environment)
            .map_err(|failure| self.refused(failure))?;
        let config = local.config(self.environment)?;
        if config.flag("bbcloud.lfs")? == Some(false) || config.remotes().iter().any(|remote| self.is(remote)) {
            return Ok(None);
        }
        let lines = local.lent(self.name, lfs_url(address, base).as_str(), &config);
        if lines.is_empty() {
            return Ok(None);
        }
        local.apply(&lines, &config).map_err(|failure| self.refused(failure))?;
        let local = local.clone();
        let undone: Vec<Edit> = lines.into_iter().rev().map(Edit::undone).collect();
        Ok(at_end(move || {
            local.apply(&undone, &config).ok();
        }))
    }

    /// Whether git-lfs takes this address for `remote` (`git.MapRemoteURL` there).
    fn is(&self, remote: &Remote) -> bool {
        self.config.route(remote).pushes == [self.name]
    }

    /// Whether git was given an address, and not the name of a remote.
    fn is_address(&self) -> bool {
        let named =
            |remote: &Remote| remote.name == self.name && !(remote.urls.is_empty() && remote.push_urls.is_empty());
        !self.config.remotes().iter().any(named)
    }

    /// A secret in an address would be written into the configuration.
    fn refuse_secret(address: &Address) -> Result<(), Failure> {
        if address.secret().is_none() {
            return Ok(());
        }
        let message = format!("large files cannot follow a push to '{address}' with a secret in the address");
        Err(Failure::new(Kind::Usage, message)
            .hint(format!("run 'git-remote-bbcloud login --for {}'", address.scope()))
            .hint(format!("then push to '{}'", address.bbcloud())))
    }

    fn refused(&self, failure: Failure) -> Failure {
        let address = self.repository.place().0;
        failure
            .hint(format!(
                "nothing was sent: git-lfs would upload the large files elsewhere than to '{address}'"
            ))
            .hint(self.by_hand())
    }

    fn by_hand(&self) -> String {
        let (address, base): (&Address, &BaseUrl) = self.repository.place();
        if self.is_address() {
            return format!(
                "give the repository a name: 'git remote add {} {}'",
                address.repository(),
                address.bbcloud()
            );
        }
        format!(
            "run 'git config remote.{}.lfsurl {}'",
            self.name,
            lfs_url(address, base)
        )
    }
}

/// Returns an address without a secret.
fn shown(address: &str, base: &BaseUrl) -> String {
    if let Ok(address) = Address::parse(address, base) {
        return address.bbcloud();
    }
    match url::Url::parse(address) {
        Ok(mut url) if url.has_host() => {
            url.set_password(None).ok();
            url.to_string()
        }
        _ => address.to_owned(),
    }
}

/// Has `undo` done when the session ends, however it ends.
fn at_end(undo: impl FnOnce() + Send + 'static) -> Option<Pending> {
    Pending::begin(|| Ok(()), undo).ok().map(|((), pending)| pending)
}
