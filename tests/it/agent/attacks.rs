//! Bytes on the socket that no git sends: one refusal each, and no byte to the server.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use super::Agent;
use crate::support::scene::Scene;

/// What the agent answers to `bytes`, after which (`ends`) the client ends.
pub(super) fn answer(agent: &Agent, bytes: &[u8], ends: bool) -> String {
    let mut stream = UnixStream::connect(&agent.socket).expect("it serves");
    // It may have answered, and closed, before it has seen all.
    stream.write_all(bytes).ok();
    if ends {
        stream.shutdown(Shutdown::Write).ok();
    }
    let mut said = Vec::new();
    stream.read_to_end(&mut said).ok();
    String::from_utf8_lossy(&said).into_owned()
}

/// Requests with the status of their answer; 0 for none at all.
fn corpus(base: &str) -> Vec<(u16, String)> {
    let host = base.trim_start_matches("https://").to_owned();
    let get = |path: &str, fields: &str| format!("GET {base}{path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
    let post = |path: &str, fields: &str, body: &str| {
        format!("POST {base}{path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n{body}")
    };
    let (list, fetch, push) = (
        "/acme/widgets.git/info/refs?service=git-upload-pack",
        "/acme/widgets.git/git-upload-pack",
        "/acme/widgets.git/git-receive-pack",
    );
    let zero = "0".repeat(40);
    let update = format!("{zero} {} refs/heads/x", "1".repeat(40));
    let packet = |line: &str| format!("{:04x}{line}", line.len() + 4);
    let chunked = "Transfer-Encoding: chunked\r\n";
    let mut corpus = vec![
        (400, "GET / HTTP/1.0\r\n\r\n".to_owned()),
        (400, get(list, "").replace("HTTP/1.1", "HTTP/1.0")),
        (400, get(list, "").replace("GET", "PATCH")),
        (400, get(list, "").replace("GET", "CONNECT")),
        (400, get(list, "").replace(&format!("Host: {host}\r\n"), "")),
        (400, get(list, "X: a\r\n b: c\r\n")),
        (400, get(list, "Upgrade: websocket\r\n")),
        (400, get(list, "Connection: Upgrade\r\n")),
        (400, get(list, &format!("Host: {host}\r\n"))),
        (400, get(list, "Git-Protocol: version=3\r\n")),
        (400, get(list, "Content-Length: 5\r\n")),
        (400, post(fetch, "Content-Length: 4\r\nContent-Length: 4\r\n", "0000")),
        (
            400,
            post(fetch, &format!("Content-Length: 4\r\n{chunked}"), "0\r\n\r\n"),
        ),
        (400, post(fetch, "Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")),
        (400, post(fetch, "Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
        (400, post(fetch, "", "0000")),
        (
            421,
            get(list, "").replace(&format!("Host: {host}"), "Host: evil.example"),
        ),
        (421, get(list, "").replace(&format!("GET {base}"), "GET ")),
        (
            421,
            get(list, "").replace(&format!("GET {base}"), "GET https://evil.example"),
        ),
        (
            421,
            get(list, "").replace(&format!("GET {base}"), &format!("GET https://ada:x@{host}")),
        ),
        (403, get("/2.0/user", "")),
        (403, get("/acme/widgets.git/HEAD", "")),
        (403, get("/acme/widgets.git/info/refs?service=git-upload-archive", "")),
        (403, get("/acme/%77idgets.git/info/refs?service=git-upload-pack", "")),
        (403, get("/acme//widgets.git/info/refs?service=git-upload-pack", "")),
        (
            403,
            get("/acme/../acme/widgets.git/info/refs?service=git-upload-pack", ""),
        ),
        (403, get("/acme/widgets.git.git/info/refs?service=git-upload-pack", "")),
        (403, get("/other/thing.git/info/refs?service=git-upload-pack", "")),
        (403, get(list, "Bbcloud-Agent-User: a:b\r\n")),
        (403, get(list, "Bbcloud-Agent-User: a%0d%0aX: y\r\n")),
        (
            403,
            post(fetch, "Content-Length: 4\r\n", "0000").replace("/acme/", "/other/"),
        ),
        (
            403,
            post(push, "Content-Length: 4\r\nContent-Encoding: gzip\r\n", "0000"),
        ),
        (403, post(push, "Content-Length: 4\r\n", "0000")),
        (
            403,
            post(
                push,
                chunked,
                &format!(
                    "{:x}\r\n{}0000\r\n0\r\n\r\n",
                    update.len() + 8,
                    packet(&update.replace("refs/", "Refs/"))
                ),
            ),
        ),
        (403, post(push, "Content-Length: 4\r\n", "0001")),
        (403, post(push, "Content-Length: 13\r\n", "000dpush-cert")),
    ];
    // What is cut, and broken chunks: no answer at all.
    for body in [
        "",
        "4\r\n00",
        "4;x=y\r\n0000\r\n0\r\n\r\n",
        "4\r\n0000\r\n0\r\nX: y\r\n\r\n",
        "zz\r\n",
    ] {
        corpus.push((0, post(fetch, chunked, body)));
        if !body.contains("X: y") {
            corpus.push((0, post(push, chunked, body)));
        }
    }
    corpus.push((0, get(list, "").trim_end().to_owned()));
    corpus
}

#[test]
fn what_is_no_request_of_git_is_refused_and_reaches_nobody() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets:push"]);
    let base = scene.bitbucket.base_url();
    let host = base.trim_start_matches("https://");
    let second =
        format!("GET {base}/other/thing.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let corpus = corpus(&base);
    scene.bitbucket.clear_requests();
    for (status, request) in corpus {
        // Nothing behind a refused request is read as another one.
        for request in [request.clone(), format!("{request}{second}")] {
            if status == 0 && request.ends_with(&second) {
                continue;
            }
            let said = answer(&agent, request.as_bytes(), status == 0);
            let line = if status == 0 {
                String::new()
            } else {
                format!("HTTP/1.1 {status} ")
            };
            assert!(
                said.starts_with(&line) && (status != 0 || said.is_empty()),
                "{request}\n{said}"
            );
            assert!(said.matches("HTTP/1.1 ").count() <= 1, "{request}\n{said}");
            assert!(status == 0 || said.contains("\r\nBbcloud-Agent: "), "{request}\n{said}");
        }
    }
    assert_eq!(scene.bitbucket.requests().len(), 0, "{:?}", scene.bitbucket.requests());
    scene.git_ok("", &["ls-remote", &scene.url("acme/widgets")]);
}

#[test]
fn a_bare_line_feed_or_an_endless_head_is_not_waited_for() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets"]);
    let said = answer(&agent, "GET / HTTP/1.1\r\n".repeat(20_000).as_bytes(), false);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    let said = answer(&agent, b"GET / HTTP/1.1\nHost: x\n\n", true);
    assert!(said.is_empty(), "{said}");
    scene.git_ok("", &["ls-remote", &scene.url("acme/widgets")]);
}

#[test]
fn what_a_client_and_a_server_say_besides_does_not_pass() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets"]);
    let base = scene.bitbucket.base_url();
    let host = base.trim_start_matches("https://").to_owned();
    for line in ["Set-Cookie: a=b", "Bbcloud-Agent: refused", "X-Other: y"] {
        let fault = crate::bitbucket::Fault::on(
            "info/refs",
            crate::bitbucket::Action::Header(format!("{line}\r\n").into_bytes()),
        );
        scene.bitbucket.fault(fault);
        let request = format!(
            "GET {base}/acme/widgets.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: {host}\r\n\
             Authorization: Basic eDp5\r\nCookie: c=d\r\nX-Client: z\r\nConnection: close\r\n\r\n"
        );
        scene.bitbucket.clear_requests();
        let said = answer(&agent, request.as_bytes(), false);
        assert!(said.starts_with("HTTP/1.1 200") && !said.contains(line), "{said}");
        assert!(said.contains("Bbcloud-Agent-Account: username="), "{said}");
        let seen = scene.bitbucket.requests();
        let seen = seen.last().expect("it was passed on");
        assert_eq!((seen.header("cookie"), seen.header("x-client")), (None, None));
        assert_eq!(seen.user.as_deref(), Some(crate::bitbucket::API_TOKEN_USER));
    }
}
