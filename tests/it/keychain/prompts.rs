//! People who are asked: by an askpass program, and at a terminal.

use super::desktop::Desktop;
use super::terminal::Terminal;
use super::{PROGRAM, askpass, configure, keep, ls_remote, noted, person, program, says, scene, users};
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN};

/// Git's own words, in git's order.
const NAME: &str = "Username for 'https://localhost";
const QUESTION: &str = "Password for 'https://";

/// Answers both questions.
fn answer(terminal: &mut Terminal, name: &str, secret: &str) {
    terminal.expect(NAME);
    terminal.enter(name);
    terminal.expect(QUESTION);
    terminal.enter(secret);
}

/// Git at a terminal, allowed to ask.
fn at_terminal(scene: &Scene, arguments: &[&str]) -> Terminal {
    let mut command = scene.command("git", &scene.work());
    command.args(arguments).env_remove("GIT_TERMINAL_PROMPT");
    Terminal::start(command)
}

fn listing(scene: &Scene) -> Terminal {
    at_terminal(scene, &["ls-remote", "bbcloud::acme/widgets", "main"])
}

#[test]
fn a_token_needs_one_answer_that_nobody_sees_and_is_kept() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    let mut terminal = listing(&scene);
    terminal.expect("hint: leave the user name empty for a token");
    answer(&mut terminal, "", TOKEN);
    terminal.expect("refs/heads/main");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(TOKEN), "{shown}");
    says(&shown, &["the API token is kept in the keychain for 'localhost:"]);
    let [(label, secret)] = &desktop.secrets()[..] else {
        panic!("one secret is kept");
    };
    assert_eq!(secret, TOKEN);
    assert!(
        label.starts_with("Bitbucket: x-bitbucket-api-token-auth@localhost:"),
        "{label}"
    );
    scene.bitbucket.clear_requests();
    assert!(ls_remote(&scene, "acme/parts").success());
    assert_eq!(users(&scene), ["x-bitbucket-api-token-auth"]);
}

#[test]
fn a_wrong_answer_is_asked_for_again_and_never_kept() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    let mut terminal = listing(&scene);
    answer(&mut terminal, "", "ATATT-typo");
    terminal.expect("localhost rejected the API token from the prompt for 'acme/widgets' (HTTP 401)");
    terminal.expect(NAME);
    terminal.enter("");
    terminal.expect(QUESTION);
    // Taking a part of it and then all of it back.
    terminal.type_keys("ATATTx\x7f\x15");
    terminal.enter(TOKEN);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(desktop.secrets().len(), 1);

    let mut terminal = at_terminal(&scene, &["ls-remote", "bbcloud::no@acme/widgets"]);
    scene.bitbucket.revoke(TOKEN);
    for (number, again) in [(1, "typo"), (2, "rejected"), (3, "rejected")] {
        // The name is in the address, and is not asked for.
        terminal.expect("Password for 'https://no@localhost");
        terminal.enter(&format!("ATATT-{again}-{number}"));
    }
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(128), "{shown}");
    says(&shown, &["error: 'localhost' rejected the API token"]);
    assert_eq!(desktop.secrets()[0].1, TOKEN, "what was kept stays as it was");
}

#[test]
fn an_app_password_needs_a_name_which_is_sent_as_it_is_typed() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let secret = person(&scene, "ann");
    let mut terminal = listing(&scene);
    answer(&mut terminal, "ann@example.com", &secret);
    terminal.expect("localhost rejected the app password from the prompt");
    answer(&mut terminal, "ann", &secret);
    terminal.expect("refs/heads/main");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    says(&shown, &["the app password is kept in the keychain"]);
    assert_eq!(users(&scene), ["-", "ann@example.com", "ann"]);
}

#[test]
fn nothing_is_kept_where_nothing_is_to_be_kept() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    configure(&scene, "bbcloud.store", "false");
    let mut terminal = listing(&scene);
    answer(&mut terminal, "", TOKEN);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("kept"), "{shown}");
    assert_eq!(desktop.secrets(), []);
}

#[test]
fn a_keychain_that_cannot_keep_it_fails_nothing() {
    let scene = scene();
    let mut terminal = listing(&scene);
    answer(&mut terminal, "", TOKEN);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    says(
        &shown,
        &[
            "warning: the API token was not kept: there is no keychain",
            "hint: ",
            "refs/heads/main",
        ],
    );
}

#[test]
fn no_answer_and_ctrl_d_end_it_and_ctrl_c_ends_git() {
    let scene = scene();
    for (name, keys) in [("\r", "\r"), ("\r", "\x04"), ("\x04", "")] {
        let mut terminal = listing(&scene);
        terminal.expect(NAME);
        terminal.type_keys(name);
        if !keys.is_empty() {
            terminal.expect(QUESTION);
        }
        terminal.type_keys(keys);
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(128), "{shown}");
        says(
            &shown,
            &["HTTP 401", "hint: run 'git-remote-bbcloud login --for acme/widgets'"],
        );
    }
    let mut terminal = listing(&scene);
    terminal.expect(NAME);
    terminal.type_keys("\x03");
    let (code, shown) = terminal.end();
    assert_eq!(code, None, "a signal ended git: {shown}");
}

#[test]
fn the_terminal_is_as_it_was_afterwards() {
    let scene = scene();
    let mut shell = scene.command("sh", &scene.work());
    shell
        .args([
            "-c",
            "stty -a >before; git ls-remote bbcloud::acme/widgets; stty -a >after; cmp before after && echo same",
        ])
        .env_remove("GIT_TERMINAL_PROMPT");
    let mut terminal = Terminal::start(shell);
    answer(&mut terminal, "", TOKEN);
    terminal.expect("same");
    assert_eq!(terminal.end().0, Some(0));
}

