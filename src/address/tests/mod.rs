//! Every form of an address and what becomes of it; the errors and the base URL have files of their own.

mod base_url;
mod failures;

use super::{Address, BaseUrl};
use crate::report::{Failure, Kind};
use crate::secret::Secret;

const UUID: &str = "{0f8fad5b-d9cb-469f-a165-70867728950e}";
const FORM: &str = "use 'bbcloud::<workspace>/<repository>' or 'bbcloud::<workspace>/<repository>/wiki'";
const TOKEN: &str = "ATCTT3xFfGN0abcdefghijklmnopqrstuv";

fn base(text: &str) -> BaseUrl {
    BaseUrl::parse(text).expect("the base URL is right")
}

fn address(text: &str) -> Address {
    Address::parse(text, &BaseUrl::default()).unwrap_or_else(|failure| panic!("{text}: {failure}"))
}

/// Checks a failure in full.
fn fails(result: Result<impl std::fmt::Debug, Failure>, message: &str, hints: &[&str]) {
    let failure = result.expect_err(message);
    assert_eq!(failure.message(), message);
    assert_eq!(failure.hints(), hints, "{message}");
    assert_eq!(failure.kind(), Kind::Usage);
    assert!(failure.causes().is_empty());
}

#[test]
fn the_short_forms_name_a_repository_or_its_wiki() {
    for (text, meant) in [
        ("acme/widgets", "acme/widgets"),
        ("acme/widgets/", "acme/widgets"),
        ("acme/widgets.git", "acme/widgets"),
        ("acme/widgets.git/", "acme/widgets"),
        ("acme/widgets/wiki", "acme/widgets/wiki"),
        ("acme/widgets/wiki/", "acme/widgets/wiki"),
        ("acme/widgets.git/wiki", "acme/widgets/wiki"),
        ("bbcloud://acme/widgets", "acme/widgets"),
        ("bbcloud://mia@acme/widgets.git/wiki/", "acme/widgets/wiki"),
        ("bbcloud::acme/widgets", "acme/widgets"),
        ("bbcloud::bbcloud://acme/widgets", "acme/widgets"),
        ("Acme_2/My.Widgets-x", "Acme_2/My.Widgets-x"),
        ("acme/.github", "acme/.github"),
        ("acme/widgets.GIT", "acme/widgets.GIT"),
        ("acme/wiki", "acme/wiki"),
        ("acme/wiki.git", "acme/wiki"),
        ("acme/wiki/wiki", "acme/wiki/wiki"),
    ] {
        assert_eq!(address(text).to_string(), meant, "{text}");
        assert_eq!(address(text).is_wiki(), meant.matches('/').count() == 2, "{text}");
    }
}

#[test]
fn what_people_paste_names_a_repository_or_its_wiki() {
    for (text, meant) in [
        ("https://bitbucket.org/acme/widgets", "acme/widgets"),
        ("https://mia@bitbucket.org/acme/widgets.git", "acme/widgets"),
        ("bbcloud::https://bitbucket.org/acme/widgets.git", "acme/widgets"),
        ("http://bitbucket.org/acme/widgets/", "acme/widgets"),
        ("HTTPS://BitBucket.ORG:443/acme/widgets", "acme/widgets"),
        ("https://www.bitbucket.org/acme/widgets/src", "acme/widgets"),
        ("https://bitbucket.org/acme/widgets/src/", "acme/widgets"),
        (
            "https://bitbucket.org/acme/widgets/src/main/a/@b/wiki?at=x@y#lines-3",
            "acme/widgets",
        ),
        ("https://bitbucket.org/acme/widgets/branch/feature/x", "acme/widgets"),
        ("https://bitbucket.org/acme/widgets/branches", "acme/widgets"),
        ("https://bitbucket.org/acme/widgets/commits/0123abc", "acme/widgets"),
        (
            "https://bitbucket.org/acme/widgets/pull-requests/7/diff#chg",
            "acme/widgets",
        ),
        ("https://bitbucket.org/acme/widgets/downloads/?tab=tags", "acme/widgets"),
        ("https://bitbucket.org/acme/widgets/admin", "acme/widgets"),
        (
            "https://bitbucket.org/acme/widgets.git/info/refs?service=git-upload-pack",
            "acme/widgets",
        ),
        ("https://bitbucket.org/acme/widgets?tab=x", "acme/widgets"),
        ("https://bitbucket.org/acme/widgets/wiki", "acme/widgets/wiki"),
        (
            "https://bitbucket.org/acme/widgets/wiki/Home#markdown",
            "acme/widgets/wiki",
        ),
        ("https://bitbucket.org/acme/widgets.git/wiki", "acme/widgets/wiki"),
        ("https://bitbucket.org/acme/wiki", "acme/wiki"),
        ("git@bitbucket.org:acme/widgets.git", "acme/widgets"),
        ("git@bitbucket.org:/acme/widgets.git", "acme/widgets"),
        ("git@bitbucket.org:acme/widgets.git/wiki", "acme/widgets/wiki"),
        ("bitbucket.org:acme/widgets", "acme/widgets"),
        ("ssh://git@bitbucket.org/acme/widgets.git", "acme/widgets"),
        ("ssh://git@bitbucket.org:22/acme/widgets.git/wiki", "acme/widgets/wiki"),
        ("ssh://git@altssh.bitbucket.org:443/acme/widgets.git", "acme/widgets"),
        ("git+ssh://bitbucket.org/acme/widgets.git/", "acme/widgets"),
    ] {
        assert_eq!(address(text).to_string(), meant, "{text}");
    }
}

