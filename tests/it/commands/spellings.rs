//! Every way to write an address of Bitbucket, through every command that changes or takes one, and through its undo.
//! Hosts that only look like Bitbucket's are left alone by all of them.

use std::fmt::Write as _;
use std::fs;

use crate::bitbucket::Settings;
use crate::support::fixture::{MAIN, PART};
use crate::support::scene::{Scene, Transport};

/// The forms, without the path behind them.
fn forms() -> Vec<String> {
    let mut forms = Vec::new();
    for host in ["bitbucket.org", "ssh.bitbucket.org", "altssh.bitbucket.org"] {
        for user in ["git@", ""] {
            forms.push(format!("{user}{host}:"));
            for scheme in ["ssh", "git+ssh"] {
                for port in ["", ":22", ":443"] {
                    forms.push(format!("{scheme}://{user}{host}{port}/"));
                }
            }
        }
    }
    for host in ["bitbucket.org", "www.bitbucket.org", "Bitbucket.org", "BitBucket.org"] {
        forms.push(format!("https://{host}/"));
    }
    forms
}

/// Forms that `insteadOf` cannot cover, because it compares bytes.
const ODD: [&str; 4] = [
    "https://BITBUCKET.ORG/",
    "HTTPS://bitbucket.org/",
    "git@BitBucket.org:",
    "ssh://git@SSH.Bitbucket.org/",
];

const LOOK_ALIKES: [&str; 10] = [
    "https://bitbucket.org.evil.com/",
    "https://bitbucket.org@evil.com/",
    "https://notbitbucket.org/",
    "https://bitbucket.org.:443@evil.com/",
    "https://evil.com/bitbucket.org/",
    "https://ssh.bitbucket.org/",
    "git@bitbucket.org.evil.com:",
    "git@notbitbucket.org:",
    "bitbucket.org@evil.com:",
    "ssh://bitbucket.org.evil.com/",
];

/// Look-alikes that could be an address of Bitbucket with a wrong password: `migrate` says that it does not know them.
const DOUBTFUL: [&str; 2] = [
    "https://bitbucket.org:x@evil.com/",
    "ssh://git@bitbucket.org:22@evil.com/",
];

#[test]
fn setup_rewrites_every_form_and_no_other_host() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_BASE_URL");
    let before = fs::read_to_string(scene.home().join(".gitconfig")).expect("a file");
    let rewritten = |url: &str| scene.git_ok("", &["ls-remote", "--get-url", url]).trim_end().to_owned();
    for option in [&["--all"][..], &["--workspace", "acme"]] {
        scene.bbcloud_ok("", &[&["setup"], option].concat());
        for form in forms() {
            assert_eq!(
                rewritten(&format!("{form}acme/widgets.git")),
                "bbcloud::acme/widgets.git",
                "{form}"
            );
        }
        for form in LOOK_ALIKES.into_iter().chain(DOUBTFUL) {
            let url = format!("{form}acme/widgets.git");
            assert_eq!(rewritten(&url), url);
        }
        scene.bbcloud_ok("", &["setup", "--undo"]);
        assert_eq!(
            fs::read_to_string(scene.home().join(".gitconfig")).expect("a file"),
            before
        );
    }
}

