//! A server that attacks: the terminal, with what it says; the memory, with how much; other repositories and hosts,
//! with where it leads.

use crate::bitbucket::{Account, Action, Bitbucket, Fault, Refusal, Settings};
use crate::support::fixture::MAIN;
use crate::support::scene::{Scene, TOKEN};

const ESCAPES: &str = "\x1b]0;owned\x07\x1b[2J\x1b[1A\r\u{9b}31m\u{202e}txt.exe\u{2066}\0\x08";

/// The longest that a failure may be, whatever the server says.
const LONGEST: usize = 20_000;

fn said(action: Action, arguments: &[&str]) -> String {
    let scene = Scene::new();
    scene.git_ok("", &["config", "--global", "http.retryAfter", "0"]);
    scene.cloned();
    scene.set("BBCLOUD_CACHE", "false");
    scene.bitbucket.fault(Fault::on("acme/widgets", action).always());
    let output = scene.git_in("clone", arguments);
    assert!(!output.success());
    let bad = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!output.stderr.contains(bad), "{:?}", output.stderr);
    assert!(output.stderr.len() < LONGEST, "{} bytes", output.stderr.len());
    output.stderr
}

fn answer(status: u16, content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Action {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Action::Refuse(Refusal::Custom {
        status,
        headers,
        content_type: content_type.to_owned(),
        body: body.to_vec(),
    })
}

const FETCH: &[&str] = &["fetch", "--quiet"];

#[test]
fn no_text_steers_the_terminal() {
    let text = format!("before{ESCAPES}after");
    let json = serde_json::json!({"type": "error", "error": {"message": text, "detail": {"granted": [text], "required": [text]}}});
    for status in [401, 403, 404, 418, 500] {
        let told = said(answer(status, "text/plain", &[], text.as_bytes()), FETCH);
        assert!(told.contains("before") && told.contains("after"), "{told}");
        said(
            answer(status, "application/json", &[], json.to_string().as_bytes()),
            FETCH,
        );
    }
    let scopes = serde_json::json!({"error": {"message": "privilege scopes", "detail": {"granted": [text], "required": [text]}}});
    let told = said(
        answer(403, "application/json", &[], scopes.to_string().as_bytes()),
        FETCH,
    );
    assert!(told.contains("the token has scope before"), "{told}");
    let packet = format!("ERR {text}\n");
    let packet = format!("{:04x}{packet}0000", packet.len() + 4);
    let kind = "application/x-git-upload-pack-advertisement";
    assert!(said(answer(200, kind, &[], packet.as_bytes()), FETCH).contains("fatal: remote error: before"));
    let named = format!("# service=before{ESCAPES}\n");
    let named = format!("{:04x}{named}0000", named.len() + 4);
    assert!(said(answer(200, kind, &[], named.as_bytes()), FETCH).contains("the server advertised 'before"));
}

/// Headers cannot hold control characters, but bytes that a terminal takes for some.
#[test]
fn no_header_steers_the_terminal_or_fills_the_screen() {
    let odd = "before\u{9b}31m\u{202e}after";
    let long = "a".repeat(50_000);
    for junk in [odd, &long] {
        said(
            Action::Redirect {
                status: 302,
                location: format!("https://{junk}/x"),
            },
            FETCH,
        );
        said(
            Action::Redirect {
                status: 302,
                location: format!("/{junk}"),
            },
            FETCH,
        );
        said(Action::ContentType(junk.to_owned()), FETCH);
        said(answer(200, "x/y", &[("Content-Encoding", junk)], b"x"), FETCH);
        said(
            answer(503, "text/html", &[("atl-traceid", junk), ("Server", junk)], b""),
            FETCH,
        );
        said(answer(429, "text/plain", &[("Retry-After", junk)], b""), FETCH);
        said(
            answer(
                401,
                "text/plain",
                &[("WWW-Authenticate", junk), ("WWW-Authenticate", "Basic realm=\"")],
                b"",
            ),
            FETCH,
        );
    }
    said(answer(403, "text/plain", &[], &vec![b'x'; 10_000_000]), FETCH);
    said(
        answer(429, "text/plain", &[("Retry-After", "99999999999999999999")], b""),
        FETCH,
    );
    said(
        answer(
            429,
            "text/plain",
            &[("Retry-After", "Wed, 21 Oct 9999 07:28:00 GMT")],
            b"",
        ),
        FETCH,
    );
    let deep = "[".repeat(100_000);
    said(answer(403, "application/json", &[], deep.as_bytes()), FETCH);
}

/// A challenge that asks for another kind of secret, in however many words, changes nothing of what is sent.
#[test]
fn no_challenge_changes_what_is_sent() {
    let scene = Scene::new();
    scene.set("BBCLOUD_CACHE", "false");
    for challenge in [
        "Basic",
        "Basic realm=\"evil\", Negotiate, NTLM, Bearer realm=\"https://evil.example/token\"",
        "Digest realm=\"\\\"\", nonce=\"",
        "\u{e9}\u{9b}",
        "",
    ] {
        scene.bitbucket.clear_requests();
        let refuse = answer(401, "text/plain", &[("WWW-Authenticate", challenge)], b"no");
        scene.bitbucket.fault(Fault::on("info/refs", refuse).always());
        assert!(!scene.git(&["ls-remote", &scene.url(MAIN)]).success());
        let requests = scene.bitbucket.requests();
        let users: Vec<_> = requests.iter().map(|request| request.user.as_deref()).collect();
        // A secret of the environment is sent once more: the refusal may be a passing fault.
        assert_eq!(users, [Some(crate::bitbucket::API_TOKEN_USER); 2], "{challenge}");
        scene.bitbucket.clear_faults();
    }
}

/// A redirect to another host takes no secret along, and what is found there is not kept for the place that was asked.
#[test]
fn another_host_gets_no_secret_and_leaves_nothing_behind() {
    let scene = Scene::new();
    let other = Bitbucket::start(Settings::default());
    other.create_repository(MAIN);
    other.commit(MAIN, "main", "Other", &[("other", b"other\n")]);
    other.set_public(MAIN, true);
    other.add_account(Account::api_token("eve", TOKEN));
    let both = [scene.bitbucket.ca_file(), other.ca_file()].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(scene.path("both.pem"), both.concat()).unwrap();
    scene.set("GIT_SSL_CAINFO", scene.path("both.pem"));
    let location = format!("{}{{target}}", other.base_url());
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Redirect { status: 302, location }));
    let listed = scene.git(&["ls-remote", &scene.url(MAIN), "main"]);
    assert!(listed.stderr.contains("warning: redirecting to"), "{}", listed.stderr);
    let requests = other.requests();
    assert!(!requests.is_empty());
    for request in &requests {
        assert_eq!(
            (request.user.as_deref(), request.header("cookie")),
            (None, None),
            "{request:?}"
        );
    }
    let cache = scene.home().join(".cache/git-remote-bbcloud");
    assert_eq!(std::fs::read_dir(cache).into_iter().flatten().count(), 0);
    // The next time, the place that is asked for is asked.
    other.clear_requests();
    let there = scene.git_ok("", &["ls-remote", &scene.url(MAIN), "main"]);
    assert!(there.starts_with(scene.server_git(MAIN, &["rev-parse", "main"]).trim()));
    assert!(other.requests().is_empty());
}

