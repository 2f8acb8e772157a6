//! When the owner of a secret is reminded that it expires.

use jiff::ToSpan as _;

use super::*;
use crate::credential::expiry::{DAYS_BEFORE, Expiry, day_of};

/// Lets the server accept a kept secret that expires in `days` days. Returns what the user was told.
fn told(days: i64, world: &World) -> Vec<String> {
    let today = day_of(world.fake.now.get());
    let day = today.checked_add(days.days()).expect("a day");
    for account in world.fake.accounts.borrow_mut().iter_mut() {
        account.expires = Expiry::On(day);
    }
    let mut logins = world.logins(WIDGETS);
    assert_eq!(sent(&mut logins), "ada:ATBBx");
    world.fake.take_log();
    logins.accepted(false);
    let log = world.fake.take_log();
    log.into_iter().filter(|line| line.contains("expires")).collect()
}

fn world() -> World {
    let mut world = World::new(&[]);
    world.policy.remind_before = DAYS_BEFORE;
    world.fake.sign_in("acme", "ada", Some("ATBBx"));
    world
}

#[test]
fn from_two_weeks_before_once_a_day() {
    for days in -1..=30 {
        let world = world();
        let first = told(days, &world);
        assert_eq!(first.len(), usize::from((0..=14).contains(&days)), "{days}: {first:?}");
        assert!(told(days, &world).is_empty(), "{days}: twice on one day");
    }
}

#[test]
fn again_on_the_next_day() {
    let world = world();
    assert_eq!(told(9, &world).len(), 1);
    world.fake.now.set(world.fake.now.get() + 86_400);
    assert_eq!(told(8, &world).len(), 1);
}

#[test]
fn nobody_is_reminded_where_nobody_reads() {
    let mut world = world();
    world.policy.remind_before = 0;
    assert!(told(3, &world).is_empty());
    world.policy.remind_before = DAYS_BEFORE;
    let mut logins = world.logins(WIDGETS);
    sent(&mut logins);
    logins.remind_nobody();
    world.fake.take_log();
    logins.accepted(false);
    assert!(world.fake.take_log().iter().all(|line| !line.contains("expires")));
}

#[test]
fn an_unreadable_setting_is_an_error_and_a_build_server_is_never_reminded() {
    let policy = |value: &str| {
        let pairs = [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "bbcloud.expiryWarning"),
            ("GIT_CONFIG_VALUE_0", value),
            ("CI", "true"),
        ];
        let environment = Environment::from_pairs(pairs);
        let config = Config::load(&environment).expect("a configuration");
        Policy::read(BaseUrl::default().url(), None, &config, &environment).map(|policy| policy.remind_before)
    };
    assert_eq!(policy("30").expect("a number"), 0);
    assert!(policy("soon").is_err());
    assert!(policy("-1").is_err());
}
