//! From a host's name to a TCP connection: names are looked up, and addresses are tried as RFC 8305 says.
//!
//! It must not know TLS, proxies or HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{io, thread};

use socket2::{SockRef, TcpKeepalive};

use super::error::Error;
use super::family::Family;
use super::settings::{Keepalive, Resolve, Settings};

/// "Connection Attempt Delay" of RFC 8305, section 5.
const NEXT_ATTEMPT: Duration = Duration::from_millis(250);
/// How long one address may take, where there is another one to try.
const ATTEMPT: Duration = Duration::from_secs(60);

/// How long connecting may take in all, if nothing is set: curl's own limit.
const ALL: Duration = Duration::from_secs(300);
/// When TCP probes an idle connection, and how often, if nothing is set: curl's own times.
const PROBES: Duration = Duration::from_secs(60);

/// How to connect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialing<'a> {
    pub(super) family: Family,
    /// Addresses that are given instead of looked up.
    pub(super) resolve: &'a [Resolve],
    pub(super) keepalive: Keepalive,
    /// Whether the connection has to stay on this machine: what goes over it is clear text.
    pub(super) stays_here: bool,
    /// When proxy and TLS handshakes have to be done, too.
    pub(super) deadline: Instant,
}

impl<'a> Dialing<'a> {
    /// Returns how `settings` want it, with the time running from now.
    pub(super) fn begin(settings: &'a Settings, family: Family, stays_here: bool) -> Self {
        Self {
            family,
            resolve: &settings.resolve,
            keepalive: settings.keepalive,
            stays_here,
            deadline: Instant::now() + settings.connect_timeout.unwrap_or(ALL),
        }
    }

    /// Returns the addresses of `host` in the order in which to try them; one at least.
    pub(super) fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let bare = host.trim_matches(['[', ']']);
        let given = self.resolve.iter().rev().filter(|entry| entry.is_for(bare, port));
        // An entry of its own weighs more than that for every host; of two, the later one.
        let given = given.min_by_key(|entry| entry.host == "*");
        let failed = |source| Error::Dns {
            host: host.to_owned(),
            source,
        };
        let found: Vec<_> = match given {
            Some(entry) => entry.addresses.iter().map(|address| (*address, port).into()).collect(),
            None => resolve(bare, port, self.deadline)
                .or_else(|error| localhost(bare, port).ok_or(error))
                .map_err(failed)?,
        };
        let mut allowed = found;
        allowed.retain(|address| self.family.allows(address));
        if allowed.is_empty() {
            return Err(failed(io::Error::other(match self.family {
                Family::V4 => "no IPv4 address for this host",
                Family::V6 => "no IPv6 address for this host",
                Family::Any => "no address for this host",
            })));
        }
        // A name such as localhost says where it should lead, not where it does.
        allowed.retain(|address| !self.stays_here || address.ip().is_loopback());
        if allowed.is_empty() {
            return Err(Error::Connect {
                peer: format!("{host}:{port}"),
                source: io::Error::other("it is not on this machine, and clear text goes nowhere else"),
            });
        }
        Ok(interleave(allowed))
    }
}

/// What `localhost` means on a machine without a file of hosts, such as a small container (RFC 6761; curl does the same).
fn localhost(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    let addresses = [IpAddr::from(Ipv6Addr::LOCALHOST), IpAddr::from(Ipv4Addr::LOCALHOST)];
    let found = addresses.map(|address| (address, port).into()).to_vec();
    host.eq_ignore_ascii_case("localhost").then_some(found)
}

/// Looks a name up on a thread of its own: the system's resolver takes as long as it likes. Without a thread that can
/// be had, it is waited for.
fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    let ask = move |host: &str| Ok((host, port).to_socket_addrs()?.collect());
    if host.parse::<IpAddr>().is_ok() {
        return ask(host);
    }
    let (answer, answered) = mpsc::channel();
    let name = host.to_owned();
    let asking = thread::Builder::new().spawn(move || answer.send(ask(&name)));
    if asking.is_err() {
        return ask(host);
    }
    let left = deadline.saturating_duration_since(Instant::now());
    let found = answered.recv_timeout(left);
    found.unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the name was not found in time",
        ))
    })
}

/// Connects to `host:port`.
pub(super) fn dial(host: &str, port: u16, dialing: &Dialing<'_>) -> Result<TcpStream, Error> {
    let addresses = dialing.look_up(host, port)?;
    let socket = race(addresses, dialing.deadline).map_err(|source| Error::Connect {
        peer: format!("{host}:{port}"),
        source,
    })?;
    // Requests are written whole, so Nagle's algorithm would only delay their last segment.
    socket.set_nodelay(true).ok();
    keep_alive(&socket, dialing.keepalive);
    Ok(socket)
}

/// Git turns TCP's keepalive on for every connection. A system that does not know one of the times keeps its own.
pub(super) fn keep_alive(socket: &TcpStream, times: Keepalive) {
    let probes = TcpKeepalive::new()
        .with_time(times.idle.unwrap_or(PROBES))
        .with_interval(times.interval.unwrap_or(PROBES));
    let probes = match times.count {
        Some(count) => probes.with_retries(count),
        None => probes,
    };
    SockRef::from(socket).set_tcp_keepalive(&probes).ok();
}

