//! Fuzzes [`entry::agent::push_commands`].

#![no_main]

#[path = "../entry.rs"]
#[expect(dead_code, reason = "each target is one of its functions")]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::agent::push_commands(bytes));
