//! SOCKS 4, 4a and 5 (RFC 1928 and 1929), as far as a client that connects needs them.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};

use zeroize::Zeroizing;

use super::super::deadline::Hurried;
use super::super::dial::Dialing;
use super::super::error::{Error, ProxyFault};
use super::super::family::Family;
use super::super::settings::ProxyScheme;
use super::super::stream::Stream;
use super::Way;
use super::access::Login;

/// What a peer does that answers otherwise than RFC 1928 says.
const NOT_SOCKS_5: &str = "does not speak SOCKS 5";
const CONNECT: u8 = 1;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THEM: u8 = 0xff;

/// Asks the proxy behind `stream` for a connection to `host:port`.
pub(super) fn open(
    stream: &mut Stream,
    way: &Way<'_>,
    host: &str,
    port: u16,
    login: Option<&Login>,
) -> Result<(), Error> {
    let host = host.trim_matches(['[', ']']);
    let stream = Hurried {
        stream,
        deadline: way.dialing.deadline,
    };
    let talk = Talk { stream, way };
    match way.proxy.scheme {
        ProxyScheme::Socks4 => {
            let only_v4 = Dialing {
                family: Family::V4,
                ..way.dialing
            };
            let address = only_v4.look_up(host, port)?.first().map(SocketAddr::ip);
            talk.version_4(address, "", port, login)
        }
        ProxyScheme::Socks4a => match host.parse() {
            Ok(IpAddr::V4(address)) => talk.version_4(Some(address.into()), "", port, login),
            _ => talk.version_4(None, host, port, login),
        },
        ProxyScheme::Socks5h => {
            let target = target(host, host.parse().ok()).map_err(|fault| way.failed(fault))?;
            talk.version_5(&target, port, login)
        }
        _ => {
            let address = way.dialing.look_up(host, port)?.first().map(SocketAddr::ip);
            let target = target(host, address).map_err(|fault| way.failed(fault))?;
            talk.version_5(&target, port, login)
        }
    }
}

/// The address of RFC 1928, section 5.
fn target(host: &str, address: Option<IpAddr>) -> Result<Vec<u8>, ProxyFault> {
    let mut bytes = Vec::new();
    match address {
        Some(IpAddr::V4(address)) => {
            bytes.push(1);
            bytes.extend(address.octets());
        }
        Some(IpAddr::V6(address)) => {
            bytes.push(4);
            bytes.extend(address.octets());
        }
        None => {
            bytes.push(3);
            put_short(&mut bytes, host, "the host's name")?;
        }
    }
    Ok(bytes)
}

/// A text with its length in one byte before it.
fn put_short(bytes: &mut Vec<u8>, text: &str, what: &'static str) -> Result<(), ProxyFault> {
    let length = u8::try_from(text.len()).map_err(|_| ProxyFault::TooLong(what))?;
    bytes.push(length);
    bytes.extend(text.bytes());
    Ok(())
}

struct Talk<'a> {
    stream: Hurried<'a, Stream>,
    way: &'a Way<'a>,
}

impl Talk<'_> {
    fn version_4(mut self, address: Option<IpAddr>, host: &str, port: u16, login: Option<&Login>) -> Result<(), Error> {
        let mut request = vec![4, CONNECT];
        request.extend(port.to_be_bytes());
        match address {
            Some(IpAddr::V4(address)) => request.extend(address.octets()),
            // An address that is none says that a name follows (SOCKS 4a).
            _ => request.extend([0, 0, 0, 1]),
        }
        request.extend(login.map_or("", |login| login.username.as_str()).bytes());
        request.push(0);
        if !host.is_empty() {
            request.extend(host.bytes());
            request.push(0);
        }
        self.send(&request)?;
        match self.receive()? {
            [_, 0x5a, _, _, _, _, _, _] => Ok(()),
            [_, 0x5c | 0x5d, _, _, _, _, _, _] => Err(self.way.failed(ProxyFault::LoginRejected(None))),
            _ => Err(self.way.refused(reply_words(0))),
        }
    }

    fn version_5(mut self, target: &[u8], port: u16, login: Option<&Login>) -> Result<(), Error> {
        let login = login
            .map(Login::for_socks_5)
            .transpose()
            .map_err(|fault| self.way.failed(fault))?;
        let offer: &[u8] = match login {
            Some(_) => &[5, 2, NO_LOGIN, PASSWORD],
            None => &[5, 1, NO_LOGIN],
        };
        self.send(offer)?;
        match (self.receive()?, login) {
            ([5, NO_LOGIN], _) => {}
            ([5, PASSWORD], Some(login)) => self.sign_in(&login)?,
            ([5, NONE_OF_THEM], None) => return Err(self.way.failed(ProxyFault::LoginRequired(None))),
            ([5, _], _) => return Err(self.way.refused("requires an unsupported authentication method")),
            _ => return Err(self.way.refused(NOT_SOCKS_5)),
        }
        let mut request = vec![5, CONNECT, 0];
        request.extend_from_slice(target);
        request.extend(port.to_be_bytes());
        self.send(&request)?;
        let [version, reply, _, kind] = self.receive()?;
        if version != 5 {
            return Err(self.way.refused(NOT_SOCKS_5));
        }
        if reply != 0 {
            return Err(self.way.refused(reply_words(reply)));
        }
        let rest = match kind {
            1 => 4,
            3 => usize::from(self.receive::<1>()?[0]),
            4 => 16,
            _ => return Err(self.way.refused(NOT_SOCKS_5)),
        };
        self.read(&mut vec![0; rest + 2])
    }

    /// RFC 1929.
    fn sign_in(&mut self, login: &[u8]) -> Result<(), Error> {
        self.send(login)?;
        match self.receive()? {
            [_, 0] => Ok(()),
            _ => Err(self.way.failed(ProxyFault::LoginRejected(None))),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.write_all(bytes).map_err(|error| self.broken(&error))
    }

    fn receive<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.stream.read_exact(bytes).map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &io::Error) -> Error {
        self.way.refused(match error.kind() {
            io::ErrorKind::UnexpectedEof => "closed the connection without connecting to the server".to_owned(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "did not respond in time".to_owned(),
            _ => format!("failed: {error}"),
        })
    }
}

impl Login {
    /// Returns the request of RFC 1929. Nothing that is too long for it is even offered to the proxy.
    fn for_socks_5(&self) -> Result<Zeroizing<Vec<u8>>, ProxyFault> {
        let mut request = Zeroizing::new(Vec::with_capacity(3 + 2 * 256));
        request.push(1);
        put_short(&mut request, &self.username, "the user name")?;
        put_short(&mut request, self.password.expose(), "the password")?;
        Ok(request)
    }
}

/// RFC 1928, section 6.
fn reply_words(reply: u8) -> &'static str {
    match reply {
        2 => "does not allow connections to the server",
        3 => "cannot reach the server's network",
        4 => "cannot find or reach the server",
        5 => "reported that the server refused the connection",
        6 => "reported that the connection to the server timed out",
        7 => "cannot connect to servers",
        8 => "does not support this kind of address; try socks5h",
        _ => "refused to connect to the server",
    }
}
