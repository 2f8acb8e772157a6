//! The agent: git where the secret is not, and one round trip.
//!
//! ```text
//! git <-> helper <-> bridge <-> http ---- unix socket ----> agent: policy -> login -> pool -> server
//! ```
//!
//! It serves requests, never the secret. A process that can open its socket can do what its rules allow, and no more. On
//! the socket is HTTP/1.1 in the form that a proxy is sent, one request at a time.
//!
//! # Reading order
//! 1. Pure: [`rule`] and [`policy`] say what is allowed, [`route`] which requests exist, [`commands`] what a push wants;
//!    `request` and `body` are what a client sends, `fields` what of it passes.
//! 2. `serving` reads a client's requests, and `passing` takes one to the server and its answer back: `asking` is who asks, `refusals` whom the server
//!    refused, `pool` and `clock` are the connections to the server, `client` is the one to the client, `log` the line that is left of it.
//! 3. `server` accepts clients and keeps those without a request in `waiting`, `socket` is the file that they connect to, `life` begins and ends all of it.
//!
//! The helper's side is in `repository`, which finds the socket, and in `http`, which connects to it.
//!
//! Does not depend on the helper or the command line. Unix only: elsewhere the command says so.

pub mod commands;
mod glob;
pub mod policy;
pub mod route;
pub mod rule;

#[cfg(unix)]
mod asking;
#[cfg(unix)]
mod body;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod clock;
#[cfg(unix)]
mod fields;
#[cfg(unix)]
pub mod life;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod passing;
#[cfg(unix)]
mod pool;
#[cfg(unix)]
mod refusals;
#[cfg(unix)]
mod request;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod serving;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod surroundings;
#[cfg(unix)]
mod waiting;
