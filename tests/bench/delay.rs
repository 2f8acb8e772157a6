//! A network with a round trip time: a proxy for TCP on loopback that holds every byte back for half of it.
//!
//! TCP's own handshake counts too: on loopback a client is connected at once, where it would have to wait for a round
//! trip. So the first bytes of a connection are held for a whole one more.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::Instant;

const PIECE: usize = 64 * 1024;
/// Pieces on the way; more than the product of any bandwidth and delay that is measured here.
const WINDOW: usize = 1024;

#[derive(Default)]
struct Line {
    round_trip_micros: AtomicU64,
    bytes: AtomicU64,
    connections: AtomicU64,
}

impl Line {
    fn round_trip(&self) -> Duration {
        Duration::from_micros(self.round_trip_micros.load(Ordering::Relaxed))
    }
}

/// The proxy. Dropping it ends its connections.
pub(crate) struct Delay {
    line: Arc<Line>,
    port: u16,
    runtime: Option<Runtime>,
}

impl Delay {
    /// A way to the server that listens on `target`.
    pub(crate) fn start(target: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let line = Arc::new(Line::default());
        let port = runtime.block_on(async {
            let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
            let port = first.local_addr().expect("it is bound").port();
            tokio::spawn(accept(first, target, Arc::clone(&line)));
            // Where there is no IPv6, nobody tries it.
            if let Ok(second) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                tokio::spawn(accept(second, target, Arc::clone(&line)));
            }
            port
        });
        Self {
            line,
            port,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sets the round trip time of connections that are still to come.
    pub(crate) fn set_round_trip(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.line.round_trip_micros.store(micros, Ordering::Relaxed);
    }

    /// Bytes in both directions, TLS included, and connections, so far.
    pub(crate) fn traffic(&self) -> (u64, u64) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (of(&self.line.bytes), of(&self.line.connections))
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

async fn accept(listener: TcpListener, target: u16, line: Arc<Line>) {
    loop {
        // An error concerns one connection that was never there.
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        line.connections.fetch_add(1, Ordering::Relaxed);
        let line = Arc::clone(&line);
        tokio::spawn(async move {
            let opened = Instant::now();
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else {
                return;
            };
            for socket in [&client, &server] {
                // Without it the proxy is slower, not wrong.
                let _slower = socket.set_nodelay(true);
            }
            let earliest = opened + line.round_trip();
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::join!(
                carry(from_client, to_server, earliest, &line),
                carry(from_server, to_client, earliest, &line)
            );
        });
    }
}

/// One direction, to its end.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, earliest: Instant, line: &Line) {
    let way = line.round_trip() / 2;
    let (queue, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(WINDOW);
    let leave = async move {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let Ok(1..) = from.read_buf(&mut piece).await else {
                break;
            };
            line.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
            let due = Instant::now().max(earliest) + way;
            if queue.send((due, piece)).await.is_err() {
                break;
            }
        }
    };
    let arrive = async move {
        while let Some((due, piece)) = arriving.recv().await {
            if !way.is_zero() {
                tokio::time::sleep_until(due).await;
            }
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
        // The other side may have gone already.
        let _gone = to.shutdown().await;
    };
    tokio::join!(leave, arrive);
}
