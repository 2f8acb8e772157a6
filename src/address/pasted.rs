//! URLs that people paste: from the clone button, the browser, another remote.
//!
//! Nothing is fetched from them: a host is only compared. It does not build URLs.

use url::Host;

use super::fault::Fault;
use super::name::RepositoryName;
use super::userinfo::{self, Userinfo};
use super::{Address, BaseUrl};

/// Where a browser meets Bitbucket Cloud.
const WEB: [&str; 2] = ["bitbucket.org", "www.bitbucket.org"];

/// How git writes ssh.
const SCHEMES: [&str; 3] = ["ssh", "git+ssh", "ssh+git"];

/// Where ssh meets it: the host before 2026-11-12, the one since then, and the one that listens on port 443.
pub const SSH: [&str; 3] = ["bitbucket.org", "ssh.bitbucket.org", "altssh.bitbucket.org"];

/// Whether git goes to `bitbucket.org` over ssh for `text`, where Bitbucket's ssh was before 2026-11-12.
pub fn is_old_ssh(text: &str) -> bool {
    let (authority, _) = match text.split_once("://") {
        Some((scheme, rest)) if SCHEMES.iter().any(|ssh| scheme.eq_ignore_ascii_case(ssh)) => {
            rest.split_once('/').unwrap_or((rest, ""))
        }
        Some(_) => return false,
        None => match text.split_once(':') {
            Some((host, path)) if !host.contains('/') => (host, path),
            _ => return false,
        },
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next().unwrap_or_default();
    host.eq_ignore_ascii_case(WEB[0])
}

/// Returns the address that `scheme://rest` means.
pub(super) fn url(scheme: &str, rest: &str, base: &BaseUrl) -> Result<Address, Fault> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" => web(rest, 443, base),
        // Links of old pages; the connection goes to the base URL all the same.
        "http" => web(rest, 80, base),
        scheme if SCHEMES.contains(&scheme) => {
            let (_, rest) = userinfo::split(rest, &['/', '?', '#']);
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let (host, _) = host_and_port(authority)?;
            ssh(&host, authority, path, base)
        }
        _ => Err(Fault::new("only https and ssh URLs of Bitbucket are known")),
    }
}

/// Returns the address that `host:path` means, which is how scp and so git write ssh.
pub(super) fn scp(host: &str, path: &str, base: &BaseUrl) -> Result<Address, Fault> {
    let (parsed, _) = host_and_port(host)?;
    ssh(&parsed, host, path.strip_prefix('/').unwrap_or(path), base)
}

/// The user name of ssh says nothing about who is asking over https, so it is dropped.
fn ssh(host: &Host, authority: &str, path: &str, base: &BaseUrl) -> Result<Address, Fault> {
    if !is_any(host, &SSH) && !is_base_host(host, base) {
        return Err(other_host(authority, base));
    }
    Ok(Address {
        user: Userinfo::default(),
        place: RepositoryName::parse(path)?,
    })
}

fn web(rest: &str, default_port: u16, base: &BaseUrl) -> Result<Address, Fault> {
    let (user, rest) = userinfo::split(rest, &['/', '?', '#']);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = host_and_port(authority)?;
    let port = port.filter(|port| *port != default_port);
    let user = Userinfo::parse(user)?;
    let is_base = is_base_host(&host, base) && port == base.url().port();
    let path = if is_base {
        below(base, path)?
    } else if is_any(&host, &WEB) && port.is_none() {
        if user.secret.is_some() && !base.is_bitbucket_org() {
            return Err(Fault::new(format!(
                "its secret is for 'bitbucket.org' and would go to '{}'",
                base.host_and_port()
            )));
        }
        path
    } else {
        return Err(other_host(authority, base));
    };
    Ok(Address {
        user,
        place: RepositoryName::parse_page(path)?,
    })
}

/// Returns what of `path` lies below the path of `base`; neither begins with a slash.
fn below<'a>(base: &BaseUrl, path: &'a str) -> Result<&'a str, Fault> {
    let prefix = base.url().path().trim_matches('/');
    if prefix.is_empty() {
        return Ok(path);
    }
    path.strip_prefix(prefix)
        .and_then(|path| path.strip_prefix('/'))
        .ok_or_else(|| Fault::new(format!("it is not below '{}'", base.url())))
}

fn host_and_port(authority: &str) -> Result<(Host, Option<u16>), Fault> {
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address are inside its brackets.
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    // The port is not quoted: where the host was forgotten, it is a password.
    let port = match port {
        "" => None,
        port => Some(port.parse().map_err(|_| Fault::new("its port is not a number"))?),
    };
    let host = Host::parse(host).map_err(|_| Fault::quoting("", host, " is not a host name"))?;
    Ok((host, port))
}

fn is_any(host: &Host, names: &[&str]) -> bool {
    matches!(host, Host::Domain(host) if names.contains(&host.as_str()))
}

fn is_base_host(host: &Host, base: &BaseUrl) -> bool {
    base.url().host().is_some_and(|base| *host == base)
}

fn other_host(authority: &str, base: &BaseUrl) -> Fault {
    let ours = base.host_and_port();
    Fault::quoting(&format!("this helper is for '{ours}', not for "), authority, "").hint(format!(
        "use 'bbcloud::<workspace>/<repository>' for '{ours}', and a URL without 'bbcloud::' for another host"
    ))
}
