//! Proxies: where they are named, how they are spoken to and signed in at, and what is said when they refuse.

use std::path::Path;

use super::Scene;
use crate::bitbucket::{Settings, Tls};
use crate::proxy::{Kind, Proxy, Rules};

fn address(scheme: &str, user: &str, proxy: &Proxy) -> String {
    format!("{scheme}://{user}127.0.0.1:{}", proxy.port())
}

fn target(scene: &Scene) -> String {
    format!("localhost:{}", scene.bitbucket.port())
}

#[test]
fn every_key_and_variable_names_a_proxy() {
    let proxy = Proxy::start(Rules::new(Kind::Http));
    let http = address("http", "", &proxy);
    let mut asked = 0;
    let mut goes_through = |scene: &Scene, through: bool| {
        scene.works();
        let before = std::mem::replace(&mut asked, proxy.log().len());
        assert_eq!(asked > before, through, "{:?} {:?}", scene.settings, scene.variables);
    };
    let mut scene = Scene::new();
    goes_through(&scene, false);
    let own = format!("http.{}.proxy", scene.bitbucket.base_url());
    for key in ["http.proxy", &own, "remote.bbcloud::acme/widgets.proxy"] {
        scene = scene.set(key, &http);
        goes_through(&scene, true);
        scene = scene.unset(key);
    }
    for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        scene = scene.variable(name, &http);
        goes_through(&scene, true);
        scene.variables.clear();
    }
    scene = scene.variable("http_proxy", &http);
    goes_through(&scene, false);
    scene = scene.variable("https_proxy", &http).variable("no_proxy", "localhost");
    goes_through(&scene, false);
    scene.variables.pop();
    scene = scene.variable("NO_PROXY", "*");
    goes_through(&scene, false);
    scene.variables.pop();
    goes_through(&scene, true);
    // An empty setting disables the variable's.
    goes_through(&scene.set("http.proxy", ""), false);
}

#[test]
fn plain_http_is_relayed_with_the_whole_url_and_signed_in() {
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "pw"));
    let scene = Scene::with(Settings {
        tls: Tls::Off,
        ..Settings::default()
    });
    let scene = scene.set("http.proxy", address("http", "ada:pw@", &proxy));
    scene.works();
    let log = proxy.log();
    let url = format!(
        "http://{}/acme/widgets.git/info/refs?service=git-upload-pack",
        target(&scene)
    );
    assert_eq!(log[0], format!("GET {url} refused"));
    assert_eq!(log[1], format!("GET {url} as ada"));
    assert!(log.last().unwrap().starts_with("POST http://"), "{log:?}");
}

#[test]
fn an_https_proxy_is_checked_with_its_own_authority() {
    let proxy = Proxy::start(Rules::new(Kind::Https).login("ada", "pw"));
    let scene = Scene::new().set("http.proxy", format!("https://ada:pw@localhost:{}", proxy.port()));
    assert!(scene.fails().contains("TLS connection to 'localhost'"));
    // Whether the server's certificate is checked is another question.
    let scene = scene.set("http.sslVerify", "false");
    scene.fails();
    let scene = scene
        .unset("http.sslVerify")
        .set("http.proxySSLCAInfo", proxy.ca_file());
    scene.works();
    assert!(proxy.log().contains(&format!("CONNECT {} as ada", target(&scene))));
    let scene = scene
        .unset("http.proxySSLCAInfo")
        .variable("GIT_PROXY_SSL_CAINFO", proxy.ca_file());
    scene.works();
}

#[test]
fn every_version_of_socks_is_spoken() {
    let proxy = Proxy::start(Rules::new(Kind::Socks));
    for (scheme, asked) in [
        ("socks4", "socks4 127.0.0.1"),
        ("socks", "socks4 127.0.0.1"),
        ("socks4a", "socks4a localhost"),
        ("socks5h", "socks5 localhost"),
    ] {
        let scene = Scene::new().set("http.proxy", address(scheme, "", &proxy));
        scene.works();
        let wanted = format!("{asked}:{}", scene.bitbucket.port());
        assert_eq!(proxy.log().last(), Some(&wanted), "{scheme}");
    }
    let scene = Scene::new().set("http.proxy", address("socks5", "", &proxy));
    scene.works();
    let last = proxy.log().pop().unwrap();
    assert!(
        last.starts_with("socks5 127.0.0.1:") || last.starts_with("socks5 ::1:"),
        "{last}"
    );
    if cfg!(unix) {
        let socket = format!("socks5h://localhost{}", proxy.socket().display());
        Scene::new().set("http.proxy", socket).works();
    }
}

