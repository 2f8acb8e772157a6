//! An agent that cannot be started, one that cannot be reached, and what one refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use super::{Table, quick, shell};
use crate::bitbucket::{Account, Action, Fault, Refusal};
use crate::support::fixture::MAIN;
use crate::support::run::Output;
use crate::support::scene::{Scene, TOKEN};

/// What is wrong on the command line.
const COMMANDS: &[(&str, &str)] = &[
    (
        "a socket that is handed out has no rules",
        "--socket \"$PWD/own/a.sock\"",
    ),
    ("a rule without a repository", "--allow acme -- true"),
    ("a rule with an empty name", "--allow acme/ -- true"),
    ("a rule with a name that is none", "--allow 'acme/wid gets' -- true"),
    ("a rule for a page", "--allow acme/widgets/src -- true"),
    ("a rule with another verb", "--allow acme/widgets:write -- true"),
    (
        "a rule for reading some refs",
        "--allow acme/widgets:read=refs/heads/x -- true",
    ),
    ("a rule for what is no ref", "--allow acme/widgets:push=main -- true"),
    (
        "a rule for a ref with a space",
        "--allow 'acme/widgets:push=refs/heads/a b' -- true",
    ),
    ("a command that is not there", "--allow acme/widgets -- no-such-program"),
    (
        "the socket's place has a file",
        "--allow acme/widgets --socket \"$PWD/own/file\"",
    ),
    (
        "the socket's directory is open to others",
        "--allow acme/widgets --socket \"$PWD/open/a.sock\"",
    ),
    (
        "an agent serves at the same place",
        "--allow acme/widgets --socket \"$PWD/own/a.sock\"",
    ),
];

