//! `no_proxy`: which hosts are reached without a proxy, by curl's rules (`CURLOPT_NOPROXY`(3)).
//!
//! It must not know about proxies.

use std::net::IpAddr;

use url::Host;

/// Whether `list` names `host`. Names match themselves and all below them; addresses match themselves and their
/// networks (`10.0.0.0/8`); ports do not count; `*` alone matches all.
pub(super) fn lists(list: &str, host: &Host<&str>) -> bool {
    let mut parts = list.split([',', ' ', '\t']).filter(|part| !part.is_empty());
    list == "*"
        || match host {
            Host::Domain(name) => parts.any(|part| matches_name(part, name)),
            Host::Ipv4(address) => parts.any(|part| matches_address(part, (*address).into())),
            Host::Ipv6(address) => parts.any(|part| matches_address(part, (*address).into())),
        }
}

fn matches_name(part: &str, name: &str) -> bool {
    let part = part.strip_suffix('.').unwrap_or(part);
    let part = part.strip_prefix('.').unwrap_or(part);
    let name = name.strip_suffix('.').unwrap_or(name);
    let Some((rest, tail)) = name
        .len()
        .checked_sub(part.len())
        .and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    !part.is_empty() && tail.eq_ignore_ascii_case(part) && (rest.is_empty() || rest.ends_with('.'))
}

fn matches_address(part: &str, address: IpAddr) -> bool {
    let (network, bits) = match part.split_once('/') {
        // To curl, a length that is no number is 0.
        Some((network, bits)) => (network, bits.parse().unwrap_or(0)),
        None => (part, 0),
    };
    // A length of 0 is one address to curl, not all of them.
    let bits = |all: u32| if bits == 0 { all } else { bits };
    match (network.parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) => same(
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            bits(32),
            32,
        ),
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) => same(network.to_bits(), address.to_bits(), bits(128), 128),
        _ => false,
    }
}

/// Whether the upper `bits` of two addresses of `all` bits are the same.
fn same(one: u128, other: u128, bits: u32, all: u32) -> bool {
    all.checked_sub(bits)
        .is_some_and(|rest| (one ^ other).checked_shr(rest).unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn the_list_is_read_as_curl_reads_it() {
        // What curl 7.88 does with each, save for the two networks of IPv6.
        let cases = [
            ("example.com", "example.com", true),
            ("example.com", "www.example.com", true),
            ("example.com", "notexample.com", false),
            ("example.com", "example.com.", true),
            (".example.com", "example.com", true),
            (".example.com", "www.example.com", true),
            ("..example.com", "www.example.com", false),
            ("EXAMPLE.com.", "example.com", true),
            ("example.com:7", "example.com", false),
            ("a.com example.com", "example.com", true),
            ("a.com,,example.com", "example.com", true),
            ("*", "example.com", true),
            ("*,a.com", "example.com", false),
            ("*.example.com", "www.example.com", false),
            ("", "example.com", false),
            (".", "example.com", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.0/8", "127.0.0.1", true),
            ("127.0.0", "127.0.0.1", false),
            (".0.0.1", "127.0.0.1", false),
            ("127.0.0.0/0", "127.0.0.1", false),
            ("127.0.0.1/0", "127.0.0.1", true),
            ("127.0.0.0/33", "127.0.0.1", false),
            ("10.0.0.0/8", "127.0.0.1", false),
            ("::1", "[::1]", true),
            ("[::1]", "[::1]", false),
            ("::/64", "[::1]", true),
            ("1::/63", "[::1]", false),
        ];
        for (list, host, expected) in cases {
            let url = Url::parse(&format!("https://{host}/")).expect("a URL");
            assert_eq!(lists(list, &url.host().expect("a host")), expected, "{list:?} {host}");
        }
    }
}
