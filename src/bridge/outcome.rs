//! What became of a request that was not answered as asked: told by type, so that nobody has to guess it from a message
//! or from the kind of an [`io::Error`].
//!
//! Two decisions follow from it, and both are made here: whether the same request may be sent again, and whether it may
//! have changed something at the server. Does not depend on HTTP: a client wraps its own error in an [`Unfinished`].

use std::error::Error as StdError;
use std::{fmt, io};

/// How far a request came, and who answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Not sent: no server received any of it.
    Unsent,
    /// Some or all of it was sent, and no answer came that can be used: none, half of one, or not HTTP.
    Unanswered,
    /// A server answered before it had received all of the request. The answer is still to be read, and says why.
    AnsweredEarly,
    /// The answer is a redirect that is not followed: the repository is elsewhere, and this server did nothing.
    Elsewhere,
    /// Refused, with a status of 300 or more.
    Refused {
        /// Who refused it.
        by: Answerer,
        /// The status.
        status: u16,
    },
}

/// Who answered a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answerer {
    /// The server that was asked and that the secret is for, or a gateway before it.
    #[default]
    Server,
    /// Another server, to which a redirect led. It was sent no secret.
    Elsewhere,
    /// The agent that the request was sent to. It passed on no more than a part of it, and no server acts on that.
    Agent,
}

/// What a request does where it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It reads: carried out twice, it is as if carried out once.
    Read,
    /// It changes something: it must not be carried out twice.
    Change,
}

/// How much of a request that changes something a server can have received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Not its end. A push without the end of its pack has no effect.
    InPart,
}

/// What a request that changes something, and failed, did at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Nobody on this side knows.
    Unknown,
}

impl Outcome {
    /// Whether the same request may be sent again: certainly if no server has it; a request that reads also where its
    /// answer was lost, or where the server says that it may answer later.
    pub fn may_repeat(self, purpose: Purpose) -> bool {
        match (self, purpose) {
            (Self::Unsent, _) | (Self::Unanswered, Purpose::Read) => true,
            (Self::Refused { status, .. }, Purpose::Read) => matches!(status, 429 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// What a request that changes something did at the server, of which `extent` was sent.
    pub fn effect(self, extent: Extent) -> Effect {
        match (self, extent) {
            // A gateway that gives up does not know of the server behind it, which may go on. Any other status is the
            // server's own, and says that it did not do it.
            (
                Self::Unanswered
                | Self::Refused {
                    status: 500 | 502 | 504,
                    ..
                },
                Extent::Whole,
            ) => Effect::Unknown,
            _ => Effect::None,
        }
    }
}

/// A request that failed without an answer to show: what became of it, and why.
///
/// It travels through gitoxide's trait within an [`io::Error`].
#[derive(Debug)]
pub struct Unfinished {
    /// What became of the request.
    pub outcome: Outcome,
    /// Why.
    pub error: Box<dyn StdError + Send + Sync>,
}

impl Unfinished {
    /// Returns a request that came as far as `outcome` says and then failed with `error`.
    pub fn new(outcome: Outcome, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            outcome,
            error: error.into(),
        }
    }

    /// Returns why, if it is an `E`.
    pub fn reason<E: StdError + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Unfinished {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

impl From<Unfinished> for io::Error {
    fn from(unfinished: Unfinished) -> Self {
        Self::other(unfinished)
    }
}

/// An error that says nothing of the request is one after which anything may have happened to it.
impl From<io::Error> for Unfinished {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(unfinished) => unfinished,
            Err(error) => Self::new(Outcome::Unanswered, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Outcome {
        Outcome::Refused {
            by: Answerer::Server,
            status,
        }
    }

    #[test]
    fn a_push_is_sent_again_only_where_no_server_has_it() {
        for (outcome, again) in [
            (Outcome::Unsent, true),
            (Outcome::Unanswered, false),
            (Outcome::AnsweredEarly, false),
            (Outcome::Elsewhere, false),
            (refused(429), false),
            (refused(503), false),
        ] {
            assert_eq!(outcome.may_repeat(Purpose::Change), again, "{outcome:?}");
        }
    }

    #[test]
    fn a_read_is_sent_again_where_that_may_help() {
        for (outcome, again) in [
            (Outcome::Unsent, true),
            (Outcome::Unanswered, true),
            (Outcome::AnsweredEarly, false),
            (Outcome::Elsewhere, false),
            (refused(401), false),
            (refused(404), false),
            (refused(429), true),
            (refused(500), false),
            (refused(502), true),
            (refused(503), true),
            (refused(504), true),
        ] {
            assert_eq!(outcome.may_repeat(Purpose::Read), again, "{outcome:?}");
        }
    }

    #[test]
    fn the_effect_of_a_push_is_unknown_if_all_of_it_was_sent_and_its_server_did_not_answer() {
        for (outcome, effect) in [
            (Outcome::Unsent, Effect::None),
            (Outcome::Unanswered, Effect::Unknown),
            (Outcome::AnsweredEarly, Effect::None),
            (Outcome::Elsewhere, Effect::None),
            (refused(401), Effect::None),
            (refused(413), Effect::None),
            (refused(500), Effect::Unknown),
            (refused(502), Effect::Unknown),
            (refused(503), Effect::None),
            (refused(504), Effect::Unknown),
        ] {
            assert_eq!(outcome.effect(Extent::Whole), effect, "{outcome:?}");
            assert_eq!(outcome.effect(Extent::InPart), Effect::None, "{outcome:?}");
        }
    }

    #[test]
    fn an_outcome_survives_the_way_through_io() {
        let sent = Unfinished::new(Outcome::Elsewhere, fmt::Error);
        let back = Unfinished::from(io::Error::from(sent));
        assert_eq!(back.outcome, Outcome::Elsewhere);
        assert!(back.reason::<fmt::Error>().is_some());
    }

    #[test]
    fn an_error_without_an_outcome_is_taken_for_a_lost_answer() {
        let unknown = Unfinished::from(io::Error::from(io::ErrorKind::NotConnected));
        assert_eq!(unknown.outcome, Outcome::Unanswered);
    }
}