fn start(scene: &Scene, socket: &Path, rules: &[&str]) -> Child {
    let mut command = scene.command("git-remote-bbcloud", &scene.work());
    let log = fs::File::create(scene.path("log")).expect("a file can be made");
    command
        .args(["agent", "--socket"])
        .arg(socket)
        .arg("--allow")
        .args(rules)
        .stderr(log);
    let child = command.spawn().expect("it starts");
    let end = Instant::now() + Duration::from_secs(30);
    while UnixStream::connect(socket).is_err() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn agent() {
    let mut table = Table::new("agent");
    let scene = quick();
    for name in ["own", "open"] {
        fs::create_dir(scene.path(name)).expect("a directory can be made");
        fs::set_permissions(scene.path(name), fs::Permissions::from_mode(0o700)).expect("it is ours");
    }
    fs::set_permissions(scene.path("open"), fs::Permissions::from_mode(0o1777)).expect("it is ours");
    fs::write(scene.path("own/file"), "").expect("a file can be written");
    scene.set("XDG_RUNTIME_DIR", scene.path("run"));
    scene.cloned();
    scene.server_git(MAIN, &["config", "receive.certNonceSeed", "x"]);
    let socket = scene.path("own/a.sock");
    unreachable(&mut table, &scene, &socket);
    no_place(&mut table, &scene);
    let rules = [
        "acme/widgets:create=refs/heads/ai/*",
        "acme/parts",
        "acme/widgets:delete=refs/heads/x",
    ];
    let mut child = start(&scene, &socket, &rules);
    for (title, arguments) in COMMANDS {
        let output = shell(&scene, &format!("git-remote-bbcloud agent {arguments}"));
        table.fails(title, &scene, &output);
    }
    beside(&mut table, &scene, &socket);
    refused(&mut table, &scene);
    child.kill().and_then(|()| child.wait()).expect("it ends");
    table.end();
}

/// The number of a process differs from run to run.
fn on_stderr(output: Output) -> Output {
    let shown = output.stdout.split("(process ").next().unwrap_or_default().to_owned();
    let rest = if output.stdout.contains("(process ") {
        "(process 7)"
    } else {
        ""
    };
    Output {
        stderr: format!("{shown}{rest}"),
        ..output
    }
}

fn no_place(table: &mut Table, scene: &Scene) {
    let homeless = "env -u HOME -u XDG_RUNTIME_DIR git-remote-bbcloud agent";
    for (title, script) in [
        ("an agent without a place for its socket", homeless),
        (
            "another process has locked the socket's directory",
            "flock own git-remote-bbcloud agent --allow a/b --socket \"$PWD/own/b.sock\"",
        ),
        (
            "what systemd gave is no socket",
            "LISTEN_FDS=1 LISTEN_PID=$$ exec git-remote-bbcloud agent --allow a/b 3</dev/null",
        ),
        (
            "systemd gave two sockets",
            "LISTEN_FDS=2 LISTEN_PID=$$ exec git-remote-bbcloud agent --allow a/b 3</dev/null 4</dev/null",
        ),
        (
            "a command that is no text",
            "git-remote-bbcloud agent --allow a/b -- \"$(printf '\\377')\"",
        ),
    ] {
        table.fails(title, scene, &shell(scene, script));
    }
    let status = shell(scene, &format!("{homeless} --status"));
    table.fails("the state of an agent without a place", scene, &status);
    let none = on_stderr(shell(scene, "git-remote-bbcloud agent --status"));
    table.fails("no agent's state", scene, &none);
    let long = format!("git-remote-bbcloud agent --allow a/b --socket /{}", "x".repeat(120));
    table.fails("the socket's path is too long", scene, &shell(scene, &long));
}

fn unreachable(table: &mut Table, scene: &Scene, socket: &Path) {
    scene.unset("BBCLOUD_TOKEN");
    scene.set("BBCLOUD_AGENT_SOCK", socket);
    table.fails("no agent serves", scene, &shell(scene, "git -C clone fetch"));
    scene.set("BBCLOUD_AGENT_SOCK", scene.path("own/file"));
    table.fails(
        "a file where the socket should be",
        scene,
        &shell(scene, "git -C clone fetch"),
    );
    scene.set("BBCLOUD_AGENT_SOCK", "a.sock");
    table.fails(
        "the socket's path is not whole",
        scene,
        &shell(scene, "git -C clone fetch"),
    );
    scene.unset("BBCLOUD_AGENT_SOCK");
    scene.set("BBCLOUD_TOKEN", TOKEN);
}

fn beside(table: &mut Table, scene: &Scene, socket: &Path) {
    scene.set("BBCLOUD_AGENT_SOCK", socket);
    table.fails(
        "a secret is given beside an agent",
        scene,
        &shell(scene, "git -C clone fetch"),
    );
    scene.unset("BBCLOUD_TOKEN");
    let in_url = scene.untraced(|| shell(scene, "git ls-remote bbcloud::mia:ATBB-x@acme/widgets"));
    table.fails("a secret is in the URL beside an agent", scene, &in_url);
    table.works(
        "an agent's state",
        scene,
        &on_stderr(shell(scene, "git-remote-bbcloud agent --status")),
    );
    table.fails(
        "the REST API beside an agent",
        scene,
        &shell(scene, "git-remote-bbcloud api /user"),
    );
}

fn refused(table: &mut Table, scene: &Scene) {
    for (title, script) in [
        (
            "the agent's rules do not name a repository",
            "git ls-remote bbcloud::acme/other",
        ),
        (
            "the agent's rules allow no push",
            "git push bbcloud::acme/parts HEAD:refs/heads/x",
        ),
        (
            "the agent's rules allow no new branch of this name",
            "git push origin HEAD:refs/heads/x",
        ),
        (
            "the agent's rules do not allow an update",
            "git push --force origin HEAD~1:main",
        ),
        ("the agent's rules do not allow a deletion", "git push origin :topic"),
        (
            "the agent's rules do not allow many refs",
            "for n in $(seq 25); do git branch b$n; done; git push origin 'refs/heads/b*'",
        ),
        (
            "a signed push to an agent",
            "printf '#!/bin/sh\\ncat >/dev/null\\necho \"[GNUPG:] SIG_CREATED \" >&2\\necho s\\n' >../sign; chmod +x ../sign
             git -c gpg.program=../sign push --signed=yes origin HEAD:refs/heads/ai/s",
        ),
    ] {
        table.fails(title, scene, &shell(scene, &format!("cd clone; {script}")));
    }
    scene.bitbucket.fault(Fault::on(
        "info/refs",
        Action::Redirect {
            status: 302,
            location: "https://elsewhere.invalid{target}".to_owned(),
        },
    ));
    let moved = shell(scene, "git ls-remote bbcloud::acme/parts");
    table.fails(
        "the server redirects an agent's client to another server",
        scene,
        &moved,
    );
    scene.bitbucket.add_account(Account::api_token("bob", "ATATT-bob"));
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Refuse(Refusal::IpNotAllowed)));
    let output = shell(scene, "git ls-remote bbcloud::acme/parts");
    table.fails("the server refuses the agent", scene, &output);
}
