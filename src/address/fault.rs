//! What is wrong with an address, in words that hold no secret.
//!
//! Does not depend on how addresses are read. What is hidden of one is decided in [`redact`].

use crate::redact;
use crate::report::{Failure, Kind};

/// What an address should look like.
const FORM: &str = "use 'bbcloud::<workspace>/<repository>' or 'bbcloud::<workspace>/<repository>/wiki'";

/// Why an address cannot be used, and how to put it right.
#[derive(Debug)]
pub(super) struct Fault {
    reason: String,
    hint: String,
    /// The piece of the address that the reason quotes.
    quoted: Option<String>,
}

impl Fault {
    /// Returns a fault with the general hint.
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: FORM.to_owned(),
            quoted: None,
        }
    }

    /// Returns a fault that quotes `piece` of the address between `before` and `after`.
    pub(super) fn quoting(before: &str, piece: &str, after: &str) -> Self {
        let piece = redact::piece(piece);
        Self {
            quoted: Some(piece.clone()),
            ..Self::new(format!("{before}'{piece}'{after}"))
        }
    }

    /// Puts `hint` in the place of the general one.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Returns the failure for the address `text`; `again` reads another text in its place.
    pub(super) fn in_address(self, text: &str, again: impl FnOnce(&str) -> Option<Self>) -> Failure {
        let shown = redact::address(text);
        // What was read as a name or a host may then be a piece of the secret: the reason must not quote it.
        if redact::hides_a_delimiter(text) {
            return Failure::new(
                Kind::Usage,
                format!("cannot use the address '{shown}': its secret is not percent-encoded"),
            )
            .hint("write '/' as %2F, '?' as %3F, '#' as %23 and '@' as %40 in a user name or a secret")
            .hint(FORM);
        }
        let is_visible = self.quoted.as_ref().is_none_or(|quoted| shown.contains(quoted));
        let fault = if is_visible || !redact::hides(text) {
            self
        } else {
            // Of the text that is shown, no reason can quote what is hidden.
            again(&shown).unwrap_or_else(|| Self::new("what is hidden of it has no place there"))
        };
        let message = format!("cannot use the address '{shown}': {}", fault.reason);
        Failure::new(Kind::Usage, message).hint(fault.hint)
    }

    /// Returns the failure for the base URL `text`.
    pub(super) fn in_base_url(self, text: &str) -> Failure {
        let shown = redact::address(text);
        Failure::new(
            Kind::Usage,
            format!("cannot use '{shown}' as a base URL: {}", self.reason),
        )
        .hint(self.hint)
    }
}
