//! Settings and variables whose values mean nothing, and those that are told to have no effect.

use std::fs;

use super::{Table, list, shell};
use crate::support::scene::Scene;

/// What is refused, by one setting.
const REFUSED: &[(&str, &str)] = &[
    ("a boolean that is none", "http.sslVerify=maybe"),
    ("a number that is none", "http.postBuffer=much"),
    (
        "a path of a user that is none",
        "http.sslCert=~nobody-has-this-name/ca.pem",
    ),
    ("a protocol version that is none", "protocol.version=9"),
    ("a rule for protocols that is none", "protocol.https.allow=perhaps"),
    ("a store that is none", "bbcloud.store=here"),
    ("a time for the keychain that is none", "bbcloud.keychainTimeout=soon"),
    ("a header with a line end in it", "http.extraHeader=X: a\nX: b"),
    ("a pin that is none", "http.pinnedPubkey=sha256//x"),
    ("a proxy of an unknown scheme", "http.proxy=gopher://x"),
    ("a proxy with a path", "http.proxy=http://localhost/x"),
    (
        "a SOCKS proxy elsewhere with a path",
        "http.proxy=socks5://example.com/x",
    ),
    ("a proxy's port that is none", "http.proxy=http://localhost:x"),
    ("a proxy without a host", "http.proxy=http://:1"),
    ("a proxy's user with a broken escape", "http.proxy=http://%ff@localhost"),
];

/// What is told, and the command goes on.
const WARNED: &[(&str, &str)] = &[
    ("a header that is none", "http.extraHeader=no header"),
    (
        "an address that is given in a wrong form",
        "http.curloptResolve=localhost",
    ),
    ("a version of TLS that is none", "http.sslVersion=tlsv9"),
    ("ciphers are chosen", "http.sslCipherList=AES"),
    ("credentials are delegated", "http.delegation=always"),
    ("a version of HTTP that is none", "http.version=HTTP/9"),
    ("a way to sign in beforehand that is none", "http.proactiveAuth=magic"),
    ("cookies from standard input", "http.cookieFile=-"),
    ("a buffer of less than nothing", "http.postBuffer=-1"),
    ("cookies are kept in no file", "http.saveCookies=true"),
];

#[test]
fn settings() {
    let mut table = Table::new("settings");
    let scene = Scene::new();
    for (title, setting) in REFUSED {
        table.fails(title, &scene, &list(&scene, &[setting]));
    }
    let types = ["http.sslCert=x", "http.sslCertType=XYZ"];
    table.fails("a type of certificate file that is none", &scene, &list(&scene, &types));
    for (title, setting) in WARNED {
        table.works(title, &scene, &list(&scene, &[setting]));
    }
    let proxy = ["http.proxyAuthMethod=magic", "http.proxy=http://localhost:1"];
    table.fails(
        "a way to sign in at a proxy that is none",
        &scene,
        &list(&scene, &proxy),
    );
    secrets_in_urls(&mut table, &scene);
    scene.set("GIT_HTTP_MAX_RETRIES", "many");
    table.works("a variable that is no number", &scene, &list(&scene, &[]));
    table.end();
}

fn secrets_in_urls(table: &mut Table, scene: &Scene) {
    fs::write(scene.path("list"), "list\n\n").expect("a file can be written");
    for (title, rule) in [
        ("a secret in the URL", "warn"),
        ("a secret in the URL where that is forbidden", "die"),
        ("a rule for secrets in URLs that is none", "perhaps"),
    ] {
        // Git itself would read the rule first.
        let script = format!(
            "GIT_CONFIG_PARAMETERS=\"'transfer.credentialsInUrl={rule}'\" \
             git-remote-bbcloud origin x-token-auth:ATCTT-secret@acme/widgets <list"
        );
        table.fails(title, scene, &shell(scene, &script));
    }
}
