//! Integration tests: real git against a local Bitbucket.

#![expect(clippy::indexing_slicing, reason = "a test may fail where it looks")]
#![cfg_attr(
    target_os = "linux",
    expect(clippy::string_slice, reason = "a test may fail where it looks")
)]
#![cfg_attr(
    not(target_os = "linux"),
    expect(unused_imports, dead_code, reason = "some tests are for Linux alone")
)]

#[path = "../support/bitbucket/mod.rs"]
#[expect(dead_code, reason = "not every answer of the local Bitbucket is asked for yet")]
mod bitbucket;
#[path = "../support/proxy/mod.rs"]
mod proxy;

#[cfg(target_os = "linux")]
mod agent;
mod api;
mod archives;
#[cfg(target_os = "linux")]
mod certificates;
#[cfg(target_os = "linux")]
mod commands;
mod dependencies;
mod doctor;
mod everyday;
mod faults;
mod fuzz;
mod gits;
mod hostile;
mod kept;
#[cfg(target_os = "linux")]
mod keychain;
mod load;
mod local_bitbucket;
mod manual;
mod memory;
#[cfg(target_os = "linux")]
mod messages;
#[cfg(unix)]
mod next;
mod oracle;
mod packages;
mod recipes;
mod refusals;
mod support;
mod tidy;
mod traffic;
mod transcripts;
mod wire;
