//! The product's command line in a scene, and what it leaves behind.

use std::fs;

use super::run::{Output, run};
use super::scene::Scene;

impl Scene {
    /// Runs the product's command line in a directory below [`Scene::work`].
    pub(crate) fn bbcloud(&self, directory: &str, arguments: &[&str]) -> Output {
        let mut command = self.command("git-remote-bbcloud", &self.path(directory));
        command.args(arguments);
        run(command)
    }

    /// Succeeds or panics with what was said.
    pub(crate) fn bbcloud_ok(&self, directory: &str, arguments: &[&str]) -> Output {
        let output = self.bbcloud(directory, arguments);
        assert!(output.success(), "{arguments:?}: {}{}", output.stdout, output.stderr);
        output
    }

    /// The text of a file below [`Scene::work`].
    pub(crate) fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}
