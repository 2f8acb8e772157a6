//! Who would ask: the keychain's state, and the secret's kind, owner and age, never the secret.

use super::Target;
use super::checks::Checks;
use crate::cli::scene::Scene;
use crate::credential::account::{Account, StoreKind, closest};
use crate::credential::expiry;
use crate::credential::{given, keeping};
use crate::http::date_of;
use crate::secret::kind::Kind;

/// How many days before its end a secret is warned about.
const NOTICE_DAYS: i64 = 30;

/// What the server's checks may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usable {
    /// Whether the keychain can be asked without asking anybody.
    pub(super) keychain: bool,
    /// Whether the secret that is given can be read.
    pub(super) secret: bool,
}

pub(super) fn check(target: &Target, scene: &Scene<'_>, checks: &mut Checks) -> Usable {
    let accounts = match scene.index.read() {
        Ok(accounts) => accounts,
        Err(failure) => {
            checks.failure("keychain", &failure);
            Vec::new()
        }
    };
    let account = closest(&accounts, &scene.base.host_and_port(), &target.scope, None);
    let in_address = target
        .address
        .as_ref()
        .is_some_and(|address| address.secret().is_some());
    let mut usable = check_keychain(&accounts, account, in_address, scene, checks);
    if in_address {
        checks.warn(
            "secret",
            "it is in the remote's URL, where everybody reads it who can read the configuration",
            "git-remote-bbcloud migrate",
        );
    } else if let Some(variable) = scene.variable() {
        usable.secret = check_given(variable, scene, checks);
    } else {
        check_account(target, account, scene, checks);
    }
    usable
}

fn check_keychain(
    accounts: &[Account],
    account: Option<&Account>,
    in_address: bool,
    scene: &Scene<'_>,
    checks: &mut Checks,
) -> Usable {
    const NAME: &str = "keychain";
    let instead = if in_address {
        Some("the URL's secret")
    } else {
        scene.variable()
    };
    if let Some(instead) = instead {
        checks.skip(NAME, format!("{instead} is used instead"));
        return Usable {
            keychain: false,
            secret: true,
        };
    }
    if account.is_none() && scene.policy.keep.is_none() {
        checks.skip(NAME, "nothing is kept (bbcloud.store is false)");
        return Usable {
            keychain: false,
            secret: true,
        };
    }
    let place = account
        .map(|account| account.place)
        .or(scene.policy.keep)
        .unwrap_or(StoreKind::System);
    let fault = scene.keychain.state(place).err();
    let fault = fault.or_else(|| account.and_then(|account| scene.keychain.check(account).err()));
    let list = if accounts.is_empty() {
        "no accounts".to_owned()
    } else {
        let names = accounts
            .iter()
            .map(|account| format!("{} ({} of {})", account.target(), account.kind, account.username));
        format!("accounts: {}", names.collect::<Vec<_>>().join(", "))
    };
    match (fault, account) {
        (None, _) => {
            checks.ok(NAME, format!("available ({}); {list}", place.word()));
            Usable {
                keychain: true,
                secret: true,
            }
        }
        (Some(fault), Some(account)) => {
            checks.failure(NAME, &fault.explain(account.target()).because(list));
            Usable {
                keychain: false,
                secret: true,
            }
        }
        // Whoever is not signed in may not want a keychain at all.
        (Some(fault), None) => {
            checks.warning(NAME, &fault.explain(&scene.base.host_and_port()).because(list));
            Usable {
                keychain: false,
                secret: true,
            }
        }
    }
}

/// The secret of a build server. Returns whether it can be used.
fn check_given(variable: &str, scene: &Scene<'_>, checks: &mut Checks) -> bool {
    match given(scene.environment) {
        Ok(Some((secret, _))) => {
            let kind = Kind::of(&secret);
            let detail = format!("{} in {variable}", kind.with_article());
            judge("secret", kind, detail, scene, checks);
        }
        Ok(None) => checks.skip("secret", "there is none"),
        Err(failure) => {
            checks.failure("secret", &failure);
            return false;
        }
    }
    true
}

fn check_account(target: &Target, account: Option<&Account>, scene: &Scene<'_>, checks: &mut Checks) {
    const NAME: &str = "secret";
    let wanted = match target.scope.text() {
        "" => String::new(),
        scope => format!(" --for {scope}"),
    };
    let Some(account) = account else {
        let helpers = &scene.policy.helpers.programs;
        if helpers.is_empty() {
            checks.warn(
                NAME,
                "nobody is signed in: only public repositories can be read",
                &format!("git-remote-bbcloud login{wanted}"),
            );
        } else {
            let detail = "nobody is signed in here; git's credential helpers are asked once the server wants to know";
            checks.ok(NAME, detail);
        }
        return;
    };
    let detail = format!(
        "{} of '{}' for '{}', kept on {}",
        account.kind.with_article(),
        account.username,
        account.target(),
        date_of(account.created)
    );
    let today = expiry::day_of(keeping::now());
    let (Some(left), Some(sentence)) = (account.expires.days_left(today), account.expires.sentence(today)) else {
        return judge(NAME, account.kind, detail, scene, checks);
    };
    let detail = format!("{detail}; it {sentence}");
    if left < NOTICE_DAYS {
        let remedy = format!("git-remote-bbcloud login --replace --for {}", account.target());
        checks.warn(NAME, detail, &remedy);
    } else {
        judge(NAME, account.kind, detail, scene, checks);
    }
}

fn judge(name: &'static str, kind: Kind, detail: String, scene: &Scene<'_>, checks: &mut Checks) {
    if kind == Kind::AppPassword && scene.base.is_bitbucket_org() {
        checks.warn(
            name,
            format!("{detail}; bitbucket.org accepts none since 2026-07-28"),
            "create an API token at https://id.atlassian.com/manage-profile/security/api-tokens, then run \
             'git-remote-bbcloud login --replace'",
        );
    } else {
        checks.ok(name, detail);
    }
}
