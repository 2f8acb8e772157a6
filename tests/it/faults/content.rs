//! Columns of the matrix: answers that are something else, lead elsewhere, or are packed in a way that is not theirs.

use std::io::Write as _;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Case;
use super::operation::Operation;
use crate::bitbucket::{Action, Refusal};

const MALFORMED: &[&str] = &["the answer is not valid HTTP"];
const REDIRECT: &[&str] = &["which is not followed"];
/// What is said of bytes that are no packets, or not enough of them; git itself may see first what was passed on.
const NOT_GIT: &[&str] = &[
    "does not speak git's protocol",
    "ends before its last packet",
    "ended after",
    "goes on after its end",
    "git fetch-pack failed",
    "is empty",
];

pub(super) fn cases(operation: Operation) -> Vec<Case> {
    let mut cases = pages(operation);
    cases.extend(bodies(operation));
    cases.extend(codings(operation));
    cases.extend(redirects(operation));
    cases.extend(refusals());
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
    let told: &[&str] = &["where 'application/x-git-"];
    vec![
        Case::fails(
            "captive portal",
            answer(200, "text/html", &[], html),
            &["a sign-in page of the network"],
        ),
        Case::fails(
            "captive portal, status 511",
            answer(511, "text/html", &[], html),
            &["HTTP 511"],
        ),
        Case::fails("no content type", answer(200, "", &[], b"0000"), told),
        Case::fails(
            "another content type",
            Action::ContentType("text/plain".to_owned()),
            told,
        ),
        Case::fails(
            "the content type of another request",
            Action::ContentType(mistaken),
            told,
        ),
        Case::fails("204", answer(204, "", &[], b""), told),
        Case::fails("206", answer(206, "text/plain", &[], b"0000"), told),
        Case::fails("304", answer(304, "", &[], b""), &["HTTP 304"]),
    ]
}

fn bodies(operation: Operation) -> Vec<Case> {
    let replace = |bytes: &[u8]| Action::ReplaceBody(bytes.to_vec());
    let mut cases = vec![
        Case::fails("html in the body", replace(b"<html>"), NOT_GIT),
        Case::fails("a packet of length 3", replace(b"0003"), NOT_GIT),
        Case::fails("a packet that is too long", replace(b"fff5"), NOT_GIT),
        Case::fails("a signed length", replace(b"+004"), NOT_GIT),
        Case::fails("noise", replace(&crate::support::fixture::noise(5000)), NOT_GIT),
        Case::fails("zeros", replace(&[0; 5000]), NOT_GIT),
        Case::fails("one byte", replace(b"0"), NOT_GIT),
        Case::fails(
            "an error in git's words",
            answer(200, &operation.content_type(), &[], b"001dERR the disk is full\n0000"),
            &["remote: the disk is full"],
        ),
    ];
    // To a push, "nothing" is what a server without status reports answers.
    if operation != Operation::Push {
        cases.push(Case::fails("nothing", replace(b""), NOT_GIT));
    }
    if operation.is_get() {
        let endless = "1000".to_owned() + &"a".repeat(0xffc);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {}\r\n\r\n", operation.content_type());
        cases.push(Case::fails(
            "more than the repository can hold",
            Action::Endless(head.into_bytes(), endless.into_bytes()),
            &["bytes of refs"],
        ));
        cases.push(Case::fails(
            "a second answer",
            replace(b"000eversion 2\n00000000"),
            NOT_GIT,
        ));
        cases.push(Case::fails(
            "another service",
            replace(b"001f# service=git-upload-archive\n0000"),
            &["instead of", "does not speak", "ends before"],
        ));
    }
    cases
}

fn codings(operation: Operation) -> Vec<Case> {
    let kind = operation.content_type();
    let coded = |coding: &str, body: &[u8]| answer(200, &kind, &[("Content-Encoding", coding)], body);
    let mut cases = vec![
        Case::fails("half of a gzip", Action::Gzip { broken: true }, MALFORMED),
        Case::fails("no gzip at all", coded("gzip", b"0000"), MALFORMED),
        Case::fails("an empty gzip", coded("gzip", b""), &["error: "]),
        Case::fails("no deflate at all", coded("deflate", b"0000"), MALFORMED),
        Case::fails("brotli", coded("br", b"0000"), MALFORMED),
        Case::fails("two codings", coded("gzip, gzip", b"0000"), MALFORMED),
    ];
    // What is no advertisement is passed on as it comes, in pieces of bounded size, and git says what it thinks of it.
    let told: &[&str] = if operation.is_get() {
        &["bytes of refs"]
    } else {
        &[
            "invalid ls-refs response",
            "expected 'acknowledgments'",
            "protocol error",
            "fetch-pack failed",
        ]
    };
    cases.push(Case::fails("gzip bomb", coded("gzip", bomb()), told));
    cases
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
    // Only the request that finds a repository is redirected at all; then the target has to be there.
    let followed: &[&str] = if operation.is_get() {
        &["cannot connect to 127.0.0.1:1"]
    } else {
        REDIRECT
    };
    vec![
        Case::fails("endless redirects", to(302, "{target}"), REDIRECT),
        Case::fails("to a private address", to(307, "https://127.0.0.1:1{target}"), followed),
        Case::fails("to http", to(301, "http://localhost{target}"), REDIRECT),
        Case::fails(
            "to the metadata of a cloud",
            to(302, "http://169.254.169.254/latest/meta-data"),
            REDIRECT,
        ),
        Case::fails("to a file", to(302, "file:///etc/passwd"), REDIRECT),
        Case::fails("to git's own protocol", to(302, "git://localhost{target}"), REDIRECT),
        Case::fails(
            "to an address with a secret",
            to(302, "https://a:b@localhost{target}"),
            REDIRECT,
        ),
        Case::fails("to a sign-in page", to(302, "/account/signin?next={target}"), REDIRECT),
        Case::fails("to nonsense", to(302, "https://[::"), REDIRECT),
        Case::fails(
            "to nothing",
            answer(302, "text/html", &[], b""),
            &["redirect without a target"],
        ),
        Case::fails("to many things", answer(300, "text/html", &[], b""), &["HTTP 300"]),
    ]
}

fn refusals() -> Vec<Case> {
    let told = |status: u16| answer(status, "text/plain", &[], b"no\x1b[2J\x07");
    vec![
        Case::fails("400", told(400), &["HTTP 400"]),
        Case::fails("401", told(401), &["HTTP 401"]),
        Case::fails("404", told(404), &["HTTP 404"]),
        Case::fails("407", told(407), &["HTTP 407"]),
        Case::fails("503", told(503), &["HTTP 503"]),
        Case::fails("999", told(999), &["HTTP 999"]),
    ]
}
