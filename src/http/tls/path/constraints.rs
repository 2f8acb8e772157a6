//! For which names an authority may issue certificates (RFC 5280, section 4.2.1.10).
//!
//! Does not depend on signatures or times.

use rustls::pki_types::ServerName;

use super::super::untrusted::{Fault, Untrusted};
use super::super::x509::{GeneralName, NameConstraints, X509};

/// Asks every authority of the complete path, of which `anchor` is the end, about all names below it.
pub(super) fn check(path: &[X509<'_>], anchor: &X509<'_>, host: &ServerName<'_>) -> Result<(), Untrusted> {
    for (at, authority) in path.iter().chain([anchor]).enumerate().skip(1) {
        let Some(constraints) = &authority.extensions.name_constraints else {
            continue;
        };
        for (below, certificate) in path.iter().enumerate().take(at) {
            // What an authority has issued to itself, to change a key, is not asked; a server's certificate always is.
            if below > 0 && certificate.is_self_issued() {
                continue;
            }
            for name in names(certificate) {
                allow(constraints, &name, authority)?;
            }
        }
        // The host itself too: it may be one of many that a pattern stands for, or stand in the common name.
        match host {
            ServerName::DnsName(host) => allow(constraints, &GeneralName::Dns(host.as_ref().as_bytes()), authority)?,
            ServerName::IpAddress(host) => match std::net::IpAddr::from(*host) {
                std::net::IpAddr::V4(host) => allow(constraints, &GeneralName::Ip(&host.octets()), authority)?,
                std::net::IpAddr::V6(host) => allow(constraints, &GeneralName::Ip(&host.octets()), authority)?,
            },
            _ => {
                return Err(Untrusted::authority(
                    authority.subject,
                    Fault::Names(host.to_str().into_owned()),
                ));
            }
        }
    }
    Ok(())
}

/// The subject and the alternative names.
fn names<'a>(certificate: &X509<'a>) -> Vec<GeneralName<'a>> {
    let mut names = certificate.extensions.names.clone().unwrap_or_default();
    if !certificate.subject.is_empty() {
        names.push(GeneralName::Directory(certificate.subject));
    }
    names
}

fn allow(constraints: &NameConstraints<'_>, name: &GeneralName<'_>, authority: &X509<'_>) -> Result<(), Untrusted> {
    let refused = || {
        let text = match name {
            GeneralName::Directory(subject) => subject.to_text(),
            name => name.to_text().unwrap_or_default(),
        };
        Untrusted::authority(authority.subject, Fault::Names(text))
    };
    let mut restricted = false;
    let mut permitted = false;
    for subtree in constraints
        .permitted
        .iter()
        .filter(|subtree| is_same_kind(subtree, name))
    {
        restricted = true;
        permitted |= is_within(name, subtree) == Some(true);
    }
    let of_kind = |subtree: &&GeneralName<'_>| is_same_kind(subtree, name);
    // What cannot be compared is not known to be outside.
    let excluded = constraints
        .excluded
        .iter()
        .filter(of_kind)
        .any(|subtree| is_within(name, subtree) != Some(false) || may_be_within(name, subtree));
    if excluded || restricted && !permitted {
        return Err(refused());
    }
    Ok(())
}

fn is_same_kind(one: &GeneralName<'_>, other: &GeneralName<'_>) -> bool {
    match (one, other) {
        (GeneralName::Other(one), GeneralName::Other(other)) => one == other,
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// Whether `name` is in `subtree`; `None` if that cannot be told.
fn is_within(name: &GeneralName<'_>, subtree: &GeneralName<'_>) -> Option<bool> {
    match (name, subtree) {
        (GeneralName::Dns(name), GeneralName::Dns(subtree)) => host_is_within(name, subtree),
        (GeneralName::Ip(address), GeneralName::Ip(network)) => address_is_within(address, network),
        (GeneralName::Directory(name), GeneralName::Directory(subtree)) => name.is_within(*subtree).ok(),
        _ => None,
    }
}

/// Whether a pattern stands for a host in `subtree`, though it stands for others as well.
fn may_be_within(name: &GeneralName<'_>, subtree: &GeneralName<'_>) -> bool {
    let (GeneralName::Dns(pattern), GeneralName::Dns(subtree)) = (name, subtree) else {
        return false;
    };
    let Some(parent) = pattern.strip_prefix(b"*.") else {
        return false;
    };
    host_is_within(subtree.strip_prefix(b".").unwrap_or(subtree), parent) != Some(false)
}

/// `example.com` has itself and everything below it; `.example.com` only what is below it.
fn host_is_within(host: &[u8], subtree: &[u8]) -> Option<bool> {
    if host.is_empty() || !host.is_ascii() || !subtree.is_ascii() {
        return None;
    }
    let host = host.strip_suffix(b".").unwrap_or(host);
    let (subtree, only_below) = match subtree.strip_prefix(b".") {
        Some(parent) => (parent, true),
        None => (subtree, false),
    };
    if subtree.is_empty() {
        return Some(true);
    }
    let Some(start) = host.len().checked_sub(subtree.len()) else {
        return Some(false);
    };
    let (before, end) = host.split_at(start);
    if !end.eq_ignore_ascii_case(subtree) {
        return Some(false);
    }
    Some(match before.last() {
        None => !only_below,
        Some(byte) => *byte == b'.',
    })
}

/// A network is an address and its mask.
fn address_is_within(address: &[u8], network: &[u8]) -> Option<bool> {
    if network.len() != 8 && network.len() != 32 || address.len() != 4 && address.len() != 16 {
        return None;
    }
    let (base, mask) = network.split_at(network.len() / 2);
    if base.len() != address.len() {
        return Some(false);
    }
    let bytes = address.iter().zip(base).zip(mask);
    Some(
        bytes
            .into_iter()
            .all(|((address, base), mask)| address & mask == base & mask),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_in_a_domain() {
        for (host, subtree, within) in [
            ("example.com", "example.com", Some(true)),
            ("a.example.com", "example.com", Some(true)),
            ("A.Example.COM", "example.com", Some(true)),
            ("badexample.com", "example.com", Some(false)),
            ("example.com.evil.org", "example.com", Some(false)),
            ("example.com", ".example.com", Some(false)),
            ("a.example.com", ".example.com", Some(true)),
            ("a.example.com", "", Some(true)),
            ("com", "example.com", Some(false)),
            ("", "example.com", None),
            ("\u{e9}.example.com", "example.com", None),
        ] {
            assert_eq!(
                host_is_within(host.as_bytes(), subtree.as_bytes()),
                within,
                "{host} in {subtree}"
            );
        }
    }

    #[test]
    fn addresses_in_a_network() {
        let ten = [10, 0, 0, 0, 255, 0, 0, 0];
        assert_eq!(address_is_within(&[10, 1, 2, 3], &ten), Some(true));
        assert_eq!(address_is_within(&[11, 1, 2, 3], &ten), Some(false));
        assert_eq!(address_is_within(&[0; 16], &ten), Some(false));
        assert_eq!(address_is_within(&[10, 1, 2, 3], &[10, 0]), None);
        assert_eq!(address_is_within(&[10], &ten), None);
    }

    #[test]
    fn a_pattern_does_not_get_round_an_exclusion() {
        let pattern = GeneralName::Dns(b"*.example.com");
        assert!(may_be_within(&pattern, &GeneralName::Dns(b"secret.example.com")));
        assert!(!may_be_within(&pattern, &GeneralName::Dns(b"secret.example.org")));
    }
}
