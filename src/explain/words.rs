//! What a server said when it refused, where a person can read it. Does not depend on what that means for the user.

use crate::bridge::refusal::Refusal;

/// Returns what the server said, if a person can read it: plain text, or the message of the REST API's error object.
pub(super) fn words(refusal: &Refusal) -> Option<String> {
    match refusal.content_type.as_str() {
        "text/html" => None,
        "application/json" => {
            let json: serde_json::Value = serde_json::from_str(&refusal.text).ok()?;
            Some(json.pointer("/error/message")?.as_str()?.to_owned())
        }
        _ => Some(refusal.text.clone()),
    }
}

/// The scopes that a REST error names.
pub(super) struct Scopes {
    granted: String,
    required: String,
}

impl Scopes {
    /// Returns the scopes that the error document `text` names.
    pub(super) fn of(text: &str) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let list = |name: &str| {
            let values = json.pointer("/error/detail")?.get(name)?.as_array()?;
            let names: Vec<_> = values.iter().filter_map(|value| value.as_str()).collect();
            Some(names.join(", "))
        };
        Some(Self {
            granted: list("granted")?,
            required: list("required")?,
        })
    }

    /// Returns what is missing, as a cause.
    pub(super) fn cause(&self) -> String {
        let Self { granted, required } = self;
        if granted.is_empty() {
            format!("the token has no scopes; this operation requires {required}")
        } else {
            format!("the token has scope {granted}; this operation requires {required}")
        }
    }
}
