//! How fast the product is beside git's own `https://`: `make bench`, `make bench-quick`.
//!
//! `ratio [--quick] [--rounds=<most>] [--picture=<file>] [<word of a case's name>]` runs each case through both, in turns,
//! against the local Bitbucket, and prints a table in Markdown; the picture shows the cases with a round trip of 60 ms.
//! Nothing is asserted: what a shared machine measures is for people to judge.

#[cfg(unix)]
mod agent;
#[cfg(unix)]
#[path = "../support/bitbucket/mod.rs"]
#[expect(dead_code, reason = "most of what tests ask for is of no use here")]
#[expect(unused_imports, reason = "most of what tests ask for is of no use here")]
mod bitbucket;
#[cfg(unix)]
mod cases;
#[cfg(unix)]
mod delay;
#[cfg(unix)]
mod fixture;
#[cfg(unix)]
mod measure;
#[cfg(unix)]
mod picture;
#[cfg(unix)]
mod sandbox;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod work;

/// The round trip of the cases in the picture.
#[cfg(unix)]
const PICTURED: std::time::Duration = std::time::Duration::from_millis(60);

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    if let Some(code) = measure::stand_in() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let most = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--rounds=")?.parse().ok());
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let picture = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--picture="));
    let wanted = arguments.iter().find(|argument| !argument.starts_with("--"));
    let chosen: Vec<_> = cases::all()
        .into_iter()
        .filter(|case| !quick || case.quick)
        .filter(|case| wanted.is_none_or(|word| case.name.contains(word.as_str())))
        .collect();
    let sandbox = sandbox::Sandbox::new();
    table::head(&sandbox.versions());
    let mut pictured = Vec::new();
    for case in &chosen {
        let rounds = case.rounds.min(most.unwrap_or(if quick { 7 } else { usize::MAX }));
        let compared = work::compare(&sandbox, case, rounds);
        table::row(case, &compared);
        if case.round_trip == Some(PICTURED) {
            pictured.push(table::bars(case, &compared));
        }
    }
    if let Some(path) = picture {
        picture::write(
            path.as_ref(),
            "git over a network with a round trip of 60 ms",
            &pictured,
        );
    }
    table::foot(&sandbox.agents());
    std::process::ExitCode::SUCCESS
}
