//! No room and no permission for the cache: a fetch needs neither.

use crate::support::canary;
use crate::support::fixture::MAIN;
use crate::support::run::run;
use crate::support::scene::Scene;

#[test]
fn a_cache_that_cannot_be_written_is_none() {
    let scene = Scene::new();
    let file = scene.path("file");
    std::fs::write(&file, "").unwrap();
    // A file where a directory should be; a place where not even root can write.
    for place in [file.display().to_string(), "/proc/nowhere/cache".to_owned()] {
        scene.set("BBCLOUD_CACHE", &place);
        let output = scene.git(&["ls-remote", "--exit-code", &scene.url(MAIN), "main"]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{place}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"");
}

/// A limit of no bytes at all, which fails as a full disk does: in the middle of a write.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_half_copy() {
    let scene = Scene::new();
    let cache = scene.path("cache");
    std::fs::create_dir(&cache).unwrap();
    scene.set("BBCLOUD_CACHE", &cache);
    // With the signal for it, which ends whoever does not say otherwise, and without.
    for trap in ["", "trap '' XFSZ; "] {
        let mut shell = scene.command("sh", &scene.work());
        let script = format!("{trap}ulimit -f 0; exec git ls-remote --exit-code \"$0\" main");
        shell.args(["-c", &script, &scene.url(MAIN)]);
        // There is no room for traces either, of which git would complain.
        canary::not_traced(&mut shell);
        let output = run(shell);
        assert_eq!(
            (output.code, output.stderr.as_str()),
            (Some(0), ""),
            "{}",
            output.stdout
        );
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 0);
    }
    // With room, a copy is kept.
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
}
