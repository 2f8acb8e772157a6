//! Message buses and services that are slow or never answer.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zbus::blocking::Connection;
use zbus::zvariant::OwnedObjectPath;

use super::desktop::{Bus, address};
use super::runtime;
use crate::support::scene::Scene;

/// A bus that lets everybody connect, and never says a word.
pub(crate) struct Deaf {
    connections: Arc<AtomicUsize>,
}

impl Deaf {
    pub(crate) fn start(scene: &Scene) -> Self {
        let (listener, _) = listen(scene, "deaf");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                kept.push(stream);
            }
        });
        Self { connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A bus on which somebody has the name of the Secret Service and never answers.
pub(crate) struct DeafService {
    _connection: Connection,
    _bus: Bus,
}

impl DeafService {
    pub(crate) fn start(scene: &Scene) -> Self {
        let bus = Bus::start(scene);
        let connection = bus.connect();
        connection
            .request_name("org.freedesktop.secrets")
            .expect("nobody else has it");
        Self {
            _connection: connection,
            _bus: bus,
        }
    }
}

/// A real bus, behind a door that opens late.
pub(crate) struct Slow {
    opened: Arc<Mutex<Option<Instant>>>,
}

impl Slow {
    /// Everybody in the scene now waits for `delay` when they connect to `bus`.
    pub(crate) fn before(scene: &Scene, bus: &Bus, delay: Duration) -> Self {
        let (listener, _) = listen(scene, "slow");
        let opened = Arc::new(Mutex::new(None));
        let (real, first) = (bus.socket.clone(), opened.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (real, first) = (real.clone(), first.clone());
                std::thread::spawn(move || {
                    std::thread::sleep(delay);
                    first
                        .lock()
                        .expect("nobody panics with it")
                        .get_or_insert_with(Instant::now);
                    let real = UnixStream::connect(real).expect("the bus is there");
                    join(&stream, &real);
                });
            }
        });
        Self { opened }
    }

    /// When the first of them got through.
    pub(crate) fn opened(&self) -> Option<Instant> {
        *self.opened.lock().expect("nobody panics with it")
    }
}

fn listen(scene: &Scene, name: &str) -> (UnixListener, PathBuf) {
    let socket = runtime(scene).join(name);
    let listener = UnixListener::bind(&socket).expect("a socket of our own");
    scene.set("DBUS_SESSION_BUS_ADDRESS", address(&socket));
    (listener, socket)
}

fn join(one: &UnixStream, other: &UnixStream) {
    let copy = |from: &UnixStream, to: &UnixStream| {
        let (mut from, mut to) = (from.try_clone().expect("a copy"), to.try_clone().expect("a copy"));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut bytes)
                && to.write_all(&bytes[..count]).is_ok()
            {}
            // Whoever is still there learns that the other has gone.
            let _gone = to.shutdown(Shutdown::Write);
        });
    };
    copy(one, other);
    copy(other, one);
}

/// What shows the windows in which gnome-keyring asks: nobody ever types anything there.
pub(crate) struct Windows {
    shown: Arc<AtomicUsize>,
    _connection: Connection,
}

struct Prompter {
    shown: Arc<AtomicUsize>,
    closes: bool,
}

#[zbus::interface(name = "org.gnome.keyring.internal.Prompter")]
impl Prompter {
    /// A window that is closed after a moment is an error to gnome-keyring; one that stays open says nothing.
    #[expect(clippy::needless_pass_by_value, reason = "the shape of a D-Bus method")]
    fn begin_prompting(&self, callback: OwnedObjectPath) -> zbus::fdo::Result<()> {
        assert!(callback.as_str().starts_with('/'));
        self.shown.fetch_add(1, Ordering::SeqCst);
        if self.closes {
            std::thread::sleep(Duration::from_millis(500));
            return Err(zbus::fdo::Error::Failed("closed".to_owned()));
        }
        Ok(())
    }
}

impl Windows {
    /// The user closes each of them after half a second, or looks elsewhere for ever.
    pub(crate) fn start(bus: &Bus, closes: bool) -> Self {
        let shown = Arc::new(AtomicUsize::new(0));
        let prompter = Prompter {
            shown: shown.clone(),
            closes,
        };
        let connection = bus.connect();
        let served = connection.object_server().at("/org/gnome/keyring/Prompter", prompter);
        assert!(served.expect("nobody else is there"));
        connection
            .request_name("org.gnome.keyring.SystemPrompter")
            .expect("nobody else has it");
        Self {
            shown,
            _connection: connection,
        }
    }

    pub(crate) fn shown(&self) -> usize {
        self.shown.load(Ordering::SeqCst)
    }
}
