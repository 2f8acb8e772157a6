//! Integration tests: real git against a local Bitbucket.

#[path = "../support/bitbucket/mod.rs"]
#[expect(dead_code, reason = "not every answer of the local Bitbucket is asked for yet")]
mod bitbucket;
#[path = "../support/proxy/mod.rs"]
mod proxy;

mod faults;
mod fuzz;
mod hostile;
mod kept;
mod local_bitbucket;
mod memory;
mod oracle;
mod refusals;
mod support;
mod tidy;
mod traffic;
mod transcripts;
mod wire;
