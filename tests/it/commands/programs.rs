//! Programs with a git library of their own, and others that start git, as README's table has them: the real ones,
//! against the local Bitbucket under the name of bitbucket.org.

use std::path::Path;

use crate::bitbucket::command;
use crate::support::run::run;
use crate::support::scene::Scene;
use crate::support::skip::skip;

/// Those that need neither an installation of their own nor much time. The script knows more.
const CHEAP: [&str; 5] = ["git", "without_helpers", "cargo", "npm", "pip"];

/// The rows of README's table.
fn rows() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).expect("there is one");
    let (_, section) = readme.split_once("\n## Works with\n").expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(str::to_owned)
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn the_table_says_what_the_programs_do() {
    let known = rows();
    let scene = Scene::new();
    let product = Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud"));
    let cargo = Path::new(env!("CARGO")).parent().expect("a directory").display();
    for program in CHEAP {
        let mut script = command("sh", &scene.home());
        script
            .args(["-c", "PATH=\"$0:$PATH\" exec sh tests/support/works-with.sh \"$1\""])
            .arg(cargo.to_string())
            .arg(program)
            .env("TARGET", product.parent().expect("a directory"))
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = run(script);
        let reason = output.stderr.lines().find_map(|line| line.strip_prefix("skipped: "));
        if let Some(reason) = reason {
            skip(reason);
            continue;
        }
        let row = output.stdout.lines().last().unwrap_or_default();
        assert!(output.success(), "{program}: {}", output.stderr);
        assert!(known.iter().any(|known| known == row), "README's table lacks: {row}");
    }
}

#[test]
fn setup_says_what_breaks_before_it_writes() {
    for (arguments, warns) in [
        (&["setup"][..], false),
        (&["setup", "--all"], true),
        (&["setup", "--workspace", "acme"], true),
    ] {
        let scene = Scene::new();
        let done = scene.bbcloud_ok("", arguments);
        let place = |text: &str| done.stderr.find(text);
        let warning = place("failed to resolve address for bbcloud");
        assert_eq!(warning.is_some(), warns, "{arguments:?}: {}", done.stderr);
        for switch in ["CARGO_NET_GIT_FETCH_WITH_CLI=true", "POETRY_SYSTEM_GIT_CLIENT=true"] {
            assert_eq!(place(switch).is_some(), warns, "{}", done.stderr);
        }
        assert!(warning < place("lines were written to"), "{}", done.stderr);
        // Where nothing is written, nothing breaks anew.
        let again = scene.bbcloud_ok("", arguments);
        assert!(!again.stderr.contains("warning"), "{}", again.stderr);
    }
    // It breaks just as much where the file cannot be written; but then nothing is.
    let scene = Scene::new();
    std::fs::write(scene.home().join(".gitconfig.lock"), "").expect("written");
    let failed = scene.bbcloud("", &["setup", "--all"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.starts_with("warning: "), "{}", failed.stderr);
}
