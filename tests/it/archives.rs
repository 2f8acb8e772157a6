//! Archives for a release and the manifests that point to them, with files that stand for the programs of other systems.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::run::{Output, run};
use crate::support::scene::Scene;
use crate::support::skip::has_program;

fn script(scene: &Scene, name: &str, arguments: &[&str]) -> Output {
    let mut sh = scene.command("sh", Path::new(env!("CARGO_MANIFEST_DIR")));
    sh.arg(format!("tests/support/{name}")).args(arguments);
    let output = run(sh);
    assert!(output.success(), "{}{}", output.stdout, output.stderr);
    output
}

/// Packs `program` for `target`, and returns the archive.
fn archive(scene: &Scene, program: &Path, target: &str) -> PathBuf {
    let [program, share, packages] = [program, &scene.path("release/share"), &scene.path("packages")]
        .map(|path| path.to_str().expect("UTF-8").to_owned());
    let output = script(scene, "archive.sh", &[&program, &share, target, &packages]);
    PathBuf::from(output.stdout.trim())
}

fn shell(scene: &Scene, script: &str) -> String {
    let mut sh = scene.command("sh", &scene.path("packages"));
    sh.args(["-e", "-c", script]);
    let output = run(sh);
    assert!(output.success(), "{}", output.stderr);
    output.stdout
}

fn released() -> Scene {
    let scene = Scene::new();
    scene.bbcloud_ok("", &["man", "--install", "--prefix", "release"]);
    scene
}

#[test]
fn an_archive_has_the_program_its_pages_and_its_completions() {
    let scene = released();
    let program = scene.path("program");
    fs::write(&program, "#!/bin/sh\necho it runs\n").expect("a file can be written");
    let packed = archive(&scene, &program, "x86_64-unknown-linux-gnu");
    let first = fs::read(&packed).expect("an archive");
    shell(
        &scene,
        "sha256sum --check --quiet *.sha256; tar -xzf *.tar.gz; mv git-remote-bbcloud-*-gnu unpacked",
    );
    for file in [
        "bin/git-remote-bbcloud",
        "share/man/man1/git-remote-bbcloud.1",
        "share/bash-completion/completions/git-remote-bbcloud",
        "share/zsh/site-functions/_git-remote-bbcloud",
        "share/fish/vendor_completions.d/git-remote-bbcloud.fish",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "README.md",
    ] {
        assert!(scene.path("packages/unpacked").join(file).exists(), "{file}");
    }
    assert_eq!(shell(&scene, "unpacked/bin/git-remote-bbcloud"), "it runs\n");
    archive(&scene, &program, "x86_64-unknown-linux-gnu");
    assert!(
        fs::read(&packed).expect("an archive") == first,
        "the same bytes each time"
    );
}

#[test]
fn manifests_point_to_a_release_and_know_its_checksums() {
    let scene = released();
    if !has_program(&scene, "zip") || !has_program(&scene, "unzip") {
        return;
    }
    let [mac, windows] = ["program", "program.exe"].map(|name| scene.path(name));
    for program in [&mac, &windows] {
        fs::write(program, "not a program\n").expect("a file can be written");
    }
    for target in ["aarch64-apple-darwin", "x86_64-apple-darwin"] {
        archive(&scene, &mac, target);
    }
    let zip = archive(&scene, &windows, "x86_64-pc-windows-gnu");
    let listed = shell(&scene, "unzip -Z1 *.zip");
    assert!(
        listed.contains("-gnu/git-remote-bbcloud.exe\n") && listed.contains("-gnu/share/man/man1/"),
        "{listed}"
    );
    let url = "https://example.com/releases/0";
    let packages = scene.path("packages");
    script(&scene, "manifests.sh", &[url, packages.to_str().expect("UTF-8")]);
    let name = zip.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    let sum = shell(&scene, "sha256sum *.zip");
    let sum = sum.split(' ').next().expect("a checksum");
    let scoop = scene.text("packages/manifests/scoop.json");
    let scoop: serde_json::Value = serde_json::from_str(&scoop).expect("JSON");
    let program = &scoop["architecture"]["64bit"];
    assert_eq!(program["url"], format!("{url}/{name}"));
    assert_eq!(program["hash"], sum);
    let winget = "packages/manifests/winget/GitRemoteBbcloud.GitRemoteBbcloud.installer.yaml";
    let winget = scene.text(winget);
    assert!(winget.contains(&format!("InstallerUrl: {url}/{name}\n")), "{winget}");
    assert!(winget.contains(&sum.to_uppercase()), "{winget}");
    let homebrew = scene.text("packages/manifests/git-remote-bbcloud.rb");
    let sums = shell(&scene, "sha256sum *-darwin.tar.gz | cut -d ' ' -f 1");
    assert_eq!(
        sums.lines().filter(|sum| homebrew.contains(*sum)).count(),
        2,
        "{homebrew}"
    );
}
