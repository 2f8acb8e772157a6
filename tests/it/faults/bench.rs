//! One server and one clone for a batch of cells. The clone is put back to what it was after each.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::operation::Operation;
use super::snapshot::Snapshot;
use super::{Case, Effect};
use crate::bitbucket::Settings;
use crate::support::fixture::{MAIN, noise};
use crate::support::run::{Output, run};
use crate::support::scene::{Scene, Transport};

/// No fault of the matrix may take longer, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) struct Bench {
    scene: Scene,
    operation: Operation,
    before: Snapshot,
    /// The kept advertisement, where there is one.
    kept: Snapshot,
    /// The names of all files in the home, and in the directory for temporary files.
    around: BTreeSet<String>,
    /// What is pushed.
    head: String,
    /// What is fetched.
    topic: String,
    /// What is deleted.
    head_on_server: String,
    /// How many requests of the operation's kind come before the one that it is about.
    skip: usize,
    cells: usize,
}

impl Bench {
    pub(super) fn new(operation: Operation) -> Self {
        let scene = Scene::with(Transport::Bbcloud, operation.version(), Settings::default());
        let cache = scene.path("cache");
        fs::create_dir(&cache).expect("a directory can be made");
        let place = if operation.is_kept() {
            cache.as_os_str()
        } else {
            "false".as_ref()
        };
        scene.set("BBCLOUD_CACHE", place);
        scene.git_ok("", &["config", "--global", "http.retryAfter", "0"]);
        scene.cloned();
        scene.slow_down_pushes("clone", "0.3");
        let later = noise(60_000);
        scene.bitbucket.commit(MAIN, "topic", "Later", &[("later", &later)]);
        let mine = if operation == Operation::PushChunked {
            150_000
        } else {
            5
        };
        scene.commit("clone", "mine", &noise(mine));
        if operation.is_kept() {
            scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
        }
        let before = Snapshot::of(&scene.path("clone"));
        let head = scene.git_ok("clone", &["rev-parse", "HEAD"]);
        let topic = scene.server_git(MAIN, &["rev-parse", "topic"]);
        let head_on_server = scene.server_git(MAIN, &["rev-parse", "main"]);
        let mut bench = Self {
            scene,
            operation,
            before,
            kept: Snapshot::of(&cache),
            around: BTreeSet::new(),
            head,
            topic,
            head_on_server,
            skip: 0,
            cells: 0,
        };
        bench.around = bench.surroundings();
        bench.rehearse();
        bench
    }

    /// Without a fault, to see that all is well and how many requests there are.
    fn rehearse(&mut self) {
        let none = Case::new(
            "rehearsal",
            crate::bitbucket::Action::Delay(Duration::ZERO),
            Effect::None,
        );
        let complaints = self.cell(&none);
        assert!(complaints.is_empty(), "{complaints:?}");
        if self.operation.has_pack() {
            self.skip = self.requests() - 1;
        }
    }

    /// How many requests of the operation's kind were made.
    fn requests(&self) -> usize {
        let requests = self.scene.bitbucket.requests();
        let method = if self.operation.is_get() { "GET" } else { "POST" };
        let of_this_kind = requests.iter().filter(|request| {
            let query = if request.query.is_empty() { "" } else { "?" };
            let target = format!("{}{query}{}", request.path, request.query);
            request.method == method && target.contains(&self.operation.target())
        });
        of_this_kind.count()
    }

