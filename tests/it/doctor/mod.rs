//! `doctor`: every check says what is so, and the one that fails is the one that is broken.

mod local;
mod others;
mod remote;
mod secrets;

use serde_json::Value;

use crate::support::run::{Output, run};
use crate::support::scene::Scene;

/// What `doctor --json` said.
pub(crate) struct Examined {
    output: Output,
    json: Value,
}

/// Runs `doctor --json` as git does, in a directory below the work directory.
pub(crate) fn examine_in(scene: &Scene, directory: &str, arguments: &[&str]) -> Examined {
    let mut git = scene.command("git", &scene.path(directory));
    git.args(["remote-bbcloud", "doctor", "--json"]).args(arguments);
    examined(run(git))
}

pub(crate) fn examine(scene: &Scene, arguments: &[&str]) -> Examined {
    examine_in(scene, "", arguments)
}

fn examined(output: Output) -> Examined {
    let json = serde_json::from_str(&output.stdout);
    let json = json.unwrap_or_else(|error| panic!("{error}: {}{}", output.stdout, output.stderr));
    let examined = Examined { output, json };
    // Whatever is wrong: the exit code says whether something failed, and every failure has a remedy.
    let failed = examined.names("fail");
    assert_eq!(
        examined.output.code,
        Some(i32::from(!failed.is_empty())),
        "{}",
        examined.json
    );
    assert_eq!(examined.json.get("healthy"), Some(&Value::Bool(failed.is_empty())));
    for name in failed {
        assert_ne!(
            examined.text(name, "remedy"),
            "",
            "{name} has no remedy: {}",
            examined.json
        );
    }
    examined
}

impl Examined {
    fn check(&self, name: &str) -> &Value {
        let found = self.checks().iter().find(|check| named(check, "name") == name);
        found.unwrap_or_else(|| panic!("no '{name}' in {}", self.json))
    }

    fn text(&self, name: &str, member: &str) -> &str {
        named(self.check(name), member)
    }

    pub(crate) fn status(&self, name: &str) -> &str {
        self.text(name, "status")
    }

    pub(crate) fn detail(&self, name: &str) -> &str {
        self.text(name, "detail")
    }

    pub(crate) fn remedy(&self, name: &str) -> &str {
        self.text(name, "remedy")
    }

    /// The names of the checks with this status, in order.
    pub(crate) fn names(&self, status: &str) -> Vec<&str> {
        let with = self.checks().iter().filter(|check| named(check, "status") == status);
        with.map(|check| named(check, "name")).collect()
    }

    fn checks(&self) -> &[Value] {
        self.json.get("checks").and_then(Value::as_array).expect("a list")
    }

    /// Everything that was written.
    pub(crate) fn written(&self) -> String {
        format!("{}{}", self.output.stdout, self.output.stderr)
    }
}

fn named<'a>(check: &'a Value, member: &str) -> &'a str {
    check.get(member).and_then(Value::as_str).unwrap_or_default()
}
