//! Many at once, many in a row, and large: nothing may grow that does not have to.
//!
//! `make test` runs a short form of each; `make soak` sets `BBCLOUD_SOAK` and runs the long one.

mod size;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::support::fixture::MAIN;
use crate::support::scene::{Scene, TOKEN};
use crate::support::wait;

/// `short`, or `long` for a soak.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests may take is not for the product to know"
)]
pub(crate) fn much<T>(short: T, long: T) -> T {
    if std::env::var_os("BBCLOUD_SOAK").is_some() {
        long
    } else {
        short
    }
}

/// The files below `root` but git's own, by name.
pub(crate) fn files(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                found.insert(entry.path().display().to_string());
            }
        }
    }
    found
}

#[test]
fn clones_at_once_do_not_get_in_each_others_way() {
    let scene = Scene::new();
    let before = around(&scene);
    let children: Vec<_> = (0..much(12, 50))
        .map(|number| {
            let mut git = scene.command("git", &scene.work());
            git.args(["clone", "--quiet", &scene.url(MAIN), &format!("clone{number}")]);
            git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            (number, git.spawn().expect("git can be started"))
        })
        .collect();
    for (number, mut child) in children {
        wait::ended(&mut child);
        let output = child.wait_with_output().expect("git can be waited for");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        scene.git_ok(&format!("clone{number}"), &["fsck"]);
    }
    assert_eq!(surviving(&scene), Vec::<String>::new());
    // All of them keep the same advertisement, once.
    let new: Vec<_> = around(&scene).difference(&before).cloned().collect();
    assert!(
        matches!(new.as_slice(), [one] if one.contains("/.cache/git-remote-bbcloud/")),
        "{new:?}"
    );
}

/// A secret of the environment is sent a second time before a refusal is believed, and no command sends it more often.
#[test]
fn twenty_fetches_with_a_dead_token_send_forty_requests_at_most() {
    let scene = Scene::new();
    scene.cloned();
    scene.bitbucket.revoke(TOKEN);
    scene.bitbucket.clear_requests();
    let children: Vec<_> = (0..20)
        .map(|_| {
            let mut git = scene.command("git", &scene.path("clone"));
            git.args(["ls-remote", "origin"]);
            git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            git.spawn().expect("git can be started")
        })
        .collect();
    for mut child in children {
        wait::ended(&mut child);
        let output = child.wait_with_output().expect("git can be waited for");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(128), "{told}");
    }
    let requests = scene.bitbucket.requests();
    assert!((20..=40).contains(&requests.len()), "{}", requests.len());
}

/// The files of the home and of the directory for temporary files, which has the work in it, too.
fn around(scene: &Scene) -> BTreeSet<String> {
    let all = files(scene.home().parent().expect("the sandbox"));
    let others = ["/my work/", "/server/", "/canary/"];
    all.into_iter()
        .filter(|file| !others.iter().any(|part| file.contains(part)))
        .collect()
}

/// The helpers of the scene that have not ended, by their arguments. Git has been waited for, and they with it.
fn surviving(scene: &Scene) -> Vec<String> {
    let home = format!("HOME={}", scene.home().display());
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter_map(|process| {
        let read = |name: &str| fs::read(process.path().join(name)).unwrap_or_default();
        // The environment of a helper is for root alone to read; that of git is for whoever started it.
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        let is_here = environment.split('\0').any(|variable| variable == home);
        let arguments = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        (is_here && arguments.contains("remote-bbcloud")).then_some(arguments)
    });
    ours.collect()
}

/// Twelve hours of an editor that looks for news every minute, with news now and then.
#[test]
fn fetches_in_a_row_leave_nothing_behind() {
    let scene = Scene::new();
    scene.cloned();
    scene.git_ok("clone", &["fetch", "--quiet"]);
    // Packs and references are git's; everything else must stay as it is.
    let ours = |scene: &Scene| -> BTreeSet<String> {
        let all = files(scene.home().parent().expect("the sandbox"));
        let gits = ["/.git/", "/server/", "/canary/"];
        all.into_iter()
            .filter(|file| !gits.iter().any(|part| file.contains(part)))
            .collect()
    };
    let before = ours(&scene);
    let rounds = much(30, 1000);
    for round in 0..rounds {
        if round % 10 == 9 {
            scene
                .bitbucket
                .commit(MAIN, "main", "News", &[("news", round.to_string().as_bytes())]);
        }
        scene.git_ok("clone", &["fetch", "--quiet", "--prune", "--no-auto-maintenance"]);
    }
    assert_eq!(ours(&scene), before);
    assert_eq!(surviving(&scene), Vec::<String>::new());
    let there = scene.server_git(MAIN, &["rev-parse", "main"]);
    assert_eq!(scene.git_ok("clone", &["rev-parse", "origin/main"]), there);
    scene.git_ok("clone", &["fsck"]);
}

/// A helper in the middle of a session, spoken to as git does.
struct Talk {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Talk {
    fn begin(scene: &Scene) -> Self {
        let mut command = scene.command("git-remote-bbcloud", &scene.work());
        command
            .args(["origin", MAIN])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the helper can be started");
        let to = child.stdin.take().expect("a pipe");
        let from = child.stdout.take().expect("a pipe");
        let mut talk = Self { child, to, from };
        talk.say(b"connect git-upload-pack\n");
        talk
    }

    fn say(&mut self, bytes: &[u8]) {
        self.to.write_all(bytes).expect("the helper listens");
        self.to.flush().expect("the helper listens");
    }

    /// Reads packets up to a flush, and returns how many.
    fn hear(&mut self) -> usize {
        let mut packets = 0;
        loop {
            let mut length = [0; 4];
            self.from.read_exact(&mut length).expect("the helper speaks");
            let length = usize::from_str_radix(std::str::from_utf8(&length).expect("digits"), 16).expect("digits");
            if length == 0 {
                return packets;
            }
            packets += 1;
            let mut content = vec![0; length.saturating_sub(4)];
            self.from.read_exact(&mut content).expect("the helper speaks");
        }
    }

    /// Descriptors, threads, and resident memory in KiB.
    fn holds(&self) -> (usize, usize, u64) {
        let place = format!("/proc/{}", self.child.id());
        let count = |name: &str| fs::read_dir(format!("{place}/{name}")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("{place}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
        (count("fd"), count("task"), resident.unwrap_or_default())
    }
}

/// One process, as many requests as a whole day of them: it holds what it held at the beginning.
#[cfg(target_os = "linux")]
#[test]
fn requests_in_a_row_need_no_more_than_the_first() {
    let scene = Scene::new();
    let mut talk = Talk::begin(&scene);
    let mut begin = Vec::new();
    // `connect` is answered with an empty line, and the advertisement follows.
    let mut byte = [0];
    talk.from.read_exact(&mut byte).expect("the helper speaks");
    begin.extend(byte);
    assert_eq!(begin, b"\n", "the service is connected");
    assert!(talk.hear() > 1);
    let request = b"0014command=ls-refs\n00010009peel\n0000";
    let ask = |talk: &mut Talk| {
        talk.say(request);
        assert!(talk.hear() > 1);
    };
    for _ in 0..20 {
        ask(&mut talk);
    }
    let before = talk.holds();
    for _ in 0..much(200, 20_000) {
        ask(&mut talk);
    }
    let after = talk.holds();
    assert_eq!((after.0, after.1), (before.0, before.1), "descriptors, threads");
    assert!(
        after.2 <= before.2 + 1024,
        "{} KiB, and before {} KiB",
        after.2,
        before.2
    );
    talk.say(b"0000");
    drop(talk.to);
    assert!(wait::ended(&mut talk.child).success());
}
