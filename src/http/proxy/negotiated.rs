//! Digest, NTLM and Kerberos at an HTTP proxy, with the cargo feature `curl`: libcurl opens the tunnel, and the rest
//! goes through it as through any other.
//!
//! libcurl gets a socket of ours and gives it back by ending (`CURLOPT_CONNECT_ONLY`), so that no part of the way after
//! the proxy's "200" knows of it. A proxy that is spoken to over TLS cannot be left that way, and is not offered.

use std::net::TcpStream;
use std::time::Instant;

use curl::easy::{Auth, Easy2, Handler};
use curl::multi::Socket as CurlSocket;
use socket2::{Domain, Protocol, Socket, Type};

use super::super::answer_head::AnswerHead;
use super::super::dial::keep_alive;
use super::super::error::{Error, ProxyFault};
use super::super::settings::{Proxy, ProxyAuth, ProxyScheme};
use super::super::stream::Stream;
use super::Way;
use super::access::{Access, methods};

/// Our ends of the sockets that libcurl has asked for, one an address that it tries.
#[derive(Default)]
struct Sockets {
    ours: Vec<Socket>,
}

impl Handler for Sockets {
    fn open_socket(&mut self, family: i32, kind: i32, protocol: i32) -> Option<CurlSocket> {
        let socket = Socket::new(Domain::from(family), Type::from(kind), Some(Protocol::from(protocol))).ok()?;
        self.ours.push(socket.try_clone().ok()?);
        Some(released(socket))
    }
}

#[cfg(unix)]
fn released(socket: Socket) -> CurlSocket {
    std::os::fd::IntoRawFd::into_raw_fd(socket)
}

#[cfg(windows)]
fn released(socket: Socket) -> CurlSocket {
    std::os::windows::io::IntoRawSocket::into_raw_socket(socket) as CurlSocket
}

/// Whether another way than Basic has to be taken: because the setting says so, or `head` offers no Basic.
pub(super) fn is_wanted(proxy: &Proxy, head: Option<&AnswerHead>) -> bool {
    let wanted = match proxy.auth {
        ProxyAuth::Digest | ProxyAuth::Negotiate | ProxyAuth::Ntlm => true,
        ProxyAuth::Basic => false,
        ProxyAuth::Any => head.is_some_and(|head| {
            let offered = methods(head);
            !offered.is_empty() && !offered.iter().any(|method| method == "basic")
        }),
    };
    wanted && proxy.scheme == ProxyScheme::Http
}

/// Opens a tunnel to `target`, signed in as `access` says; Kerberos knows the user without.
pub(super) fn tunnel(way: &Way<'_>, target: &str, access: &mut Access) -> Result<Stream, Error> {
    access.prepare(way.proxy, way.may_ask)?;
    let opened = open(way, target, access);
    match &opened {
        Ok(_) => access.approve(),
        Err(Error::Proxy {
            fault: ProxyFault::LoginRejected(Some(407)),
            ..
        }) => access.reject(),
        Err(_) => {}
    }
    opened
}

fn open(way: &Way<'_>, target: &str, access: &Access) -> Result<Stream, Error> {
    let mut easy = Easy2::new(Sockets::default());
    prepare(&mut easy, way, target, access).map_err(|error| way.refused(format!("cannot be used: {error}")))?;
    easy.perform().map_err(|error| match easy.http_connectcode() {
        Ok(407) => way.failed(ProxyFault::LoginRejected(Some(407))),
        Ok(status @ 300..) => way.refused(format!("refused to connect to '{target}' (HTTP {status})")),
        _ => way.refused(format!("did not connect to '{target}': {error}")),
    })?;
    let port = easy.local_port().ok();
    let ours = std::mem::take(&mut easy.get_mut().ours);
    // It closes its own end, which leaves the connection to ours.
    drop(easy);
    let connected = ours.into_iter().find(|socket| {
        let address = socket.local_addr().ok().and_then(|address| address.as_socket());
        address.map(|address| address.port()) == port
    });
    let Some(socket) = connected else {
        return Err(way.refused(format!("closed the connection to '{target}'")));
    };
    socket.set_nonblocking(false).map_err(Error::Broken)?;
    let socket = TcpStream::from(socket);
    socket.set_nodelay(true).ok();
    keep_alive(&socket, way.dialing.keepalive);
    Ok(Stream::Plain(socket))
}

fn prepare(easy: &mut Easy2<Sockets>, way: &Way<'_>, target: &str, access: &Access) -> Result<(), curl::Error> {
    let login = access.login();
    // With `https` libcurl would begin TLS as well.
    easy.url(&format!("http://{target}/"))?;
    easy.proxy(&format!("http://{}", way.name()))?;
    easy.noproxy("")?;
    easy.http_proxy_tunnel(true)?;
    easy.connect_only(true)?;
    easy.connect_timeout(way.dialing.deadline.saturating_duration_since(Instant::now()))?;
    easy.useragent(way.user_agent)?;
    let mut auth = Auth::new();
    match way.proxy.auth {
        ProxyAuth::Digest => auth.digest(true),
        ProxyAuth::Negotiate => auth.gssnegotiate(true),
        ProxyAuth::Ntlm => auth.ntlm(true),
        ProxyAuth::Any | ProxyAuth::Basic => auth.digest(true).gssnegotiate(true).ntlm(true),
    };
    easy.proxy_auth(&auth)?;
    // An empty name is how libcurl is told to sign in as who the ticket says.
    easy.proxy_username(login.map_or("", |login| &login.username))?;
    easy.proxy_password(login.map_or("", |login| login.password.expose()))
}