/// Whatever a repository is called, a copy's name is a hash, and one repository's copy is no other's.
#[test]
fn no_name_from_outside_becomes_a_path() {
    let scene = Scene::new();
    for name in [MAIN, "acme/parts", "acme/widgets/wiki"] {
        scene.git_ok("", &["ls-remote", &scene.url(name)]);
    }
    for name in [
        "acme/..%2f..%2fescaped",
        "acme/..",
        "../../escaped/x",
        "acme/%2e%2e",
        "acme/a%00b",
    ] {
        // Refused or not found; what counts is what it leaves.
        let _output = scene.git(&["ls-remote", &scene.url(name)]);
    }
    let cache = scene.home().join(".cache/git-remote-bbcloud");
    let names: Vec<_> = std::fs::read_dir(&cache)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let is_hash =
        |name: &String| name.len() == 43 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    assert!(names.iter().all(is_hash), "{names:?}");
    let beside: Vec<_> = std::fs::read_dir(scene.home().join(".cache")).unwrap().collect();
    assert_eq!(beside.len(), 1);
    // A copy in the place of another is none.
    let [one, two] = [0, 1].map(|at| cache.join(&names[at]));
    std::fs::copy(one, two).unwrap();
    scene.bitbucket.clear_requests();
    for name in [MAIN, "acme/parts", "acme/widgets/wiki"] {
        scene.git_ok("", &["ls-remote", &scene.url(name)]);
    }
    let asked = scene.bitbucket.requests();
    assert_eq!(
        asked.iter().filter(|request| request.method == "GET").count(),
        1,
        "{asked:?}"
    );
}

