//! What a server says inside git's protocol: git shows it, and no byte of it steers the terminal.

use crate::bitbucket::{Action, Fault, Settings};
use crate::support::fixture::MAIN;
use crate::support::run::Output;
use crate::support::scene::{Scene, Transport};

/// Octal escapes for `printf`: a title, a cleared screen, hidden text, a direction override, an erased character.
const PRINTED: &str =
    r"before\033]0;owned\007\033[2J\033[8mhidden\302\233\061m\342\200\256txt.exe\010 caf\303\251 after";

#[track_caller]
fn is_shown_without_harm(output: &Output) {
    // Git's own are the end of a line: it erases what another line has left there.
    let told = output.stderr.replace("\u{1b}[K", "");
    assert!(told.contains("before"), "{told:?}");
    assert!(told.contains("after"), "{told:?}");
    let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t') || c == '\u{202e}';
    assert!(!told.contains(bad), "{told:?}");
}

fn hook(scene: &Scene, name: &str, ends: u8) {
    scene.hook(
        MAIN,
        name,
        &format!("cat >/dev/null; printf '{PRINTED}\\n' >&2; exit {ends}"),
    );
}

#[test]
fn no_hook_of_the_server_steers_the_terminal() {
    for version in [0, 2] {
        let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
        scene.cloned();
        scene.commit("clone", "mine", b"mine\n");
        hook(&scene, "post-receive", 0);
        let pushed = scene.git_in("clone", &["push", "origin", "HEAD:one"]);
        assert!(pushed.success(), "{}", pushed.stderr);
        is_shown_without_harm(&pushed);
        assert!(pushed.stderr.contains("caf\u{e9} after"), "{}", pushed.stderr);
        hook(&scene, "pre-receive", 1);
        let refused = scene.git_in("clone", &["push", "origin", "HEAD:two"]);
        assert!(!refused.success());
        is_shown_without_harm(&refused);
        assert!(refused.stderr.contains("(pre-receive hook declined)"));
        // What the oracle shows is what the hook says: the test can fail.
        let oracle = Scene::with(Transport::Https, version, Settings::default());
        oracle.cloned();
        hook(&oracle, "pre-receive", 1);
        let refused = oracle.git_in("clone", &["push", "origin", "HEAD:two"]);
        assert!(refused.stderr.contains("before"), "{}", refused.stderr);
    }
}

fn packet(content: &str) -> String {
    format!("{:04x}{content}", content.len() + 4)
}

const ESCAPES: &str = "before\u{1b}[2J\u{1b}[8m\u{7} after";

#[test]
fn no_reason_of_a_refused_reference_steers_it() {
    let report = format!(
        "{}{}0000",
        packet("unpack ok\n"),
        packet(&format!("ng refs/heads/new {ESCAPES}\n"))
    );
    // Without sidebands the report is packets of its own.
    let advertised = format!(
        "{}0000{}0000",
        packet("# service=git-receive-pack\n"),
        packet(&format!("{} refs/heads/main\0report-status\n", "1".repeat(40)))
    );
    let without = Fault::on("service=git-receive-pack", Action::ReplaceBody(advertised.into_bytes()));
    let in_band = packet(&format!("\u{1}{report}")) + "0000";
    for (body, advertised) in [(in_band, None), (report, Some(without))] {
        let scene = Scene::new();
        scene.cloned();
        scene.commit("clone", "mine", b"mine\n");
        if let Some(fault) = advertised {
            scene.bitbucket.fault(fault);
        }
        let reported = Action::ReplaceBody(body.into_bytes());
        scene.bitbucket.fault(Fault::on("/git-receive-pack", reported));
        let refused = scene.git_in("clone", &["push", "origin", "HEAD:new"]);
        assert!(!refused.success());
        assert!(refused.stderr.contains("[remote rejected]"), "{}", refused.stderr);
        is_shown_without_harm(&refused);
    }
}

#[test]
fn no_progress_of_a_fetch_steers_it_nor_an_error_in_its_middle() {
    for version in [0, 2] {
        let progress = packet(&format!("\u{2}{ESCAPES}\n"));
        let opening = if version == 2 {
            packet("acknowledgments\n") + &packet("ready\n") + "0001" + &packet("packfile\n")
        } else {
            packet("NAK\n")
        };
        for end in [
            packet(&format!("\u{3}{ESCAPES}\n")),
            packet(&format!("ERR {ESCAPES}\n")),
        ] {
            let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
            scene.cloned();
            scene.bitbucket.commit(MAIN, "main", "Later", &[("later", b"later\n")]);
            let body = format!("{opening}{progress}{end}0000");
            let replace = Fault::on("/git-upload-pack", Action::ReplaceBody(body.into_bytes()));
            // The first request of version 2 asks for the references.
            scene.bitbucket.fault(replace.skip(usize::from(version == 2)));
            let output = scene.git_in("clone", &["fetch", "--progress"]);
            assert!(!output.success(), "v{version}");
            is_shown_without_harm(&output);
            scene.git_ok("clone", &["fetch", "--quiet"]);
        }
    }
}
