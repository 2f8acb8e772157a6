//! `http.curloptResolve`: addresses of hosts, given instead of asked for.
//!
//! It must not ask for any.

use std::net::IpAddr;

use super::reader::Reader;

/// The addresses of one host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The host in lower case, without brackets; `*` is each one that has no entry of its own.
    pub host: String,
    /// The port that this is for.
    pub port: u16,
    /// Where to connect to, in order; one at least.
    pub addresses: Vec<IpAddr>,
}

impl Resolve {
    /// Whether this is for `host` (without brackets) and `port`.
    pub fn is_for(&self, host: &str, port: u16) -> bool {
        self.port == port && (self.host == "*" || self.host.eq_ignore_ascii_case(host))
    }
}

/// Every entry, in order.
pub(super) fn all(reader: &mut Reader<'_>) -> Vec<Resolve> {
    let mut entries = Vec::new();
    for line in reader.http.list("curloptResolve") {
        // An entry with a minus takes one out of a cache that is still empty.
        if line.starts_with('-') {
            continue;
        }
        match parse(&line) {
            Some(entry) => entries.push(entry),
            None => reader.warn(format!(
                "ignoring http.curloptResolve '{line}': it is not 'host:port:address'"
            )),
        }
    }
    entries
}

/// `[+]host:port:address[,address]…` (`CURLOPT_RESOLVE`(3)).
fn parse(line: &str) -> Option<Resolve> {
    let line = line.strip_prefix('+').unwrap_or(line);
    let (host, rest) = match line.strip_prefix('[') {
        Some(rest) => rest.split_once("]:")?,
        None => line.split_once(':')?,
    };
    let (port, addresses) = rest.split_once(':')?;
    let address = |text: &str| text.trim_matches(['[', ']']).parse().ok();
    Some(Resolve {
        host: host.to_ascii_lowercase(),
        port: port.parse().ok()?,
        addresses: addresses.split(',').map(address).collect::<Option<_>>()?,
    })
    .filter(|entry| !entry.host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_curl_reads_them() {
        let shown = |line: &str| parse(line).map(|entry| (entry.host, entry.port, entry.addresses.len()));
        assert_eq!(
            shown("Example.com:443:127.0.0.1"),
            Some(("example.com".to_owned(), 443, 1))
        );
        assert_eq!(shown("+x:1:1.2.3.4,[::1],::2"), Some(("x".to_owned(), 1, 3)));
        assert_eq!(shown("*:443:::1"), Some(("*".to_owned(), 443, 1)));
        assert_eq!(shown("[::1]:443:127.0.0.1"), Some(("::1".to_owned(), 443, 1)));
        for line in ["x", "x:1", "x:1:", "x:1:y", "x:99999:1.2.3.4", ":1:1.2.3.4"] {
            assert_eq!(shown(line), None, "{line}");
        }
    }
}
