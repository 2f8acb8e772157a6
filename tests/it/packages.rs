//! Installing and packaging, with the real tools.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::fixture::MAIN;
use crate::support::run::{Output, run};
use crate::support::scene::Scene;
use crate::support::skip::{has_program, skip};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const BINARY: &str = env!("CARGO_BIN_EXE_git-remote-bbcloud");

fn ok(command: Command) -> Output {
    let output = run(command);
    assert!(output.success(), "{}{}", output.stdout, output.stderr);
    output
}

fn make(scene: &Scene, arguments: &[&str]) {
    let mut make = scene.command("make", Path::new(ROOT));
    let share = scene.path("release/share");
    make.args([
        "--no-print-directory",
        &format!("BINARY={BINARY}"),
        &format!("SHARE={}", share.display()),
    ]);
    make.args(arguments);
    ok(make);
}

/// Every file below `directory`, by its path from there.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(path)
                    .expect("a directory")
                    .map(|entry| entry.expect("an entry").path()),
            );
        } else {
            let name = path.strip_prefix(directory).expect("it is below");
            found.insert(name.to_str().expect("UTF-8").to_owned());
        }
    }
    found
}

/// The pages that `man` writes.
fn pages(scene: &Scene) -> Vec<String> {
    let directory = scene.path("pages");
    let mut git = scene.command("git", &scene.work());
    git.args(["remote-bbcloud", "man", "--output"]).arg(&directory);
    ok(git);
    files(&directory).into_iter().collect()
}

/// Clones with the program in `directory` as git finds it there.
fn clone_with(scene: &Scene, directory: &Path, name: &str) {
    let mut git = scene.command("git", &scene.work());
    let system = git
        .get_envs()
        .find(|(name, _)| *name == "PATH")
        .and_then(|(_, value)| value);
    let own = Path::new(BINARY).parent();
    let others = std::env::split_paths(system.expect("there is a PATH")).filter(|path| Some(path.as_path()) != own);
    let path = std::env::join_paths(std::iter::once(directory.to_owned()).chain(others)).expect("paths");
    git.env("PATH", path).args(["clone", "--quiet", &scene.url(MAIN), name]);
    ok(git);
}

#[test]
fn what_is_installed_works_and_goes_away_again() {
    let scene = Scene::new();
    let root = scene.path("root");
    scene.bbcloud_ok("", &["man", "--install", "--prefix", "release"]);
    let destination = format!("DESTDIR={}", root.display());
    make(&scene, &["install", &destination, "PREFIX=/opt/git"]);
    let mut expected: BTreeSet<String> = [
        "opt/git/bin/git-remote-bbcloud",
        "opt/git/share/bash-completion/completions/git-remote-bbcloud",
        "opt/git/share/zsh/site-functions/_git-remote-bbcloud",
        "opt/git/share/fish/vendor_completions.d/git-remote-bbcloud.fish",
    ]
    .map(str::to_owned)
    .into();
    expected.extend(
        pages(&scene)
            .iter()
            .map(|page| format!("opt/git/share/man/man1/{page}")),
    );
    assert_eq!(files(&root), expected);
    clone_with(&scene, &root.join("opt/git/bin"), "clone");
    make(&scene, &["uninstall", &destination, "PREFIX=/opt/git"]);
    assert_eq!(files(&root), BTreeSet::new());
}

/// Builds the package of this test's program, which is built already.
fn package(scene: &Scene) -> PathBuf {
    let mut script = scene.command("sh", Path::new(ROOT));
    script
        .env("COMPRESSION", "none")
        .args(["tests/support/deb.sh", BINARY])
        .arg(scene.path("packages"));
    PathBuf::from(ok(script).stdout.trim())
}

