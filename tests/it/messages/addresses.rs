//! Addresses and base URLs that cannot be used.

use super::Table;
use crate::support::fixture::MAIN;
use crate::support::scene::Scene;

const ADDRESSES: &[(&str, &str)] = &[
    ("nothing follows bbcloud::", ""),
    ("the repository is missing", "acme"),
    ("a part is empty", "acme//widgets"),
    ("the part behind the repository is empty", "acme/widgets//wiki"),
    ("something else follows the repository", "acme/widgets/issues"),
    ("the repository is two dots", "acme/.."),
    ("a name has a space in it", "acme/my widgets"),
    ("a name has a character that none has", "acme/wid$gets"),
    ("a name has a control character in it", "acme/wid\u{7}gets"),
    ("a UUID is cut", "{0f0f0f0f/widgets"),
    ("the repository would end in .git twice", "acme/widgets.git.git.git"),
    ("another scheme", "ftp://bitbucket.org/acme/widgets"),
    ("another host", "https://github.com/acme/widgets"),
    ("another host by ssh", "git@github.com:acme/widgets.git"),
    ("a port that is none", "https://bitbucket.org:http/acme/widgets"),
    ("a host that is none", "https://bit bucket.org/acme/widgets"),
    ("the user name is not UTF-8", "%ff@acme/widgets"),
    ("the secret is not UTF-8", "ada:%ff@acme/widgets"),
    ("the user name has a line end in it", "ada%0a@acme/widgets"),
    ("the user name has a colon in it", "ada%3Ab@acme/widgets"),
    (
        "a token stands where the user name belongs",
        "ATBB0123456789abcdefghijklmnopqrstuv:x@acme/widgets",
    ),
    ("a slash in the secret is not encoded", "ada:se/cret@acme/widgets"),
    (
        "a secret for bitbucket.org and a base URL elsewhere",
        "https://ada:secret@bitbucket.org/acme/widgets",
    ),
];

const BASES: &[(&str, &str)] = &[
    ("the base URL has a space in it", "https://bitbucket org"),
    ("the base URL has no scheme", "bitbucket.org"),
    ("the base URL has a port that is none", "https://bitbucket.org:http"),
    ("the base URL is clear text", "http://bitbucket.org"),
    ("the base URL has a query", "https://bitbucket.org/?x"),
    ("the base URL holds a secret", "https://ada:secret@bitbucket.org"),
];

#[test]
fn addresses() {
    let mut table = Table::new("addresses");
    let scene = Scene::new();
    for (title, address) in ADDRESSES {
        table.fails(
            title,
            &scene,
            &scene.git(&["ls-remote", &format!("bbcloud::{address}")]),
        );
    }
    let long = format!("bbcloud::acme/{}", "x".repeat(300));
    table.fails("a name is too long", &scene, &scene.git(&["ls-remote", &long]));
    for (title, base) in BASES {
        scene.set("BBCLOUD_BASE_URL", *base);
        table.fails(title, &scene, &scene.git(&["ls-remote", &scene.url(MAIN)]));
    }
    scene.set("BBCLOUD_BASE_URL", "https://localhost/scm");
    let beside = scene.git(&["ls-remote", "bbcloud::https://localhost/acme/widgets"]);
    table.fails("a pasted URL is not below the base URL", &scene, &beside);
    table.end();
}
