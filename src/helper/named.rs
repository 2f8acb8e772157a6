//! The repository that git named: opened when it is first needed, and compared with the one here.
//!
//! Does not depend on git's commands.

use std::sync::atomic::Ordering;

use super::large_files::LargeFiles;
use crate::bridge::discovery::Advertisement;
use crate::bridge::service::Service;
use crate::environment::Environment;
use crate::explain;
use crate::git::config::Config;
use crate::process::Pending;
use crate::report::{Failure, Report};
use crate::repository::Repository;

/// The format that objects have where none is named.
const SHA1: &str = "sha1";

/// The format of the objects of whoever advertises this.
pub(super) fn format_of(advertisement: &Advertisement) -> String {
    let features = advertisement.features();
    let format = features
        .iter()
        .find_map(|feature| feature.strip_prefix("object-format="));
    format.unwrap_or(SHA1).to_owned()
}

/// The repository that git named, opened when it is first needed.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) address: &'a str,
    pub(super) environment: &'a Environment,
    pub(super) report: Report,
    pub(super) opened: Option<Repository>,
    /// What the repository was opened with, until git-lfs has been told of it.
    pub(super) config: Option<Config>,
    /// What git-lfs reads during this session only.
    pub(super) lfs: Option<Pending>,
    /// The format of the objects here (`extensions.objectFormat`).
    pub(super) format: Option<String>,
}

impl Named<'_> {
    pub(super) fn open(&mut self) -> Result<&mut Repository, Failure> {
        match &mut self.opened {
            Some(repository) => Ok(repository),
            closed => {
                let config = Config::load(self.environment)?;
                let repository = Repository::open(self.address, self.name, &config, self.environment, self.report)?;
                repository.open_early();
                self.format = config.text("extensions.objectFormat");
                self.config = Some(config);
                Ok(closed.insert(repository))
            }
        }
    }

    /// Returns why git cannot go on with a server whose objects are of the format `theirs`, if they are not of ours.
    pub(super) fn other_format(&mut self, theirs: &str) -> Result<Option<Failure>, Failure> {
        self.open()?;
        let ours = self.format.as_deref().unwrap_or(SHA1).to_ascii_lowercase();
        let (address, _) = self.open()?.place();
        Ok((!theirs.is_empty() && theirs != ours).then(|| explain::formats(address, &ours, theirs)))
    }

    /// The same for a fetch: only git knows whether it is one, or a list of references, or a clone that takes the
    /// format of the server. So it is said when git ends after its list, with a bare line of its own, and ends us.
    pub(super) fn explain_format(&mut self, theirs: &str) -> Result<Option<Pending>, Failure> {
        let Some(failure) = self.other_format(theirs)? else {
            return Ok(None);
        };
        let (posts, report) = (self.open()?.remote.posts(), self.report);
        let say = move || {
            if posts.load(Ordering::Relaxed) <= 1 {
                report.failure(&failure);
            }
        };
        Ok(Pending::begin(|| Ok(()), say).ok().map(|((), pending)| pending))
    }

    /// Sees to it that large files go where the commits go, once a session.
    pub(super) fn tell_lfs(&mut self, service: Service, quiet: bool) -> Result<(), Failure> {
        self.open()?;
        let (Some(config), Some(repository)) = (self.config.take(), &self.opened) else {
            return Ok(());
        };
        let files = LargeFiles {
            name: self.name,
            repository,
            config: &config,
            environment: self.environment,
        };
        self.lfs = if service == Service::ReceivePack {
            files.before_push()?
        } else {
            files.before_fetch(self.report, quiet);
            None
        };
        Ok(())
    }
}
