//! Whether a certificate is for the host that was asked for (RFC 9525).
//!
//! Does not depend on who has issued it.

use std::net::IpAddr;

use rustls::pki_types::ServerName;

use super::super::untrusted::Untrusted;
use super::super::x509::{GeneralName, Version, X509};

/// `is_trusted` is whether the certificate is itself one of those that are trusted.
pub(super) fn check(leaf: &X509<'_>, is_trusted: bool, host: &ServerName<'_>) -> Result<(), Untrusted> {
    let (found, names) = if let Some(names) = &leaf.extensions.names {
        let found = names.iter().any(|name| matches(name, host));
        (found, names.iter().filter_map(GeneralName::to_text).collect())
    } else {
        let counts = leaf.version == Version::V1 || is_trusted;
        let common = leaf.subject.common_name().filter(|_| counts);
        let found = common.is_some_and(|common| common.eq_ignore_ascii_case(&host.to_str()));
        (found, Vec::new())
    };
    if found {
        return Ok(());
    }
    Err(Untrusted::OtherHost {
        host: host.to_str().into_owned(),
        names,
    })
}

fn matches(name: &GeneralName<'_>, host: &ServerName<'_>) -> bool {
    match (name, host) {
        (GeneralName::Dns(pattern), ServerName::DnsName(host)) => is_for(pattern, host.as_ref()),
        (GeneralName::Ip(address), ServerName::IpAddress(host)) => match IpAddr::from(*host) {
            IpAddr::V4(host) => *address == host.octets(),
            IpAddr::V6(host) => *address == host.octets(),
        },
        _ => false,
    }
}

/// Whether `pattern` is `host`, or stands for it: `*` is a whole first label, and two labels follow at least.
fn is_for(pattern: &[u8], host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    if host.is_empty() {
        return false;
    }
    let Some(parent) = pattern.strip_prefix(b"*.") else {
        return pattern.eq_ignore_ascii_case(host);
    };
    let after = host
        .iter()
        .position(|byte| *byte == b'.')
        .and_then(|dot| host.get(dot + 1..));
    let has_two_labels = parent
        .split(|byte| *byte == b'.')
        .filter(|label| !label.is_empty())
        .count()
        >= 2;
    has_two_labels && host.first() != Some(&b'.') && after.is_some_and(|after| parent.eq_ignore_ascii_case(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_patterns() {
        for (pattern, host, fits) in [
            ("a.example.com", "a.example.com", true),
            ("A.Example.com", "a.example.com", true),
            ("a.example.com", "a.example.com.", true),
            ("a.example.com.", "a.example.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "A.EXAMPLE.COM", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.com", "example.com", false),
            ("*.com.", "example.com", false),
            ("*.", "example.com", false),
            ("*", "localhost", false),
            ("a*.example.com", "ab.example.com", false),
            ("x.*.com", "x.example.com", false),
            ("*.*.com", "x.example.com", false),
            ("xn--*.example.com", "xn--a.example.com", false),
            ("", "", false),
            ("a.example.com\0.evil.org", "a.example.com", false),
            ("127.0.0.1", "localhost", false),
        ] {
            assert_eq!(is_for(pattern.as_bytes(), host), fits, "{pattern} for {host}");
        }
    }

    #[test]
    fn an_address_is_no_text() {
        let host = ServerName::try_from("127.0.0.1").expect("an address");
        assert!(matches(&GeneralName::Ip(&[127, 0, 0, 1]), &host));
        assert!(!matches(&GeneralName::Ip(&[127, 0, 0, 2]), &host));
        assert!(!matches(&GeneralName::Dns(b"127.0.0.1"), &host));
        let host = ServerName::try_from("::1").expect("an address");
        let mut address = [0; 16];
        address[15] = 1;
        assert!(matches(&GeneralName::Ip(&address), &host));
        assert!(!matches(&GeneralName::Ip(&[0, 0, 0, 1]), &host));
    }
}
