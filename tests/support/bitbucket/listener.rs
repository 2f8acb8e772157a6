//! The server's port on both loopback addresses, because clients try `localhost` as either.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::connection::serve;
use super::world::World;

/// How often another program may have taken the port on the second address.
const ATTEMPTS: usize = 20;

pub(crate) struct Listeners {
    pub(crate) port: u16,
    pub(crate) sockets: Vec<TcpListener>,
}

/// Binds `port`, or a free one if it is 0.
pub(crate) async fn bind(port: u16) -> io::Result<Listeners> {
    for _ in 0..ATTEMPTS {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let taken = first.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, taken)).await {
            Ok(second) => {
                return Ok(Listeners {
                    port: taken,
                    sockets: vec![first, second],
                });
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            // No IPv6 here.
            Err(_) => {
                return Ok(Listeners {
                    port: taken,
                    sockets: vec![first],
                });
            }
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

pub(crate) async fn accept(socket: TcpListener, acceptor: Option<TlsAcceptor>, world: Arc<World>) {
    // An error concerns one connection that was never there.
    loop {
        let Ok((stream, _)) = socket.accept().await else {
            continue;
        };
        let number = world.connections.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::spawn(greet(stream, acceptor.clone(), Arc::clone(&world), number));
    }
}

async fn greet(stream: TcpStream, acceptor: Option<TlsAcceptor>, world: Arc<World>, number: usize) {
    // Without it the server is slower, not wrong.
    let _slower = stream.set_nodelay(true);
    match acceptor {
        None => serve(stream, world, number).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, world, number).await;
            }
        }
    }
}
