//! Every error of an address in full.

use super::{FORM, TOKEN, fails};
use crate::address::{Address, BaseUrl};

#[test]
fn names_that_cannot_be_are_told() {
    let either = "use 'bbcloud::acme/widgets' or 'bbcloud::acme/widgets/wiki'";
    for (text, reason, hint) in [
        ("", "missing workspace and repository names", FORM),
        ("bbcloud://", "missing workspace and repository names", FORM),
        ("mia@", "missing workspace and repository names", FORM),
        ("https://bitbucket.org", "missing workspace and repository names", FORM),
        ("acme", "missing repository name", "use 'bbcloud::acme/<repository>'"),
        (
            "bbcloud://acme/",
            "missing repository name",
            "use 'bbcloud::acme/<repository>'",
        ),
        (
            "https://bitbucket.org/acme/",
            "missing repository name",
            "use 'bbcloud::acme/<repository>'",
        ),
        ("/acme/widgets", "a part of it is empty", FORM),
        ("acme//widgets", "a part of it is empty", FORM),
        ("acme/widgets//", "a part of it is empty", either),
        (
            "acme/widgets/src",
            "only 'wiki' may follow the repository, not 'src'",
            either,
        ),
        (
            "acme/widgets/wiki/Home",
            "only 'wiki' may follow the repository, not 'wiki/Home'",
            either,
        ),
        (
            "https://bitbucket.org/acme/widgets/what/x",
            "only 'wiki' may follow the repository, not 'what/x'",
            either,
        ),
        ("../widgets", "'..' is not a name", FORM),
        ("acme/.", "'.' is not a name", FORM),
        ("acme/.git", "'.git' is not a name", FORM),
        (
            "acme/x.git.git",
            "the repository name 'x.git' ends in '.git' itself",
            FORM,
        ),
        ("acme/my widgets", "the name 'my widgets' holds a space", FORM),
        ("acme/wid%2Fgets", "the name 'wid%2Fgets' holds the character '%'", FORM),
        ("acme/wid\\gets", "the name 'wid\\gets' holds the character '\\'", FORM),
        ("acme/größe", "the name 'größe' holds the character 'ö'", FORM),
        ("acme/{1234}", "'{1234}' is not a UUID in braces", FORM),
        ("acme/widgets\r", "it holds a control character", FORM),
    ] {
        let shown = text.replace('\r', "?");
        let message = format!("cannot use the address '{shown}': {reason}");
        fails(Address::parse(text, &BaseUrl::default()), &message, &[hint]);
    }
    let long = format!("acme/{}", "x".repeat(201));
    fails(
        Address::parse(&long, &BaseUrl::default()),
        &format!(
            "cannot use the address 'acme/{}…': a name in it is longer than 200 bytes",
            "x".repeat(195)
        ),
        &[FORM],
    );
}

#[test]
fn other_hosts_are_told_for_which_host_this_helper_is() {
    let hint = "use 'bbcloud::<workspace>/<repository>' for 'bitbucket.org', \
                and a URL without 'bbcloud::' for another host";
    for (text, shown, theirs) in [
        ("https://github.com/a/b", "https://github.com/a/b", "github.com"),
        (
            "https://mia:hunter2@github.com/a/b?t=x",
            "https://mia:<secret>@github.com/a/b?…",
            "github.com",
        ),
        (
            "https://bitbucket.org:8443/a/b",
            "https://bitbucket.org:8443/a/b",
            "bitbucket.org:8443",
        ),
        (
            "https://bitbucket.org.evil/a/b",
            "https://bitbucket.org.evil/a/b",
            "bitbucket.org.evil",
        ),
        ("git@github.com:a/b.git", "git@github.com:a/b.git", "github.com"),
        ("ssh://git@[::1]:22/a/b.git", "ssh://git@[::1]:22/a/b.git", "[::1]:22"),
    ] {
        let message =
            format!("cannot use the address '{shown}': this helper is for 'bitbucket.org', not for '{theirs}'");
        fails(Address::parse(text, &BaseUrl::default()), &message, &[hint]);
    }
}

#[test]
fn users_and_hosts_that_cannot_be_are_told_without_the_secret() {
    for (text, shown, reason) in [
        (
            "mia%0aquit=1@acme/widgets",
            "mia%0aquit=1@acme/widgets",
            "the user name holds a control character",
        ),
        (
            "mia:hunter2%00@acme/widgets",
            "mia:<secret>@acme/widgets",
            "the secret holds a control character",
        ),
        (
            "mia:%ff@acme/widgets",
            "mia:<secret>@acme/widgets",
            "the secret is not UTF-8",
        ),
        (
            "mia%3Ahunter2@acme/widgets",
            "mia:<secret>@acme/widgets",
            "the user name holds a colon, which Basic authentication cannot send",
        ),
        (
            "ATCTT3xFfGN0abcdefghijklmnopqrstuv:x-oauth-basic@acme/widgets",
            "<secret>:<secret>@acme/widgets",
            "a token stands where the user name belongs",
        ),
        (
            "https://mia:hunter2/acme",
            "https://mia:<secret>",
            "its port is not a number",
        ),
        (
            "https:///acme/widgets",
            "https:///acme/widgets",
            "'' is not a host name",
        ),
        (
            "ftp://bitbucket.org/a/b",
            "ftp://bitbucket.org/a/b",
            "only https and ssh URLs of Bitbucket are known",
        ),
        (TOKEN, "<secret>", "missing repository name"),
    ] {
        let failure = Address::parse(text, &BaseUrl::default()).expect_err(text);
        assert_eq!(failure.message(), format!("cannot use the address '{shown}': {reason}"));
        let texts = format!("{failure:?}");
        assert!(!texts.contains("hunter2") && !texts.contains(TOKEN), "{texts}");
    }
}

#[test]
fn a_secret_with_raw_delimiters_is_told_how_to_be_written() {
    for (text, shown) in [
        ("mia:hun/ter2@acme/widgets", "mia:<secret>@acme/widgets"),
        ("mia:h@u/nter2@acme/widgets", "mia:<secret>@acme/widgets"),
        (
            "https://mia:hun?ter2@bitbucket.org/acme/widgets",
            "https://mia:<secret>@…",
        ),
    ] {
        fails(
            Address::parse(text, &BaseUrl::default()),
            &format!("cannot use the address '{shown}': its secret is not percent-encoded"),
            &[
                "write '/' as %2F, '?' as %3F, '#' as %23 and '@' as %40 in a user name or a secret",
                FORM,
            ],
        );
    }
}
