//! `doctor`: every check says what is so, and the one that fails is the one that is broken.

mod local;
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
    assert_eq!(examined.json["healthy"], Value::Bool(failed.is_empty()));
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
        let checks = self.json["checks"].as_array().expect("a list");
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no '{name}' in {}", self.json))
    }

    fn text(&self, name: &str, member: &str) -> &str {
        self.check(name)[member].as_str().unwrap_or_default()
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
        let checks = self.json["checks"].as_array().expect("a list").iter();
        let with = checks.filter(|check| check["status"] == status);
        with.filter_map(|check| check["name"].as_str()).collect()
    }

    /// Everything that was written.
    pub(crate) fn written(&self) -> String {
        format!("{}{}", self.output.stdout, self.output.stderr)
    }
}
