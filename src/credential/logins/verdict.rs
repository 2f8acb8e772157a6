//! What a refusal means for the secret that was sent.

use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;

/// What the server says about the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing: the answer is about something else, or came from a host that was not shown the secret.
    Nothing,
    /// It is wanted, or wrong (401).
    Wrong,
    /// Its kind is not accepted any more (410 for app passwords).
    Gone,
    /// It is good and lacks a permission (403 with Bitbucket's words for that).
    Narrow,
}

impl Verdict {
    pub(super) fn of(refusal: &Refusal) -> Self {
        match refusal.status {
            _ if refusal.by == Answerer::Elsewhere => Self::Nothing,
            401 => Self::Wrong,
            410 => Self::Gone,
            403 if refusal.text.contains("privilege scopes") => Self::Narrow,
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_refusals_are_about_the_secret() {
        for (status, text, elsewhere, verdict) in [
            (401, "", false, Verdict::Wrong),
            (401, "", true, Verdict::Nothing),
            (410, "", false, Verdict::Gone),
            (
                403,
                "lack one or more required privilege scopes",
                false,
                Verdict::Narrow,
            ),
            (403, "whitelist your IP", false, Verdict::Nothing),
            (403, "privilege scopes", true, Verdict::Nothing),
            (404, "", false, Verdict::Nothing),
            (500, "", false, Verdict::Nothing),
        ] {
            let refusal = Refusal {
                status,
                by: if elsewhere {
                    Answerer::Elsewhere
                } else {
                    Answerer::default()
                },
                text: text.to_owned(),
                ..Refusal::default()
            };
            assert_eq!(Verdict::of(&refusal), verdict, "{status} {text}");
        }
    }
}
