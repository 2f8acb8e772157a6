//! The kept advertisement: one request for a fetch that finds nothing, and every way in which the copy can be stale.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::bitbucket::{Account, Action, Bitbucket, Fault, Settings};
use crate::support::fixture::{MAIN, MODERN};
use crate::support::scene::{Scene, TOKEN};

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

#[test]
fn a_copy_from_yesterday_is_asked_for_again() {
    let scene = primed();
    let yesterday = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    for copy in copies(&scene) {
        let file = fs::File::options().write(true).open(copy).expect("our own file");
        file.set_modified(yesterday).expect("our own file");
    }
    scene.git_ok("clone", &["fetch"]);
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), [TWO, ONE].concat());
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

#[test]
fn a_capability_that_was_added_does_no_harm() {
    let scene = primed();
    scene.server_git(MAIN, &["config", "uploadpack.allowRefInWant", "true"]);
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), ONE);
}

#[test]
fn a_capability_that_git_uses_and_that_is_gone_is_explained_once() {
    let scene = primed();
    scene.server_git(MAIN, &["config", "uploadpack.allowFilter", "false"]);
    scene.bitbucket.commit(MAIN, "main", "More", &[("more.txt", b"more\n")]);
    let output = scene.git_in("clone", &["fetch", "--filter=blob:none"]);
    assert!(!output.success());
    assert!(
        output.stderr.contains("can no longer do what it could"),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("hint: run the command again"),
        "{}",
        output.stderr
    );
    scene.git_ok("clone", &["fetch", "--filter=blob:none"]);
}

#[test]
fn a_server_that_went_back_to_version_0_is_explained_once() {
    let mut scene = primed();
    let port = scene.bitbucket.port();
    let root = scene.bitbucket.repository_path(MAIN);
    let root = root.ancestors().nth(2).expect("below the server's root").to_owned();
    // The old server has to be gone before another can take its port.
    drop(std::mem::replace(
        &mut scene.bitbucket,
        Bitbucket::start(Settings::default()),
    ));
    scene.bitbucket = Bitbucket::start(Settings {
        root: Some(root),
        port,
        ignore_git_protocol: true,
        ..Settings::default()
    });
    scene.set("GIT_SSL_CAINFO", scene.bitbucket.ca_file());
    let account = Account::api_token("ada", TOKEN);
    scene.bitbucket.add_account(account);
    let output = scene.git_in("clone", &["fetch"]);
    assert!(!output.success());
    assert!(
        output.stderr.contains("can no longer do what it could"),
        "{}",
        output.stderr
    );
    scene.git_ok("clone", &["fetch"]);
    scene.git_ok("clone", &["fsck"]);
}

#[test]
fn a_repository_that_was_made_anew_in_another_format_is_refused_by_git() {
    let scene = primed();
    let place = scene.bitbucket.repository_path(MAIN);
    fs::remove_dir_all(&place).expect("our own directory");
    fs::rename(scene.bitbucket.repository_path(MODERN), &place).expect("our own directory");
    let before = scene.git_ok("clone", &["for-each-ref"]);
    for _ in 0..2 {
        assert!(!scene.git_in("clone", &["fetch"]).success());
        assert_eq!(scene.git_ok("clone", &["for-each-ref"]), before);
    }
}

#[test]
fn a_repository_that_has_moved_is_followed() {
    let scene = primed();
    scene.bitbucket.moved(MAIN, "acme/gadgets");
    let place = scene.bitbucket.repository_path(MAIN);
    fs::rename(&place, place.with_file_name("gadgets.git")).expect("our own directory");
    scene.git_ok("clone", &["fetch"]);
    let asked = scene.bitbucket.requests();
    let last = asked.last().expect("there were requests");
    assert!(last.path.starts_with("/acme/gadgets.git/"), "{asked:?}");
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch"]);
    // One request is led on, and says where to: no more than a redirected advertisement would cost.
    assert_eq!(requests(&scene), ["POST git-upload-pack"; 2]);
}

#[test]
fn a_lost_access_is_told_as_it_is() {
    let scene = primed();
    scene.bitbucket.revoke(TOKEN);
    let output = scene.git_in("clone", &["fetch"]);
    assert!(!output.success());
    assert!(output.stderr.contains("rejected the API token"), "{}", output.stderr);
    assert_eq!(requests(&scene), ONE);
}

#[test]
fn an_answer_that_makes_no_sense_is_asked_for_again() {
    let scene = primed();
    scene
        .bitbucket
        .fault(Fault::on("git-upload-pack", Action::ContentType("text/html".into())).method("POST"));
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), STALE);
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
        assert!(child.wait().expect("git can be waited for").success());
    }
    assert_eq!(requests(&scene), ["POST git-upload-pack"; 8]);
}
