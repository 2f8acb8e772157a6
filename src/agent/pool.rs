//! Connections that wait for their next request, each for one server, one set of settings and one account.
//!
//! A connection is with its user or here, and never serves two secrets: a server may take the first one for both. Does
//! not depend on what requests say.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::{Moment, Times};
use crate::http::settings::Settings;
use crate::http::upstream::{Shared, Upstream};
use crate::report::Report;
use crate::trace::Trace;

/// The most connections that wait; a server may allow few, and the oldest is the least useful.
const MOST: usize = 32;

/// What a connection is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    /// The server.
    pub(super) origin: String,
    /// How it is reached and trusted.
    pub(super) settings: Settings,
    /// Who asks, with whatever tells two secrets of one name apart.
    pub(super) account: String,
}

/// A connection in use.
pub(super) struct Lane {
    pub(super) upstream: Upstream,
    key: Key,
    /// When the connection was opened, if it was there before this request.
    opened: Option<Moment>,
}

struct Waiting {
    upstream: Upstream,
    key: Key,
    times: Times,
}

/// What connections of the same settings share, and since when: a trust store is not trusted for ever.
struct Common {
    settings: Settings,
    shared: Shared,
    since: Moment,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    common: Vec<Common>,
}

/// The connections of one agent.
pub(super) struct Pool {
    state: Mutex<State>,
    report: Report,
    trace: Trace,
}

impl Pool {
    pub(super) fn new(report: Report, trace: Trace) -> Self {
        Self {
            state: Mutex::default(),
            report,
            trace,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The lists are as good after a panic as before it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a connection for `key`: one that waits and may serve, the one that was used last first, or a new one.
    pub(super) fn take(&self, key: &Key, is_push: bool) -> Lane {
        let now = Moment::now();
        let mut state = self.state();
        state.drop_old(now);
        let fits = |waiting: &Waiting| waiting.key == *key && waiting.times.allow(is_push, now);
        while let Some(at) = state.waiting.iter().rposition(fits) {
            let mut found = state.waiting.remove(at);
            // A server that has closed it says so.
            if found.upstream.is_connected() {
                return Lane {
                    upstream: found.upstream,
                    key: found.key,
                    opened: Some(found.times.opened),
                };
            }
        }
        let common = state.common.iter().find(|common| common.settings == key.settings);
        let shared = common.map(|common| common.shared.clone()).unwrap_or_default();
        drop(state);
        Lane {
            upstream: Upstream::new(key.settings.clone(), shared, self.report, self.trace.clone()),
            key: key.clone(),
            opened: None,
        }
    }

    /// Takes a connection back whose answer has been read to its end.
    pub(super) fn give(&self, mut lane: Lane) {
        if !lane.upstream.is_connected() {
            return;
        }
        let now = Moment::now();
        let times = Times {
            opened: lane.opened.unwrap_or(now),
            used: now,
            watched: lane.upstream.notices_death(),
        };
        let mut state = self.state();
        if !state.common.iter().any(|common| common.settings == lane.key.settings) {
            state.common.push(Common {
                settings: lane.key.settings.clone(),
                shared: lane.upstream.shared(),
                since: now,
            });
        }
        state.waiting.push(Waiting {
            upstream: lane.upstream,
            key: lane.key,
            times,
        });
        if state.waiting.len() > MOST {
            state.waiting.remove(0);
        }
    }

    /// Closes what may not serve any more.
    pub(super) fn reap(&self) {
        self.state().drop_old(Moment::now());
    }

    /// Closes everything: what a connection has been shown once, it stays shown.
    pub(super) fn clear(&self) {
        self.state().waiting.clear();
    }
}

impl State {
    fn drop_old(&mut self, now: Moment) {
        self.waiting
            .retain_mut(|waiting| waiting.times.is_good(now) && waiting.upstream.is_connected());
        self.common.retain(|common| {
            let times = Times {
                opened: common.since,
                used: now,
                watched: true,
            };
            times.is_good(now)
        });
    }
}
