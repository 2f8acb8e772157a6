//! Redirects that are followed, and those that are not.

use super::{PUSH, Table, list, quick, shell};
use crate::bitbucket::{Action, Bitbucket, Fault, Settings};
use crate::support::fixture::{MAIN, noise};
use crate::support::scene::Scene;

fn redirect(location: &str) -> Action {
    Action::Redirect {
        status: 307,
        location: location.to_owned(),
    }
}

#[test]
fn redirects() {
    let mut table = Table::new("redirects");
    let scene = quick();
    let here = scene.bitbucket.base_url();
    targets(&mut table, &scene);
    for (title, settings, location) in [
        (
            "a redirect where none is followed",
            &["http.followRedirects=false"][..],
            &here,
        ),
        (
            "a redirect to a protocol that is not allowed",
            &["protocol.https.allow=never"],
            &here,
        ),
    ] {
        scene
            .bitbucket
            .fault(Fault::on("info/refs", redirect(&format!("{location}{{target}}"))));
        table.fails(title, &scene, &list(&scene, settings));
        scene.bitbucket.clear_faults();
    }
    scene.bitbucket.moved("acme/gadgets", MAIN);
    table.works(
        "a repository has moved",
        &scene,
        &scene.git(&["ls-remote", "bbcloud::acme/gadgets"]),
    );
    pushes(&mut table, &scene);
    elsewhere(&mut table, &scene);
    table.end();
}

fn targets(table: &mut Table, scene: &Scene) {
    let here = scene.bitbucket.base_url();
    for (title, location) in [
        (
            "a redirect away from TLS",
            "http://elsewhere.example{target}".to_owned(),
        ),
        (
            "a redirect away from HTTP",
            "ftp://elsewhere.example{target}".to_owned(),
        ),
        ("a redirect to what is no URL", "https://[::1{target}".to_owned()),
        (
            "a redirect with a user in it",
            here.replace("://", "://ada:secret@") + "{target}",
        ),
        ("a redirect to a sign-in page", "/account/signin".to_owned()),
        ("a redirect in a circle", here + "{target}"),
    ] {
        scene
            .bitbucket
            .fault(Fault::on("info/refs", redirect(&location)).always());
        table.fails(title, scene, &list(scene, &[]));
        scene.bitbucket.clear_faults();
    }
}

fn pushes(table: &mut Table, scene: &Scene) {
    scene.cloned();
    scene.commit("clone", "mine", b"mine\n");
    let there = Fault::on("/git-receive-pack", redirect("/elsewhere{target}")).method("POST");
    scene.bitbucket.fault(there.clone().always());
    table.fails("a redirect of the push itself", scene, &scene.git_in("clone", PUSH));
    scene.commit("clone", "large", &noise(2_000_000));
    let settings = ["-c", "http.followRedirects=true", "-c", "http.postBuffer=65536"];
    let output = scene.git_in("clone", &[&settings[..], PUSH].concat());
    table.fails("a redirect of a large push", scene, &output);
    scene.bitbucket.clear_faults();
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    scene.set("BBCLOUD_EMAIL", "ada@example.com");
    let away = redirect("https://elsewhere.example{target}");
    scene.bitbucket.fault(Fault::on("/2.0/", away));
    let output = shell(scene, "git-remote-bbcloud api -X DELETE /things");
    table.fails("a redirect of what changes something", scene, &output);
}

/// Another server, which is shown no secret.
fn elsewhere(table: &mut Table, scene: &Scene) {
    let other = Bitbucket::start(Settings::default());
    other.create_repository(MAIN);
    let there = redirect(&(other.base_url() + "{target}"));
    scene.bitbucket.fault(Fault::on("info/refs", there).always());
    scene.set("GIT_SSL_NO_VERIFY", "1");
    table.fails("a redirect to a server that refuses", scene, &list(scene, &[]));
    other.set_public(MAIN, true);
    other.commit(MAIN, "main", "Begin", &[("a", b"a")]);
    scene.unset("BBCLOUD_TOKEN");
    let output = shell(
        scene,
        "echo ATATT-full | git-remote-bbcloud login --for acme/widgets --token-stdin",
    );
    table.fails("a login where the server leads to another", scene, &output);
}
