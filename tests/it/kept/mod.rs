//! The kept advertisement: one request for a fetch that finds nothing, and how a copy is kept, renewed and forgotten.

mod changed;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::bitbucket::{Action, Fault, Refusal};
use crate::support::canary;
use crate::support::fixture::MAIN;
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN};
use crate::support::wait;

/// A clone whose next fetch begins with what was kept; the log is empty.
fn primed() -> Scene {
    let scene = Scene::new();
    scene.cloned();
    scene.bitbucket.clear_requests();
    scene
}

fn requests(scene: &Scene) -> Vec<String> {
    let requests = scene.bitbucket.requests();
    requests
        .iter()
        .map(|request| {
            format!(
                "{} {}",
                request.method,
                request.path.rsplit('/').next().unwrap_or_default()
            )
        })
        .collect()
}

fn copies(scene: &Scene) -> Vec<PathBuf> {
    let directory = scene.home().join(".cache/git-remote-bbcloud");
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .map(|entry| entry.expect("the directory can be read").path())
        .collect()
}

const ONE: &[&str] = &["POST git-upload-pack"];
const TWO: &[&str] = &["GET refs", "POST git-upload-pack"];
const STALE: &[&str] = &["POST git-upload-pack", "GET refs", "POST git-upload-pack"];

#[test]
fn a_fetch_that_finds_nothing_is_one_request() {
    let scene = primed();
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), ONE);
    scene.git_ok("clone", &["ls-remote"]);
    assert_eq!(requests(&scene).len(), 2);
}

#[test]
fn a_fetch_that_finds_something_is_complete() {
    let scene = primed();
    scene.bitbucket.commit(MAIN, "main", "More", &[("more.txt", b"more\n")]);
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(
        scene.git_ok("clone", &["rev-parse", "origin/main"]),
        scene.server_git(MAIN, &["rev-parse", "main"])
    );
    assert_eq!(requests(&scene), [ONE, ONE].concat());
}

#[test]
fn the_copy_can_be_turned_off() {
    for how in ["variable", "configuration"] {
        let scene = Scene::new();
        match how {
            "variable" => scene.set("BBCLOUD_CACHE", "off"),
            _ => drop(scene.git_ok("", &["config", "--global", "bbcloud.cache", "false"])),
        }
        scene.cloned();
        scene.bitbucket.clear_requests();
        scene.git_ok("clone", &["fetch"]);
        assert_eq!(requests(&scene), TWO, "{how}");
        assert!(copies(&scene).is_empty(), "{how}");
    }
}

#[test]
fn a_place_that_cannot_be_written_costs_a_request_and_nothing_else() {
    let scene = Scene::new();
    scene.set("BBCLOUD_CACHE", "/dev/null/none");
    scene.cloned();
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), TWO);
}

/// Makes the copy so many days old.
fn age(scene: &Scene, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60 + 60);
    for copy in copies(scene) {
        let file = fs::File::options().write(true).open(copy).expect("our own file");
        file.set_modified(then).expect("our own file");
    }
}

#[test]
fn a_copy_that_is_too_old_is_asked_for_first() {
    let scene = primed();
    age(&scene, 15);
    scene.git_ok("clone", &["fetch"]);
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), [TWO, ONE].concat());
}

/// The fetch has time enough for the renewal beside it, because its own request is answered late.
fn fetch_slowly(scene: &Scene) {
    scene
        .bitbucket
        .fault(Fault::on("git-upload-pack", Action::Delay(Duration::from_secs(1))).method("POST"));
    scene.git_ok("clone", &["fetch"]);
}

#[test]
fn a_copy_from_yesterday_is_renewed_beside_the_fetch_that_uses_it() {
    let scene = primed();
    age(&scene, 1);
    let before = scene.bitbucket.connections();
    fetch_slowly(&scene);
    let mut asked = requests(&scene);
    asked.sort();
    assert_eq!(asked, TWO);
    assert_eq!(scene.bitbucket.connections() - before, 2);
    let copy = &copies(&scene)[0];
    let modified = fs::metadata(copy).and_then(|file| file.modified());
    let age = modified.expect("our own file").elapsed().expect("not from the future");
    assert!(age < Duration::from_secs(60 * 60), "{age:?}");
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), ONE);
}

