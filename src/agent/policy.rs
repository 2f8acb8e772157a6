//! What the agent does for a process that can open its socket. A request is allowed if any rule allows it.
//!
//! Pure: does not depend on sockets, secrets or HTTP.

use super::commands::{Command, Effect};
use super::rule::Rule;
use crate::address::Address;
use crate::report::{Failure, Kind, one_line};

/// The most refs of a refused push that are named; the others are counted.
const NAMED: usize = 20;

/// The rules of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Everything that the user may do: for the user's own socket, which is not handed out.
    Everything,
    /// What one of the rules allows.
    Rules(Vec<Rule>),
}

impl Policy {
    fn rules_for<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = &'a Rule> {
        let rules = match self {
            Self::Everything => &[],
            Self::Rules(rules) => rules.as_slice(),
        };
        rules.iter().filter(|rule| rule.covers(address))
    }

    /// Checks whether the repository at `address` may be read.
    pub fn check_read(&self, address: &Address) -> Result<(), Failure> {
        if *self == Self::Everything || self.rules_for(address).next().is_some() {
            return Ok(());
        }
        Err(refused(
            format!("the agent's rules do not allow reading '{address}'"),
            &address.to_string(),
        ))
    }

    /// Checks whether anything in the repository at `address` may be changed, so that a push can begin.
    pub fn check_write(&self, address: &Address) -> Result<(), Failure> {
        self.check_read(address)?;
        if *self == Self::Everything || self.rules_for(address).any(Rule::allows_changes) {
            return Ok(());
        }
        let message = format!("the agent's rules do not allow pushing to '{address}'");
        Err(refused(message, &format!("{address}:push")))
    }

    /// Checks the commands of one push. One that is not allowed refuses them all.
    pub fn check_push(&self, address: &Address, commands: &[Command]) -> Result<(), Failure> {
        self.check_write(address)?;
        if *self == Self::Everything {
            return Ok(());
        }
        let is_allowed = |command: &&Command| self.rules_for(address).any(|rule| rule.allows(command));
        let forbidden: Vec<_> = commands.iter().filter(|command| !is_allowed(command)).collect();
        if forbidden.is_empty() {
            return Ok(());
        }
        let message = format!("the agent's rules do not allow this push to '{address}'");
        let mut failure = refused(message, &rule(address, &forbidden));
        for command in forbidden.iter().take(NAMED) {
            failure = failure.because(line(command));
        }
        Err(match forbidden.len().checked_sub(NAMED) {
            Some(more @ 1..) => failure.because(format!("and {more} more")),
            _ => failure,
        })
    }
}

fn refused(message: String, rule: &str) -> Failure {
    Failure::new(Kind::Refused, message).hint(format!("restart the agent with the rule added: '--allow {rule}'"))
}

fn line(command: &Command) -> String {
    let action = match command.effect() {
        Effect::Create => "creating",
        Effect::Update => "updating",
        Effect::Delete => "deleting",
    };
    format!("no rule allows {action} '{}'", shown(&command.name))
}

/// Returns the narrowest rule that allows the first of `forbidden`.
fn rule(address: &Address, forbidden: &[&Command]) -> String {
    let Some(first) = forbidden.first() else {
        return address.to_string();
    };
    let verb = match first.effect() {
        Effect::Create => "create",
        Effect::Update => "push",
        Effect::Delete => "delete",
    };
    format!("{address}:{verb}={}", shown(&first.name))
}

