//! One server and one clone for a batch of cells. The clone is put back to what it was after each.

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
    /// What is pushed.
    head: String,
    /// What is fetched.
    topic: String,
    /// How many requests of the operation's kind come before the one that it is about.
    skip: usize,
    cells: usize,
}

impl Bench {
    pub(super) fn new(operation: Operation) -> Self {
        let scene = Scene::with(Transport::Bbcloud, operation.version(), Settings::default());
        scene.set("BBCLOUD_CACHE", "false");
        scene.git_ok("", &["config", "--global", "http.retryAfter", "0"]);
        scene.cloned();
        scene.slow_down_pushes("clone", "0.3");
        let later = noise(60_000);
        scene.bitbucket.commit(MAIN, "topic", "Later", &[("later", &later)]);
        scene.commit("clone", "mine", b"mine\n");
        let before = Snapshot::of(&scene.path("clone"));
        let head = scene.git_ok("clone", &["rev-parse", "HEAD"]);
        let topic = scene.server_git(MAIN, &["rev-parse", "topic"]);
        let mut bench = Self {
            scene,
            operation,
            before,
            head,
            topic,
            skip: 0,
            cells: 0,
        };
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
        self.scene.bitbucket.clear_requests();
        let fault = self.operation.fault(case.action.clone(), self.skip);
        self.scene.bitbucket.fault(fault);
        let started = Instant::now();
        let output = self.attempt(&cell, case);
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
        complaints.extend(self.server_is_well(&cell, &output));
        let name = format!("{:?} × {}", self.operation, case.name);
        if complaints.is_empty() {
            return Vec::new();
        }
        vec![format!("{name}: {}\n{}", complaints.join("; "), output.stderr)]
    }

    fn attempt(&self, cell: &str, case: &Case) -> Output {
        let mut git = self.scene.command("git", &self.scene.path("clone"));
        git.args(case.settings.iter().flat_map(|setting| ["-c", setting]));
        if self.operation.pushes() {
            git.args(["push", "--quiet", "origin", &format!("HEAD:refs/heads/{cell}")]);
        } else {
            git.args(["fetch", "--quiet"]);
        }
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
        let place = self.scene.bitbucket.repository_path(MAIN);
        // It is not there until something is pushed to it.
        std::fs::read_to_string(place.join("refs/heads").join(cell)).unwrap_or_default()
    }

    fn server_is_well(&self, cell: &str, output: &Output) -> Vec<String> {
        let mut complaints = Vec::new();
        let there = self.pushed(cell);
        if !there.is_empty() && there != self.head {
            complaints.push(format!(
                "the server has '{}' instead of '{}'",
                there.trim(),
                self.head.trim()
            ));
        }
        if !self.operation.pushes() {
            return complaints;
        }
        let unknown = [
            "it may or may not have taken effect",
            "the server has reported on it, but the end of its answer was lost",
        ]
        .iter()
        .any(|words| output.stderr.contains(words))
            && output.stderr.contains("git ls-remote bbcloud::acme/widgets");
        match (output.success(), there.is_empty()) {
            (true, true) => complaints.push("a push that succeeded is not there".to_owned()),
            (false, false) if !unknown => complaints.push("a push that took effect was called a failure".to_owned()),
            _ => {}
        }
        let posts = self.scene.bitbucket.requests();
        let posts = posts
            .iter()
            .filter(|request| request.path.ends_with("/git-receive-pack"))
            .count();
        let wanted = usize::from(self.operation == Operation::Push || output.success());
        if posts != wanted {
            complaints.push(format!("the push was sent {posts} times"));
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
    match case.effect {
        Effect::Fails(_) if output.success() => complaints.push("it should have failed".to_owned()),
        Effect::None if !output.success() => complaints.push("it should have succeeded".to_owned()),
        Effect::Fails(causes) if !causes.iter().any(|cause| output.stderr.contains(cause)) => {
            complaints.push(format!("none of {causes:?} was said"));
        }
        _ => {}
    }
    complaints
}
