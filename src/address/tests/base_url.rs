//! Every form of a base URL and every error in full.

use super::{base, fails};
use crate::address::BaseUrl;

const FORM: &str = "use a URL such as 'https://bitbucket.org', or 'http://localhost:8080' for a test";

#[test]
fn a_base_url_has_a_host_and_perhaps_a_port_a_path_and_a_user() {
    for (text, url, key, username) in [
        ("https://bitbucket.org", "https://bitbucket.org/", "bitbucket.org", None),
        (
            "https://BitBucket.org:443/",
            "https://bitbucket.org/",
            "bitbucket.org",
            None,
        ),
        (
            "https://mia%40x.org@proxy.example:8443/bb/",
            "https://proxy.example:8443/bb",
            "proxy.example:8443",
            Some("mia@x.org"),
        ),
        (
            "http://localhost:8080",
            "http://localhost:8080/",
            "localhost:8080",
            None,
        ),
        ("http://bb.localhost", "http://bb.localhost/", "bb.localhost", None),
        ("http://127.1.2.3:80", "http://127.1.2.3/", "127.1.2.3", None),
        ("http://[::1]:1234", "http://[::1]:1234/", "[::1]:1234", None),
    ] {
        let base = base(text);
        assert_eq!(base.url().as_str(), url);
        assert_eq!(base.host_and_port(), key);
        assert_eq!(base.username(), username);
        assert_eq!(base.is_bitbucket_org(), key == "bitbucket.org");
    }
    assert_eq!(BaseUrl::default(), base(BaseUrl::DEFAULT));
    assert_eq!(base("http://[::1]:1234").host(), "[::1]");
}

#[test]
fn a_base_url_that_cannot_be_is_told_without_the_secret() {
    let login = "leave the secret out, and keep it in the keychain with 'git-remote-bbcloud login'";
    for (text, shown, reason, hint) in [
        ("", "", "'https://' is missing", FORM),
        ("bitbucket.org", "bitbucket.org", "'https://' is missing", FORM),
        ("https://", "https://", "empty host", FORM),
        (
            " https://x.org",
            " https://x.org",
            "it holds a space or a control character",
            FORM,
        ),
        (
            "http://bitbucket.org",
            "http://bitbucket.org",
            "only https is safe outside this machine",
            FORM,
        ),
        (
            "http://localhost.evil",
            "http://localhost.evil",
            "only https is safe outside this machine",
            FORM,
        ),
        (
            "http://128.0.0.1",
            "http://128.0.0.1",
            "only https is safe outside this machine",
            FORM,
        ),
        (
            "ftp://localhost",
            "ftp://localhost",
            "only https is safe outside this machine",
            FORM,
        ),
        (
            "https://mia:hunter2@x.org",
            "https://mia:<secret>@x.org",
            "it holds a secret",
            login,
        ),
        (
            "https://ATCTT3xFfGN0abcdefghijklmnopqrstuv@x.org",
            "https://<secret>@x.org",
            "it holds a secret",
            login,
        ),
        (
            "https://x.org?token=hunter2",
            "https://x.org?…",
            "it has a query or a fragment",
            FORM,
        ),
        (
            "https://x.org/#hunter2",
            "https://x.org/?…",
            "it has a query or a fragment",
            FORM,
        ),
        (
            "https://mia:hunter2/x.org",
            "https://mia:<secret>",
            "invalid port number",
            FORM,
        ),
    ] {
        fails(
            BaseUrl::parse(text),
            &format!("cannot use '{shown}' as a base URL: {reason}"),
            &[hint],
        );
    }
}
