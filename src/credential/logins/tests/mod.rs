//! Each decision, without files and processes: the order of sources, names and questions; `outcomes` and `reminders`
//! have the rest.

mod outcomes;
mod reminders;

use std::rc::Rc;

use super::fake::{Fake, account};
use super::{Logins, Wanted};
use crate::address::{Address, BaseUrl};
use crate::bridge::Credentials as _;
use crate::bridge::refusal::Refusal;
use crate::credential::helper::{Answer, found};
use crate::credential::history::{Key, Record};
use crate::credential::keychain::Fault;
use crate::credential::login::Source;
use crate::credential::netrc;
use crate::credential::policy::Policy;
use crate::environment::Environment;
use crate::git::config::Config;
use crate::secret::Secret;

/// The settings, and what is set in the environment.
struct World {
    fake: Rc<Fake>,
    environment: Environment,
    policy: Policy,
    base: BaseUrl,
}

impl World {
    fn new(pairs: &[(&str, &str)]) -> Self {
        let environment = Environment::from_pairs(pairs.iter().copied().chain([("GIT_CONFIG_NOSYSTEM", "1")]));
        let config = Config::load(&environment).expect("no configuration");
        let base = BaseUrl::default();
        let fake = Rc::new(Fake::default());
        fake.now.set(1_000_000);
        Self {
            policy: Policy::read(base.url(), None, &config, &environment).expect("a policy"),
            fake,
            environment,
            base,
        }
    }

    fn logins(&self, address: &str) -> Logins {
        let address = Address::parse(address, &self.base).expect("an address");
        self.wanted(Wanted::repository(&address, &self.base))
    }

    fn wanted(&self, wanted: Wanted) -> Logins {
        Logins::new(wanted, self.policy.clone(), &self.environment, self.fake.parts()).expect("logins")
    }

    fn type_in(&self, at_terminal: bool, answers: &[&'static str]) {
        self.fake.is_there.set(true);
        self.fake.at_terminal.set(at_terminal);
        self.fake.typed.borrow_mut().extend(answers);
    }

    fn helper(&self, username: &str, secret: &str, more: &str) {
        let answer = Answer::Login(found(username, secret, more));
        self.fake.helpers.borrow_mut().push_back(answer);
    }

    fn worked(&self, source: Source, place: &str, username: &str, record: Record) {
        let key = Key {
            source,
            host: "bitbucket.org".to_owned(),
            place: place.to_owned(),
            username: username.to_owned(),
        };
        self.fake.history.borrow_mut().push((key, record));
    }
}

const WIDGETS: &str = "acme/widgets";
const WORKED: Record = Record {
    worked: 900_000,
    refused: None,
};

fn refusal(status: u16) -> Refusal {
    let text = if status == 403 {
        "lack required privilege scopes"
    } else {
        ""
    };
    Refusal {
        status,
        host: "bitbucket.org".to_owned(),
        challenges: vec!["Basic realm=\"x\"".to_owned()],
        text: text.to_owned(),
        ..Refusal::default()
    }
}

fn sent(logins: &mut Logins) -> String {
    logins.authorization().expect("no failure");
    let login = logins.current();
    login.map_or_else(
        || "-".to_owned(),
        |login| format!("{}:{}", login.username, login.secret.expose()),
    )
}

/// Refuses until nobody has another login. Returns what was sent.
fn all_sent(logins: &mut Logins, status: u16) -> Vec<String> {
    let mut all = vec![sent(logins)];
    while logins.refused(&refusal(status), true).expect("no failure") {
        all.push(sent(logins));
    }
    all
}

#[test]
fn each_source_is_asked_after_the_one_before_it() {
    let world = World::new(&[]);
    world.fake.sign_in("acme", "bob", Some("kept"));
    *world.fake.netrc.borrow_mut() = Some(netrc::Entry {
        username: Some("net".to_owned()),
        password: Secret::new("rc"),
    });
    world.helper("help", "er", "");
    world.type_in(false, &["ada", "typed"]);
    let mut logins = world.logins(WIDGETS);
    assert_eq!(sent(&mut logins), "bob:kept");
    assert_eq!(world.fake.take_log(), [] as [&str; 0]);
    assert_eq!(
        all_sent(&mut logins, 401),
        ["bob:kept", "net:rc", "help:er", "ada:typed"]
    );
}

#[test]
fn what_is_given_for_this_run_is_used_alone() {
    let world = World::new(&[("BBCLOUD_TOKEN", "env"), ("BBCLOUD_USERNAME", "eve")]);
    world.fake.sign_in("", "bob", Some("kept"));
    world.helper("help", "er", "");
    world.type_in(true, &["ada", "typed"]);
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401), ["eve:env", "eve:env"]);
    assert_eq!(world.fake.take_log(), ["sleep 1"]);
    let mut logins = world.logins("url:secret@acme/widgets");
    assert_eq!(all_sent(&mut logins, 401), ["url:secret"]);
    assert_eq!(world.fake.take_log(), [] as [&str; 0]);
}

#[test]
fn a_public_repository_asks_nobody() {
    let world = World::new(&[]);
    world.helper("help", "er", "");
    let mut logins = world.logins(WIDGETS);
    assert_eq!(sent(&mut logins), "-");
    logins.accepted(false);
    assert_eq!(world.fake.take_log(), [] as [&str; 0]);
}

