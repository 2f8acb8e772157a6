//! The type of every secret: it cannot be displayed, is redacted when debugged, and is wiped when dropped.
//!
//! It must not know what a secret is for.

use std::fmt;

use zeroize::Zeroizing;

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
    fn white_space_around_a_secret_is_dropped() {
        assert_eq!(Secret::new(" ATBBx\r\n").expose(), "ATBBx");
    }
}
