//! Columns of the matrix: answers that are something else, lead elsewhere, or are packed in a way that is not theirs.

use std::io::Write as _;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::operation::Operation;
use super::told::{ADVERTISEMENT_ENDS, NOT_THE_FIRST, ONE_BYTE, answered, no_packet, refused};
use super::{Case, Effect};
use crate::bitbucket::{Action, Refusal};
use crate::support::fixture::noise;

pub(super) fn cases(operation: Operation) -> Vec<Case> {
    let mut cases = pages(operation);
    cases.extend(bodies(operation));
    cases.extend(codings(operation));
    cases.extend(redirects(operation));
    cases.extend(refusals(operation));
    cases
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

fn pages(operation: Operation) -> Vec<Case> {
    let html = b"<html><body>Welcome to the hotel. Please sign in.</body></html>";
    let other = if operation.is_get() { "result" } else { "advertisement" };
    let mistaken = operation
        .content_type()
        .replace("result", "x")
        .replace("advertisement", other);
    let portal = "a proxy or a sign-in page of this network may have answered instead of the server";
    let signed_in = "this network requires you to sign in (HTTP 511)";
    let told = |named: &str| answered(operation, named);
    // Git itself looks at the type of an advertisement only.
    let renamed = |name: &str, action: Action, named: &str| {
        if operation.is_get() {
            Case::fails(name, action, answered(operation, named))
        } else {
            Case::new(name, action, Effect::None)
        }
    };
    let plain = Action::ContentType("text/plain".to_owned());
    vec![
        Case::fails("captive portal", answer(200, "text/html", &[], html), portal),
        Case::fails(
            "captive portal, status 511",
            answer(511, "text/html", &[], html),
            signed_in,
        ),
        Case::fails("no content type", answer(200, "", &[], b"Welcome"), told("nothing")),
        renamed("another content type", plain, "text/plain"),
        renamed(
            "the content type of another request",
            Action::ContentType(mistaken.clone()),
            &mistaken,
        ),
        Case::fails("204", answer(204, "", &[], b""), told("nothing")),
        Case::fails("206", answer(206, "text/plain", &[], b"Welcome"), told("text/plain")),
        Case::fails("304", answer(304, "", &[], b""), refused(operation, 304)),
    ]
}

fn bodies(operation: Operation) -> Vec<Case> {
    let replace = |bytes: &[u8]| Action::ReplaceBody(bytes.to_vec());
    let told = |begin: &str| no_packet(operation, begin);
    let (one_byte, nothing) = match operation {
        _ if operation.is_get() => (ADVERTISEMENT_ENDS, ADVERTISEMENT_ENDS),
        // Git asks for a report.
        _ if operation.sends_push() => (ONE_BYTE, "the server sent no report of the push"),
        Operation::FetchV0 => (
            ONE_BYTE,
            "unexpected end of response after 0 bytes (missing flush packet)",
        ),
        _ => (ONE_BYTE, "the server sent an empty response"),
    };
    let in_gits_words = answer(200, &operation.content_type(), &[], b"001dERR the disk is full\n0000");
    let words = "an error in git's words";
    let reported = if operation.sends_push() {
        Case::fails(words, in_gits_words, "'localhost' reported an error for 'acme/widgets'")
    } else {
        Case::git_fails(words, in_gits_words, "fatal: remote error: the disk is full")
    };
    let mut cases = vec![
        Case::fails("html in the body", replace(b"<html>"), told("<htm")),
        Case::fails("a packet of length 3", replace(b"0003"), told("0003")),
        Case::fails("a packet that is too long", replace(b"fff5"), told("fff5")),
        Case::fails("a signed length", replace(b"+004"), told("+004")),
        Case::fails("noise", replace(&noise(5000)), told(r")\xec,\x9b")),
        Case::fails("zeros", replace(&[0; 5000]), told(r"\x00\x00\x00\x00")),
        Case::fails("one byte", replace(b"0"), one_byte),
        Case::fails("nothing", replace(b""), nothing),
        reported,
    ];
    if operation.sends_push() {
        cases.push(Case::fails("a lone flush packet", replace(b"0000"), nothing));
    }
    if operation.is_get() {
        let endless = "1000".to_owned() + &"a".repeat(0xffc);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {}\r\n\r\n", operation.content_type());
        cases.push(Case::fails(
            "more than the repository can hold",
            Action::Endless(head.into_bytes(), endless.into_bytes()),
            "the server advertised more than 67108864 bytes of refs",
        ));
        cases.push(Case::fails(
            "a second answer",
            replace(b"000eversion 2\n00000000"),
            "the server sent data after its advertisement",
        ));
        cases.push(Case::fails(
            "another service",
            replace(b"0021# service=git-upload-archive\n0000"),
            format!(
                "the server advertised 'git-upload-archive' instead of '{}'",
                operation.service()
            ),
        ));
    }
    cases
}

fn codings(operation: Operation) -> Vec<Case> {
    let kind = operation.content_type();
    let coded = |coding: &str, body: &[u8]| answer(200, &kind, &[("Content-Encoding", coding)], body);
    let broken = |how: &str| format!("invalid HTTP response: corrupt compressed data: {how}");
    let unasked = |coding: &str| format!("invalid HTTP response: unsupported Content-Encoding '{coding}'");
    let ended = broken("unexpected end of file");
    let half = broken("incomplete deflate stream");
    let corrupt = broken("corrupt deflate stream");
    vec![
        Case::fails("half of a gzip", Action::Gzip { broken: true }, half),
        Case::fails("no gzip at all", coded("gzip", b"0000"), ended.clone()),
        Case::fails("an empty gzip", coded("gzip", b""), ended),
        Case::fails("no deflate at all", coded("deflate", b"\xff000"), corrupt),
        Case::fails("brotli", coded("br", b"0000"), unasked("br")),
        Case::fails(
            "two codings",
            coded("gzip, gzip", b"0000"),
            "invalid HTTP response: more than one Content-Encoding",
        ),
        overflow(operation, coded("gzip", bomb())),
    ]
}

/// What is no advertisement is passed on as it comes, in pieces of bounded size, and git says what it thinks of it.
fn overflow(operation: Operation, action: Action) -> Case {
    let name = "gzip bomb";
    match operation {
        _ if operation.is_get() => Case::fails(name, action, "the server advertised more than 67108864 bytes of refs"),
        _ if operation.sends_push() => Case::git_fails(name, action, "send-pack: protocol error: bad band #97"),
        _ if operation.lists_refs() => Case::git_fails(name, action, "fatal: invalid ls-refs response: "),
        Operation::FetchV0 => Case::fails(name, action, "git fetch-pack failed"),
        _ => Case::git_fails(name, action, "fatal: expected 'acknowledgments', received "),
    }
}

/// 70 MB of packets in a few kilobytes.
fn bomb() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let packet = [&b"1000"[..], &[b'a'; 0xffc]].concat();
        for _ in 0..17_000 {
            encoder.write_all(&packet).expect("memory can be written");
        }
        encoder.finish().expect("memory can be written")
    })
}