    /// Runs one cell. Returns what is wrong with it.
    pub(super) fn cell(&mut self, case: &Case) -> Vec<String> {
        self.cells += 1;
        let cell = format!("cell-{}", self.cells);
        if self.operation == Operation::PushDelete {
            fs::write(self.place_on_server(&cell), &self.head_on_server).expect("the server is ours");
        }
        self.scene.bitbucket.clear_requests();
        let fault = self.operation.fault(case.action.clone(), self.skip);
        self.scene.bitbucket.fault(fault);
        let mut started = Instant::now();
        let mut output = self.attempt(&cell, case);
        // On a busy machine a request before this one may have been too slow for the case's settings.
        for _ in 0..5 {
            if case.settings.is_empty() || self.requests() > self.skip {
                break;
            }
            started = Instant::now();
            output = self.attempt(&cell, case);
        }
        let took = started.elapsed();
        self.scene.bitbucket.clear_faults();

        let mut complaints = Vec::new();
        if took > LIMIT {
            complaints.push(format!("it took {took:?}"));
        }
        complaints.extend(said(case, &output));
        let after = Snapshot::of(&self.scene.path("clone"));
        complaints.extend(self.clone_is_well(&cell, &after, output.success()));
        self.before.restore(&after, &self.scene.path("clone"));
        let cache = self.scene.path("cache");
        let kept = Snapshot::of(&cache);
        complaints.extend(kept.leftovers());
        self.kept.restore(&kept, &cache);
        complaints.extend(
            self.surroundings()
                .difference(&self.around)
                .map(|name| format!("'{name}' is new")),
        );
        complaints.extend(self.server_is_well(&cell, case, &output));
        let name = format!("{:?} × {}", self.operation, case.name);
        if complaints.is_empty() {
            return Vec::new();
        }
        vec![format!("{name}: {}\n{}", complaints.join("; "), output.stderr)]
    }

    fn attempt(&self, cell: &str, case: &Case) -> Output {
        let mut git = self.scene.command("git", &self.scene.path("clone"));
        git.args(case.settings.iter().flat_map(|setting| ["-c", setting]));
        git.args(self.operation.arguments(cell));
        // What has not ended has been killed; the other cells still have something to say.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(git)));
        ended.unwrap_or(Output {
            code: None,
            stdout: String::new(),
            stderr: "error: it has not ended\n".to_owned(),
        })
    }

    /// As before after a failure, complete after a success.
    fn clone_is_well(&self, cell: &str, after: &Snapshot, success: bool) -> Vec<String> {
        let mut complaints = after.leftovers();
        if after.has_new_objects(&self.before) {
            // Whole objects may have come before something broke; nothing names them.
            let fsck = self.scene.git_in("clone", &["fsck", "--no-progress"]);
            if !fsck.success() {
                complaints.push(format!("the clone is broken: {}", fsck.stderr));
            }
        }
        if success && !self.operation.pushes() {
            let here = after.text(".git/refs/remotes/origin/topic");
            if here != self.topic {
                complaints.push("what was fetched is not what the server has".to_owned());
            }
        }
        if !success {
            complaints.extend(after.changes_since(&self.before, &self.pushed(cell)));
        }
        complaints
    }

    /// What the server has on the branch that this cell pushes to.
    fn pushed(&self, cell: &str) -> String {
        // It is not there until something is pushed to it.
        fs::read_to_string(self.place_on_server(cell)).unwrap_or_default()
    }

    fn place_on_server(&self, cell: &str) -> PathBuf {
        let place = self.scene.bitbucket.repository_path(MAIN);
        place.join("refs/heads").join(cell)
    }

    /// The names of all files of the home and of those that lie about where temporary files are made.
    fn surroundings(&self) -> BTreeSet<String> {
        let home = self.scene.home();
        let temporary = fs::read_dir(home.parent().expect("the sandbox")).expect("a directory can be read");
        let temporary = temporary.flatten().map(|entry| entry.path().display().to_string());
        let names = Snapshot::of(&home);
        names
            .names()
            .map(|name| format!("home/{name}"))
            .chain(temporary)
            .collect()
    }