/// The processes of a terminal whose command line begins with `words`, or with a path to that.
fn running(terminal: &Terminal, words: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter(|process| {
        let read = |name: &str| std::fs::read_to_string(process.path().join(name)).unwrap_or_default();
        let stat = read("stat");
        let group = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(2));
        let line = read("cmdline");
        let is_meant = line.starts_with(words) || line.contains(&format!("/{words}"));
        group == Some(&terminal.id().to_string()) && is_meant
    });
    ours.map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}

/// As with `git-remote-https`: whoever ends which of the processes, the shell gets its terminal back as it was.
#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    const SCRIPT: &str = "ulimit -c 0; trap : HUP INT QUIT TERM; stty -a >before; \
        sh -c 'exec git ls-remote bbcloud::acme/widgets'; sleep 2; stty -a >after; cmp before after && echo same";
    let scene = scene();
    for (signal, to) in [
        ("TERM", "git ls-remote"),
        ("KILL", "git ls-remote"),
        ("TERM", PROGRAM),
        ("HUP", PROGRAM),
        ("INT", ""),
        ("QUIT", ""),
        ("TERM", ""),
    ] {
        let mut shell = scene.command("sh", &scene.work());
        shell.args(["-c", SCRIPT]).env_remove("GIT_TERMINAL_PROMPT");
        let mut terminal = Terminal::start(shell);
        terminal.expect(NAME);
        let targets = if to.is_empty() {
            vec![format!("-{}", terminal.id())]
        } else {
            running(&terminal, &to.replace(' ', "\0"))
        };
        assert_eq!(targets.len(), 1, "{signal} {to}: {targets:?}");
        let mut kill = scene.command("sh", &scene.work());
        kill.args(["-c", &format!("kill -{signal} {}", targets[0])]);
        assert!(run(kill).success());
        terminal.expect("same");
        assert_eq!(running(&terminal, PROGRAM), Vec::<String>::new(), "{signal} {to}");
        assert_eq!(terminal.end().0, Some(0), "{signal} {to}");
    }
}

/// Ctrl-C and Ctrl-\ are the kernel's, Ctrl-Z is nobody's: the shell would come back to a terminal that shows a secret.
#[test]
fn the_keys_that_send_signals_still_do() {
    let scene = scene();
    for keys in ["\x03", "\x1c"] {
        let mut terminal = listing(&scene);
        terminal.expect(NAME);
        terminal.enter("");
        terminal.expect(QUESTION);
        terminal.type_keys(&format!("ATATT\x1a{keys}"));
        let (code, shown) = terminal.end();
        assert_eq!(code, None, "a signal ended git: {shown}");
    }
}

/// Whoever runs a build looks at its log later, if at all.
#[test]
fn on_a_build_server_nobody_is_asked_unless_git_is_told_so() {
    let scene = scene();
    scene.set("CI", "true");
    let terminal = listing(&scene);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(128), "{shown}");
    says(&shown, &["HTTP 401", "on a build server, set BBCLOUD_TOKEN"]);

    scene.set("GIT_TERMINAL_PROMPT", "1");
    let mut git = scene.command("git", &scene.work());
    git.args(["ls-remote", "bbcloud::acme/widgets"]);
    let mut terminal = Terminal::start(git);
    answer(&mut terminal, "", TOKEN);
    assert_eq!(terminal.end().0, Some(0));

    scene.unset("CI");
    scene.set("GIT_TERMINAL_PROMPT", "0");
    let mut git = scene.command("git", &scene.work());
    git.args(["ls-remote", "bbcloud::acme/widgets"]);
    assert_eq!(Terminal::start(git).end().0, Some(128));
}

#[test]
fn askpass_is_asked_in_gits_words_and_in_gits_order() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let secret = person(&scene, "ann");
    askpass(&scene, "ann", &secret);
    for name in ["core", "ssh"] {
        program(&scene, name, "exit 1");
    }
    configure(&scene, "core.askPass", &scene.home().join("core").display().to_string());
    scene.set("SSH_ASKPASS", scene.home().join("ssh"));
    let output = ls_remote(&scene, "acme/widgets");
    assert!(output.success(), "{}", output.stderr);
    let base = scene.bitbucket.base_url();
    assert_eq!(
        noted(&scene, "questions"),
        format!(
            "Username for '{base}': \nPassword for '{}': \n",
            base.replace("https://", "https://ann@")
        )
    );
    assert_eq!(output.stderr, "");
}

#[test]
fn a_dialogue_that_is_closed_is_an_answer() {
    let scene = scene();
    scene.set("GIT_ASKPASS", program(&scene, "closed", "exit 1"));
    let output = ls_remote(&scene, "acme/widgets");
    assert_eq!(output.code, Some(128));
    says(&output.stderr, &["HTTP 401", "hint: run 'git-remote-bbcloud login"]);
}

/// Signed in, and the secret has expired: the command asks and goes on.
#[test]
fn an_expired_secret_is_replaced_while_the_command_runs() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, "ATATT-expired", &["--for", "acme"]);
    let mut terminal = at_terminal(&scene, &["clone", "bbcloud::acme/widgets"]);
    terminal.expect("localhost rejected the API token from the keychain for 'acme/widgets' (HTTP 401)");
    answer(&mut terminal, "", TOKEN);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    says(&shown, &["the API token is kept in the keychain for 'acme'"]);
    let secrets: Vec<_> = desktop.secrets().into_iter().map(|(_, secret)| secret).collect();
    assert_eq!(secrets, [TOKEN]);
}
