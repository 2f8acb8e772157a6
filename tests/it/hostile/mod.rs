//! Attacks and accidents on both sides: a server that lies, a git that breaks off, a machine without room, and a
//! repository whose configuration wants the secret.

mod configuration;
mod ends;
mod files;
mod input;
mod room;
mod server;
mod texts;
pub(crate) mod unprivileged;
