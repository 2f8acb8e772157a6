//! The helper's half of the conversation with git, byte by byte: what `fixtures/helper/<name>.in` says is answered with
//! `<name>.out`, and what a person reads and the exit status are in `<name>.err`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::run::{Output, run, run_with_input};
use crate::support::scene::Scene;

fn helper(scene: &Scene, arguments: &[&str], input: &[u8]) -> Output {
    let mut helper = scene.command(env!("CARGO_BIN_EXE_git-remote-bbcloud"), &scene.work());
    helper.args(arguments);
    run_with_input(helper, input)
}

#[test]
fn every_transcript_is_as_recorded() {
    let scene = Scene::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/helper");
    let mut wrong = String::new();
    let mut count = 0;
    for entry in fs::read_dir(&fixtures).unwrap() {
        let input = entry.unwrap().path();
        if input.extension().is_none_or(|extension| extension != "in") {
            continue;
        }
        count += 1;
        let said = helper(&scene, &["origin", "acme/widgets"], &fs::read(&input).unwrap());
        let status = format!("{}status: {}\n", said.stderr, said.code.unwrap_or_default());
        let recorded = |extension| fs::read_to_string(input.with_extension(extension)).unwrap_or_default();
        if (recorded("out"), recorded("err")) != (said.stdout.clone(), status.clone()) {
            write!(wrong, "== {}\n{}--\n{status}", input.display(), said.stdout).expect("a string can be written to");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 10, "{count} transcripts were found");
    assert!(scene.bitbucket.requests().is_empty(), "nothing here needs a request");
}

#[test]
fn capabilities_need_neither_address_nor_configuration() {
    let scene = Scene::new();
    fs::write(scene.home().join(".gitconfig"), "[broken").unwrap();
    let said = helper(&scene, &["origin", "no/address/at/all"], b"capabilities\n");
    assert!(said.stdout.starts_with("connect\nfetch\noption\n"), "{}", said.stdout);
    assert!(!said.success() && said.stderr.starts_with("error: "), "{}", said.stderr);
}

#[test]
fn people_are_told_what_it_is() {
    let scene = Scene::new();
    let version = helper(&scene, &["--version"], b"");
    assert_eq!(
        version.stdout,
        format!("git-remote-bbcloud {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert!(version.success());
    let help = helper(&scene, &["--help"], b"");
    assert!(
        help.success() && help.stdout.contains("git clone bbcloud::<workspace>/<repository>"),
        "{}",
        help.stdout
    );
    let nothing = helper(&scene, &[], b"");
    let told = format!("{}{}", nothing.stdout, nothing.stderr);
    assert!(told.contains("Usage:") && nothing.code == Some(2), "{told}");
    let unknown = helper(&scene, &["--no-such-flag"], b"");
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
    let through_git = scene.git(&["remote-bbcloud", "--version"]);
    assert_eq!(through_git.stdout, version.stdout);
}

#[test]
fn an_address_that_is_none_is_told_the_right_form() {
    let scene = Scene::new();
    for address in [
        "acme",
        "acme/",
        "/widgets",
        "acme/../widgets",
        "acme/widgets/issues",
        "https://github.com/acme/widgets",
        "ftp://bitbucket.org/acme/widgets",
        "",
        "acme/wid\u{1b}gets",
    ] {
        let output = scene.git(&["ls-remote", &format!("bbcloud::{address}")]);
        assert!(!output.success(), "{address}");
        assert!(output.stderr.starts_with("error: "), "{address}: {}", output.stderr);
        assert!(output.stderr.contains("hint: "), "{address}: {}", output.stderr);
        assert!(!output.stderr.contains('\u{1b}'), "{address}");
    }
    assert!(scene.bitbucket.requests().is_empty());
}

/// Git is not there any more: no panic, no noise beyond a line.
#[test]
fn a_closed_pipe_is_no_panic() {
    let scene = Scene::new();
    let helper = env!("CARGO_BIN_EXE_git-remote-bbcloud");
    let script = format!("printf 'capabilities\\nlist\\n' | '{helper}' origin acme/widgets | true; exit 0");
    let mut shell = scene.command("sh", &scene.work());
    shell.args(["-c", &script]);
    let output = run(shell);
    assert!(
        output.success() && !output.stderr.contains("panicked"),
        "{}",
        output.stderr
    );
}