#[test]
fn migrate_changes_every_form_and_undoes_it() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_BASE_URL");
    scene.git_ok("", &["init", "--quiet", "repository"]);
    let known: Vec<String> = forms().into_iter().chain(ODD.map(str::to_owned)).collect();
    let mut config = fs::read_to_string(scene.path("repository/.git/config")).expect("a file");
    for (index, form) in known.iter().enumerate() {
        let url = format!("{form}acme/widgets.git");
        writeln!(
            config,
            "[remote \"k{index}\"]\n\turl = {url}\n\tpushurl = {url}\n[submodule \"s{index}\"]\n\turl = {url}"
        )
        .expect("a string");
    }
    for (index, form) in LOOK_ALIKES.iter().enumerate() {
        writeln!(config, "[remote \"l{index}\"]\n\turl = {form}acme/widgets.git").expect("a string");
    }
    fs::write(scene.path("repository/.git/config"), &config).expect("written");
    let dry = scene.bbcloud_ok("repository", &["migrate", "--all-remotes", "--dry-run"]);
    assert_eq!(dry.stdout.lines().count(), known.len() * 3, "{}", dry.stdout);
    assert_eq!(scene.text("repository/.git/config"), config);
    scene.bbcloud_ok("repository", &["migrate", "--all-remotes"]);
    let value = |key: String| scene.git_ok("repository", &["config", "--get", &key]);
    for (index, form) in known.iter().enumerate() {
        for key in [
            format!("remote.k{index}.url"),
            format!("remote.k{index}.pushurl"),
            format!("submodule.s{index}.url"),
        ] {
            assert_eq!(value(key), "bbcloud::acme/widgets\n", "{form}");
        }
    }
    for (index, form) in LOOK_ALIKES.iter().enumerate() {
        assert_eq!(
            value(format!("remote.l{index}.url")),
            format!("{form}acme/widgets.git\n")
        );
    }
    scene.bbcloud_ok("repository", &["migrate", "--undo"]);
    assert_eq!(scene.text("repository/.git/config"), config);
}

#[test]
fn migrate_refuses_what_may_be_another_host() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_BASE_URL");
    scene.git_ok("", &["init", "--quiet", "repository"]);
    for form in DOUBTFUL {
        let url = format!("{form}acme/widgets.git");
        scene.git_ok("repository", &["config", "remote.origin.url", &url]);
        let before = scene.text("repository/.git/config");
        let refused = scene.bbcloud("repository", &["migrate", "--discard-secrets"]);
        assert_eq!(refused.code, Some(1), "{form}");
        assert!(refused.stderr.contains("not for 'evil.com'"), "{}", refused.stderr);
        assert_eq!(scene.text("repository/.git/config"), before);
    }
}

#[test]
fn every_form_can_be_pasted_behind_the_helpers_name() {
    let scene = Scene::new();
    for form in forms().into_iter().chain(ODD.map(str::to_owned)) {
        let listed = scene.git_in("", &["ls-remote", &format!("bbcloud::{form}{MAIN}.git"), "HEAD"]);
        assert!(listed.success(), "{form}: {}", listed.stderr);
    }
    scene.bitbucket.clear_requests();
    for form in LOOK_ALIKES.into_iter().chain(DOUBTFUL) {
        let listed = scene.git_in("", &["ls-remote", &format!("bbcloud::{form}{MAIN}.git")]);
        assert!(!listed.success(), "{form}");
    }
    assert!(
        scene.bitbucket.requests().is_empty(),
        "a look-alike was taken for Bitbucket"
    );
}

/// A file of the commit is not changed: `setup --all` is what makes its addresses work.
#[test]
fn submodules_of_every_form_are_fetched_after_setup() {
    let scene = Scene::with(Transport::Bbcloud, 2, Settings::default());
    let forms = [
        "git@localhost:",
        "localhost:",
        "ssh://git@localhost/",
        "ssh://git@localhost:22/",
        "ssh://localhost:443/",
        "git+ssh://git@localhost/",
    ];
    let mut modules = String::new();
    for (index, form) in forms.iter().enumerate() {
        let lines = format!("[submodule \"s{index}\"]\n\tpath = s{index}\n\turl = {form}{PART}.git");
        writeln!(modules, "{lines}").expect("a string");
    }
    scene.cloned();
    fs::write(scene.path("clone/.gitmodules"), &modules).expect("written");
    let part = scene.server_git(PART, &["rev-parse", "main"]);
    for index in 0..forms.len() {
        let entry = format!("160000,{},s{index}", part.trim_end());
        scene.git_ok("clone", &["update-index", "--add", "--cacheinfo", &entry]);
    }
    scene.bbcloud_ok("", &["setup", "--all"]);
    scene.git_ok("clone", &["submodule", "--quiet", "update", "--init"]);
    for (index, form) in forms.iter().enumerate() {
        assert!(scene.path(&format!("clone/s{index}/part.txt")).exists(), "{form}");
    }
    assert_eq!(scene.text("clone/.gitmodules"), modules);
}