fn redirects(operation: Operation) -> Vec<Case> {
    let to = |status, location: &str| Action::Redirect {
        status,
        location: location.to_owned(),
    };
    // Only the first request is redirected at all, and if it is a GET, to a place that it says.
    let told = |reason: &'static str| if operation.is_get() { reason } else { NOT_THE_FIRST };
    let private = match operation {
        _ if operation.is_get() || operation == Operation::LsRefsKept => "failed to connect to 127.0.0.1:1",
        _ => NOT_THE_FIRST,
    };
    let there = "https://127.0.0.1:1{target}";
    let cloud = "http://169.254.169.254/latest/meta-data";
    let (from_tls, from_http) = (told("it leads away from TLS"), told("it leads away from HTTP"));
    let elsewhere = told("it does not end as the request does, so the repository's new address is unknown");
    let nowhere = "'localhost' sent a redirect without a target (HTTP 302)";
    vec![
        Case::fails(
            "endless redirects",
            to(302, "{target}"),
            told("there were too many before it"),
        ),
        Case::fails("to a private address", to(307, there), private),
        Case::fails("to http", to(301, "http://localhost{target}"), from_tls),
        Case::fails("to the metadata of a cloud", to(302, cloud), from_tls),
        Case::fails("to a file", to(302, "file:///etc/passwd"), from_http),
        Case::fails("to git's own protocol", to(302, "git://localhost{target}"), from_http),
        Case::fails(
            "to an address with a secret",
            to(302, "https://a:b@localhost{target}"),
            told("it has a user name in it"),
        ),
        Case::fails("to a sign-in page", to(302, "/account/signin?next={target}"), elsewhere),
        Case::fails("to nonsense", to(302, "https://[::"), told("it is not a URL")),
        Case::fails("to nothing", answer(302, "text/html", &[], b""), nowhere),
        Case::fails(
            "to many things",
            answer(300, "text/html", &[], b""),
            refused(operation, 300),
        ),
    ]
}

fn refusals(operation: Operation) -> Vec<Case> {
    let case = |status: u16, told: String| {
        let action = answer(status, "text/plain", &[], b"no\x1b[2J\x07");
        Case::fails(&status.to_string(), action, format!("{told} (HTTP {status})"))
    };
    let who = "'x-bitbucket-api-token-auth'";
    vec![
        Case::fails(
            "400",
            answer(400, "text/plain", &[], b"no\x1b[2J\x07"),
            refused(operation, 400),
        ),
        case(
            401,
            format!("'localhost' rejected the API token of {who} for 'acme/widgets'"),
        ),
        case(
            404,
            format!("repository 'acme/widgets' not found, or {who} has no access to it"),
        ),
        Case::fails(
            "407",
            answer(407, "text/plain", &[], b"no\x1b[2J\x07"),
            refused(operation, 407),
        ),
        case(503, "'localhost' is unavailable".to_owned()),
        case(999, "'localhost' is unavailable".to_owned()),
    ]
}
