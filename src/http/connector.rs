//! Connections to a server: the way there (direct or through a proxy), TLS, and the one that is opened in advance.
//!
//! It must not know requests, but for the proxy's `CONNECT`.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::answer_head::AnswerHead;
use super::dial::{Dialing, dial};
use super::error::Error;
use super::family::Family;
use super::proxy::Access;
use super::settings::{Proxy, Settings};
use super::stream::Stream;
use super::wire::Watch;
use super::{proxy, tls};
use crate::bridge::outcome::Purpose;
use crate::origin::Origin;

/// How long a connection may have been idle to carry a request that must not be sent twice. Apache closes after 5
/// seconds, others later; where its farewell and the request meet on the way, nobody knows what became of the request.
const RESTED: Duration = Duration::from_secs(3);
/// How often it is looked whether a connection is still wanted while it is opened.
const LOOK: Duration = Duration::from_millis(250);

/// A connection that may carry the next request.
pub(super) struct Connection {
    pub(super) stream: Stream,
    /// Whether it has carried a request before, and so may have been closed behind our back.
    pub(super) used: bool,
}

/// A connection whose last answer has been read.
struct Idle {
    origin: Origin,
    stream: Stream,
    since: Instant,
}

/// What is made once and serves every connection: the trust store is read once, whoever needed it first.
#[derive(Default)]
struct Kept {
    tls: Option<tls::Client>,
    access: Access,
}

/// What a thread that connects comes back with.
type Opened = Result<(Stream, Kept), Error>;

/// Opens connections, and keeps the one that can be used again.
pub(super) struct Connector {
    settings: Arc<Settings>,
    watch: Watch,
    family: Family,
    kept: Kept,
    idle: Option<Idle>,
    opening: Option<(Origin, Receiver<Opened>)>,
}

impl Connector {
    /// Gives up what takes longer than to `deadline`, a connection that comes about too.
    pub(super) fn give_up_at(&mut self, deadline: Instant) {
        self.watch.deadline = Some(deadline);
        let mut settings = Settings::clone(&self.settings);
        let left = deadline.saturating_duration_since(Instant::now());
        settings.connect_timeout.get_or_insert(left);
        self.settings = Arc::new(settings);
    }

    pub(super) fn new(settings: Arc<Settings>, watch: Watch) -> Self {
        Self {
            settings,
            watch,
            family: Family::Any,
            kept: Kept::default(),
            idle: None,
            opening: None,
        }
    }

    /// Restricts the addresses; a connection that was opened before is forgotten if it may be of the wrong family.
    pub(super) fn set_family(&mut self, family: Family) {
        if family != self.family {
            self.family = family;
            self.opening = None;
            self.idle = None;
        }
    }

    /// Opens a connection to `origin` on a thread of its own, so that git and the keychain need not be waited for.
    pub(super) fn open_early(&mut self, origin: Origin) {
        let (settings, watch) = (self.settings.clone(), self.watch.clone());
        let (family, target) = (self.family, origin.clone());
        let mut kept = Kept {
            tls: self.kept.tls.clone(),
            ..Kept::default()
        };
        let (done, opening) = mpsc::channel();
        let started = thread::Builder::new().spawn(move || {
            let opener = Opener {
                settings: &settings,
                watch: &watch,
                family,
                may_ask: false,
            };
            let result = opener.open(&target, &mut kept).map(|stream| (stream, kept));
            // Nobody may wait for it any more.
            done.send(result).ok();
        });
        // Without a thread that can be had, the connection is opened when it is wanted.
        self.opening = started.ok().map(|_| (origin, opening));
    }

