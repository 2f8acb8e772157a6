//! The type of every secret: it cannot be displayed, is redacted when debugged, and is wiped when dropped.
//!
//! Does not depend on what a secret is for, nor on where it is kept. [`kind`] tells the sorts of secrets apart,
//! [`pasted`] what people give in place of one.

pub mod kind;
pub mod pasted;

use std::fmt;

use zeroize::Zeroizing;

use crate::report::{Failure, Kind};

/// An app password, a token or a password of a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` over; surrounding white space, which pasting and files add, is not part of a secret.
    pub fn new(text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        if text.trim().len() == text.len() {
            Self(text)
        } else {
            Self(Zeroizing::new(text.trim().to_owned()))
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the secret if it is one line of text. Its `place` ends the sentence "the secret …".
    ///
    /// A line end would be a second line of git's credential protocol, or a header of HTTP.
    pub fn checked(self, place: &dyn fmt::Display) -> Result<Self, Failure> {
        if !self.0.contains(char::is_control) {
            return Ok(self);
        }
        Err(
            Failure::new(Kind::Usage, format!("the secret {place} holds a control character"))
                .hint("give it as one line; 'head -n 1' takes the first of several"),
        )
    }

    /// Returns the secret itself. Every call is a place where it may leave the program: look at it twice.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "<secret>");
    }

    #[test]
    fn a_secret_is_one_line() {
        assert!(Secret::new("ATBBx\n").checked(&"here").is_ok());
        for text in ["a\r\nX: y", "a\nb", "a\0b", "a\u{85}b"] {
            let failure = Secret::new(text).checked(&"here").expect_err("it is no line");
            assert_eq!(failure.message(), "the secret here holds a control character");
        }
    }

    #[test]
    fn white_space_around_a_secret_is_dropped() {
        assert_eq!(Secret::new(" ATBBx\r\n").expose(), "ATBBx");
    }
}
