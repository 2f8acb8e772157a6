//! The agent at work: clients are accepted, each has a thread, and a look around every second.
//!
//! Does not depend on what requests say.

use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::client::Wait;
use super::serving::Serving;
use super::socket::Socket;

/// The most clients that are connected at once; the others wait until one has gone.
const CLIENTS: usize = 64;
/// How often clients, the socket and the end are looked after.
const LOOK: Duration = Duration::from_secs(1);
/// How often connections and secrets that are too old are dropped.
const REAP: Duration = Duration::from_secs(30);
/// How long requests in flight may take when the agent is told to end.
const END: Duration = Duration::from_secs(30);

/// What the threads of clients share with the one that accepts them.
#[derive(Default)]
struct Clients {
    connected: AtomicUsize,
    /// Those whose request is in flight.
    waiting: Mutex<Vec<Arc<Wait>>>,
    left: Condvar,
    turn: Mutex<()>,
}

/// An agent that serves.
pub(super) struct Server {
    serving: Arc<Serving>,
    clients: Arc<Clients>,
    ending: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn new(serving: Serving) -> Self {
        Self {
            serving: Arc::new(serving),
            clients: Arc::default(),
            ending: Arc::default(),
        }
    }

    /// Returns what makes the agent end, once requests in flight are done.
    pub(super) fn ending(&self) -> Arc<AtomicBool> {
        self.ending.clone()
    }

    /// Serves until the agent is told to end, or nobody can find its socket any more.
    pub(super) fn run(&self, socket: &Socket) {
        let (mut looked, mut reaped) = (Instant::now(), Instant::now());
        while !self.ending.load(Ordering::Relaxed) && !socket.is_gone() {
            if let Some(stream) = self.next(&socket.listener) {
                self.welcome(stream);
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.look();
            }
            if reaped.elapsed() >= REAP {
                reaped = Instant::now();
                self.reap();
            }
        }
        self.finish();
    }

    /// Waits for the next client, for a second at most.
    fn next(&self, listener: &UnixListener) -> Option<UnixStream> {
        if self.clients.connected.load(Ordering::Acquire) >= CLIENTS {
            let turn = self.clients.turn.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.clients.left.wait_timeout(turn, LOOK));
            return None;
        }
        let mut watched = [PollFd::new(listener, PollFlags::IN)];
        let limit = Timespec {
            tv_sec: LOOK.as_secs().try_into().unwrap_or(1),
            tv_nsec: 0,
        };
        let ready = poll(&mut watched, Some(&limit)).is_ok_and(|ready| ready > 0);
        ready.then(|| listener.accept().ok())?.map(|(stream, _)| stream)
    }

    /// Serves a client on a thread of its own. Without one that can be had, the client is sent away.
    fn welcome(&self, stream: UnixStream) {
        let (serving, clients) = (self.serving.clone(), self.clients.clone());
        clients.connected.fetch_add(1, Ordering::AcqRel);
        let seat = Seat(clients.clone());
        let serve = move || {
            let _seat = seat;
            serving.serve(stream, |wait, begins| clients.note(wait, begins));
        };
        thread::Builder::new().spawn(serve).ok();
    }

    fn look(&self) {
        for wait in self.clients.waiting().iter() {
            wait.look();
        }
    }

    /// On a thread of its own, because a keychain may take its time.
    fn reap(&self) {
        let serving = self.serving.clone();
        thread::Builder::new().spawn(move || serving.reap()).ok();
    }

    /// Waits for requests in flight, within bounds.
    fn finish(&self) {
        let end = Instant::now() + END;
        while !self.clients.waiting().is_empty() && Instant::now() < end {
            thread::sleep(LOOK / 20);
            self.look();
        }
    }
}

impl Clients {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Wait>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, wait: &Arc<Wait>, begins: bool) {
        let mut waiting = self.waiting();
        waiting.retain(|other| !Arc::ptr_eq(other, wait));
        if begins {
            waiting.push(wait.clone());
        }
    }
}

/// A client's place, which is free again however its thread ends.
struct Seat(Arc<Clients>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::AcqRel);
        self.0.left.notify_all();
    }
}