/// Git reads the references of version 0 as lines, and `lock <file>` in one of them as a file to remove.
#[test]
fn no_name_from_the_server_becomes_a_command_or_a_path() {
    let scene = Scene::new();
    scene.cloned();
    scene.set("BBCLOUD_CACHE", "false");
    let precious = scene.path("precious");
    std::fs::write(&precious, "precious").unwrap();
    let id = "1".repeat(40);
    let lock = format!("\n\nok\nlock {}\n\n", precious.display());
    for (name, capabilities) in [
        (format!("refs/heads/x{lock}"), "agent=x".to_owned()),
        (format!("refs/tags/{}{lock}", "v".repeat(4000)), "agent=x".to_owned()),
        ("HEAD".to_owned(), format!("symref=HEAD:refs/heads/x{lock}")),
        ("HEAD".to_owned(), format!("object-format=sha1{lock}")),
        ("refs/heads/x unchanged".to_owned(), "agent=x".to_owned()),
    ] {
        let line = format!("{id} {name}\0{capabilities}\n");
        let body = format!("001e# service=git-upload-pack\n0000{:04x}{line}0000", line.len() + 4);
        let refs = Fault::on("info/refs", Action::ReplaceBody(body.into_bytes()));
        scene.bitbucket.fault(refs.always());
        for arguments in [&["fetch"][..], &["fetch", "--no-tags"], &["ls-remote", "origin"]] {
            let output = scene.git_in("clone", arguments);
            let told = &output.stderr;
            assert!(
                !output.success()
                    && (told.contains("which is no name")
                        || told.contains("control character")
                        || told.contains("invalid ref name")),
                "{name:?}: {told}"
            );
            assert!(precious.exists(), "{name:?}");
        }
        scene.bitbucket.clear_faults();
    }
}

/// Waits that no clock can hold, one after the other; and a header in another character set on a good answer.
#[test]
fn odd_headers_are_no_failure_of_ours() {
    let scene = Scene::new();
    scene.cloned();
    scene.set("BBCLOUD_CACHE", "false");
    let wait = |seconds: &str| answer(429, "text/plain", &[("Retry-After", seconds)], b"");
    scene.bitbucket.fault(Fault::on("info/refs", wait("0")));
    scene
        .bitbucket
        .fault(Fault::on("info/refs", wait("18446744073709551615")).skip(1).always());
    let output = scene.git_in("clone", FETCH);
    assert!(output.stderr.contains("rate limit exceeded"), "{}", output.stderr);
    scene.bitbucket.clear_faults();
    for (arguments, service) in [
        (FETCH, "upload"),
        (&["push", "--quiet", "origin", "HEAD:new"][..], "receive"),
    ] {
        scene
            .bitbucket
            .fault(Fault::on("acme/widgets", Action::Header(b"X-Served-By: caf\xe9\r\n".to_vec())).always());
        let output = scene.git_in("clone", arguments);
        assert!(output.success(), "{service}: {}", output.stderr);
        scene.bitbucket.clear_faults();
    }
}

/// A server that answers in nonsense once does not spoil what is kept for days.
#[test]
fn a_useless_advertisement_is_not_kept() {
    for features in ["", "000cls-refs\n", "000cls-refs\n000afetch\n0016object-format=foo\n"] {
        let scene = Scene::new();
        let body = format!("000eversion 2\n{features}0000");
        scene
            .bitbucket
            .fault(Fault::on("info/refs", Action::ReplaceBody(body.into_bytes())));
        // Whether git gets on with it is git's affair.
        let _output = scene.git(&["clone", "--quiet", &scene.url(MAIN), "useless"]);
        scene.bitbucket.clear_faults();
        scene.git_ok("", &["clone", "--quiet", &scene.url(MAIN), "good"]);
    }
}

/// The server's words are shown, whether its abilities were known before or not.
#[test]
fn a_kept_copy_does_not_hide_the_reason() {
    let scene = Scene::new();
    scene.cloned();
    for _ in 0..3 {
        let output = scene.git_in("clone", &["fetch", "--quiet", "origin", &"1".repeat(40)]);
        assert!(output.stderr.contains("not our ref"), "{}", output.stderr);
        assert!(!output.stderr.contains("capabilities changed"), "{}", output.stderr);
    }
}