#[test]
fn a_wrong_password_is_told_and_never_shown() {
    for (kind, scheme) in [(Kind::Http, "http"), (Kind::Socks, "socks5h")] {
        let proxy = Proxy::start(Rules::new(kind).login("ada", "right"));
        let scene = Scene::new().set("http.proxy", address(scheme, "ada:wr0ng@", &proxy));
        let said = scene.fails();
        assert!(said.contains("rejected the user name and password"), "{said}");
        assert!(!said.contains("wr0ng"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_missing_password_is_asked_for_and_told_back() {
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "asked"));
    let store = |scene: &Scene| scene.file("store");
    for user in ["ada@", ""] {
        let scene = Scene::new().set("http.proxy", address("http", user, &proxy));
        let program = super::askpass(&scene, if user.is_empty() { "ada" } else { "asked" });
        if user.is_empty() {
            // A helper that knows it already.
            let line = format!("http://ada:asked@127.0.0.1%3a{}\n", proxy.port());
            std::fs::write(store(&scene), line).unwrap();
        }
        let helper = format!("store --file='{}'", store(&scene).display());
        let scene = scene.set("credential.helper", helper).variable("GIT_ASKPASS", program);
        scene.works();
        let kept = std::fs::read_to_string(store(&scene)).unwrap();
        assert!(kept.contains("ada:asked@127.0.0.1"), "{kept}");
        assert_eq!(scene.file("questions").exists(), !user.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_password_that_a_helper_gave_and_the_proxy_refuses_is_forgotten() {
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "right"));
    let scene = Scene::new().set("http.proxy", address("http", "", &proxy));
    let store = scene.file("store");
    std::fs::write(&store, format!("http://ada:stale@127.0.0.1%3a{}\n", proxy.port())).unwrap();
    let helper = format!("store --file='{}'", store.display());
    let scene = scene.set("credential.helper", helper);
    let said = scene.fails();
    assert!(said.contains("requires a user name and a password"), "{said}");
    assert!(!std::fs::read_to_string(&store).unwrap().contains("stale"));
}

/// A proxy that only knows NTLM, and how to get through it with the right password.
fn ntlm() -> (Proxy, impl Fn(&str) -> Scene) {
    let mut rules = Rules::new(Kind::Http).login("ada", "pw");
    rules.challenge = "NTLM";
    let proxy = Proxy::start(rules);
    let port = proxy.port();
    let scene = move |user: &str| Scene::new().set("http.proxy", format!("http://{user}127.0.0.1:{port}"));
    (proxy, scene)
}

/// With git's own client, to know that the proxy speaks as it should.
#[test]
fn gits_own_client_signs_in_with_ntlm() {
    let (proxy, scene) = ntlm();
    let scene = scene("ada:pw@");
    let url = scene.url(super::By::Git, "acme/widgets");
    scene.git_ok(&["ls-remote", &url]);
    assert!(proxy.log().contains(&format!("CONNECT {} by NTLM", target(&scene))));
}

#[cfg(feature = "curl")]
#[test]
fn with_libcurl_so_does_ours() {
    let (proxy, scene) = ntlm();
    for method in ["ntlm", "anyauth"] {
        let scene = scene("ada:pw@").set("http.proxyAuthMethod", method);
        scene.works();
        let log = proxy.log();
        assert_eq!(
            log.last(),
            Some(&format!("CONNECT {} by NTLM", target(&scene))),
            "{log:?}"
        );
        scene.git_ok(&["clone", "bbcloud::acme/widgets", method]);
    }
    let scene = scene("eve:pw@").set("http.proxyAuthMethod", "ntlm");
    let said = scene.fails();
    assert!(said.contains("rejected the user name and password"), "{said}");
    let nobody = Scene::new()
        .set("http.proxy", "http://ada:pw@127.0.0.1:1")
        .set("http.proxyAuthMethod", "ntlm");
    assert!(nobody.fails().contains("did not connect to"));
}

#[cfg(not(feature = "curl"))]
#[test]
fn other_ways_to_sign_in_are_named() {
    let mut rules = Rules::new(Kind::Http).login("ada", "pw");
    rules.challenge = "Negotiate, NTLM";
    let proxy = Proxy::start(rules);
    let scene = Scene::new().set("http.proxy", address("http", "ada:pw@", &proxy));
    let said = scene.fails();
    assert!(
        said.contains("requires negotiate or ntlm authentication, which this build does not support"),
        "{said}"
    );
    assert!(
        proxy.log().iter().all(|line| !line.contains(" as ada")),
        "no password for nothing"
    );
    assert!(
        said.contains("hint: install with 'cargo install --path . --locked --features curl'"),
        "{said}"
    );
    let scene = scene.variable("GIT_HTTP_PROXY_AUTHMETHOD", "ntlm");
    assert!(
        scene
            .fails()
            .contains("does not support the method in http.proxyAuthMethod")
    );
}

#[test]
fn the_proxy_is_asked_first_unless_basic_is_set() {
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "pw"));
    let scene = Scene::new().set("http.proxy", address("http", "ada:pw@", &proxy));
    scene.works();
    assert_eq!(proxy.log().len(), 2, "git's default asks the proxy first");
    let scene = scene.variable("GIT_HTTP_PROXY_AUTHMETHOD", "basic");
    scene.works();
    assert_eq!(proxy.log().len(), 3);
}

/// Said or not: curl connects again, too.
#[test]
fn a_proxy_that_closes_the_connection_behind_its_challenge_is_asked_on_another_one() {
    for farewell in ["", "Connection: close\r\n", "Proxy-Connection: close\r\n"] {
        let mut rules = Rules::new(Kind::Http).login("ada", "p%w");
        rules.hangs_up = Some(farewell);
        let proxy = Proxy::start(rules);
        let address = format!("http://ada:p%w@127.0.0.1:{}", proxy.port());
        Scene::new().set("http.proxy", address).works();
        assert_eq!(proxy.log().len(), 2, "{farewell:?}");
    }
}

#[test]
fn a_user_name_that_socks_cannot_carry_is_told_at_once() {
    let proxy = Proxy::start(Rules::new(Kind::Socks));
    let user = format!("{}:pw@", "u".repeat(300));
    let scene = Scene::new().set("http.proxy", address("socks5h", &user, &proxy));
    let said = scene.fails();
    assert!(
        said.contains("the user name is longer than the 255 bytes that SOCKS allows"),
        "{said}"
    );
    assert!(!said.contains("retrying"), "{said}");
}

#[test]
fn a_proxy_that_does_not_open_the_way_is_the_one_to_blame() {
    let mut rules = Rules::new(Kind::Http);
    rules.broken = Some(403);
    let proxy = Proxy::start(rules);
    let scene = Scene::new().set("http.proxy", address("http", "", &proxy));
    let said = scene.fails();
    let blamed = format!(
        "the proxy 127.0.0.1:{} refused to connect to '{}' (HTTP 403)",
        proxy.port(),
        target(&scene)
    );
    assert!(said.contains(&blamed), "{said}");
    let nobody = Scene::new().set("http.proxy", Path::new("http://127.0.0.1:1"));
    assert!(nobody.fails().contains("failed to connect to 127.0.0.1:1"));
}

#[test]
fn an_https_proxy_may_want_a_certificate() {
    let mut rules = Rules::new(Kind::Https);
    rules.certificate = true;
    let proxy = Proxy::start(rules);
    let through = || {
        Scene::new()
            .set("http.proxy", format!("https://localhost:{}", proxy.port()))
            .set("http.proxySSLCAInfo", proxy.ca_file())
    };
    through().fails();
    let (certificate, key) = (proxy.ca_file(), proxy.key_file());
    through()
        .set("http.proxySSLCert", &certificate)
        .set("http.proxySSLKey", &key)
        .works();
    through()
        .variable("GIT_PROXY_SSL_CERT", &certificate)
        .variable("GIT_PROXY_SSL_KEY", &key)
        .works();
}

#[test]
fn the_way_to_sign_in_can_be_set_for_everybody_or_a_remote() {
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "pw"));
    let scene = Scene::new().set("http.proxy", address("http", "ada:pw@", &proxy));
    let scene = scene.set("http.proxyAuthMethod", "basic");
    scene.works();
    assert_eq!(proxy.log().len(), 1, "no question first");
    let scene = scene.set("remote.bbcloud::acme/widgets.proxyAuthMethod", "anyauth");
    scene.works();
    assert_eq!(proxy.log().len(), 3);
    let told = scene
        .set("http.proxyAuthMethod", "magic")
        .unset("remote.bbcloud::acme/widgets.proxyAuthMethod")
        .works();
    assert!(told.contains("unsupported proxy authentication method magic"), "{told}");
}
