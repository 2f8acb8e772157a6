//! The kept advertisement as a fetch uses it: a copy that is getting old is asked for again beside the fetch.
//!
//! That costs a connection of its own and no time: nobody waits for it, and a process that ends first ends it.

use std::thread;

use zeroize::Zeroizing;

use crate::bridge::discovery::Advertisement;
use crate::bridge::refusal::Refusal;
use crate::bridge::remote::Remote;
use crate::bridge::service::{Service, Version};
use crate::bridge::{Credentials, Kept};
use crate::cache::Slot;
use crate::http::client::Client;
use crate::http::settings::{FollowRedirects, Retries, Settings};
use crate::report::{Failure, Report};
use crate::trace::Trace;

/// A repository's copy, and how to ask for a new one if it is getting old.
pub(super) struct KeptCopy {
    pub(super) slot: Slot,
    renewal: Option<Renewal>,
}

/// What it takes to ask.
struct Renewal {
    settings: Settings,
    url: String,
    report: Report,
    trace: Trace,
}

impl KeptCopy {
    pub(super) fn new(slot: Slot, url: &str, settings: &Settings, report: Report, trace: &Trace) -> Self {
        let renewal = slot.is_getting_old().then(|| Renewal {
            settings: settings.clone(),
            url: url.to_owned(),
            report,
            trace: trace.clone(),
        });
        Self { slot, renewal }
    }
}

impl Kept for KeptCopy {
    fn used(&mut self, authorization: Option<Zeroizing<String>>) {
        let Some(renewal) = self.renewal.take() else { return };
        let slot = self.slot.clone();
        // Without a thread the copy stays as it is, until it is too old to be used.
        let started = thread::Builder::new().spawn(move || {
            if let Some(advertisement) = renewal.ask(Asking(authorization)) {
                slot.store(&advertisement);
            }
        });
        drop(started);
    }

    fn replace(&mut self, fresh: &Advertisement) {
        self.slot.store(fresh);
    }

    fn forget(&mut self) {
        self.slot.forget();
    }
}

impl Renewal {
    /// Asks once and says nothing: whatever is wrong, the fetch itself is told as well.
    fn ask(mut self, asking: Asking) -> Option<Advertisement> {
        self.settings.follow_redirects = FollowRedirects::Never;
        self.settings.retries = Retries {
            max: Some(0),
            ..Retries::default()
        };
        let client = Client::new(self.settings, self.report, self.trace);
        let mut remote = Remote::new(client, self.url, Version::V2, asking);
        remote.advertisement(Service::UploadPack).ok()
    }
}

/// Who is asking, found out by the fetch.
struct Asking(Option<Zeroizing<String>>);

impl Credentials for Asking {
    fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(self.0.clone())
    }

    fn accepted(&mut self, _elsewhere: bool) {}

    fn refused(&mut self, _refusal: &Refusal, _may_repeat: bool) -> Result<bool, Failure> {
        Ok(false)
    }
}
