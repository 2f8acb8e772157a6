//! Pushes of which nobody here knows what became.

use super::{Table, quick};
use crate::bitbucket::{Action, Fault, Refusal};

#[test]
fn push_outcomes() {
    let mut table = Table::new("push_outcomes");
    let gateway = Refusal::Custom {
        status: 504,
        headers: Vec::new(),
        content_type: "text/plain".to_owned(),
        body: b"upstream timed out".to_vec(),
    };
    let scene = quick();
    scene.cloned();
    let page = Refusal::Custom {
        status: 200,
        headers: Vec::new(),
        content_type: "text/html".to_owned(),
        body: b"<html>Sign in</html>".to_vec(),
    };
    for (number, (title, action)) in [
        (
            "the connection is closed instead of an answer",
            Action::CutHead { after: 0 },
        ),
        ("the answer is cut in its head", Action::CutHead { after: 20 }),
        ("the answer is cut", Action::CutBody { after: 10 }),
        ("the answer ends too soon", Action::Truncate { bytes: 4 }),
        ("the answer is a page for browsers", Action::Refuse(page)),
        ("the answer is no packets", Action::ReplaceBody(b"<html>".to_vec())),
        ("the answer is empty", Action::ReplaceBody(Vec::new())),
        (
            "the answer reports nothing",
            Action::ReplaceBody(b"000d\x02nothing\n0000".to_vec()),
        ),
        ("a gateway gives up", Action::Refuse(gateway)),
        (
            "the report is there, and then the answer is cut",
            Action::CutBody { after: 1 << 20 },
        ),
    ]
    .into_iter()
    .enumerate()
    {
        scene
            .bitbucket
            .fault(Fault::on("/git-receive-pack", action).method("POST"));
        // Each one may have taken effect.
        let branch = format!("HEAD:refs/heads/branch{number}");
        let output = scene.git_in("clone", &["push", "--quiet", "origin", &branch]);
        table.fails(title, &scene, &output);
    }
    table.end();
}
