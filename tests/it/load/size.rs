//! A repository with very many references.

use std::fmt::Write as _;
use std::fs;

use super::much;
use crate::support::fixture::MAIN;
use crate::support::scene::Scene;

#[test]
fn very_many_references_are_listed_and_fetched() {
    let scene = Scene::new();
    let place = scene.bitbucket.repository_path(MAIN);
    let id = scene.server_git(MAIN, &["rev-parse", "main"]);
    let count = much(5_000, 100_000);
    // All at once, as git would pack them; sorted, as the first line promises.
    let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    let own = scene.server_git(MAIN, &["for-each-ref", "--format=%(objectname) %(refname)"]);
    let mut lines: Vec<String> = own
        .lines()
        .filter(|line| !line.contains("refs/tags/"))
        .map(str::to_owned)
        .collect();
    lines.extend((0..count).map(|number| format!("{} refs/heads/many/{number:06}", id.trim())));
    lines.sort_by(|one, other| one.get(41..).cmp(&other.get(41..)));
    for line in lines {
        writeln!(packed, "{line}").expect("a string can be written");
    }
    scene.server_git(MAIN, &["pack-refs", "--all"]);
    fs::write(place.join("packed-refs"), packed).expect("the server is ours");

    let listed = scene.git_ok("", &["ls-remote", "--heads", &scene.url(MAIN)]);
    assert!(listed.lines().filter(|line| line.contains("refs/heads/many/")).count() == count);
    scene.cloned();
    let fetched = scene.git_ok("clone", &["for-each-ref", "refs/remotes/origin/many"]);
    assert_eq!(fetched.lines().count(), count);
    for version in ["0", "1"] {
        let version = format!("protocol.version={version}");
        let again = scene.git_ok("clone", &["-c", &version, "ls-remote", "--heads", "origin"]);
        assert_eq!(again, listed);
    }
    #[cfg(target_os = "linux")]
    for version in ["0", "2"] {
        let version = format!("protocol.version={version}");
        let place = scene.path("clone").display().to_string();
        let used = crate::memory::peak(&scene, &["-C", &place, "-c", &version, "fetch", "--quiet"]);
        // Version 2 passes its references on as they come. An advertisement of version 0 is kept while it is read.
        let listed = if version.ends_with('0') {
            2 * listed.len() as u64 / 1024
        } else {
            0
        };
        assert!(used < crate::memory::LIMIT_KIB + listed, "{version}: {used} KiB");
    }
}
