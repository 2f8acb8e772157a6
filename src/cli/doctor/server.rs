//! The repository at the server: may it be read and pushed to, what does the server speak, and what are its limits.

use std::io::{self, BufReader};

use url::Url;
use zeroize::Zeroizing;

use super::account::Usable;
use super::checks::Checks;
use super::{ANSWERS, lfs};
use crate::address::Address;
use crate::bridge::discovery::Advertisement;
use crate::bridge::outcome::Answerer;
use crate::bridge::service::{Service, Version};
use crate::bridge::{self, Credentials as _};
use crate::cli::scene::Scene;
use crate::http::rest::{Call, Reply, Rest};
use crate::http::settings::Settings;
use crate::report::{Failure, Kind};
use crate::repository::Repository;
use crate::trace::Trace;

/// Headers that tell of limits, as far as Bitbucket is known to send them.
const LIMITS: [&str; 8] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-resource",
    "x-ratelimit-nearlimit",
    "x-usage-quota-remaining",
    "x-usage-request-cost",
    "retry-after",
];

/// The repository, and the connection to it.
pub(super) struct Asking {
    pub(super) repository: Repository,
    pub(super) rest: Rest,
    /// What the headers of the last answer said of limits.
    limits: Vec<String>,
}

pub(super) fn check(address: &Address, usable: Usable, settings: &Settings, scene: &Scene<'_>, checks: &mut Checks) {
    let mut asking = match Asking::open(address, usable, settings, scene) {
        Ok(asking) => asking,
        Err(failure) => {
            checks.failure("read", &failure);
            return;
        }
    };
    match asking.advertisement(Service::UploadPack) {
        Ok(advertisement) => {
            let who = asking.repository.remote.credentials().current();
            let who = who.map_or_else(
                || "anybody".to_owned(),
                |login| format!("the {} of '{}' {}", login.kind(), login.username, login.source),
            );
            checks.ok("read", format!("{who} may read '{address}'"));
            check_protocol(&advertisement, asking.repository.remote.version(), checks);
        }
        Err(failure) => {
            checks.failure("read", &failure);
            asking.tell_limits(checks);
            return;
        }
    }
    check_push(&mut asking, address, checks);
    asking.tell_limits(checks);
    lfs::check(&mut asking, address, scene, checks);
}

fn check_protocol(advertisement: &Advertisement, asked: Version, checks: &mut Checks) {
    let version = match advertisement.version() {
        Version::V0 => "0",
        Version::V1 => "1",
        Version::V2 => "2",
    };
    let features = advertisement.features().join(", ");
    let detail = format!("version {version}: {features}");
    if advertisement.version() < asked {
        let detail = format!("{detail}; an older version than was asked for, so every fetch is told all refs");
        checks.ok("protocol", detail);
    } else if asked < Version::V2 {
        checks.warn(
            "protocol",
            format!("{detail}; protocol.version is set to less than 2"),
            "git config --global --unset protocol.version",
        );
    } else {
        checks.ok("protocol", detail);
    }
}

fn check_push(asking: &mut Asking, address: &Address, checks: &mut Checks) {
    let Some(login) = asking.repository.remote.credentials().current() else {
        checks.skip("push", "nobody is signed in, so nobody may push");
        return;
    };
    let who = format!("the {} of '{}'", login.kind(), login.username);
    match asking.advertisement(Service::ReceivePack) {
        Ok(_) => checks.ok("push", format!("{who} may push to '{address}'")),
        // A secret that may only read is what a build server should have.
        Err(failure) if matches!(failure.kind(), Kind::Refused | Kind::Unauthenticated) => {
            checks.warning("push", &failure);
        }
        Err(failure) => checks.failure("push", &failure),
    }
}

