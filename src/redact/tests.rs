//! What holds for every text with a secret in it, and each form in full.

use proptest::prelude::*;

use super::*;

const TOKEN_TEXT: &str = "ATCTT3xFfGN0abcdefghijklmnopqrstuv";

#[test]
fn an_address_is_shown_and_written_without_its_secret() {
    for (text, shown, written) in [
        (
            "https://ada:S@bitbucket.org/a/b",
            "https://ada:<secret>@bitbucket.org/a/b",
            "https://ada@bitbucket.org/a/b",
        ),
        (
            "https://ada@bitbucket.org/a/b",
            "https://ada@bitbucket.org/a/b",
            "https://ada@bitbucket.org/a/b",
        ),
        (
            "ssh://ada:S@bitbucket.org:22/a/b",
            "ssh://ada:<secret>@bitbucket.org:22/a/b",
            "ssh://ada@bitbucket.org:22/a/b",
        ),
        (
            "git+ssh://ada:S@bitbucket.org/a/b",
            "git+ssh://ada:<secret>@bitbucket.org/a/b",
            "git+ssh://ada@bitbucket.org/a/b",
        ),
        (
            "ada:S@bitbucket.org:a/b.git",
            "ada:<secret>@bitbucket.org:a/b.git",
            "ada@bitbucket.org:a/b.git",
        ),
        (
            "git@bitbucket.org:a/b.git",
            "git@bitbucket.org:a/b.git",
            "git@bitbucket.org:a/b.git",
        ),
        (
            "https://bitbucket.org/a/b?access_token=S",
            "https://bitbucket.org/a/b?…",
            "https://bitbucket.org/a/b",
        ),
        (
            "https://bitbucket.org/a/b#S",
            "https://bitbucket.org/a/b?…",
            "https://bitbucket.org/a/b",
        ),
        ("bbcloud::ada:S@a/b", "bbcloud::ada:<secret>@a/b", "bbcloud::ada@a/b"),
        ("bbcloud://ada:S@a/b", "bbcloud://ada:<secret>@a/b", "bbcloud://ada@a/b"),
        (
            "https://:S@bitbucket.org/a/b",
            "https://:<secret>@bitbucket.org/a/b",
            "https://bitbucket.org/a/b",
        ),
        (
            "HTTPS://ada%3AS@bitbucket.org/a/b",
            "HTTPS://ada:<secret>@bitbucket.org/a/b",
            "HTTPS://ada@bitbucket.org/a/b",
        ),
        ("bbcloud::a/b", "bbcloud::a/b", "bbcloud::a/b"),
    ] {
        assert_eq!(
            (address(text).as_str(), bare(text).as_deref()),
            (shown, Some(written)),
            "{text}"
        );
        assert_eq!(hides(text), shown.contains(['<', '…']), "{text}");
    }
    let alone = format!("https://{TOKEN_TEXT}@bitbucket.org/a/b");
    assert_eq!(address(&alone), "https://<secret>@bitbucket.org/a/b");
    assert_eq!(bare(&alone).as_deref(), Some("https://bitbucket.org/a/b"));
    assert_eq!(bare(&format!("https://bitbucket.org/{TOKEN_TEXT}/b")), None);
    assert!(bare(&format!("https://bitbucket.org/{}", "long/".repeat(80))).is_some());
}

#[test]
fn a_url_of_a_server_has_no_user_and_no_telling_value() {
    for (text, shown) in [
        ("https://me:hunter2@x/", "https://x/"),
        ("HTTPS://me:hunter2@x", "https://x/"),
        ("//me:hunter2@x/", "https://x/"),
        ("https:me:hunter2@x/", "https://x/"),
        ("https:\\\\me:hunter2@x/", "https://x/"),
        ("https://me:hunter2@[/", "…"),
        ("mailto:me:hunter2@x", "…"),
        ("/a?access_token=hunter2&x=1", "/a?access_token=<secret>&x=1"),
        (
            "https://x/a?X-Amz-Signature=hunter2",
            "https://x/a?X-Amz-Signature=<secret>",
        ),
        ("/a?service=git-upload-pack", "/a?service=git-upload-pack"),
        ("/a/b", "/a/b"),
        ("/a@b", "/a@b"),
        ("https://x/y", "https://x/y"),
        ("//x/y", "//x/y"),
        ("a b", "a b"),
        ("/\u{202e}\u{9b}\n", "/???"),
    ] {
        assert_eq!(foreign(text), shown, "{text}");
    }
}

