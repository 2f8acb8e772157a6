//! A secret that can be recognised goes through every command, every error and every trace, and is found nowhere.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::desktop::Desktop;
use super::terminal::Terminal;
use super::{askpass, configure, ls_remote, ours, ours_with, scene, without_terminal};
use crate::bitbucket::Account;
use crate::support::run::{Output, run_telling};
use crate::support::scene::Scene;

const CANARY: &str = "ATATT-canary-5f1e9c";

/// The secret as it is, and as it goes over the wire with either name.
fn forms() -> Vec<String> {
    let basic = |name: &str| STANDARD.encode(format!("{name}:{CANARY}"));
    vec![
        "canary-5f1e9c".to_owned(),
        basic("x-bitbucket-api-token-auth"),
        basic("ada"),
    ]
}

#[track_caller]
fn silent(what: &str, text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{what} has the secret in it:\n{text}");
    }
}

#[track_caller]
fn quiet(what: &str, output: &Output) {
    silent(what, &output.stdout);
    silent(what, &output.stderr);
}

/// Looks at the arguments of every process, over and over, as `ps` would.
struct Lookout {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Lookout {
    fn start() -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let ended = done.clone();
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !ended.load(Ordering::SeqCst) {
                for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
                    let text = String::from_utf8_lossy(&arguments).into_owned();
                    if forms().iter().any(|form| text.contains(form)) {
                        seen.push(text);
                    }
                }
            }
            seen
        });
        Self { done, thread }
    }

    fn end(self) -> Vec<String> {
        self.done.store(true, Ordering::SeqCst);
        self.thread.join().expect("it does not panic")
    }
}

/// Traces that git and the product write to standard error, beside those of every scene, which go to files.
fn trace_to_the_terminal(scene: &Scene) {
    for name in ["GIT_CURL_VERBOSE", "GIT_TRANSLOOP_DEBUG", "GIT_TRANSPORT_HELPER_DEBUG"] {
        scene.set(name, "1");
    }
}

/// Every file below `directory` but those of `except`.
fn files_are_silent(directory: &Path, except: &[&str]) {
    for entry in fs::read_dir(directory).expect("a directory can be read").flatten() {
        let path = entry.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if except.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            files_are_silent(&path, except);
        } else if path.is_file() {
            let bytes = fs::read(&path).expect("a file can be read");
            silent(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn a_kept_secret_is_in_no_output_no_argument_no_trace_and_no_file() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    scene.bitbucket.add_account(Account::api_token("ada", CANARY));
    let lookout = Lookout::start();
    let arguments = ["login", "--token-stdin", "--for", "acme/widgets"];
    quiet("login", &ours_with(&scene, &arguments, CANARY));
    for arguments in [
        &["status"][..],
        &["status", "--json", "--check"],
        &["status", "--check"],
    ] {
        let output = ours(&scene, arguments);
        assert!(output.success(), "{}", output.stderr);
        quiet("status", &output);
    }
    let output = scene.git(&["clone", "-v", "bbcloud::acme/widgets", "clone"]);
    assert!(output.success(), "{}", output.stderr);
    quiet("clone", &output);
    scene.commit("clone", "new.txt", b"new\n");
    quiet("push", &scene.git_in("clone", &["push", "-v", "origin", "main"]));
    quiet(
        "fetch",
        &scene.git_in("clone", &["-c", "protocol.version=0", "fetch", "-v"]),
    );
    trace_to_the_terminal(&scene);
    let output = ls_remote(&scene, "acme/widgets");
    assert!(
        output.stderr.contains("Authorization: Basic <redacted>"),
        "{}",
        output.stderr
    );
    quiet("a trace on the terminal", &output);
    scene.bitbucket.revoke(CANARY);
    let output = ls_remote(&scene, "acme/widgets");
    assert!(!output.success());
    quiet("a refusal", &output);
    quiet("status", &ours(&scene, &["status", "--check"]));
    quiet("a second login", &ours_with(&scene, &arguments, CANARY));
    quiet("no repository", &ls_remote(&scene, "acme/nothing"));
    let question = format!(
        "protocol=https\nhost=localhost:{}\npath=acme/widgets\npassword={CANARY}\n\n",
        scene.bitbucket.port()
    );
    for operation in ["store", "erase"] {
        quiet(operation, &ours_with(&scene, &["credential", operation], &question));
    }
    let get = without_terminal(&scene, &["credential", "get"]);
    silent("credential get", &run_telling(get, question.as_bytes()).stderr);
    quiet("logout", &ours(&scene, &["logout", "--all"]));
    assert_eq!(lookout.end(), Vec::<String>::new());
    let trace = scene.home().with_file_name("canary").join("GIT_TRACE_CURL");
    let trace = fs::read_to_string(trace).expect("there is a trace");
    assert!(trace.contains("Authorization: Basic <redacted>"), "{trace}");
    files_are_silent(&scene.home(), &[]);
    files_are_silent(&scene.work(), &[]);
}

#[test]
fn nor_is_one_from_the_environment_a_file_a_helper_or_a_prompt() {
    let scene = scene();
    scene.bitbucket.add_account(Account::api_token("ada", CANARY));
    let file = scene.home().join("secret");
    scene.excuse_file(&file);
    fs::write(&file, CANARY).expect("a file can be written");
    let lookout = Lookout::start();
    for revoked in [false, true] {
        if revoked {
            scene.bitbucket.revoke(CANARY);
        }
        for (name, value) in [
            ("BBCLOUD_TOKEN", CANARY),
            ("BBCLOUD_TOKEN_FILE", &file.display().to_string()),
        ] {
            scene.set(name, value);
            quiet(name, &ls_remote(&scene, "acme/widgets"));
            quiet("status", &ours(&scene, &["status", "--check", "--for", "acme/widgets"]));
            scene.unset(name);
        }
        super::helper(&scene, "ada", CANARY);
        quiet("a helper", &ls_remote(&scene, "acme/widgets"));
        configure(&scene, "credential.helper", "");
        askpass(&scene, "ada", CANARY);
        quiet("askpass", &ls_remote(&scene, "acme/widgets"));
        scene.unset("GIT_ASKPASS");
        let mut git = scene.command("git", &scene.work());
        git.args(["ls-remote", "bbcloud::acme/widgets"])
            .env_remove("GIT_TERMINAL_PROMPT");
        let mut terminal = Terminal::start(git);
        terminal.expect("Username for");
        terminal.enter("");
        terminal.expect("Password for");
        terminal.enter(CANARY);
        if revoked {
            terminal.expect("Username for");
            terminal.enter("");
            terminal.expect("Password for");
            terminal.enter("");
        }
        silent("a terminal", &terminal.end().1);
    }
    assert_eq!(lookout.end(), Vec::<String>::new());
    // These are the user's own: the file, the programs that answer, and what they were told.
    files_are_silent(&scene.home(), &["secret", "helper", "askpass", "told"]);
}