    /// Waits for the connection that is being opened, unless whoever wants it goes away.
    fn opened(&self, opening: &Receiver<Opened>) -> Option<Opened> {
        loop {
            match opening.recv_timeout(LOOK) {
                Ok(opened) => return Some(opened),
                Err(RecvTimeoutError::Timeout) if self.watch.is_abandoned() => return Some(Err(Error::Abandoned)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Returns a connection to `origin`: the idle one, the one that is being opened, or a new one. For a request that
    /// changes something, the idle one has to be fresh.
    pub(super) fn take(&mut self, origin: &Origin, purpose: Purpose) -> Result<Connection, Error> {
        if let Some(mut idle) = self.idle.take()
            && (idle.origin == *origin || self.settings.agent.is_some())
            && (purpose == Purpose::Read || idle.since.elapsed() < RESTED)
            // A server that has closed it says so.
            && !idle.stream.has_input()
        {
            return Ok(Connection {
                stream: idle.stream,
                used: true,
            });
        }
        if self.watch.abandon.is_some() && self.opening.is_none() {
            self.open_early(origin.clone());
        }
        if let Some((known, opening)) = self.opening.take()
            && known == *origin
            && let Some(opened) = self.opened(&opening)
        {
            match opened {
                Ok((stream, kept)) => {
                    self.kept = kept;
                    return Ok(Connection { stream, used: false });
                }
                // Now is the time for that.
                Err(Error::MustAsk) => {}
                Err(error) => return Err(error),
            }
        }
        let opener = Opener {
            settings: &self.settings,
            watch: &self.watch,
            family: self.family,
            may_ask: true,
        };
        let stream = opener.open(origin, &mut self.kept)?;
        Ok(Connection { stream, used: false })
    }

    /// Whether there is a connection that may carry the next request.
    pub(super) fn has_idle(&mut self) -> bool {
        // A server that has closed it says so.
        self.idle.as_mut().is_some_and(|idle| !idle.stream.has_input())
    }

    /// Closes the connection that is kept.
    pub(super) fn forget(&mut self) {
        self.idle = None;
    }

    /// Returns what TLS connections are made with, once there was one.
    pub(super) fn tls(&self) -> Option<tls::Client> {
        self.kept.tls.clone()
    }

    /// Has TLS connections made with `config`.
    pub(super) fn set_tls(&mut self, config: Option<tls::Client>) {
        self.kept.tls = config;
    }

    /// Keeps `stream` for the next request.
    pub(super) fn keep(&mut self, origin: Origin, stream: Stream) {
        self.idle = Some(Idle {
            origin,
            stream,
            since: Instant::now(),
        });
    }

    /// Returns what signs a request in at a proxy that relays it.
    pub(super) fn proxy_header(&self) -> Option<Zeroizing<String>> {
        self.kept.access.header()
    }

    /// A proxy that relays requests has answered one with 407. Finds what to answer, or fails.
    pub(super) fn proxy_challenged(&mut self, head: &AnswerHead) -> Result<(), Error> {
        let opener = Opener {
            settings: &self.settings,
            watch: &self.watch,
            family: self.family,
            may_ask: true,
        };
        match &self.settings.proxy {
            Some(proxy) => self.kept.access.challenged(&opener.way(proxy, true), head),
            None => Err(Error::Malformed("it is a proxy's, and there is no proxy".to_owned())),
        }
    }

    /// A proxy that relays requests has let one through.
    pub(super) fn proxy_accepted(&mut self) {
        self.kept.access.approve();
    }
}

/// How a connection is opened.
struct Opener<'a> {
    settings: &'a Settings,
    watch: &'a Watch,
    family: Family,
    /// Whether passwords may be asked for.
    may_ask: bool,
}

impl<'a> Opener<'a> {
    fn way(&self, proxy: &'a Proxy, stays_here: bool) -> proxy::Way<'a> {
        proxy::Way {
            proxy,
            dialing: Dialing::begin(self.settings, self.family, stays_here),
            watch: self.watch,
            user_agent: &self.settings.user_agent,
            may_ask: self.may_ask,
        }
    }

    fn open(&self, origin: &Origin, kept: &mut Kept) -> Result<Stream, Error> {
        #[cfg(unix)]
        if let Some(path) = &self.settings.agent {
            return Stream::agent(path);
        }
        let dialing = Dialing::begin(self.settings, self.family, !origin.is_secure());
        let (host, port) = (origin.host(), origin.port());
        let stream = match &self.settings.proxy {
            None => {
                self.watch.trace.info(|| format!("Connecting to {host}:{port}"));
                Stream::Plain(dial(host, port, &dialing)?)
            }
            Some(proxy) => {
                self.way(proxy, !origin.is_secure())
                    .open(origin.is_secure(), host, port, &mut kept.access)?
            }
        };
        if !origin.is_secure() {
            return Ok(stream);
        }
        let config = if let Some(config) = &kept.tls {
            config.clone()
        } else {
            let config = tls::client_config(&self.settings.tls, self.may_ask)?;
            kept.tls.insert(config).clone()
        };
        config.may_ask(self.may_ask);
        let stream = stream.secure(&config, host, dialing.deadline)?;
        self.watch
            .trace
            .info(|| format!("Connected to {host}:{port} over {}", stream.security()));
        Ok(stream)
    }
}
