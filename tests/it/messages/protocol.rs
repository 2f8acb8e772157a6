//! Answers that are not git's protocol, or not all of it, and a git that is gone or says nothing sensible.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use super::{Table, list, plain, quick, quick_with, shell};
use crate::bitbucket::{Action, Fault, Refusal};
use crate::support::fixture::MAIN;
use crate::support::run::{Output, run_with_input};
use crate::support::scene::Scene;
use crate::support::wait;

const REFS: &str = "info/refs";
const POST: &str = "/git-upload-pack";

fn body(bytes: impl AsRef<[u8]>) -> Action {
    Action::ReplaceBody(bytes.as_ref().to_vec())
}

/// `text` as a packet.
fn packet(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

fn advertised(service: &str, rest: &str) -> String {
    packet(&format!("# service={service}\n")) + rest
}

#[test]
fn protocol() {
    let mut table = Table::new("protocol");
    let scene = quick();
    advertisements(&mut table, &scene);
    answers(&mut table, &scene);
    versions(&mut table);
    changed(&mut table);
    pipes(&mut table, &scene);
    table.end();
}

fn broken(table: &mut Table, scene: &Scene, title: &str, path: &str, action: Action) {
    let method = if path == POST { "POST" } else { "GET" };
    scene.bitbucket.fault(Fault::on(path, action).method(method).always());
    table.fails(title, scene, &list(scene, &[]));
    scene.bitbucket.clear_faults();
}

fn advertisements(table: &mut Table, scene: &Scene) {
    let upload_pack = |rest: &str| body(advertised("git-upload-pack", rest));
    let version = packet("version 2\n");
    for (title, action) in [
        ("the advertisement is no packets", body("<html>")),
        (
            "the advertisement is of another service",
            body(advertised("git-receive-pack", "0000")),
        ),
        ("the advertisement lacks its first flush", upload_pack(&version)),
        ("the advertisement is cut", upload_pack(&format!("0000{version}"))),
        (
            "the advertisement goes on",
            upload_pack(&format!("0000{version}00000000")),
        ),
    ] {
        broken(table, scene, title, REFS, action);
    }
    let first = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n{}0000{version}",
        packet("# service=git-upload-pack\n")
    );
    let many = packet(&"x".repeat(60_000)).repeat(100);
    let endless = Action::Endless(first.into_bytes(), many.into_bytes());
    broken(table, &plain(), "the advertisement has no end", REFS, endless);
}

fn answers(table: &mut Table, scene: &Scene) {
    for (title, action) in [
        ("the answer is empty", body("")),
        ("the answer is no packets", body("<html>")),
        ("the answer ends inside a packet", Action::Truncate { bytes: 6 }),
        ("the answer ends without its last packet", Action::Truncate { bytes: 4 }),
        (
            "the answer is of another type",
            Action::Refuse(Refusal::Custom {
                status: 200,
                headers: Vec::new(),
                content_type: "text/plain".to_owned(),
                body: b"Welcome".to_vec(),
            }),
        ),
    ] {
        broken(table, scene, title, POST, action);
    }
    scene.set("GIT_HTTP_MAX_RETRIES", "1");
    scene.bitbucket.fault(Fault::on(POST, Action::CutBody { after: 0 }));
    let other = Action::ContentType("text/plain".to_owned());
    broken(
        table,
        scene,
        "the answer is of another type after it was cut",
        POST,
        other,
    );
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
}

fn versions(table: &mut Table) {
    let scene = quick_with(0);
    let id = "1".repeat(40);
    let name = advertised(
        "git-upload-pack",
        &format!("0000{}0000", packet(&format!("{id} refs/heads/a b\0\n"))),
    );
    broken(table, &scene, "a name that is none", REFS, body(name));
    fs::write(scene.path("fetch"), format!("list\nfetch {id} refs/heads/main\n\n")).expect("a file can be written");
    // Outside of a repository fetch-pack has its own words.
    let output = shell(
        &scene,
        "git-remote-bbcloud origin acme/widgets <fetch 2>&1 >/dev/null | grep -v ^fatal >&2; false",
    );
    table.fails("git's fetch-pack fails", &scene, &output);
}

/// Git has been told what the server can do no longer.
fn changed(table: &mut Table) {
    let scene = quick();
    scene.unset("BBCLOUD_CACHE");
    scene.cloned();
    scene.git_ok("clone", &["fetch"]);
    scene.server_git(MAIN, &["config", "uploadpack.allowFilter", "false"]);
    scene.bitbucket.commit(MAIN, "main", "More", &[("more.txt", b"more\n")]);
    let output = scene.git_in("clone", &["fetch", "--filter=blob:none"]);
    table.fails("the server capabilities changed", &scene, &output);
}

fn pipes(table: &mut Table, scene: &Scene) {
    fs::write(scene.path("list"), "list\n\n").expect("a file can be written");
    let output = shell(scene, "git-remote-bbcloud origin acme/widgets <list >/dev/full");
    table.fails("git cannot be written to", scene, &output);
    let mut program = scene.command("git-remote-bbcloud", &scene.work());
    program.args(["origin", "acme/widgets"]);
    let output = run_with_input(program, b"connect git-upload-pack\n0014comm");
    table.fails("git's request is cut", scene, &output);
    let mut program = scene.command("git-remote-bbcloud", &scene.work());
    program.args(["origin", "acme/widgets"]);
    let output = run_with_input(program, b"connect git-upload-pack\n<html>");
    table.fails("git's request is no packet", scene, &output);
    table.fails("git's end of the pipe breaks", scene, &broken_pipe(scene));
}

/// The program reads from a socket whose other side goes away with something unread.
fn broken_pipe(scene: &Scene) -> Output {
    let (mut ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let mut program = scene.command("git-remote-bbcloud", &scene.work());
    let output = theirs.try_clone().expect("a copy");
    program
        .args(["origin", "acme/widgets"])
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .stdout(std::os::fd::OwnedFd::from(output))
        .stderr(Stdio::piped());
    let mut child = program.spawn().expect("the program can be started");
    drop(program);
    ours.write_all(b"connect git-upload-pack\n").expect("it reads");
    // The line end of its answer, and the first byte of what follows: the rest of that is never read.
    ours.read_exact(&mut [0; 2]).expect("it answers");
    drop(ours);
    wait::ended(&mut child);
    let output = child.wait_with_output().expect("it can be waited for");
    Output {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