    fn server_is_well(&self, cell: &str, case: &Case, output: &Output) -> Vec<String> {
        let mut complaints = Vec::new();
        let there = self.pushed(cell);
        if !self.operation.pushes() {
            return complaints;
        }
        let deletes = self.operation == Operation::PushDelete;
        let whole = if deletes { &self.head_on_server } else { &self.head };
        if !there.is_empty() && there != *whole {
            complaints.push(format!(
                "the server has '{}' instead of '{}'",
                there.trim(),
                whole.trim()
            ));
        }
        let took_effect = there.is_empty() == deletes;
        complaints.extend(self.outcome_is_told(case, output, took_effect));
        let posts = self.scene.bitbucket.requests();
        let posts = posts
            .iter()
            .filter(|request| request.path.ends_with("/git-receive-pack"))
            .count();
        let wanted = usize::from(self.operation.sends_push() || output.success());
        if posts != wanted {
            complaints.push(format!("the push was sent {posts} times"));
        }
        complaints
    }

    /// That nobody knows what became of a push is said if it was sent whole and nobody has told, and only then.
    fn outcome_is_told(&self, case: &Case, output: &Output, took_effect: bool) -> Vec<String> {
        let mut complaints = Vec::new();
        let said = ours(&output.stderr, LINES);
        let unknown = [
            "it may or may not have succeeded",
            "the server reported on it, but the end of its response was lost",
        ]
        .iter()
        .any(|words| said.contains(words));
        if unknown && !said.contains("git ls-remote bbcloud::acme/widgets") {
            complaints.push("how to find out was not told".to_owned());
        }
        match (output.success(), took_effect) {
            (true, false) => complaints.push("a push that succeeded is not there".to_owned()),
            (false, true) if !unknown => complaints.push("a push that took effect was called a failure".to_owned()),
            _ => {}
        }
        if (unknown || took_effect) && said.contains("it is safe to ") {
            complaints.push("a push that may have taken effect was called safe to repeat".to_owned());
        }
        // Git that has ended first is told nothing any more, and neither is anybody else.
        let is_silent = matches!(case.effect, Effect::GitFails(_));
        let is_known = output.success() || is_silent || case.action.tells_the_outcome();
        let expected = self.operation.sends_push() && !is_known;
        // Whether a connection that ends in the middle of an upload is seen before its end is a race.
        let either = self.operation == Operation::PushChunked && case.action.may_end_an_upload();
        if unknown != expected && !either {
            complaints.push(format!(
                "that the outcome is unknown was {}said",
                if unknown { "" } else { "not " }
            ));
        }
        complaints
    }

    /// After the last cell: the server's repository is whole.
    pub(super) fn end(&self) -> Vec<String> {
        let mut git = self.scene.command("git", &self.scene.bitbucket.repository_path(MAIN));
        git.args(["fsck", "--strict", "--no-progress"]);
        let fsck = run(git);
        if fsck.success() {
            return Vec::new();
        }
        vec![format!("the server's repository is broken: {}", fsck.stderr)]
    }
}

/// Whether git ended as the case wants, and the cause was told.
fn said(case: &Case, output: &Output) -> Vec<String> {
    let mut complaints = Vec::new();
    match &case.effect {
        Effect::Fails(_) | Effect::GitFails(_) if output.success() => {
            complaints.push("it should have failed".to_owned());
        }
        Effect::None if !output.success() => complaints.push("it should have succeeded".to_owned()),
        Effect::Fails(causes) if !causes.iter().any(|cause| ours(&output.stderr, CAUSES).contains(cause)) => {
            complaints.push(format!("none of {causes:?} was said"));
        }
        Effect::GitFails(words) if !output.stderr.contains(words) => {
            complaints.push(format!("'{words}' was not said"));
        }
        _ => {}
    }
    complaints
}

const CAUSES: &[&str] = &["error: ", "caused by: "];
const LINES: &[&str] = &["error: ", "caused by: ", "remote: ", "hint: "];

/// Our lines of what was said, of those that begin in one of these ways: git's own, about its transport, tell no cause.
fn ours(stderr: &str, begin: &[&str]) -> String {
    let gits = [
        "error: failed to push some refs",
        "error: error in sideband demultiplexer",
    ];
    let is_ours = |line: &&str| {
        begin.iter().any(|prefix| line.starts_with(prefix)) && !gits.iter().any(|prefix| line.starts_with(prefix))
    };
    stderr.lines().filter(is_ours).collect::<Vec<_>>().join("\n")
}