/// Alternates the families, the resolver's first choice first (RFC 8305, section 4).
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut order = Vec::new();
    for address in first {
        order.push(address);
        order.extend(second.next());
    }
    order.extend(second);
    order
}

/// Starts an attempt at each address, the next one when the last has failed or is slow; the first connection wins.
fn race(addresses: Vec<SocketAddr>, deadline: Instant) -> io::Result<TcpStream> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let too_late = || Err(io::ErrorKind::TimedOut.into());
    if left().is_zero() {
        return too_late();
    }
    if let [only] = addresses.as_slice() {
        return TcpStream::connect_timeout(only, left());
    }
    let attempt = left().min(ATTEMPT);
    let (report, results) = mpsc::channel();
    let mut waiting = addresses.into_iter();
    let mut running = 0;
    let mut last_error = io::Error::other("no address");
    let mut next_start = Instant::now();
    loop {
        if Instant::now() >= next_start
            && let Some(address) = waiting.next()
        {
            let report = report.clone();
            let connect = move || report.send(TcpStream::connect_timeout(&address, attempt));
            // Without a thread that can be had, one address is tried after the other.
            if thread::Builder::new().spawn(connect.clone()).is_err() {
                connect().ok();
            }
            running += 1;
            next_start = Instant::now() + NEXT_ATTEMPT;
        }
        let patience = if waiting.len() > 0 {
            next_start.saturating_duration_since(Instant::now())
        } else {
            attempt + NEXT_ATTEMPT
        };
        match results.recv_timeout(patience.min(left())) {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => {
                last_error = error;
                running -= 1;
                next_start = Instant::now();
            }
            Err(_) if left().is_zero() => return too_late(),
            Err(_) if waiting.len() > 0 => {}
            Err(_) => return too_late(),
        }
        if running == 0 && waiting.len() == 0 {
            return Err(last_error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn families_alternate_and_the_first_choice_leads() {
        let order = interleave(
            ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"]
                .map(|text| text.parse().unwrap())
                .to_vec(),
        );
        let families: Vec<bool> = order.iter().map(SocketAddr::is_ipv6).collect();
        assert_eq!(families, [true, false, true, true]);
    }

    #[test]
    fn an_address_that_refuses_is_passed_over_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let start = Instant::now();
        let socket = race(vec![refusing, good], soon()).unwrap();
        assert_eq!(socket.peer_addr().unwrap(), good);
        assert!(start.elapsed() < NEXT_ATTEMPT);
    }

    #[test]
    fn when_all_refuse_the_last_reason_is_told() {
        let refusing = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = race(vec![refusing(), refusing()], soon()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn dialing(family: Family, resolve: &[Resolve]) -> Dialing<'_> {
        Dialing {
            family,
            resolve,
            keepalive: Keepalive::default(),
            stays_here: false,
            deadline: soon(),
        }
    }

    #[test]
    fn a_family_without_an_address_is_an_error() {
        assert!(matches!(
            dial("127.0.0.1", 1, &dialing(Family::V6, &[])),
            Err(Error::Dns { .. })
        ));
    }

    #[test]
    fn a_given_address_replaces_the_resolver_and_the_last_one_of_a_host_counts() {
        let entry = |host: &str, address: &str| Resolve {
            host: host.to_owned(),
            port: 443,
            addresses: vec![address.parse().unwrap()],
        };
        let entries = [
            entry("x.invalid", "127.0.0.1"),
            entry("x.invalid", "127.0.0.2"),
            entry("*", "127.0.0.3"),
        ];
        let dialing = dialing(Family::Any, &entries);
        let found = |host: &str| dialing.look_up(host, 443).unwrap()[0].to_string();
        assert_eq!(found("X.invalid"), "127.0.0.2:443");
        assert_eq!(found("y.invalid"), "127.0.0.3:443");
        assert!(dialing.look_up("x.invalid", 1).is_err());
    }

    #[test]
    fn localhost_needs_no_resolver() {
        let found = localhost("LocalHost", 1).unwrap();
        assert!(found.len() == 2 && found.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(localhost("localhost.example", 1), None);
    }

    #[test]
    fn clear_text_stays_on_this_machine() {
        let resolve = [Resolve {
            host: "localhost".to_owned(),
            port: 80,
            addresses: vec!["192.0.2.1".parse().unwrap()],
        }];
        let mut dialing = dialing(Family::Any, &resolve);
        assert!(dialing.look_up("localhost", 80).is_ok());
        dialing.stays_here = true;
        assert!(matches!(dialing.look_up("localhost", 80), Err(Error::Connect { .. })));
        assert!(dialing.look_up("127.0.0.1", 80).is_ok());
    }

    #[test]
    fn connecting_ends_when_its_time_is_over() {
        let past = Instant::now();
        assert_eq!(
            race(vec!["127.0.0.1:1".parse().unwrap()], past).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[test]
    fn probes_are_turned_on_with_the_times_that_are_set() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut dialing = dialing(Family::Any, &[]);
        dialing.keepalive = Keepalive {
            idle: Some(Duration::from_secs(7)),
            interval: Some(Duration::from_secs(3)),
            count: Some(2),
        };
        let socket = dial("127.0.0.1", listener.local_addr().unwrap().port(), &dialing).unwrap();
        let socket = SockRef::from(&socket);
        assert!(socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(7));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(3));
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 2);
        }
    }
}
