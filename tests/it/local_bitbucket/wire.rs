//! What no git can ask for or see: single requests, to the byte.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use super::{LIMIT, Scene, wait_for};
use crate::bitbucket::{Account, Action, Fault, Framing, Settings, Tls};
use crate::support::program::program;

const ACCESS: &str = "Authorization: Bearer ATCTT-rest\r\n";

fn scene() -> Scene {
    let scene = Scene::new(Settings {
        tls: Tls::Off,
        ..Settings::default()
    });
    scene.bitbucket.set_public("acme/widgets", true);
    scene.bitbucket.add_account(Account::access_token("ATCTT-rest"));
    scene
}

fn connect(scene: &Scene) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", scene.bitbucket.port())).expect("the server listens");
    stream
        .set_read_timeout(Some(LIMIT))
        .expect("a time limit of more than zero");
    stream
}

fn post(rest: &str) -> String {
    format!("POST /acme/widgets.git/git-upload-pack HTTP/1.1\r\nHost: localhost\r\n{rest}")
}

/// Sends `request` on a connection of its own and reads until the server closes.
fn exchange(scene: &Scene, request: &str) -> String {
    let mut stream = connect(scene);
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server closes in time");
    String::from_utf8_lossy(&answer).into_owned()
}

fn ls_refs(extra: &str, body: &str) -> String {
    post(&format!(
        "Git-Protocol: version=2\r\nContent-Type: application/x-git-upload-pack-request\r\n{extra}\r\n{body}"
    ))
}

#[test]
fn requests_share_a_connection_whatever_their_framing() {
    let scene = scene();
    let lengths = ls_refs("Content-Length: 24\r\n", "0014command=ls-refs\n0000");
    let chunked = ls_refs(
        "Transfer-Encoding: chunked\r\nConnection: close\r\n",
        "5\r\n0014c\r\n13;x=y\r\nommand=ls-refs\n0000\r\n0\r\nTrailer: yes\r\n\r\n",
    );
    let answer = exchange(&scene, &format!("{lengths}{chunked}"));
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert!(answer.ends_with("0000\r\n0\r\n\r\n"), "{answer}");
    let requests = scene.bitbucket.requests();
    assert_eq!(
        requests.iter().map(|request| request.framing).collect::<Vec<_>>(),
        [Framing::Length, Framing::Chunked]
    );
    assert_eq!(
        requests.iter().map(|request| request.body_bytes).collect::<Vec<_>>(),
        [24, 24]
    );
}

#[test]
fn a_client_that_waits_for_100_gets_it_only_if_it_may_go_on() {
    let scene = scene();
    let wait = "Expect: 100-continue\r\nContent-Length: 24\r\nConnection: close\r\n";
    let answer = exchange(&scene, &ls_refs(wait, "0014command=ls-refs\n0000"));
    assert!(
        answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "{answer}"
    );
    scene.bitbucket.set_public("acme/widgets", false);
    let answer = exchange(&scene, &ls_refs(wait, ""));
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
}

#[test]
fn an_answer_is_cut_after_the_byte_that_was_asked_for() {
    let scene = scene();
    let get = "GET /acme/widgets/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for after in [0, 1, 30] {
        scene.bitbucket.fault(Fault::on("info/refs", Action::CutBody { after }));
        let answer = exchange(&scene, get);
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let sizes = if after == 0 {
            String::new()
        } else {
            format!("{after:x}\r\n")
        };
        assert!(body.starts_with(&sizes), "{body}");
        assert_eq!(
            body.len() as u64,
            if after == 0 { 0 } else { sizes.len() as u64 + after + 2 }
        );
        assert_eq!(scene.bitbucket.requests().last().unwrap().answer_bytes, after);
    }
    scene.bitbucket.fault(Fault::on("info/refs", Action::Http10));
    let answer = exchange(&scene, get);
    assert!(
        answer.starts_with("HTTP/1.0 200 OK\r\n") && !answer.contains("Content-Length"),
        "{answer}"
    );
}

#[test]
fn a_client_that_goes_takes_its_processes_along() {
    let scene = scene();
    let started = scene.home.path().join("started");
    let hook = scene.home.path().join("hook");
    program(&hook, &format!("echo $$ >'{}'\nsleep 60", started.display()));
    let repository = scene.bitbucket.repository_path("acme/widgets");
    // git obeys this setting only from the user's own configuration, and the server's home is its root.
    let config = repository.ancestors().nth(2).unwrap().join(".gitconfig");
    std::fs::write(
        config,
        format!("[uploadpack]\n\tpackObjectsHook = {}\n", hook.display()),
    )
    .unwrap();
    let head = std::fs::read_to_string(repository.join("refs/heads/main")).unwrap();
    let body = format!("0011command=fetch0001000fno-progress0032want {head}0009done\n0000");
    let mut stream = connect(&scene);
    stream
        .write_all(ls_refs(&format!("Content-Length: {}\r\n", body.len()), &body).as_bytes())
        .unwrap();
    let id = wait_for(|| std::fs::read_to_string(&started).ok().filter(|id| id.ends_with('\n')));
    drop(stream);
    if cfg!(target_os = "linux") {
        wait_for(|| (!Path::new("/proc").join(id.trim()).exists()).then_some(()));
    }
}

#[test]
fn rest_pages_commits_and_tells_what_a_token_may() {
    let scene = scene();
    scene
        .bitbucket
        .commit("acme/widgets", "main", "Second \"quoted\"", &[("two", b"2\n")]);
    let get = |path: &str| {
        exchange(
            &scene,
            &format!("GET /2.0/{path} HTTP/1.1\r\nHost: localhost\r\n{ACCESS}Connection: close\r\n\r\n"),
        )
    };
    let user = get("user");
    assert!(user.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{user}");
    assert!(
        user.contains("x-credential-type: repo_access_token\r\n") && user.contains("\"granted\""),
        "{user}"
    );
    let first = get("repositories/acme/widgets/commits?pagelen=1");
    assert!(first.contains(r#""message": "Second \"quoted\""#), "{first}");
    let next = first.split("\"next\": \"").nth(1).unwrap().split('"').next().unwrap();
    let second = get(next.split("/2.0/").nth(1).unwrap());
    assert!(second.contains("Begin") && !second.contains("\"next\""), "{second}");
}
