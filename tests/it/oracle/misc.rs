//! Other surroundings: addresses in other forms, homes that cannot be written, locales, compression, a server below a path.

use super::{Side, same_with};
use crate::bitbucket::{API_TOKEN_USER, Settings, Tls};
use crate::support::fixture::MAIN;
use crate::support::scene::{Scene, TOKEN, Transport};

/// Clone, push and fetch.
fn round_trip(side: &Side) {
    side.cloned();
    side.scene.commit("clone", "mine", b"mine\n");
    side.ok("clone", &["push", "--quiet", "origin", "main"]);
    side.server_commits("later");
    side.ok("clone", &["pull", "--quiet"]);
}

#[test]
fn a_home_that_cannot_be_written() {
    same_with(&[0, 2], &Settings::default(), |side| {
        let global = side.scene.home().join(".gitconfig");
        side.scene.set("GIT_CONFIG_GLOBAL", global);
        // A file cannot become a directory, not even for root.
        side.scene.set("HOME", "/dev/null");
        round_trip(side);
    });
}

#[test]
fn without_a_home() {
    same_with(&[2], &Settings::default(), |side| {
        let global = side.scene.home().join(".gitconfig");
        side.scene.set("GIT_CONFIG_GLOBAL", global);
        side.scene.unset("HOME");
        round_trip(side);
    });
}

#[test]
fn locales() {
    for locale in ["C", "de_DE.UTF-8"] {
        same_with(&[0, 2], &Settings::default(), |side| {
            side.scene.unset("LC_ALL");
            side.scene.set("LANG", locale);
            round_trip(side);
        });
    }
}

#[test]
fn answers_that_are_compressed() {
    let settings = Settings {
        compress: true,
        ..Settings::default()
    };
    same_with(&[0, 2], &settings, round_trip);
}

#[test]
fn a_server_below_a_path() {
    let settings = Settings {
        prefix: "/scm/one".to_owned(),
        ..Settings::default()
    };
    same_with(&[0, 2], &settings, round_trip);
}

#[test]
fn a_server_without_tls_on_loopback_and_one_with_tls_of_2008() {
    for tls in [Tls::Off, Tls::Only12] {
        let settings = Settings {
            tls,
            ..Settings::default()
        };
        same_with(&[2], &settings, round_trip);
    }
}

#[test]
fn a_repository_that_has_moved() {
    same_with(&[0, 2], &Settings::default(), |side| {
        side.scene.bitbucket.moved("acme/old", MAIN);
        side.ok("", &["clone", "--quiet", &side.scene.url("acme/old"), "clone"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.ok("clone", &["push", "--quiet"]);
    });
}

/// Each form of an address means the same repository.
#[test]
fn every_form_of_an_address() {
    let scene = Scene::new();
    scene
        .bitbucket
        .alias("{0a1b2c3d-0000-4000-8000-000000000000}", "widgets");
    let base = scene.bitbucket.base_url();
    let expected = scene.git_ok("", &["ls-remote", "bbcloud::acme/widgets"]);
    assert!(expected.contains("refs/heads/main"));
    for address in [
        "bbcloud::acme/widgets.git",
        "bbcloud::acme/widgets/",
        "bbcloud://acme/widgets",
        "bbcloud://acme/widgets.git",
        &format!("bbcloud::{API_TOKEN_USER}@acme/widgets"),
        &format!("bbcloud://{API_TOKEN_USER}@acme/widgets"),
        "bbcloud::acme/{0a1b2c3d-0000-4000-8000-000000000000}",
        &format!("bbcloud::{base}/acme/widgets.git"),
        &format!("bbcloud::{base}/acme/widgets/src/main/"),
    ] {
        assert_eq!(scene.git_ok("", &["ls-remote", address]), expected, "{address}");
    }
}

#[test]
fn a_secret_in_the_address_works_and_is_warned_of_as_git_says() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    let address = format!("bbcloud::{API_TOKEN_USER}:{TOKEN}@acme/widgets");
    let listed = |setting: &[&str]| scene.untraced(|| scene.git(&[setting, &["ls-remote", &address]].concat()));
    let unset = listed(&[]);
    assert!(unset.success() && unset.stderr.contains("warning:"), "{}", unset.stderr);
    assert!(!unset.stderr.contains(TOKEN), "{}", unset.stderr);
    let allowed = listed(&["-c", "transfer.credentialsInUrl=allow"]);
    assert!(allowed.success() && allowed.stderr.is_empty(), "{}", allowed.stderr);
    scene.bitbucket.clear_requests();
    let dead = listed(&["-c", "transfer.credentialsInUrl=die"]);
    assert!(!dead.success() && dead.stderr.contains("error:"), "{}", dead.stderr);
    assert!(scene.bitbucket.requests().is_empty());
}

#[test]
fn a_public_repository_needs_no_secret() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    scene.bitbucket.set_public(MAIN, true);
    scene.cloned();
    assert!(scene.bitbucket.requests().iter().all(|request| request.user.is_none()));
}

#[test]
fn a_secret_from_a_file() {
    let scene = Scene::new();
    scene.excuse_file(scene.path("secret"));
    scene.unset("BBCLOUD_TOKEN");
    std::fs::write(scene.path("secret"), format!("{TOKEN}\n")).unwrap();
    scene.set("BBCLOUD_TOKEN_FILE", scene.path("secret"));
    scene.cloned();
}

/// A base URL from configuration: the user's counts, the repository's own does not, or secrets would go anywhere.
#[test]
fn the_base_url_comes_from_the_user_and_never_from_the_repository() {
    let scene = Scene::with(Transport::Bbcloud, 2, Settings::default());
    scene.unset("BBCLOUD_BASE_URL");
    scene.git_ok(
        "",
        &["config", "--global", "bbcloud.baseUrl", &scene.bitbucket.base_url()],
    );
    scene.cloned();
    scene.git_ok("clone", &["config", "bbcloud.baseUrl", "https://localhost:1"]);
    scene.git_ok("clone", &["fetch"]);
    let elsewhere = scene.git_in("clone", &["-c", "bbcloud.baseUrl=https://localhost:1", "fetch"]);
    assert!(
        !elsewhere.success() && elsewhere.stderr.contains("localhost:1"),
        "{}",
        elsewhere.stderr
    );
}
