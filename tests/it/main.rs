//! Integration tests: real git against a local Bitbucket.

#[path = "../support/bitbucket/mod.rs"]
#[expect(dead_code, reason = "not every answer of the local Bitbucket is asked for yet")]
mod bitbucket;
#[path = "../support/proxy/mod.rs"]
mod proxy;

mod commands;
mod doctor;
mod everyday;
mod faults;
mod fuzz;
mod gits;
mod hostile;
mod kept;
#[cfg(target_os = "linux")]
#[expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail where it looks"
)]
mod keychain;
mod local_bitbucket;
mod memory;
mod oracle;
mod refusals;
mod support;
mod tidy;
mod traffic;
mod transcripts;
mod wire;
