//! `setup` and `migrate` beside others of their kind, in the middle of their work, and without room for it.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::fixture::{MAIN, PART};
use crate::support::program::program;
use crate::support::run::run;
use crate::support::scene::Scene;
use crate::support::wait;

fn global(scene: &Scene) -> String {
    fs::read_to_string(scene.home().join(".gitconfig")).expect("a file")
}

fn start(scene: &Scene, directory: &str, arguments: &[&str]) -> Child {
    let mut command = scene.command("git-remote-bbcloud", &scene.path(directory));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("the program can be started")
}

/// Starts all of them, and waits for their end.
fn at_once(scene: &Scene, directory: &str, commands: &[&[&str]]) {
    let children: Vec<Child> = (commands.iter())
        .map(|arguments| start(scene, directory, arguments))
        .collect();
    for mut child in children {
        wait::ended(&mut child);
    }
}

fn setup_json(scene: &Scene) -> std::path::PathBuf {
    scene.home().join(".config/git-remote-bbcloud/setup.json")
}

#[test]
fn setups_at_once_are_undone_byte_for_byte() {
    let scene = Scene::new();
    let before = global(&scene);
    for _ in 0..6 {
        let setups: &[&[&str]] = &[
            &["setup", "--workspace", "acme"],
            &["setup", "--workspace", "emca"],
            &["setup"],
            &["setup", "--workspace", "acme"],
        ];
        at_once(&scene, "", setups);
        let written = global(&scene);
        assert_eq!(written.matches("allow = always").count(), 1, "{written}");
        for name in ["acme", "emca"] {
            assert_eq!(
                written.matches(&format!("[url \"bbcloud::{name}/\"]")).count(),
                1,
                "{written}"
            );
        }
        scene.bbcloud_ok("", &["setup", "--undo"]);
        assert_eq!(global(&scene), before);
        assert!(!setup_json(&scene).exists());
    }
}

/// What cannot be written is not recorded either: `--undo` would take away what the user has written.
#[test]
fn a_setup_that_failed_has_nothing_to_undo() {
    let scene = Scene::new();
    let own = format!(
        "{}[protocol \"bbcloud\"]\n\tallow = always\n",
        "# long\n".repeat(20_000)
    );
    fs::write(scene.home().join(".gitconfig"), &own).expect("written");
    scene.set("GIT_TRACE2_EVENT", "0");
    let mut shell = scene.command("sh", &scene.work());
    // Room for the record, and not for the configuration.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 100; exec git-remote-bbcloud setup"]);
    let failed = run(shell);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("cannot write '"), "{}", failed.stderr);
    assert!(!setup_json(&scene).exists() && !scene.home().join(".gitconfig.lock").exists());
    let undone = scene.bbcloud_ok("", &["setup", "--undo"]);
    assert!(undone.stderr.contains("nothing to undo"), "{}", undone.stderr);
    assert_eq!(global(&scene), own);
}

#[test]
fn a_signal_in_the_middle_leaves_no_lock() {
    let scene = Scene::new();
    let before = global(&scene);
    // A git that takes its time, to be found with the lock in its hands.
    let programs = scene.path("programs");
    fs::create_dir(&programs).expect("made");
    program(programs.join("git"), "sleep 1\nexit 1");
    let mut shown = scene.command("sh", &scene.work());
    shown.args(["-c", "printf %s \"$PATH\""]);
    scene.set("PATH", format!("{}:{}", programs.display(), run(shown).stdout));
    let lock = scene.home().join(".gitconfig.lock");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let mut setup = start(&scene, "", &["setup"]);
        let begun = Instant::now();
        while !lock.exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it was never locked");
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = Pid::from_raw(setup.id().try_into().expect("a number")).expect("not 0");
        kill_process(id, signal).expect("it has not ended");
        let ended = wait::ended(&mut setup);
        assert_eq!(ended.signal(), Some(signal.as_raw()), "{signal:?}");
        assert!(!lock.exists(), "{signal:?}");
        assert_eq!(global(&scene), before);
        assert!(!setup_json(&scene).exists());
    }
}

#[test]
fn migrations_at_once_are_undone() {
    let scene = Scene::new();
    scene.cloned();
    let config = "clone/.git/config";
    scene.git_ok("clone", &["remote", "set-url", "origin", &plain(&scene, MAIN)]);
    scene.git_ok("clone", &["remote", "add", "other", &plain(&scene, PART)]);
    let before = scene.text(config);
    // What was changed before has long values: while one reads them, another has written already.
    let long = format!(
        r#"{{"version":1,"changes":[{{"file":"config","key":"remote.gone.url","before":"https://bitbucket.org/{}","after":"c","secret":false}}]}}"#,
        "x".repeat(4_000_000)
    );
    for _ in 0..3 {
        fs::write(scene.path("clone/.git/bbcloud-migrated.json"), &long).expect("written");
        at_once(&scene, "clone", &[&["migrate", "--all-remotes"][..]; 8]);
        assert!(scene.text(config).contains("url = bbcloud::acme/parts\n"));
        let undone = scene.bbcloud_ok("clone", &["migrate", "--undo"]);
        assert_eq!(scene.text(config), before, "{}", undone.stderr);
        let left = fs::read_dir(scene.path("clone/.git")).expect("a directory").flatten();
        let left: Vec<_> = left
            .filter(|file| file.file_name().to_string_lossy().contains("bbcloud"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// `https://localhost:<port>/<name>.git`, without anybody's secret.
fn plain(scene: &Scene, name: &str) -> String {
    format!("{}/{name}.git", scene.bitbucket.base_url())
}

#[test]
fn the_files_of_other_work_trees_are_told_apart() {
    let scene = Scene::new();
    scene.cloned();
    scene.git_ok("clone", &["config", "extensions.worktreeConfig", "true"]);
    scene.git_ok("clone", &["worktree", "add", "--quiet", "../linked"]);
    scene.git_ok(
        "linked",
        &["config", "--worktree", "remote.extra.url", &plain(&scene, PART)],
    );
    // The same value as the other file is going to have.
    scene.git_ok(
        "clone",
        &["config", "--worktree", "remote.extra.url", "bbcloud::acme/parts"],
    );
    let files = [
        "clone/.git/config",
        "clone/.git/config.worktree",
        "clone/.git/worktrees/linked/config.worktree",
    ];
    let texts = || files.map(|file| scene.text(file));
    let before = texts();
    scene.bbcloud_ok("linked", &["migrate", "--all-remotes"]);
    assert!(scene.text(files[2]).contains("bbcloud::acme/parts"));
    let undone = scene.bbcloud_ok("clone", &["migrate", "--undo"]);
    assert!(!undone.stderr.contains("was changed since"), "{}", undone.stderr);
    assert_eq!(texts(), before);
    assert!(!scene.path("clone/.git/bbcloud-migrated.json").exists());
}
