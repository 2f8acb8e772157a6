//! HTTP and TLS: the one place that knows them.

pub mod client;
mod connector;
mod cookies;
mod decoding;
pub mod dial;
pub mod error;
mod exchange;
mod head;
mod network;
mod pace;
mod proxy;
mod redirect;
mod retry;
mod said;
mod session;
pub mod settings;
pub mod status;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod wire;
