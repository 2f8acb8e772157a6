//! The REST API: what it refuses, and answers that are no good.

use super::{Table, plain, quick, shell};
use crate::bitbucket::{Account, Action, Fault, Refusal};
use crate::support::run::Output;
use crate::support::scene::{Scene, TOKEN};

const COMMITS: &str = "/repositories/acme/widgets/commits";

fn ask(scene: &Scene, arguments: &str) -> Output {
    shell(scene, &format!("git-remote-bbcloud api {arguments}"))
}

fn json(status: u16, body: &str) -> Action {
    Action::Refuse(Refusal::Custom {
        status,
        headers: vec![("x-b3-traceid".to_owned(), "f00d".to_owned())],
        content_type: "application/json".to_owned(),
        body: body.as_bytes().to_vec(),
    })
}

#[test]
fn api() {
    let mut table = Table::new("api");
    let scene = quick();
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    logins(&mut table, &scene);
    scene.set("BBCLOUD_TOKEN", TOKEN);
    scene.set("BBCLOUD_EMAIL", "ada@example.com");
    refusals(&mut table, &scene);
    pages(&mut table, &scene);
    large(&mut table, &scene);
    table.end();
}

fn refusals(table: &mut Table, scene: &Scene) {
    for (title, action, arguments) in [
        ("the API has no such thing", json(404, ""), COMMITS),
        (
            "the API does not allow it",
            json(403, r#"{"error": {"message": "No"}}"#),
            COMMITS,
        ),
        (
            "the API has had too many requests",
            Action::Refuse(Refusal::RateLimited { retry_after: 7 }),
            COMMITS,
        ),
        (
            "the API has had too many requests and says no more",
            json(429, ""),
            COMMITS,
        ),
        ("the API is in trouble", json(503, ""), COMMITS),
        (
            "the API expects something else",
            json(400, r#"{"error": {"message": "Bad request"}}"#),
            COMMITS,
        ),
        ("the API's answer is cut", Action::CutBody { after: 100 }, COMMITS),
        (
            "what changes something gets no answer",
            Action::CutHead { after: 0 },
            "-X DELETE /things",
        ),
        (
            "a next page elsewhere",
            json(200, r#"{"values": [], "next": "https://elsewhere.example/x"}"#),
            "--paginate /x",
        ),
    ] {
        scene.bitbucket.fault(Fault::on("/2.0/", action).always());
        table.fails(title, scene, &ask(scene, arguments));
        scene.bitbucket.clear_faults();
    }
}

fn pages(table: &mut Table, scene: &Scene) {
    let here = scene.bitbucket.api_url();
    for (title, first, second) in [
        (
            "the next page has no values",
            r#"{"values": [1], "next": "{here}/x?2"}"#,
            "{}",
        ),
        (
            "the pages go round in a circle",
            r#"{"values": [1], "next": "{here}/x"}"#,
            "{}",
        ),
    ] {
        scene
            .bitbucket
            .fault(Fault::on("/x", json(200, &first.replace("{here}", &here))));
        scene.bitbucket.fault(Fault::on("/x", json(200, second)).skip(1));
        table.fails(title, scene, &ask(scene, "--paginate /x"));
        scene.bitbucket.clear_faults();
    }
}

fn logins(table: &mut Table, scene: &Scene) {
    let narrow = Account::api_token("eve", "ATATT-narrow").scopes(&[]);
    scene.bitbucket.add_account(narrow);
    table.fails("the API wants an e-mail address", scene, &ask(scene, "/user"));
    for (title, secret, email) in [
        ("the API is told another e-mail address", TOKEN, "other@example.com"),
        ("the API wants more permissions", "ATATT-narrow", "eve@example.com"),
        ("the API does not know the access token", "ATCTT-wrong", ""),
        ("the API does not know the app password", "ATBB-wrong", ""),
    ] {
        scene.set("BBCLOUD_TOKEN", secret);
        scene.set("BBCLOUD_EMAIL", email);
        scene.set("BBCLOUD_USERNAME", if secret.starts_with("ATBB") { "ada" } else { "" });
        table.fails(title, scene, &ask(scene, COMMITS));
    }
    scene.set("BBCLOUD_USERNAME", "");
    table.fails(
        "the API is asked with an app password without a name",
        scene,
        &ask(scene, COMMITS),
    );
    scene.unset("BBCLOUD_TOKEN");
    table.fails("the API hides it from anonymous requests", scene, &ask(scene, COMMITS));
    scene.bitbucket.fault(Fault::on("/2.0/", json(401, "")));
    table.fails("the API wants to know who asks", scene, &ask(scene, COMMITS));
}

/// More than the program holds in memory.
fn large(table: &mut Table, scene: &Scene) {
    let file = std::fs::File::create(scene.path("large")).expect("a file can be made");
    file.set_len(65 * 1024 * 1024).expect("it has no content");
    table.fails(
        "what is sent to the API is too large",
        scene,
        &ask(scene, "-X POST --input large /x"),
    );
    let scene = &plain();
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    scene.set("BBCLOUD_EMAIL", "ada@example.com");
    let first = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"values\": [\"".to_vec();
    scene
        .bitbucket
        .fault(Fault::on("/x", Action::Endless(first, vec![b'x'; 1 << 20])));
    table.fails("a page of the API is too large", scene, &ask(scene, "--paginate /x"));
}