impl Asking {
    fn open(address: &Address, usable: Usable, settings: &Settings, scene: &Scene<'_>) -> Result<Self, Failure> {
        // An address in full, for the user name and the secret that it may hold.
        let text = scene.remote_of(address).unwrap_or_else(|| address.bbcloud());
        let mut repository = Repository::open(&text, &text, &scene.config, scene.environment, scene.report)?;
        repository.remote.credentials_mut().only_look(usable.keychain);
        let trace = Trace::from_environment(scene.environment, scene.report)?;
        Ok(Self {
            repository,
            rest: Rest::new(settings.clone(), scene.report, trace, Some(ANSWERS)),
            limits: Vec::new(),
        })
    }

    /// Asks what git asks first, with every login that git would try without asking a person.
    fn advertisement(&mut self, service: Service) -> Result<Advertisement, Failure> {
        let url = format!("{}/info/refs?service={}", self.repository.url(), service.name());
        loop {
            let version = self.repository.remote.version().for_service(service);
            let lines = version.header().map(|line| line.to_owned().into());
            let lines = lines.into_iter().chain(self.authorization()?).collect();
            let mut reply = self
                .send("GET", &url, lines, None)
                .map_err(|error| self.broken(service, error))?;
            if reply.status() >= 300 {
                let refusal = reply.refusal();
                if self.repository.remote.credentials_mut().refused(&refusal, true)? {
                    continue;
                }
                let error = bridge::Error::Refused(Box::new(refusal));
                return Err(self.repository.explain(service, error));
            }
            let is_signed_in = self.repository.remote.credentials().current().is_some();
            if reply.by() == Answerer::Elsewhere && is_signed_in {
                return Err(self.repository.led_elsewhere());
            }
            self.repository.remote.credentials_mut().accepted(false);
            let wanted = format!("application/x-{}-advertisement", service.name());
            let named = reply
                .header("content-type")
                .split(';')
                .next()
                .unwrap_or_default()
                .trim();
            if !named.eq_ignore_ascii_case(&wanted) {
                let error = bridge::Error::ContentType {
                    found: named.to_owned(),
                    expected: wanted,
                };
                return Err(self.repository.explain(service, error));
            }
            let read = Advertisement::read(service, &mut BufReader::new(&mut reply));
            let advertisement = read.map_err(|error| self.repository.explain(service, error))?;
            // A connection that cannot be used again is made anew.
            self.rest.finish(reply).ok();
            return Ok(advertisement);
        }
    }

    /// Returns the header line with the secret, if there is one.
    pub(super) fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        self.repository.remote.credentials_mut().authorization()
    }

    /// Sends a request, and remembers what its answer says of limits.
    pub(super) fn send(
        &mut self,
        method: &'static str,
        url: &str,
        mut lines: Vec<Zeroizing<String>>,
        body: Option<Vec<u8>>,
    ) -> io::Result<Reply> {
        if !lines.iter().any(|line| line.starts_with("Accept:")) {
            lines.push("Accept: */*".to_owned().into());
        }
        let url = Url::parse(url).map_err(io::Error::other)?;
        let reply = self.rest.send(Call {
            method,
            url,
            lines,
            body,
            follow: method == "GET",
        })?;
        let told = LIMITS.iter().filter(|name| !reply.header(name).is_empty());
        self.limits = told.map(|name| format!("{name}: {}", reply.header(name))).collect();
        Ok(reply)
    }

    fn broken(&self, service: Service, error: io::Error) -> Failure {
        self.repository.explain(service, bridge::Error::from(error))
    }

    fn tell_limits(&self, checks: &mut Checks) {
        if self.limits.is_empty() {
            checks.skip("rate-limit", "the server says nothing of limits");
        } else if self
            .limits
            .iter()
            .any(|line| line.starts_with("retry-after") || line.eq_ignore_ascii_case("x-ratelimit-nearlimit: true"))
        {
            checks.warn(
                "rate-limit",
                self.limits.join(", "),
                "wait a little, or let fewer machines ask at once",
            );
        } else {
            checks.ok("rate-limit", self.limits.join(", "));
        }
    }
}