#[test]
fn every_place_of_a_secret_in_a_header_is_known() {
    for (line, shown) in [
        (
            "proxy-authorization: Basic eA==",
            "proxy-authorization: Basic <redacted>",
        ),
        ("Authorization: token", "Authorization: <redacted>"),
        ("Cookie: a=1; b=2", "Cookie: a=<redacted>; b=<redacted>"),
        ("Set-Cookie: a=1; Path=/", "Set-Cookie: a=<redacted>; Path=/"),
        ("Location: https://me:pw@host/x", "Location: https://<redacted>@host/x"),
        (
            "GET http://me:pw@host/ HTTP/1.1",
            "GET http://<redacted>@host/ HTTP/1.1",
        ),
        (
            "GET /x?service=a&private_token=b HTTP/1.1",
            "GET /x?service=a&private_token=<redacted> HTTP/1.1",
        ),
        ("Accept: */*", "Accept: */*"),
        ("Location: //me:pw@host/x", "Location: //<redacted>@host/x"),
        (
            "Location: https://a@b/?next=https://me:pw@host//x",
            "Location: https://<redacted>@b/?next=https://<redacted>@host//x",
        ),
    ] {
        assert_eq!(header(line), shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// Wherever an address can hold a secret, none of its renderings does.
    #[test]
    fn no_rendering_holds_the_secret(
        prefix in prop_oneof![Just(""), Just("bbcloud::"), Just("bbcloud://")],
        scheme in prop_oneof![Just(""), Just("https://"), Just("HTTP://"), Just("ssh://"), Just("git+ssh://"), Just("ssh+git://")],
        user in "[a-z.%0-9-]{0,8}",
        head in "[!-~]{0,6}",
        tail in "[!-~]{0,6}",
        host in prop_oneof![Just("bitbucket.org"), Just("bitbucket.org:22"), Just("[::1]"), Just("x")],
        path in prop_oneof![Just("/a/b.git"), Just(":a/b"), Just(""), Just("/a/b/wiki")],
        form in 0..4,
    ) {
        const SECRET: &str = "hunter2canary";
        let text = match form {
            0 => format!("{prefix}{scheme}{user}:{head}{SECRET}{tail}@{host}{path}"),
            1 => format!("{prefix}{scheme}{user}@{host}{path}?{head}{SECRET}"),
            2 => format!("{prefix}{scheme}{host}{path}#{SECRET}{tail}"),
            _ => format!("{prefix}{scheme}{TOKEN_TEXT}{SECRET}@{host}{path}"),
        };
        let shown = address(&text);
        prop_assert!(!shown.contains(SECRET), "{} {}", text, shown);
        prop_assert!(hides(&text), "{}", text);
        if let Some(written) = bare(&text) {
            prop_assert!(!written.contains(SECRET), "{} {}", text, written);
            prop_assert_eq!(bare(&written), Some(written.clone()));
        }
        let location = if scheme.is_empty() { format!("//{text}") } else { text.clone() };
        if form == 0 {
            let url = format!("https://{user}:{SECRET}@{host}{path}");
            let line = header(&format!("Location: {url}"));
            prop_assert!(!line.contains(SECRET), "{}", line);
            prop_assert!(!foreign(&url).contains(SECRET), "{}", url);
        }
        prop_assert!(!foreign(&location).chars().any(char::is_control));
    }

    /// Anything can be shown, on one line that does nothing to a terminal.
    #[test]
    fn every_text_is_shown_harmlessly(text in any::<String>()) {
        for shown in [address(&text), piece(&text), foreign(&text)] {
            prop_assert!(!shown.contains(crate::report::steers), "{:?} {:?}", text, shown);
            prop_assert!(!shown.contains('\n'));
        }
        bare(&text);
        header(&text);
    }
}