#[test]
fn a_renewal_that_fails_is_not_heard_of() {
    for action in [
        Action::Refuse(Refusal::Forbidden),
        Action::CutBody { after: 40 },
        Action::ContentType("text/html".to_owned()),
    ] {
        let scene = primed();
        age(&scene, 1);
        scene.bitbucket.fault(Fault::on("info/refs", action).always());
        scene
            .bitbucket
            .fault(Fault::on("git-upload-pack", Action::Delay(Duration::from_secs(1))).method("POST"));
        let output = scene.git_in("clone", &["fetch"]);
        assert!(output.success());
        assert_eq!(output.stderr, "");
        assert_eq!(requests(&scene).len(), 2);
    }
}

#[test]
fn copies_of_one_account_are_not_used_for_another() {
    let scene = primed();
    scene.set("BBCLOUD_USERNAME", "ada");
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), TWO);
}

#[test]
fn a_copy_holds_no_secret_and_is_the_users_alone() {
    let scene = primed();
    let copies = copies(&scene);
    assert_eq!(copies.len(), 1);
    let text = fs::read_to_string(&copies[0]).expect("our own file");
    assert!(!text.contains(TOKEN), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = copies[0].parent().expect("a file is in a directory");
        let mode = fs::metadata(directory).expect("our own directory").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn a_broken_copy_is_none() {
    let scene = primed();
    for copy in copies(&scene) {
        fs::write(copy, "000eversion 2\n0000").expect("our own file");
    }
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), TWO);
}

/// A limit on the size of files is what a full disk looks like to a process: it can make a file, and not fill it.
#[cfg(unix)]
#[test]
fn a_full_disk_costs_a_request_and_nothing_else() {
    let scene = Scene::new();
    scene.cloned();
    for copy in copies(&scene) {
        fs::remove_file(copy).expect("our own file");
    }
    scene.bitbucket.clear_requests();
    for _ in 0..2 {
        let mut shell = scene.command("sh", &scene.path("clone"));
        // Git ignores the signal that comes with it, and writes nothing longer here.
        shell.args(["-c", "trap '' XFSZ; ulimit -f 0; git ls-remote --quiet | wc -l"]);
        // There is no room for traces either, of which git would complain.
        canary::not_traced(&mut shell);
        let output = run(shell);
        assert!(output.success(), "{}", output.stderr);
        assert_eq!(output.stderr, "");
        assert_ne!(output.stdout.trim(), "0");
    }
    assert_eq!(requests(&scene), [TWO, TWO].concat());
    assert!(copies(&scene).is_empty());
}

#[test]
fn many_fetches_at_once_share_a_copy() {
    let scene = primed();
    let mut children = Vec::new();
    for _ in 0..8 {
        let mut git = scene.command("git", &scene.path("clone"));
        git.args(["ls-remote", "--quiet"]);
        git.stdout(std::process::Stdio::null());
        children.push(git.spawn().expect("git can be started"));
    }
    for mut child in children {
        assert!(wait::ended(&mut child).success());
    }
    assert_eq!(requests(&scene), ["POST git-upload-pack"; 8]);
}

/// Where the cache is shared, another user may put anything in a copy's place: it is no copy, and holds nobody up.
#[cfg(unix)]
#[test]
fn what_is_no_file_in_the_place_of_a_copy_is_none() {
    for (what, script) in [
        ("a pipe", "rm \"$0\" && mkfifo \"$0\""),
        ("a link to a device that never ends", "ln -sf /dev/zero \"$0\""),
        ("a link to a pipe", "mkfifo \"$0.pipe\" && ln -sf \"$0.pipe\" \"$0\""),
        ("a directory", "rm \"$0\" && mkdir \"$0\""),
    ] {
        let scene = primed();
        let copies = copies(&scene);
        assert_eq!(copies.len(), 1, "{copies:?}");
        for copy in &copies {
            let mut shell = scene.command("sh", &scene.work());
            shell.args(["-c", script]).arg(copy);
            assert!(run(shell).success(), "{what}");
        }
        scene.git_ok("clone", &["fetch"]);
        assert_eq!(requests(&scene), TWO, "{what}");
        scene.git_ok("clone", &["ls-remote"]);
    }
}
