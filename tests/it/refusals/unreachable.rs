//! No server, or not the right one.

use super::{FETCH, PUSH, check, refused, scene};
use crate::bitbucket::{Bitbucket, Settings};

#[test]
fn there_is_no_host_of_that_name() {
    let scene = scene();
    scene.set("BBCLOUD_BASE_URL", "https://nowhere.invalid");
    let said = refused(&scene, FETCH);
    // What the resolver says differs from system to system.
    let lines: Vec<_> = said.lines().filter(|line| !line.starts_with("caused by")).collect();
    check(
        &(lines.join("\n") + "\n"),
        "error: could not resolve host 'nowhere.invalid'\n\
         hint: check the network, and BBCLOUD_BASE_URL if it is set\n",
    );
}

#[test]
fn nobody_listens() {
    let scene = scene();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    scene.set("BBCLOUD_BASE_URL", format!("https://127.0.0.1:{closed}"));
    check(
        &refused(&scene, PUSH).replace(&closed.to_string(), "<closed>"),
        "error: failed to connect to 127.0.0.1:<closed>\n\
         caused by: Connection refused (os error 111)\n\
         hint: check the network; behind a proxy, 'git config --global http.proxy http://<host>:<port>'\n",
    );
}

#[test]
fn the_certificate_is_of_an_unknown_authority() {
    let scene = scene();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(scene.path("other.pem"), other.cert.pem()).unwrap();
    scene.set("GIT_SSL_CAINFO", scene.path("other.pem"));
    is_untrusted(&refused(&scene, FETCH), "localhost");
    scene.set("GIT_SSL_NO_VERIFY", "1");
    scene.git_ok("clone", FETCH);
}

/// The words for each kind of certificate are in `fixtures/messages/chains.txt`.
fn is_untrusted(said: &str, host: &str) {
    let first = format!("error: TLS connection to '{host}' failed\ncaused by: ");
    assert!(said.starts_with(&first) && said.contains("\nhint: "), "{said}");
}

/// As where an authority has been made anew under its old name.
#[test]
fn the_authority_has_another_key() {
    let scene = scene();
    let other = Bitbucket::start(Settings::default());
    scene.set("GIT_SSL_CAINFO", other.ca_file());
    is_untrusted(&refused(&scene, FETCH), "localhost");
}

/// Connections to `0.0.0.0` reach loopback, and no certificate is for it.
#[test]
fn the_certificate_is_for_another_name() {
    let scene = scene();
    let base = scene.bitbucket.base_url().replace("localhost", "0.0.0.0");
    scene.set("BBCLOUD_BASE_URL", &base);
    let said = refused(&scene, FETCH);
    is_untrusted(&said, "0.0.0.0");
}

#[test]
fn the_file_of_authorities_is_not_there() {
    let scene = scene();
    scene.set("GIT_SSL_CAINFO", scene.path("nowhere.pem"));
    check(
        &refused(&scene, FETCH),
        "error: cannot use the certificates of '<sandbox>/my work/nowhere.pem'\n\
         caused by: No such file or directory (os error 2)\n\
         hint: check http.sslCAInfo, GIT_SSL_CAINFO and SSL_CERT_FILE\n",
    );
}