#[test]
fn the_debian_package_installs_and_is_removed_cleanly() {
    let scene = Scene::new();
    if !has_program(&scene, "dpkg-deb") || !has_program(&scene, "fakeroot") {
        return;
    }
    let package = package(&scene);
    let field = |name: &str| {
        let mut deb = scene.command("dpkg-deb", &scene.work());
        deb.arg("--field").arg(&package).arg(name);
        ok(deb).stdout.trim().to_owned()
    };
    assert_eq!(field("Version"), concat!(env!("CARGO_PKG_VERSION"), "-1"));
    let depends = field("Depends");
    for needed in ["git (>= 1:2.30)", "libc6 (>= 2.", "ca-certificates"] {
        assert!(depends.contains(needed), "{depends}");
    }
    // A system of its own, in which Debian's tools say what is there. What it depends on is not in there.
    let root = scene.path("system");
    for directory in ["var/lib/dpkg/updates", "var/lib/dpkg/info", "tmp"] {
        fs::create_dir_all(root.join(directory)).expect("a directory can be made");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("a file can be written");
    let dpkg = |arguments: &[&str], last: &Path| {
        let mut dpkg = scene.command("fakeroot", &scene.work());
        // dpkg looks for programs that only root has on the search path.
        dpkg.arg("env").arg("PATH=/usr/sbin:/sbin:/usr/bin:/bin");
        dpkg.arg("dpkg").arg(format!("--root={}", root.display()));
        dpkg.args(["--force-not-root", "--force-depends", "--log=/dev/null"]);
        dpkg.args(arguments).arg(last);
        ok(dpkg).stdout
    };
    dpkg(&["--install"], &package);
    let name = Path::new("git-remote-bbcloud");
    assert!(dpkg(&["--status"], name).contains("Status: install ok installed"));
    assert_eq!(dpkg(&["--verify"], name), "", "every file has its checksum");
    let listed = dpkg(&["--listfiles"], name);
    for page in pages(&scene) {
        assert!(listed.contains(&format!("/usr/share/man/man1/{page}.gz\n")), "{listed}");
    }
    for file in [
        "/usr/bin/git-remote-bbcloud",
        "/usr/share/doc/git-remote-bbcloud/copyright",
        "/usr/share/zsh/vendor-completions/_git-remote-bbcloud",
    ] {
        assert!(listed.contains(&format!("{file}\n")), "{listed}");
    }
    clone_with(&scene, &root.join("usr/bin"), "clone");
    dpkg(&["--purge"], name);
    assert!(!root.join("usr/bin/git-remote-bbcloud").exists());
    assert!(!root.join("usr/share/doc/git-remote-bbcloud").exists());
}

/// What a crate has to hold to be built and read, and what it must not.
#[test]
fn the_crate_holds_what_belongs_to_it() {
    let scene = Scene::new();
    if !Path::new(ROOT).join(".git").exists() {
        skip("this is no clone, and cargo lists what git has");
        return;
    }
    let mut cargo = scene.command(env!("CARGO"), Path::new(ROOT));
    // The registry that is here already, and no network.
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = inherited(name) {
            cargo.env(name, value);
        }
    }
    cargo.args(["package", "--list", "--locked", "--allow-dirty", "--offline"]);
    let listed: BTreeSet<String> = ok(cargo).stdout.lines().map(str::to_owned).collect();
    for file in [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "src/main.rs",
        "src/lib.rs",
    ] {
        assert!(listed.contains(file), "{file} is missing");
    }
    let strange = |file: &&String| {
        !["src/", "tests/", "fixtures/"]
            .iter()
            .any(|start| file.starts_with(start))
            && file.contains('/')
    };
    assert_eq!(listed.iter().find(strange), None);
    assert!(
        !listed
            .iter()
            .any(|file| file.starts_with(".ci") || file.starts_with("target"))
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo is run as the one that has started the tests"
)]
fn inherited(name: &str) -> Option<std::ffi::OsString> {
    let home = || {
        std::env::var_os("HOME").map(|home| {
            Path::new(&home)
                .join(format!(".{}", name.trim_end_matches("_HOME").to_lowercase()))
                .into_os_string()
        })
    };
    std::env::var_os(name).or_else(|| name.ends_with("_HOME").then(home).flatten())
}
