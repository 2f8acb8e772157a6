//! Pushes with a part for the server's hooks, for certificates and for configuration.

use super::{same_now, same_with};
use crate::bitbucket::Settings;
use crate::support::fixture::{EMPTY, MAIN, noise};

#[test]
fn a_hook_that_refuses_is_heard() {
    same_now(|side| {
        side.scene
            .hook(MAIN, "pre-receive", "echo 'not on Fridays' >&2; cat >/dev/null; exit 1");
        side.cloned();
        side.scene.commit("clone", "mine", b"mine\n");
        let output = side.data("clone", &["push", "--porcelain", "origin", "main", ":topic"]);
        assert!(output.stderr.contains("remote: not on Fridays"), "{}", output.stderr);
        assert!(!output.success());
    });
}

#[test]
fn a_hook_that_refuses_one_of_two_is_heard() {
    same_now(|side| {
        let script = "case $1 in refs/heads/new) echo \"create a pull request\"; exit 1;; esac";
        side.scene.hook(MAIN, "update", script);
        side.scene
            .hook(MAIN, "post-receive", "echo see https://example.com/pull/1 >&2");
        side.cloned();
        side.scene.commit("clone", "mine", b"mine\n");
        let output = side.data("clone", &["push", "--porcelain", "origin", "main", "HEAD:new"]);
        assert!(
            output.stderr.contains("remote: create a pull request"),
            "{}",
            output.stderr
        );
        assert!(
            output.stderr.contains("remote: see https://example.com/pull/1"),
            "{}",
            output.stderr
        );
    });
}

/// The options reach the server in their order.
#[test]
fn options_arrive() {
    same_now(|side| {
        let seen = side.scene.path("options");
        let script = format!(
            "echo $GIT_PUSH_OPTION_COUNT \"$GIT_PUSH_OPTION_0\" \"$GIT_PUSH_OPTION_1\" >'{}'; cat >/dev/null",
            seen.display()
        );
        side.scene.hook(MAIN, "pre-receive", &script);
        side.cloned();
        side.scene.commit("clone", "mine", b"mine\n");
        side.ok(
            "clone",
            &["push", "--quiet", "-o", "first one", "-o", "second", "origin", "main"],
        );
        assert_eq!(std::fs::read_to_string(&seen).unwrap(), "2 first one second\n");
        side.ok("clone", &["push", "--quiet", "-o", "gone", "origin", ":topic"]);
        assert_eq!(std::fs::read_to_string(&seen).unwrap(), "1 gone \n");
    });
}

#[test]
fn signed_with_an_ssh_key() {
    same_now(|side| {
        let key = side.scene.path("key");
        let mut keygen = side.scene.command("ssh-keygen", &side.scene.work());
        keygen
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"])
            .arg(&key);
        assert!(crate::support::run::run(keygen).success());
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        let allowed = side.scene.path("allowed");
        std::fs::write(&allowed, format!("ada@example.com {public}")).unwrap();
        let seen = side.scene.path("seen");
        side.server(&["config", "gpg.format", "ssh"]);
        side.server(&["config", "gpg.ssh.allowedSignersFile", &allowed.display().to_string()]);
        let script = format!(
            "echo $GIT_PUSH_CERT_STATUS $GIT_PUSH_CERT_NONCE_STATUS $GIT_PUSH_CERT_SIGNER >>'{}'; cat >/dev/null",
            seen.display()
        );
        side.scene.hook(MAIN, "pre-receive", &script);
        side.cloned();
        side.ok("clone", &["config", "gpg.format", "ssh"]);
        side.ok("clone", &["config", "user.signingKey", &key.display().to_string()]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.data(
            "clone",
            &["push", "--porcelain", "--signed", "origin", "main", "HEAD:new"],
        );
        side.data("clone", &["push", "--porcelain", "--signed", "origin", ":topic"]);
        side.data(
            "clone",
            &[
                "push",
                "--porcelain",
                "--signed",
                "-o",
                "x",
                "--atomic",
                "origin",
                "HEAD:two",
                ":new",
            ],
        );
        let seen_there = std::fs::read_to_string(&seen).unwrap();
        let good = "G OK ada@example.com";
        // A nonce of another second is a nonce of HTTP, where a push is two requests.
        assert_eq!(seen_there.replace("SLOP", "OK"), format!("{good}\n{good}\n{good}\n"));
        // The certificates, which hold the time, are left on the server as objects without a name.
        side.server(&["prune", "--expire=now"]);
        for file in [key.with_extension("pub"), key, allowed, seen] {
            std::fs::remove_file(file).unwrap();
        }
    });
}

#[test]
fn the_first_push_to_an_empty_repository() {
    same_now(|side| {
        side.ok("", &["clone", "--quiet", &side.scene.url(EMPTY), "clone"]);
        side.fails("clone", &["push", "--quiet"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.data("clone", &["push", "--porcelain", "-u", "origin", "HEAD"]);
        side.ok("clone", &["pull", "--quiet"]);
    });
}

/// More than `http.postBuffer`: sent in chunks, as `git-remote-https` does.
#[test]
fn more_than_the_post_buffer() {
    same_with(&[2], &Settings::default(), |side| {
        side.cloned();
        side.scene.commit("clone", "noise", &noise(400_000));
        side.ok("clone", &["config", "core.compression", "0"]);
        side.ok(
            "clone",
            &["-c", "http.postBuffer=65536", "push", "--quiet", "origin", "main"],
        );
    });
}

#[test]
fn a_remote_url_changed_to_ours_is_used_from_then_on() {
    same_now(|side| {
        side.scene
            .untraced(|| side.ok("", &["clone", "--quiet", &side.scene.https_url(MAIN), "clone"]));
        side.ok("clone", &["remote", "set-url", "origin", &side.url()]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.ok("clone", &["push", "--quiet"]);
        side.server_commits("later");
        side.ok("clone", &["fetch", "--quiet"]);
        side.ok("clone", &["pull", "--quiet"]);
        side.ok("clone", &["remote", "set-head", "origin", "--auto"]);
        side.ok("clone", &["remote", "show", "origin"]);
        side.ok("clone", &["remote", "prune", "origin"]);
    });
}
