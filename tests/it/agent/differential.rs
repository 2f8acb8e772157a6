//! The reader of a push's commands beside git's own: whatever the rules let through, `git receive-pack` moves no ref that
//! they forbid.

use std::cell::Cell;
use std::collections::BTreeMap;

use git_remote_bbcloud::address::{Address, BaseUrl};
use git_remote_bbcloud::agent::commands::{self, Effect};
use git_remote_bbcloud::agent::policy::Policy;
use git_remote_bbcloud::agent::rule::Rule;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::load::much;
use crate::support::fixture::MAIN;
use crate::support::run::run_with_input;
use crate::support::scene::Scene;

/// An empty pack, which a push of known objects has.
const PACK: &[u8] =
    b"PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";

/// The one rule: new branches below `ai/`, and nothing else.
const RULES: [&str; 2] = [
    "acme/widgets:create=refs/heads/ai/*",
    "acme/widgets:delete=refs/heads/ai/*",
];

fn refs(scene: &Scene) -> BTreeMap<String, String> {
    let listed = scene.server_git(MAIN, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
}

/// A line that the rules allow.
fn good(id: String) -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec!["refs/heads/ai/x", "refs/heads/ai/y", "refs/heads/ai/z"]);
    (any::<bool>(), name).prop_map(move |(creates, name)| {
        let zero = "0".repeat(40);
        let (old, new) = if creates { (&zero, &id) } else { (&id, &zero) };
        format!("{old} {new} {name}\0report-status").into_bytes()
    })
}

/// Pieces of which lines are made: good ones, and what may be read in two ways.
fn line(ids: &[String]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let zero = "0".repeat(40);
    let id = prop_oneof![4 => prop::sample::select(ids.to_vec()), 3 => Just(zero), 1 => Just("1".repeat(40)), 1 => Just("F".repeat(40))];
    let name = prop_oneof![
        4 => prop::sample::select(vec!["refs/heads/ai/x", "refs/heads/ai/y"]),
        2 => prop::sample::select(vec!["refs/heads/main", "refs/heads/topic", "HEAD"]),
        2 => prop::sample::select(vec!["refs/heads/ai/../main", "refs/heads/ai/x/y", "refs/heads/AI/x", "refs//heads/ai/x", "refs/heads/ai/x refs/heads/main"]),
    ];
    let end = prop::sample::select(vec![
        "",
        "",
        "\n",
        "\0report-status",
        "\0report-status\n",
        "\n\0report-status",
        "\0\0",
        " ",
        "\r",
        "\0x\n0",
        "\n\n",
    ]);
    let space = prop::sample::select(vec![" ", " ", " ", " ", "  ", "\t", "\0"]);
    (id.clone(), space, id, name, end)
        .prop_map(|(old, space, new, name, end)| format!("{old}{space}{new} {name}{end}").into_bytes())
}

fn push(ids: &[String]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let shallow = ids
        .first()
        .map(|id| format!("shallow {id}").into_bytes())
        .unwrap_or_default();
    let id = ids.last().cloned().unwrap_or_default();
    let lines = prop_oneof![8 => good(id), 6 => line(ids), 1 => Just(shallow), 1 => Just(b"push-cert\0x\n".to_vec()), 1 => Just(Vec::new())];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2);
    let end = prop::sample::select(vec![&b"0000"[..], b"0000", b"0000", b"0001", b"0002", b"00000000"]);
    (prop::collection::vec(lines, 1..3), end, changes).prop_map(|(lines, end, changes)| {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(format!("{:04x}", line.len() + 4).as_bytes());
            bytes.extend_from_slice(&line);
        }
        for (at, byte) in changes {
            // Few of them, or nothing would ever be accepted.
            if byte % 3 == 0 && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes.extend_from_slice(end);
        bytes.extend_from_slice(PACK);
        bytes
    })
}

#[test]
fn no_ref_moves_that_the_rules_forbid() {
    let scene = Scene::new();
    let rules = RULES.iter().map(|text| Rule::parse(text).expect("a rule")).collect();
    let policy = Policy::Rules(rules);
    let address = Address::parse(MAIN, &BaseUrl::default()).expect("an address");
    for (key, value) in [
        ("receive.denyCurrentBranch", "ignore"),
        ("receive.denyDeletes", "false"),
    ] {
        scene.server_git(MAIN, &["config", key, value]);
    }
    scene.server_git(MAIN, &["update-ref", "refs/heads/ai/x", "main"]);
    // What branches can be set to, and last what `ai/x` is.
    let ids = ["topic", "deep", "main"].map(|name| scene.server_git(MAIN, &["rev-parse", name]).trim().to_owned());
    let ids = ids.to_vec();
    let mut runner = TestRunner::new(Config {
        cases: much(250, 20_000),
        failure_persistence: None,
        ..Config::default()
    });
    let (allowed, moved) = (Cell::new(0), Cell::new(0));
    let done = runner.run(&push(&ids), |bytes| {
        let mut held = Vec::new();
        let Ok(read) = commands::read(&mut bytes.as_slice(), &mut held) else {
            return Ok(());
        };
        if policy.check_push(&address, &read).is_err() {
            return Ok(());
        }
        allowed.set(allowed.get() + 1);
        let before = refs(&scene);
        let mut git = scene.command("git", &scene.bitbucket.repository_path(MAIN));
        git.args(["receive-pack", "--stateless-rpc", "."]);
        let _said = run_with_input(git, &bytes);
        let after = refs(&scene);
        let names = before.keys().chain(after.keys());
        for name in names.filter(|name| before.get(*name) != after.get(*name)) {
            moved.set(moved.get() + 1);
            let is_named = |command: &&commands::Command| command.name == name.as_bytes();
            let command = read.iter().find(is_named).expect("what moved was read");
            let expected = match command.effect() {
                Effect::Create => !before.contains_key(name) && after.get(name) == Some(&command.new),
                Effect::Delete => !after.contains_key(name),
                Effect::Update => false,
            };
            prop_assert!(
                expected && name.starts_with("refs/heads/ai/"),
                "{name}: {}",
                bytes.escape_ascii()
            );
        }
        Ok(())
    });
    assert!(done.is_ok(), "{done:?}");
    let (allowed, moved) = (allowed.get(), moved.get());
    assert!(
        allowed > 5 && moved > 2,
        "{allowed} were allowed, and {moved} refs moved: the test looks at nothing"
    );
}
