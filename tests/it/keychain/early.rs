//! The keychain's time: the server is connected to meanwhile, and what is kept of it is kept for each account.

use std::fs;
use std::time::{Duration, Instant};

use super::desktop::{Desktop, wait_for};
use super::stub::Slow;
use super::{keep, ls_remote, ours, person, scene, users};
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN};

#[test]
fn the_connection_is_opened_while_the_keychain_is_asked() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    let slow = Slow::before(&scene, &desktop.bus, Duration::from_secs(2));
    scene.set("BBCLOUD_KEYCHAIN_TIMEOUT", "40");
    let mut git = scene.command("git", &scene.work());
    git.args(["ls-remote", "bbcloud::acme/widgets", "main"]);
    let git = std::thread::spawn(move || run(git));
    wait_for("the connection", || (scene.bitbucket.connections() > 0).then_some(()));
    let connected = Instant::now();
    let output = git.join().expect("it ends");
    assert!(output.success(), "{}", output.stderr);
    let opened = slow.opened().expect("the keychain was asked");
    assert!(connected < opened, "the keychain was waited for");
    // That connection is the one that was used, and the first request had the secret.
    assert_eq!(scene.bitbucket.connections(), 1);
    assert_eq!(users(&scene), ["x-bitbucket-api-token-auth"]);
}

fn methods(scene: &Scene) -> Vec<String> {
    let requests = scene.bitbucket.requests();
    scene.bitbucket.clear_requests();
    requests.into_iter().map(|request| request.method).collect()
}

#[test]
fn what_a_server_advertised_is_kept_for_another_account_anew() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    for name in ["ann", "ben"] {
        keep(&scene, &person(&scene, name), &["--username", name, "--replace"]);
        assert!(ls_remote(&scene, "acme/widgets").success());
        assert_eq!(methods(&scene), ["GET", "POST"], "{name} is new");
        assert!(ls_remote(&scene, "acme/widgets").success());
        assert_eq!(methods(&scene), ["POST"], "{name} was here");
    }
    // A narrower account is another one, for its repository.
    keep(&scene, TOKEN, &["--for", "acme/widgets"]);
    assert!(ls_remote(&scene, "acme/widgets").success());
    assert_eq!(methods(&scene), ["GET", "POST"]);
    scene.set("BBCLOUD_TOKEN", TOKEN);
    assert!(ls_remote(&scene, "acme/widgets").success());
    assert_eq!(methods(&scene), ["GET", "POST"]);
    scene.unset("BBCLOUD_TOKEN");
    assert!(ours(&scene, &["logout", "--for", "acme/widgets"]).success());
    assert!(ls_remote(&scene, "acme/widgets").success());
    assert_eq!(methods(&scene), ["POST"], "ben is back");
    for entry in fs::read_dir(scene.home().join(".cache/git-remote-bbcloud")).expect("there are copies") {
        let text = fs::read(entry.expect("a file").path()).expect("it can be read");
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains("ATBB") && !text.contains("ATATT"), "{text}");
    }
}
