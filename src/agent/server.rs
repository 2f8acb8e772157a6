//! The agent at work: clients are accepted, one that sends a request gets a thread, and one that waits is only watched.
//!
//! Does not depend on what requests say.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::client::Wait;
use super::serving::Serving;
use super::socket::Socket;
use super::waiting::Waiting;

/// The most clients with a request that are served at once; others wait until one of them is done.
const CLIENTS: usize = 64;
/// How often clients, the socket and the end are looked after.
const LOOK: Duration = Duration::from_secs(1);
/// How often connections and secrets that are too old are dropped.
const REAP: Duration = Duration::from_secs(30);
/// How long requests in flight may take when the agent is told to end.
const END: Duration = Duration::from_secs(30);

/// What the threads of clients share with the one that accepts them.
struct Clients {
    served: AtomicUsize,
    /// Those whose request is in flight.
    in_flight: Mutex<Vec<Arc<Wait>>>,
    /// Those that sent no request for a while, on their way back.
    idle: Mutex<Vec<UnixStream>>,
    /// A byte in it wakes the thread that accepts.
    wake: UnixStream,
}

/// An agent that serves.
pub(super) struct Server {
    serving: Arc<Serving>,
    clients: Arc<Clients>,
    woken: UnixStream,
    ending: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn new(serving: Serving) -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        Ok(Self {
            serving: Arc::new(serving),
            clients: Arc::new(Clients {
                served: AtomicUsize::new(0),
                in_flight: Mutex::default(),
                idle: Mutex::default(),
                wake,
            }),
            woken,
            ending: Arc::default(),
        })
    }

    /// Returns what makes the agent end, once requests in flight are done.
    pub(super) fn ending(&self) -> Arc<AtomicBool> {
        self.ending.clone()
    }

    /// Serves until the agent is told to end, or its socket cannot be found any more.
    pub(super) fn run(&self, socket: &Socket) {
        // A client may have gone before it is accepted.
        socket.listener.set_nonblocking(true).ok();
        let mut waiting = Waiting::default();
        let (mut looked, mut reaped) = (Instant::now(), Instant::now());
        while !self.ending.load(Ordering::Relaxed) && !socket.is_gone() {
            self.turn(socket, &mut waiting);
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                waiting.drop_old();
                self.look();
            }
            if reaped.elapsed() >= REAP {
                reaped = Instant::now();
                self.reap();
            }
        }
        self.finish();
    }

    /// Waits until something happens, for a second at most: a new client, a request of one that waited, a free place.
    fn turn(&self, socket: &Socket, waiting: &mut Waiting) {
        let free = CLIENTS.saturating_sub(self.clients.served.load(Ordering::Acquire));
        let mut watched = vec![PollFd::new(&self.woken, PollFlags::IN)];
        if waiting.has_room() {
            watched.push(PollFd::new(&socket.listener, PollFlags::IN));
        }
        if free > 0 {
            watched.extend(waiting.watched());
        }
        let limit = Timespec {
            tv_sec: LOOK.as_secs().try_into().unwrap_or(1),
            tv_nsec: 0,
        };
        poll(&mut watched, Some(&limit)).ok();
        drop(watched);
        let mut bytes = [0; 64];
        while matches!((&self.woken).read(&mut bytes), Ok(1..)) {}
        waiting.extend(self.clients.idle().drain(..));
        while waiting.has_room() {
            match socket.listener.accept() {
                Ok((stream, _)) => waiting.extend([stream]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // There may be no descriptor left, until a client goes.
                Err(_) => {
                    thread::sleep(LOOK / 20);
                    break;
                }
            }
        }
        for stream in waiting.take_ready(free) {
            self.welcome(stream);
        }
    }

    /// Serves a client on a thread of its own. Without one that can be had, the client is sent away.
    fn welcome(&self, stream: UnixStream) {
        let (serving, clients) = (self.serving.clone(), self.clients.clone());
        clients.served.fetch_add(1, Ordering::AcqRel);
        let place = Seat(clients.clone());
        let serve = move || {
            let place = place;
            let idle = serving.serve(stream, |wait, begins| clients.note(wait, begins));
            clients.idle().extend(idle);
            drop(place);
        };
        thread::Builder::new().spawn(serve).ok();
    }

    fn look(&self) {
        for wait in self.clients.in_flight().iter() {
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
        while !self.clients.in_flight().is_empty() && Instant::now() < end {
            thread::sleep(LOOK / 20);
            self.look();
        }
    }
}

impl Clients {
    fn in_flight(&self) -> MutexGuard<'_, Vec<Arc<Wait>>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<UnixStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, wait: &Arc<Wait>, begins: bool) {
        let mut in_flight = self.in_flight();
        in_flight.retain(|other| !Arc::ptr_eq(other, wait));
        if begins {
            in_flight.push(wait.clone());
        }
    }
}

/// A client's place, which is free again however its thread ends.
struct Seat(Arc<Clients>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.served.fetch_sub(1, Ordering::AcqRel);
        // Where the pipe is full, the other side has enough to wake up for.
        (&self.0.wake).write_all(b"x").ok();
    }
}
