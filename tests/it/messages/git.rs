//! What git itself says where it does not even start the program, or not with what was meant.

use super::{Table, shell, table};
use crate::support::scene::Scene;

#[test]
fn git() {
    let mut table = Table::new("git");
    let scene = Scene::new();
    scene.cloned();
    scene.git_ok(
        "clone",
        &[
            "-c",
            "protocol.bbcloud.allow=always",
            "submodule",
            "--quiet",
            "add",
            &scene.url("acme/parts"),
        ],
    );
    for (title, script) in [
        (
            "the program is not on git's PATH",
            "PATH=/usr/bin:/bin git remote-bbcloud status",
        ),
        (
            "the program is not on git's PATH, for a clone",
            "PATH=/usr/bin:/bin git ls-remote bbcloud::acme/widgets",
        ),
        (
            "a submodule's protocol is not allowed",
            "rm -rf clone/parts clone/.git/modules; cd clone && git submodule --quiet update --init",
        ),
    ] {
        let output = shell(&scene, script);
        assert!(!output.success(), "{title}");
        table.add_text(title, &table::normalised(&scene, &output.stderr));
    }
    table.end();
}
