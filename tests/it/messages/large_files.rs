//! Large files that would go elsewhere than the commits: what is refused, and the command that helps.

use std::fs;

use super::{Table, shell};
use crate::support::fixture::{MAIN, PART};
use crate::support::run::Output;
use crate::support::scene::Scene;

#[test]
fn large_files() {
    let mut table = Table::new("large_files");
    let scene = Scene::new();
    scene.set("GIT_TERMINAL_PROMPT", "0");
    scene.git_ok("", &["lfs", "install", "--skip-repo"]);
    scene.git_ok("", &["config", "--global", "lfs.locksverify", "false"]);
    scene.cloned();
    scene.git_ok("clone", &["lfs", "track", "*.bin"]);
    scene.commit("clone", "large.bin", b"large");
    pushes(&mut table, &scene);
    git_lfs(&mut table, &scene);
    table.end();
}

fn pushes(table: &mut Table, scene: &Scene) {
    let push = |to: &str| scene.git_in("clone", &["push", "--quiet", to, "HEAD:refs/heads/new"]);
    let part = scene.url(PART);
    for name in [MAIN, PART] {
        scene.git_ok(
            "clone",
            &["remote", "set-url", "--add", "--push", "origin", &scene.url(name)],
        );
    }
    table.fails("git-lfs would leave the last push URL out", scene, &push("origin"));
    scene.git_ok("clone", &["config", "--unset-all", "remote.origin.pushurl"]);
    let secret = scene.untraced(|| push(&format!("bbcloud::ada:secret@{PART}")));
    table.fails("the address of a push has a secret", scene, &secret);
    let lock = scene.path("clone/.git/config.lock");
    fs::write(&lock, "").expect("a file can be written");
    table.fails("git-lfs cannot be told about an address", scene, &push(&part));
    fs::remove_file(&lock).expect("it was there");
    scene.git_ok("clone", &["remote", "set-url", "origin", &part]);
    fs::write(&lock, "").expect("a file can be written");
    table.fails("git-lfs cannot be told about another URL", scene, &push("origin"));
    fs::remove_file(&lock).expect("it was there");
}

/// What git-lfs says is left out.
fn git_lfs(table: &mut Table, scene: &Scene) {
    let ask = |question: &str| {
        let ask = format!("cd clone && printf '{question}' | git-remote-bbcloud credential get");
        shell(scene, &ask)
    };
    let host = scene.bitbucket.base_url().replace("https://", "");
    let question = format!("protocol=https\\nhost={host}\\npath={MAIN}.git/info/lfs\\n");
    let lock = scene.path("clone/.git/config.lock");
    fs::write(&lock, "").expect("a file can be written");
    table.fails(
        "git-lfs asks for what is out of date and stays so",
        scene,
        &ask(&question),
    );
    fs::remove_file(&lock).expect("it was there");
    let refused: Output = ask(&question);
    assert_eq!(refused.stdout, "quit=1\n");
    table.fails("git-lfs asks for what is out of date", scene, &refused);
    scene.git_ok("clone", &["fetch", "--quiet"]);
    let elsewhere = format!("{}/{MAIN}.git", scene.bitbucket.base_url());
    scene.git_ok("clone", &["remote", "set-url", "origin", &elsewhere]);
    let examined = shell(scene, &format!("cd clone && git-remote-bbcloud doctor --for {MAIN}"));
    let lines: Vec<&str> = examined.stdout.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with("warn  lfs"))
        .unwrap_or_else(|| panic!("{}{}", examined.stdout, examined.stderr));
    let shown = lines.get(at..at + 2).expect("it has a remedy").join("\n");
    table.add_text("a remote is no longer a bbcloud one", &scene.normalised(&shown));
}
