//! What the program says when something is wrong, as a set: `fixtures/messages` has a table for each group of scenes,
//! each scene really runs the program, and its words are compared with the table's.
//!
//! Where a text is new or another, `BBCLOUD_WRITE_MESSAGES=1 cargo test --locked --test it -- messages::` writes the
//! tables anew; then read them, as a set, in `git diff`, and run the tests once more without the variable: `style` looks
//! at all of them, `readme` at those that the README explains.

mod addresses;
mod agent;
mod api;
mod command_line;
mod doctor;
mod doctor_at_the_server;
mod doctor_beside_git;
mod git;
mod keychain;
mod large_files;
mod migrate_and_setup;
mod network;
mod protocol;
// With the feature `curl` other ways to sign in are spoken, and others are refused.
#[cfg(not(feature = "curl"))]
mod proxies;
mod push_outcomes;
mod readme;
mod redirects;
mod server;
mod settings;
mod signing_in;
mod style;
mod surroundings;
mod table;

pub(crate) use self::table::{Table, replaced, writes};
use crate::bitbucket::{Settings, Tls};
use crate::support::fixture::MAIN;
use crate::support::run::{Output, run};
use crate::support::scene::{Scene, Transport};

const PUSH: &[&str] = &["push", "--quiet", "origin", "main"];

/// Runs `script` in a shell, where the program is on the `PATH`.
fn shell(scene: &Scene, script: &str) -> Output {
    let mut shell = scene.command("sh", &scene.work());
    shell.args(["-c", script]);
    run(shell)
}

/// Lists what the server has, with settings of the command line.
fn list(scene: &Scene, settings: &[&str]) -> Output {
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["-c", setting]).collect();
    scene.git(&[&settings[..], &["ls-remote", &scene.url(MAIN)]].concat())
}

/// A scene where nothing is asked twice, and each command asks for all that it wants to know.
fn quick() -> Scene {
    quick_with(2)
}

fn quick_with(version: u8) -> Scene {
    let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
    scene.set("GIT_HTTP_RETRY_AFTER", "0");
    scene.set("BBCLOUD_CACHE", "false");
    scene
}

/// The same without TLS, where there is much to be sent.
fn plain() -> Scene {
    let settings = Settings {
        tls: Tls::Off,
        ..Settings::default()
    };
    let scene = Scene::with(Transport::Bbcloud, 2, settings);
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
    scene.set("BBCLOUD_CACHE", "false");
    scene
}
