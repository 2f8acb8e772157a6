//! The secrets of a test are canaries: wherever one turns up but in the hands of the server, something leaks.
//!
//! When a scene ends, every secret that its server knows or has been shown is searched for in what all programs said,
//! in every file of the sandbox and its name, in every trace that git and the product can write, in the arguments and
//! the environments of git's processes and of the programs that are asked for secrets, and in the server's requests.
//! What a test has to put into a place itself is excused by file. This must not know scenes: there are two kinds.

mod files;
mod forms;
mod traces;

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use self::forms::Forms;
use crate::bitbucket::Bitbucket;

pub(crate) use self::traces::{SHOWN, TRACES};

/// Where everything that is only written to be searched is, below a sandbox.
const PLACE: &str = "canary";
/// The variable that names this place to [`Heard`]; what commands without it say is not searched.
const HEARD: &str = "CANARY";

pub(crate) struct Canary {
    sandbox: PathBuf,
    excused: Mutex<Vec<PathBuf>>,
    without_traces: AtomicBool,
}

impl Canary {
    /// Everything below `sandbox` will be searched.
    pub(crate) fn new(sandbox: &Path) -> Self {
        traces::prepare(&sandbox.join(PLACE));
        Self {
            sandbox: sandbox.to_owned(),
            excused: Mutex::default(),
            without_traces: AtomicBool::default(),
        }
    }

    /// What has to be in the environment of every command.
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let place = self.sandbox.join(PLACE);
        let mut variables = traces::variables(&place);
        variables.push((HEARD, place.into()));
        variables
    }

    /// The lines with which a program of the test, which is asked for a secret, has its arguments and its environment
    /// searched: whoever started it has no reason to tell it one.
    pub(crate) fn recorder(&self) -> String {
        let file = self.sandbox.join(PLACE).join("asked");
        format!("{{ env; printf '%s\\n' \"$0\" \"$@\"; }} >>'{}'", file.display())
    }

    /// Says that the test itself has a secret in this file, or will have it there.
    pub(crate) fn excuse_file(&self, path: impl Into<PathBuf>) {
        let mut excused = self.excused.lock().unwrap_or_else(PoisonError::into_inner);
        excused.push(path.into());
    }

    /// Says that commands of the test itself have secrets in their arguments.
    pub(crate) fn excuse_traces(&self) {
        self.without_traces.store(true, Ordering::Relaxed);
    }

    /// Panics if a secret of `bitbucket` is anywhere.
    pub(crate) fn check(&self, bitbucket: &Bitbucket) {
        let forms = Forms::of(&bitbucket.secrets());
        let mut excused = self.excused.lock().unwrap_or_else(PoisonError::into_inner);
        if self.without_traces.load(Ordering::Relaxed) {
            excused.extend(traces::files(&self.sandbox.join(PLACE)));
        }
        let mut found = files::search(&self.sandbox, &forms, &excused);
        found.extend(traces::handed_on(&self.sandbox.join(PLACE), &forms));
        for request in bitbucket.all_requests() {
            // The name in `Authorization` is all that the log has of it.
            let text = format!(
                "{} {}?{} {:?}",
                request.method, request.path, request.query, request.headers
            );
            if forms.are_in(text.as_bytes()) {
                found.push(format!("a request: {text}"));
            }
        }
        assert!(found.is_empty(), "a secret is in\n{}", found.join("\n"));
    }
}

/// Where what a command says is kept until its scene ends and it is searched; nowhere without [`HEARD`].
pub(crate) struct Heard {
    place: Option<PathBuf>,
    program: String,
}

impl Heard {
    pub(crate) fn of(command: &Command) -> Self {
        let place = command.get_envs().find(|(name, _)| *name == HEARD);
        Self {
            place: place.and_then(|(_, value)| Some(Path::new(value?).join("said"))),
            // Without its arguments, which are the test's own.
            program: command.get_program().display().to_string(),
        }
    }

    pub(crate) fn search(&self, said: &[&str]) {
        let Some(place) = &self.place else { return };
        let mut file = fs::File::options()
            .append(true)
            .create(true)
            .open(place)
            .expect("the sandbox is there");
        let text = format!("== {}\n{}\n", self.program, said.concat());
        file.write_all(text.as_bytes()).expect("a file can be written");
    }
}

/// Leaves out what `command` says: it is asked for the secret, and tells it.
pub(crate) fn not_heard(command: &mut Command) {
    command.env_remove(HEARD);
}

/// Leaves out the traces of `command`, whose arguments have a secret in them.
pub(crate) fn not_traced(command: &mut Command) {
    for name in TRACES {
        command.env_remove(name);
    }
}

#[cfg(unix)]
mod tests {
    use super::*;
    use crate::support::program::program;
    use crate::support::run::run;
    use crate::support::scene::{Scene, TOKEN};

    /// Panics in a scene that is told to leak are what is wanted.
    fn finds(leak: impl FnOnce(&Scene)) -> String {
        let scene = Scene::new();
        leak(&scene);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scene.search()));
        let found = found.expect_err("it should have been found");
        scene.forget_leaks();
        found.downcast_ref::<String>().cloned().unwrap_or_default()
    }

    fn script(scene: &Scene, name: &str, text: &str) -> PathBuf {
        program(scene.path(name), text)
    }

    #[test]
    fn every_place_is_searched() {
        let said = finds(|scene| {
            let mut echo = scene.command("echo", &scene.work());
            echo.arg(TOKEN);
            assert!(run(echo).success());
        });
        assert!(said.contains("said"), "{said}");
        let asked = finds(|scene| {
            let program = script(scene, "askpass", &scene.recorder());
            assert!(run(scene.command(&program.display().to_string(), &scene.work())).success());
        });
        assert!(asked.contains("asked"), "{asked}");
        let argument = finds(|scene| assert!(!scene.git(&["config", "--get", &format!("x.{TOKEN}")]).success()));
        assert!(
            argument.contains("GIT_TRACE2_EVENT") && argument.contains("GIT_TRACE:"),
            "{argument}"
        );
        let sent = finds(|scene| {
            let header = format!("http.extraHeader=X-Mine: {TOKEN}");
            let mut git = scene.command("git", &scene.work());
            git.args(["-c", &header, "ls-remote", &scene.url("acme/widgets")]);
            not_traced(&mut git);
            assert!(run(git).success());
        });
        assert!(sent.contains("a request: "), "{sent}");
    }

    /// A program of the product's name, which gives its environment to git; git's own children may have it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_of_the_product_with_the_secret_is_found() {
        let found = finds(|scene| {
            let program = script(scene, "git-remote-bbcloud", "git version; exit");
            assert!(run(scene.command(&program.display().to_string(), &scene.work())).success());
        });
        assert!(found.contains("has the secret in its environment"), "{found}");
        let scene = Scene::new();
        let program = script(&scene, "another", "git version; exit");
        assert!(run(scene.command(&program.display().to_string(), &scene.work())).success());
    }
}
