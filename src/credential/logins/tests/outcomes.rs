//! What becomes of a secret that was accepted or refused, and what a command is told.

use super::{WIDGETS, WORKED, World, all_sent, refusal, sent};
use crate::bridge::Credentials as _;
use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;
use crate::credential::account::Scope;
use crate::credential::history::Record;
use crate::credential::login::Source;
use crate::credential::logins::{Logins, Wanted};

#[test]
fn a_helper_forgets_only_what_was_refused_as_wrong_and_never_worked() {
    for (status, told) in [(401, "reject help:er 1"), (403, "-"), (410, "-")] {
        let world = World::new(&[]);
        world.helper("help", "er", "");
        let mut logins = world.logins(WIDGETS);
        sent(&mut logins);
        assert!(logins.refused(&refusal(401), true).expect("a helper"));
        world.fake.take_log();
        assert!(!logins.refused(&refusal(status), true).expect("nobody else"));
        assert_eq!(
            world.fake.take_log(),
            [told].iter().filter(|told| **told != "-").copied().collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_helpers_secret_that_has_worked_survives_refusals_until_they_last() {
    for (refused, rejected) in [(None, false), (Some(999_000), false), (Some(990_000), true)] {
        let world = World::new(&[]);
        world.worked(Source::Helper, WIDGETS, "help", Record { refused, ..WORKED });
        world.helper("help", "er", "");
        let mut logins = world.logins(WIDGETS);
        // It served the repository last, so it goes with the first request; and once more, after a second.
        assert_eq!(all_sent(&mut logins, 401), ["help:er", "help:er"]);
        assert_eq!(logins.current().and_then(|login| login.worked), Some(900_000));
        let log = world.fake.take_log();
        assert!(log.contains(&"sleep 1".to_owned()), "{log:?}");
        assert_eq!(
            log.contains(&"reject help:er 1".to_owned()),
            rejected,
            "{refused:?} {log:?}"
        );
        let record = world.fake.history.borrow()[0].1;
        assert_eq!(record.refused, Some(refused.unwrap_or(1_000_001)));
    }
}

#[test]
fn a_new_secret_takes_the_place_of_the_helpers_old_one() {
    let world = World::new(&[]);
    world.worked(Source::Helper, WIDGETS, "help", WORKED);
    world.helper("help", "er", "");
    world.type_in(false, &["help", "new"]);
    let mut logins = world.logins(WIDGETS);
    assert_eq!(all_sent(&mut logins, 401), ["help:er", "help:er", "help:new"]);
    let world = World::new(&[]);
    world.worked(Source::Helper, WIDGETS, "help", WORKED);
    world.helper("help", "er", "");
    world.type_in(false, &["help", "new"]);
    let mut logins = world.logins(WIDGETS);
    sent(&mut logins);
    while sent(&mut logins) != "help:new" {
        assert!(logins.refused(&refusal(401), true).expect("another"));
    }
    world.fake.take_log();
    logins.accepted(false);
    assert_eq!(world.fake.take_log(), ["write help@bitbucket.org", "approve help:new"]);
}

#[test]
fn helpers_are_told_once_and_never_because_of_another_host() {
    let world = World::new(&[]);
    world.helper("help", "er", "");
    let mut logins = world.logins(WIDGETS);
    sent(&mut logins);
    assert!(logins.refused(&refusal(401), true).expect("a helper"));
    world.fake.take_log();
    logins.accepted(true);
    assert_eq!(world.fake.take_log(), [] as [&str; 0]);
    let elsewhere = Refusal {
        by: Answerer::Elsewhere,
        ..refusal(401)
    };
    assert!(!logins.refused(&elsewhere, true).expect("nothing to try"));
    assert_eq!(world.fake.take_log(), [] as [&str; 0]);
    logins.accepted(false);
    logins.accepted(false);
    assert_eq!(world.fake.take_log(), ["approve help:er"]);
}

#[test]
fn a_passing_refusal_costs_one_more_request_and_a_push_is_not_repeated() {
    let world = World::new(&[]);
    world.fake.sign_in("", "bob", Some("kept"));
    // A secret that has never worked is not tried again.
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401), ["bob:kept"]);
    world.worked(Source::Keychain, "", "bob", WORKED);
    let mut logins = world.logins(WIDGETS);
    sent(&mut logins);
    assert!(!logins.refused(&refusal(401), false).expect("a push"));
    let mut logins = world.logins(WIDGETS);
    assert_eq!(all_sent(&mut logins, 401), ["bob:kept", "bob:kept"]);
    // A secret that was written since is another one.
    world.fake.accounts.borrow_mut()[0].created = 950_000;
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401), ["bob:kept"]);
}

#[test]
fn a_secret_that_worked_in_this_session_is_tried_again() {
    let world = World::new(&[]);
    world.fake.sign_in("", "bob", Some("kept"));
    let mut logins = world.logins(WIDGETS);
    sent(&mut logins);
    logins.accepted(false);
    let worked = world.fake.history.borrow()[0].clone();
    assert_eq!((worked.0.username.as_str(), worked.1.worked), ("bob", 1_000_000));
    assert!(logins.refused(&refusal(401), true).expect("once more"));
    assert!(!logins.refused(&refusal(401), true).expect("and no more"));
}

#[test]
fn a_helper_may_sign_in_in_several_rounds() {
    let world = World::new(&[]);
    world.helper("", "one", "authtype=Custom\ncredential=1\nstate[]=s\ncontinue=1\n");
    world.helper("", "two", "authtype=Custom\ncredential=2\n");
    let mut logins = world.logins(WIDGETS);
    assert_eq!(sent(&mut logins), "-");
    assert!(logins.refused(&refusal(401), true).expect("the first round"));
    let line = |logins: &mut Logins| logins.authorization().expect("a line").map(|line| line.to_string());
    assert_eq!(line(&mut logins).as_deref(), Some("Authorization: Custom 1"));
    assert!(logins.refused(&refusal(401), true).expect("the second round"));
    assert_eq!(line(&mut logins).as_deref(), Some("Authorization: Custom 2"));
    assert_eq!(
        world.fake.take_log(),
        ["netrc bitbucket.org", "fill - 1", "fill - 1 again"]
    );
    assert!(!logins.refused(&refusal(401), true).expect("no third one"));
    assert_eq!(world.fake.take_log(), ["reject :2 1"]);
}

#[test]
fn a_command_tells_helpers_nothing_and_git_is_not_asked_by_its_own_helper() {
    let world = World::new(&[]);
    world.helper("help", "er", "");
    let login = world.logins(WIDGETS).look_up(&world.environment).expect("no failure");
    assert_eq!(login.map(|login| login.username).as_deref(), Some("help"));
    assert_eq!(world.fake.take_log(), ["netrc bitbucket.org", "fill - 0"]);
    let wanted = Wanted::question("bitbucket.org", Scope::host(), None, &world.base);
    assert!(world.wanted(wanted).look_up_own().expect("no failure").is_none());
    assert_eq!(world.fake.take_log(), [] as [&str; 0]);
    // A build's secret is for the base URL's host.
    let world = World::new(&[("BBCLOUD_TOKEN", "ATATTx")]);
    for (host, is_known) in [("bitbucket.org", true), ("example.org", false)] {
        let wanted = Wanted::question(host, Scope::host(), None, &world.base);
        let login = world.wanted(wanted).look_up_own().expect("no failure");
        assert_eq!(login.is_some(), is_known, "{host}");
    }
}
