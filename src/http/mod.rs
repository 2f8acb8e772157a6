//! HTTP and TLS: the one place that knows them.

mod answer;
pub mod client;
mod connector;
mod cookies;
mod dates;
mod deadline;
mod decoding;
pub mod dial;
pub mod error;
mod exchange;
mod head;
pub mod network;
mod pace;
pub mod probe;
mod proxy;
mod redirect;
mod refused;
mod request;
pub mod rest;
mod retry;
pub mod said;
mod session;
pub mod settings;
pub mod status;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use dates::{date, seconds_since};
