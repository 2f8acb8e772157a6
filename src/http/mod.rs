//! HTTP and TLS: the one place that knows them. Does not depend on Bitbucket, nor on what a failure means to the user.

pub mod agent;
mod answer;
mod answer_head;
mod body;
pub mod client;
mod connector;
mod cookies;
mod dates;
mod deadline;
mod decoding;
pub mod dial;
pub mod error;
mod exchange;
pub mod family;
mod head;
mod lines;
mod pace;
pub mod probe;
mod proxy;
mod redirect;
mod request;
pub mod rest;
mod retry;
mod session;
pub mod settings;
mod stream;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
pub mod upstream;
mod wire;

pub use dates::{date, date_of, seconds_since};
pub use tls::{Fault, NotPinned, Untrusted};
