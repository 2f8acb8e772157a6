//! Git's configuration: what keeps git from starting this program, what changes its requests, and the proxy.

use super::Target;
use super::checks::Checks;
use crate::cli::scene::Scene;
use crate::environment::variable::{BBCLOUD_API_URL, BBCLOUD_BASE_URL, GIT_ALLOW_PROTOCOL};
use crate::http::settings::{Proxy, ProxyScheme, Settings};
use crate::redact;
use crate::shell;

/// The port of the proxy that Bitbucket Pipelines puts beside a build.
const PIPELINES_PORT: u16 = 29418;

pub(super) fn check(target: &Target, scene: &Scene<'_>, checks: &mut Checks) {
    check_places(scene, checks);
    check_rewriting(target, scene, checks);
    check_protocol(scene, checks);
}

fn check_places(scene: &Scene<'_>, checks: &mut Checks) {
    let named = |variable, key: &str| {
        if scene.environment.has(variable) {
            format!(" ({})", variable.name)
        } else if scene.config.trusted().text(key).is_some() {
            format!(" ({key})")
        } else {
            String::new()
        }
    };
    let base = scene.base.url().as_str().trim_end_matches('/');
    let detail = format!(
        "repositories are at {base}{}",
        named(&BBCLOUD_BASE_URL, "bbcloud.baseUrl")
    );
    let api = named(&BBCLOUD_API_URL, "bbcloud.apiUrl");
    let api = if api.is_empty() {
        String::new()
    } else {
        format!(", and the address of the REST API is set{api}")
    };
    checks.ok("configuration", detail + &api);
}

/// `url.<other>.insteadOf`: git rewrites addresses before it looks for a helper.
fn check_rewriting(target: &Target, scene: &Scene<'_>, checks: &mut Checks) {
    let ours = match &target.address {
        Some(address) => address.bbcloud(),
        None => "bbcloud::".to_owned(),
    };
    let base = format!("{}/", scene.base.url().as_str().trim_end_matches('/'));
    let mut notes = Vec::new();
    for name in ["insteadOf", "pushInsteadOf"] {
        for (other, value) in scene.config.by_subsection("url", name) {
            let shown = redact::address(&other);
            if redact::hides(&other) {
                let detail = format!("url.{shown}.{name} contains a secret");
                checks.warn(
                    "url-rewrite",
                    detail,
                    "keep the secret with 'git-remote-bbcloud login', then remove the entry: 'git config --edit --global'",
                );
                return;
            }
            let captures = ours.starts_with(&value) || value.starts_with("bbcloud:");
            if captures && !other.starts_with("bbcloud:") {
                let detail = format!("git makes '{shown}…' of '{value}…' ({name}), and does not start this program");
                let remedy = format!("git config --global --unset-all 'url.{shown}.{name}'");
                checks.warn("url-rewrite", detail, &remedy);
                return;
            }
            if base.starts_with(&value) || value.starts_with(&base) {
                notes.push(format!("git makes '{shown}…' of '{value}…' ({name})"));
            }
        }
    }
    checks.ok(
        "url-rewrite",
        if notes.is_empty() {
            "no url.*.insteadOf is about these addresses".to_owned()
        } else {
            notes.join("; ")
        },
    );
}

/// `protocol.allow`, which for helpers means by default: only what a person names (git-config(1)).
fn check_protocol(scene: &Scene<'_>, checks: &mut Checks) {
    const NAME: &str = "protocol-allow";
    const ALLOW: &str = "git config --global protocol.bbcloud.allow always";
    if let Some(list) = scene.environment.text(&GIT_ALLOW_PROTOCOL) {
        if list.split(':').any(|name| name == "bbcloud") {
            checks.ok(NAME, "GIT_ALLOW_PROTOCOL allows it");
        } else {
            checks.fail(
                NAME,
                "GIT_ALLOW_PROTOCOL is set, and 'bbcloud' is not in it",
                &shell::prepend("GIT_ALLOW_PROTOCOL", "bbcloud", ':'),
            );
        }
        return;
    }
    let own = scene.config.text("protocol.bbcloud.allow");
    match own.or_else(|| scene.config.text("protocol.allow")).as_deref() {
        Some("always") => checks.ok(NAME, "allowed, for submodules too"),
        Some("never") => checks.fail(NAME, "git is told never to use 'bbcloud::' addresses", ALLOW),
        _ => {
            let submodules = scene.config.by_subsection("submodule", "url");
            if submodules.iter().any(|(_, url)| url.starts_with("bbcloud:")) {
                checks.warn(
                    NAME,
                    "there are submodules with 'bbcloud::' addresses, and git wants to be told that these are allowed",
                    ALLOW,
                );
            } else {
                checks.ok(NAME, format!("allowed; submodules would need '{ALLOW}'"));
            }
        }
    }
}

/// What of `http.*` changes requests, and the proxy.
pub(super) fn check_http(settings: &Settings, checks: &mut Checks) {
    let mut notes = Vec::new();
    let mut wrong = settings.warnings.clone();
    if !settings.tls.verify {
        wrong.push("certificates are not checked (http.sslVerify or GIT_SSL_NO_VERIFY)".to_owned());
    }
    let is_authorization = |name: &str| name.eq_ignore_ascii_case("authorization");
    if settings
        .extra_headers
        .iter()
        .any(|header| is_authorization(&header.name))
    {
        wrong.push("http.extraHeader sends an 'Authorization' of its own in place of your sign-in".to_owned());
    }
    if let Some(file) = &settings.tls.ca_file {
        notes.push(format!("trusts the authorities in '{}' only", file.display()));
    }
    if let Some(certificate) = &settings.tls.client_certificate {
        notes.push(format!(
            "has a certificate of its own, '{}'",
            certificate.cert.display()
        ));
    }
    if settings.tls.pin.is_some() {
        notes.push("the server's key is pinned".to_owned());
    }
    if !settings.ignored.is_empty() {
        notes.push(format!("without effect: {}", settings.ignored.join(", ")));
    }
    if !wrong.is_empty() {
        checks.warn(
            "http-settings",
            wrong.join("; "),
            "see where it is set: 'git config --show-origin --get-regexp \"^http\"'",
        );
    } else if notes.is_empty() {
        checks.ok("http-settings", "nothing unusual is set");
    } else {
        checks.ok("http-settings", notes.join("; "));
    }
    check_proxy(settings.proxy.as_ref(), checks);
}

fn check_proxy(proxy: Option<&Proxy>, checks: &mut Checks) {
    let Some(proxy) = proxy else {
        checks.ok("proxy", "none");
        return;
    };
    let scheme = match proxy.scheme {
        ProxyScheme::Http => "HTTP",
        ProxyScheme::Https => "HTTPS",
        ProxyScheme::Socks4 | ProxyScheme::Socks4a => "SOCKS 4",
        ProxyScheme::Socks5 | ProxyScheme::Socks5h => "SOCKS 5",
    };
    let place = match &proxy.socket {
        Some(path) => path.display().to_string(),
        None => format!("{}:{}", proxy.host, proxy.port),
    };
    let who = match (&proxy.username, &proxy.password) {
        (Some(_), Some(_)) => ", with a user name and a password",
        (Some(_), None) => ", with a user name",
        _ => "",
    };
    let detail = format!("{scheme} proxy {place}{who}");
    if proxy.port == PIPELINES_PORT {
        checks.warn(
            "proxy",
            format!("{detail}: that is Bitbucket Pipelines' own, which serves only the repository that is built"),
            "git config --global --unset http.proxy",
        );
    } else {
        checks.ok("proxy", detail);
    }
}