#[test]
fn a_user_and_a_secret_are_decoded_and_the_last_at_sign_ends_them() {
    for (text, username, secret) in [
        ("acme/widgets", None, None),
        ("mia@acme/widgets", Some("mia"), None),
        ("mia%40example.com@acme/widgets", Some("mia@example.com"), None),
        ("mia@example.com@acme/widgets", Some("mia@example.com"), None),
        ("mia:hunter2@acme/widgets", Some("mia"), Some("hunter2")),
        ("mia:hu:nt%2Fe%40r?2@acme/widgets", Some("mia"), Some("hu:nt/e@r?2")),
        ("mia:100%@acme/widgets", Some("mia"), Some("100%")),
        ("mia:@acme/widgets", Some("mia"), None),
        (":hunter2@acme/widgets", None, Some("hunter2")),
        ("@acme/widgets", None, None),
        (
            "https://mia:hunter2@bitbucket.org/acme/widgets",
            Some("mia"),
            Some("hunter2"),
        ),
        (
            "https://mia@example.com@bitbucket.org/acme/widgets",
            Some("mia@example.com"),
            None,
        ),
        ("git@bitbucket.org:acme/widgets", None, None),
        ("ssh://git:hunter2@bitbucket.org/acme/widgets", None, None),
    ] {
        let address = address(text);
        assert_eq!(address.username(), username, "{text}");
        assert_eq!(address.secret().map(Secret::expose), secret, "{text}");
    }
}

#[test]
fn a_token_alone_before_the_at_sign_is_the_secret() {
    for text in [
        format!("{TOKEN}@acme/widgets"),
        format!("https://{TOKEN}:@bitbucket.org/acme/widgets"),
    ] {
        let address = address(&text);
        assert_eq!(address.username(), None);
        assert_eq!(address.secret().map(Secret::expose), Some(TOKEN));
        assert_eq!(address.bbcloud(), "bbcloud::acme/widgets");
    }
}

#[test]
fn a_uuid_may_stand_for_either_name_and_is_encoded_in_urls() {
    let encoded = UUID.replace('{', "%7b").replace('}', "%7D");
    for text in [
        format!("{UUID}/{UUID}.git/wiki"),
        format!("https://bitbucket.org/{encoded}/{encoded}/wiki/Home"),
    ] {
        let address = address(&text);
        assert_eq!(address.workspace(), UUID);
        assert_eq!(address.repository(), UUID);
        assert_eq!(
            address.https_url(&BaseUrl::default()).as_str(),
            "https://bitbucket.org/%7B0f8fad5b-d9cb-469f-a165-70867728950e%7D/\
             %7B0f8fad5b-d9cb-469f-a165-70867728950e%7D.git/wiki"
        );
    }
}

#[test]
fn what_it_is_written_as_never_has_the_secret() {
    let address = address("mia%40example.com:hunter2@acme/widgets/wiki");
    assert_eq!(address.to_string(), "acme/widgets/wiki");
    assert_eq!(address.scope(), "acme/widgets");
    assert_eq!(address.bbcloud(), "bbcloud::mia%40example.com@acme/widgets/wiki");
    assert!(!format!("{address:?}").contains("hunter2"));
    let base = base("http://mia@127.0.0.1:8080/bb/");
    assert_eq!(
        address.https_url(&base).as_str(),
        "http://127.0.0.1:8080/bb/acme/widgets.git/wiki"
    );
    assert_eq!(
        address.lfs_url(&base).as_str(),
        "http://127.0.0.1:8080/bb/acme/widgets.git/wiki/info/lfs"
    );
}

#[test]
fn a_pasted_url_may_be_of_the_base_url() {
    let base = base("https://mirror.example:8443/bb");
    for text in [
        "https://mia:hunter2@mirror.example:8443/bb/acme/widgets/src/main",
        "https://bitbucket.org/acme/widgets",
        "git@mirror.example:acme/widgets",
        "ssh://git@mirror.example:7999/acme/widgets.git",
    ] {
        let address = Address::parse(text, &base).unwrap_or_else(|failure| panic!("{text}: {failure}"));
        assert_eq!(
            address.https_url(&base).as_str(),
            "https://mirror.example:8443/bb/acme/widgets.git"
        );
    }
    let hint = "use 'bbcloud::<workspace>/<repository>' for 'mirror.example:8443', \
                and a URL without 'bbcloud::' for another host";
    for (text, reason, hint) in [
        (
            "https://mirror.example/bb/acme/widgets",
            "this helper is for 'mirror.example:8443', not for 'mirror.example'",
            hint,
        ),
        (
            "https://mirror.example:8443/bbx/acme/widgets",
            "it is not below 'https://mirror.example:8443/bb'",
            FORM,
        ),
    ] {
        let message = format!("cannot use the address '{text}': {reason}");
        fails(Address::parse(text, &base), &message, &[hint]);
    }
    fails(
        Address::parse("https://mia:hunter2@bitbucket.org/acme/widgets", &base),
        "cannot use the address 'https://mia:<secret>@bitbucket.org/acme/widgets': \
         its secret is for 'bitbucket.org' and would go to 'mirror.example:8443'",
        &[FORM],
    );
}
