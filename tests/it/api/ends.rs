//! Where an answer ends: at a person's terminal, in a script's pipe, or never.

use super::{api, custom, scene};
use crate::bitbucket::{Action, Fault};
use crate::keychain::terminal::Terminal;
use crate::support::run::run_with_input;
use crate::support::scene::TOKEN;

/// The answer is data for a script, byte for byte; a person's terminal is not to be steered by it.
#[test]
fn a_terminal_is_not_steered_and_a_pipe_gets_the_bytes() {
    let body = "{\"values\": [\"\u{1b}]0;mine\u{7}\u{9b}2J\u{202e}\u{e9}\"]}\n";
    for arguments in [&["/user"][..], &["--paginate", "/user"]] {
        let scene = scene();
        let answer = Fault::on("/2.0/user", custom(200, "application/json", body));
        scene.bitbucket.fault(answer.always());
        let piped = api(&scene, arguments);
        assert!(
            piped.stdout.contains("\u{1b}]0;mine\u{7}\u{9b}2J\u{202e}\u{e9}"),
            "{piped:?}"
        );
        let mut command = scene.command("git-remote-bbcloud", &scene.work());
        command.arg("api").args(arguments);
        let terminal = Terminal::start(command);
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("\\u001b]0;mine\\u0007\\u009b2J\\u202e\u{e9}"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{shown}");
    }
}

/// A server that goes on and on is given up, by git's own settings here; without them after a minute or two.
#[test]
fn a_server_that_stops_in_the_middle_is_given_up() {
    let slow = || Action::Drip {
        bytes: 1,
        every: std::time::Duration::from_millis(200),
    };
    let scene = scene();
    scene.set("GIT_HTTP_LOW_SPEED_LIMIT", "1000");
    scene.set("GIT_HTTP_LOW_SPEED_TIME", "1");
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
    scene.cloned();
    for path in ["/2.0/user", "info/refs"] {
        scene.bitbucket.fault(Fault::on(path, slow()).always());
    }
    let stalled = api(&scene, &["/user"]);
    assert_eq!(stalled.code, Some(1), "{stalled:?}");
    assert!(
        stalled.stderr.contains("moved less than 1000 bytes"),
        "{}",
        stalled.stderr
    );
    for arguments in ["status --check", "login --token-stdin --for acme/widgets"] {
        let mut git = scene.command("git", &scene.path("clone"));
        git.arg("remote-bbcloud").args(arguments.split(' '));
        let output = run_with_input(git, format!("{TOKEN}\n").as_bytes());
        assert_eq!(output.code, Some(1), "{arguments}: {output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("moved less than 1000 bytes"), "{arguments}: {said}");
    }
}