/// A ref's name for a person: it comes from the sandbox, and git allows more in it than a terminal should get.
pub fn shown(name: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::BaseUrl;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";
    const UUID: &str = "{00000000-0000-4000-8000-00000000000a}";

    fn policy(rules: &[&str]) -> Policy {
        Policy::Rules(rules.iter().map(|text| Rule::parse(text).expect("a rule")).collect())
    }

    fn address(text: &str) -> Address {
        Address::parse(text, &BaseUrl::default()).expect("an address")
    }

    fn command(old: &str, new: &str, name: &str) -> Command {
        Command {
            old: old.into(),
            new: new.into(),
            name: name.into(),
        }
    }

    /// What a rule for `acme/widgets` allows: reading, then creating, updating and deleting `main`, then the same for
    /// `ai/x`.
    #[test]
    fn the_matrix_of_verbs_and_refs() {
        for (rule, wanted) in [
            ("acme/widgets", "r------"),
            ("acme/widgets:read", "r------"),
            ("acme/widgets:push", "rcu-cu-"),
            ("acme/widgets:create", "rc--c--"),
            ("acme/widgets:delete", "r--d--d"),
            ("acme/widgets:push=refs/heads/ai/*", "r---cu-"),
            ("acme/widgets:create=refs/heads/ai/*", "r---c--"),
            ("acme/widgets:delete=refs/heads/ai/*", "r-----d"),
            ("acme/widgets:push=refs/heads/*", "rcu----"),
            ("acme/widgets:push=refs/heads/**", "rcu-cu-"),
            ("acme/widgets:push=refs/tags/**", "r------"),
            ("ACME/wid*:push", "rcu-cu-"),
            ("*/*:create", "rc--c--"),
            ("acme/other:push", "-------"),
            ("other/widgets:push", "-------"),
            ("acme/widgets/wiki:push", "-------"),
            ("acme/widget:push", "-------"),
            ("acme/widgetss:push", "-------"),
        ] {
            let (policy, widgets) = (policy(&[rule]), address("acme/widgets"));
            let mut allowed = String::new();
            allowed.push(if policy.check_read(&widgets).is_ok() { 'r' } else { '-' });
            for name in ["refs/heads/main", "refs/heads/ai/x"] {
                for (mark, old, new) in [('c', ZERO, ONE), ('u', ONE, TWO), ('d', ONE, ZERO)] {
                    let done = policy.check_push(&widgets, &[command(old, new, name)]);
                    allowed.push(if done.is_ok() { mark } else { '-' });
                }
            }
            assert_eq!(allowed, wanted, "{rule}");
        }
    }

    #[test]
    fn a_deletion_is_one_whatever_was_there_before() {
        let creating = policy(&["acme/widgets:create", "acme/widgets:push"]);
        let widgets = address("acme/widgets");
        assert!(
            creating
                .check_push(&widgets, &[command(ZERO, ZERO, "refs/heads/x")])
                .is_err()
        );
    }

    #[test]
    fn rules_add_up_and_one_forbidden_ref_refuses_all() {
        let rules = policy(&[
            "acme/widgets:create=refs/heads/ai/*",
            "acme/widgets:delete=refs/heads/ai/*",
        ]);
        let widgets = address("acme/widgets");
        let good = [
            command(ZERO, ONE, "refs/heads/ai/x"),
            command(ONE, ZERO, "refs/heads/ai/y"),
        ];
        assert!(rules.check_push(&widgets, &good).is_ok());
        let mixed = [good[0].clone(), command(ONE, TWO, "refs/heads/main")];
        let failure = rules.check_push(&widgets, &mixed).expect_err("one is forbidden");
        assert_eq!(failure.causes(), ["no rule allows updating 'refs/heads/main'"]);
        assert_eq!(
            failure.hints(),
            ["restart the agent with the rule added: '--allow acme/widgets:push=refs/heads/main'"]
        );
    }

    #[test]
    fn a_wiki_and_a_uuid_need_rules_of_their_own() {
        let usual = policy(&["*/*:push"]);
        assert!(usual.check_read(&address("acme/widgets/wiki")).is_err());
        assert!(usual.check_read(&address(&format!("acme/{UUID}"))).is_err());
        assert!(usual.check_read(&address(&format!("{UUID}/widgets"))).is_err());
        let named = policy(&["acme/widgets/wiki", &format!("acme/{}", UUID.to_uppercase())]);
        assert!(named.check_read(&address("acme/widgets/wiki")).is_ok());
        assert!(named.check_read(&address(&format!("acme/{UUID}"))).is_ok());
        assert!(named.check_read(&address("acme/widgets")).is_err());
    }

    #[test]
    fn without_rules_everything_is_allowed_and_with_an_empty_list_nothing_is() {
        let widgets = address("acme/widgets");
        let push = [command(ONE, ZERO, "refs/heads/main")];
        assert!(Policy::Everything.check_push(&widgets, &push).is_ok());
        assert!(policy(&[]).check_read(&widgets).is_err());
    }

    #[test]
    fn a_refusal_names_few_of_many_refs() {
        let many: Vec<_> = (0..30)
            .map(|n| command(ZERO, ONE, &format!("refs/heads/{n}")))
            .collect();
        let done = policy(&["acme/widgets:delete"]).check_push(&address("acme/widgets"), &many);
        let causes = done.expect_err("it is forbidden").causes().to_vec();
        assert_eq!(
            (causes.len(), causes.last().map(String::as_str)),
            (21, Some("and 10 more"))
        );
    }
}