#[test]
fn one_rule_for_the_user_name_of_every_source() {
    const FIXED: &str = "x-bitbucket-api-token-auth:ATATTx";
    let world = World::new(&[("BBCLOUD_TOKEN", "ATATTx")]);
    assert_eq!(sent(&mut world.logins("a%40b.c@acme/widgets")), FIXED);
    assert_eq!(sent(&mut world.logins("ada@acme/widgets")), "ada:ATATTx");
    let world = World::new(&[]);
    *world.fake.netrc.borrow_mut() = Some(netrc::Entry {
        username: Some("a@b.c".to_owned()),
        password: Secret::new("ATATTx"),
    });
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401)[1], FIXED);
    let world = World::new(&[]);
    world.helper("a@b.c", "ATATTx", "");
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401)[1], FIXED);
    world.type_in(false, &["a@b.c", "ATATTx"]);
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401)[1], FIXED);
    world.type_in(false, &["a@b.c", "ATBBx"]);
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401)[1], "a@b.c:ATBBx");
}

#[test]
fn a_program_is_asked_once_in_gits_order_and_hears_nothing_else() {
    let world = World::new(&[]);
    world.fake.faults.borrow_mut().push(("*".to_owned(), Fault::Locked));
    world.type_in(false, &["ada", "wrong", "ada", "wrong"]);
    let mut logins = world.logins(WIDGETS);
    assert_eq!(all_sent(&mut logins, 401), ["-", "ada:wrong"]);
    let asked = [
        "netrc bitbucket.org",
        "fill - 1",
        "Username for 'https://bitbucket.org': ",
        "Password for 'https://ada@bitbucket.org': ",
    ];
    assert_eq!(world.fake.take_log(), asked);
    // What cannot be kept is no news for a program; git's helpers get it, as git would tell them.
    let world = World::new(&[]);
    world.fake.faults.borrow_mut().push(("*".to_owned(), Fault::Locked));
    world.type_in(false, &["ada", "right"]);
    let mut logins = world.logins(WIDGETS);
    sent(&mut logins);
    assert!(logins.refused(&refusal(401), true).expect("asked"));
    world.fake.take_log();
    logins.accepted(false);
    let told: Vec<_> = world
        .fake
        .take_log()
        .into_iter()
        .filter(|line| !line.starts_with("write"))
        .collect();
    assert_eq!(told, ["approve ada:right"]);
}

#[test]
fn a_known_user_name_is_never_asked_for() {
    let world = World::new(&[]);
    world.type_in(false, &["secret"]);
    all_sent(&mut world.logins("ada@acme/widgets"), 401);
    assert_eq!(world.fake.take_log()[2], "Password for 'https://ada@bitbucket.org': ");
    let mut world = World::new(&[]);
    world.policy.helpers.username = Some("conf".to_owned());
    world.type_in(false, &["secret"]);
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401), ["-", "conf:secret"]);
    let world = World::new(&[]);
    let answer = Answer::Nothing(Some("helped".to_owned()));
    world.fake.helpers.borrow_mut().push_back(answer);
    world.type_in(false, &["secret"]);
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401), ["-", "helped:secret"]);
}

#[test]
fn a_person_is_helped_once_and_a_refused_answer_is_not_sent_again() {
    let world = World::new(&[]);
    world.type_in(true, &["", "ATATTx", "", "ATATTx", "", "ATATTy"]);
    let mut logins = world.logins(WIDGETS);
    let name = "x-bitbucket-api-token-auth";
    assert_eq!(
        all_sent(&mut logins, 401),
        ["-".to_owned(), format!("{name}:ATATTx"), format!("{name}:ATATTy")]
    );
    let log = world.fake.take_log();
    let starting = |start: &str| log.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(
        (starting("hint: leave the user name empty"), starting("Username for")),
        (1, 3)
    );
    assert_eq!(starting("warning: this was refused before"), 1);
}

#[test]
fn the_path_is_shown_where_several_accounts_make_it_matter() {
    let world = World::new(&[]);
    world
        .fake
        .accounts
        .borrow_mut()
        .extend([account("other", "ada"), account("more", "bob")]);
    world.type_in(false, &["ada", "secret"]);
    all_sent(&mut world.logins(WIDGETS), 401);
    let log = world.fake.take_log();
    assert_eq!(log[2], "Username for 'https://bitbucket.org/acme/widgets.git': ");
}

#[test]
fn nobody_is_asked_where_the_settings_forbid_it_or_a_helper_quits() {
    let mut world = World::new(&[]);
    world.policy.interactive = false;
    world.type_in(true, &["ada", "secret"]);
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401), ["-"]);
    world.policy.interactive = true;
    world.fake.helpers.borrow_mut().push_back(Answer::Quit);
    assert_eq!(all_sent(&mut world.logins(WIDGETS), 401), ["-"]);
}

#[test]
fn a_locked_keychain_is_the_reason_where_nobody_else_knows_a_secret() {
    let world = World::new(&[]);
    world.fake.sign_in("acme", "bob", Some("kept"));
    world.fake.sign_in("", "eve", Some("other"));
    world.fake.faults.borrow_mut().push(("bob".to_owned(), Fault::Locked));
    let mut logins = world.logins(WIDGETS);
    assert_eq!(sent(&mut logins), "-");
    let failure = logins.refused(&refusal(401), true).expect_err("locked");
    assert_eq!(failure.message(), "the keychain is locked");
    let looked_up = world.logins(WIDGETS).look_up(&world.environment);
    assert_eq!(looked_up.expect_err("locked").message(), "the keychain is locked");
}
