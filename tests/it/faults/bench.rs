//! One server and one clone for a batch of cells; each cell works on a copy of the clone.

use std::time::{Duration, Instant};

use super::operation::Operation;
use super::snapshot::Snapshot;
use super::{Case, Effect};
use crate::bitbucket::Settings;
use crate::support::fixture::{self, MAIN, noise};
use crate::support::run::{Output, run};
use crate::support::scene::{Scene, TOKEN, Transport};

/// No fault of the matrix may take longer, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) struct Bench {
    scene: Scene,
    operation: Operation,
    before: Snapshot,
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
        let later = noise(60_000);
        scene.bitbucket.commit(MAIN, "topic", "Later", &[("later", &later)]);
        scene.commit("clone", "mine", b"mine\n");
        let before = Snapshot::of(&scene.path("clone"));
        let mut bench = Self {
            scene,
            operation,
            before,
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
        fixture::copy(&self.scene.path("clone"), &self.scene.path(&cell));
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
        if output.stderr.contains(TOKEN) || output.stdout.contains(TOKEN) {
            complaints.push("the secret is in what was said".to_owned());
        }
        complaints.extend(said(case, &output));
        complaints.extend(self.clone_is_well(&cell, output.success()));
        complaints.extend(self.server_is_well(&cell, &output));
        let name = format!("{:?} × {}", self.operation, case.name);
        if std::option_env!("SLOWCELLS").is_some() || took > Duration::from_secs(4) {
            println!("SLOW {name} {took:?}");
        }
        std::fs::remove_dir_all(self.scene.path(&cell)).expect("our own directory");
        if complaints.is_empty() {
            return Vec::new();
        }
        vec![format!("{name}: {}\n{}", complaints.join("; "), output.stderr)]
    }

    fn attempt(&self, cell: &str, case: &Case) -> Output {
        let mut git = self.scene.command("git", &self.scene.path(cell));
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
    fn clone_is_well(&self, cell: &str, success: bool) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut after = Snapshot::of(&self.scene.path(cell));
        complaints.extend(after.leftovers());
        if after.has_new_objects(&self.before) {
            let fsck = self.scene.git_in(cell, &["fsck", "--no-progress"]);
            if !fsck.success() {
                complaints.push(format!("the clone is broken: {}", fsck.stderr));
            }
        }
        if success && !self.operation.pushes() {
            let there = self.scene.server_git(MAIN, &["rev-parse", "topic"]);
            let here = self.scene.git_ok(cell, &["rev-parse", "refs/remotes/origin/topic"]);
            if there != here {
                complaints.push("what was fetched is not what the server has".to_owned());
            }
        } else if !success {
            if after.has_new_objects(&self.before) {
                // Whole objects may have come before something broke; nothing names them.
                self.scene.git_ok(cell, &["prune", "--expire=now"]);
                after = Snapshot::of(&self.scene.path(cell));
            }
            complaints.extend(after.changes_since(&self.before));
        }
        complaints
    }

    fn server_is_well(&self, cell: &str, output: &Output) -> Vec<String> {
        let mut complaints = Vec::new();
        let format = "--format=%(objectname)";
        let there = self
            .scene
            .server_git(MAIN, &["for-each-ref", format, &format!("refs/heads/{cell}")]);
        let head = self.scene.git_ok("clone", &["rev-parse", "HEAD"]);
        if !there.is_empty() && there != head {
            complaints.push(format!(
                "the server has '{}' instead of '{}'",
                there.trim(),
                head.trim()
            ));
        }
        if !self.operation.pushes() {
            return complaints;
        }
        let unknown = output.stderr.contains("it may or may not have taken effect")
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
    // Git has `error:` lines of its own; ours are lower-case sentences about the server, the answer or the push.
    let ours = output
        .stderr
        .lines()
        .any(|line| line.starts_with("error: ") && !line.starts_with("error: failed to push"));
    if !output.success() && !ours {
        complaints.push("no error was told".to_owned());
    }
    complaints
}
