//! A pack that is larger than any buffer, and the memory that the helper needs while it passes.

#![cfg(target_os = "linux")]

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::load::much;
use crate::support::fixture::{self, EMPTY, noise};
use crate::support::scene::Scene;

/// What the blob takes, and the pack with it: one that no buffer holds, or for a soak 2 GB.
fn size() -> usize {
    much(110_000_000, 2_000_000_000)
}

/// The bound, which the debug build keeps too.
pub(crate) const LIMIT_KIB: u64 = 24 * 1024;

#[test]
fn a_pack_of_any_size_passes_through_little_memory() {
    let scene = Scene::new();
    let size = size();
    let place = scene.bitbucket.create_repository("acme/large");
    // Written to the pack as it is, without the search for deltas and without compression.
    for (key, value) in [("core.bigFileThreshold", "1m"), ("core.compression", "0")] {
        scene.server_git("acme/large", &["config", key, value]);
        scene.git_ok("", &["config", "--global", key, value]);
    }
    let mut stream =
        b"commit refs/heads/main\ncommitter Ada <ada@example.com> 1750000000 +0000\ndata 1\nx\nM 100644 inline large\n"
            .to_vec();
    stream.extend_from_slice(format!("data {size}\n").as_bytes());
    stream.extend_from_slice(&noise(size));
    stream.push(b'\n');
    fixture::import(&place, &stream);
    drop(stream);

    let url = scene.url("acme/large");
    let cloning = peak(&scene, &["clone", "--quiet", "--bare", &url, "clone"]);
    let packs = std::fs::read_dir(scene.path("clone/objects/pack")).unwrap();
    let packed: u64 = packs.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(packed > size as u64);
    let pushing = peak(&scene, &["-C", "clone", "push", "--quiet", &scene.url(EMPTY), "main"]);
    assert_eq!(
        scene.server_git(EMPTY, &["rev-parse", "main"]),
        scene.server_git("acme/large", &["rev-parse", "main"])
    );
    assert!(
        cloning < LIMIT_KIB && pushing < LIMIT_KIB,
        "{cloning} KiB, {pushing} KiB"
    );
}

/// Runs git to success. Returns the most memory that the helper has had, in KiB.
pub(crate) fn peak(scene: &Scene, arguments: &[&str]) -> u64 {
    let (done, home) = (&AtomicBool::new(false), &scene.home());
    std::thread::scope(|threads| {
        let watch = threads.spawn(move || {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = helpers(home).max().unwrap_or_default().max(peak);
                std::thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        let output = scene.git(arguments);
        done.store(true, Ordering::Relaxed);
        assert!(output.success(), "{}", output.stderr);
        let peak = watch.join().expect("the watch does not panic");
        assert!(peak > 0, "the helper was not seen");
        peak
    })
}

/// The peaks (`VmHWM`) of the helpers that live in the sandbox with this home.
fn helpers(home: &Path) -> impl Iterator<Item = u64> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |process| {
        let program = std::fs::read_link(process.path().join("exe")).ok()?;
        let environment = std::fs::read(process.path().join("environ")).ok()?;
        let home = [b"HOME=", home.as_os_str().as_bytes()].concat();
        let ours = program == Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud"))
            && environment.split(|byte| *byte == 0).any(|variable| variable == home);
        if !ours {
            return None;
        }
        let status = std::fs::read_to_string(process.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    })
}
