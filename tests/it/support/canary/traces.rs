//! Every trace that git and the product can be asked for, and what git's trace tells of processes.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::forms::Forms;

/// Traces in one file for all processes.
///
/// Not here, because they write to standard error, which tests compare: `GIT_CURL_VERBOSE`, `GIT_TRANSLOOP_DEBUG` and
/// `GIT_TRANSPORT_HELPER_DEBUG`; `keychain/canary.rs` sets them. Nor those of packs, which show no text, nor
/// `GIT_TRACE_REFS`, with which `git bundle create` finds no references in git 2.47.
const IN_A_FILE: [&str; 6] = [
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_SETUP",
    "GIT_TRACE_PERFORMANCE",
    "GIT_TRACE_SHALLOW",
];
/// Traces in one file for each process, in a directory.
const IN_FILES: [&str; 3] = ["GIT_TRACE2", "GIT_TRACE2_PERF", EVENTS];
const EVENTS: &str = "GIT_TRACE2_EVENT";
/// Bounds the size: what git and the server say to each other is in the trace of packets.
const NO_DATA: &str = "GIT_TRACE_CURL_NO_DATA";
/// The variable by which git's trace shows who has the secret in the environment.
pub(crate) const SHOWN: &str = "GIT_TRACE2_ENV_VARS";

/// Every variable that has to do with traces.
pub(crate) const TRACES: [&str; 11] = [
    IN_A_FILE[0],
    IN_A_FILE[1],
    IN_A_FILE[2],
    IN_A_FILE[3],
    IN_A_FILE[4],
    IN_A_FILE[5],
    IN_FILES[0],
    IN_FILES[1],
    IN_FILES[2],
    NO_DATA,
    SHOWN,
];

/// The name of a process of the product, as the system cuts it (`TASK_COMM_LEN`).
const PRODUCT: &str = "\"git-remote-bbcl\"";

/// Makes the directories that the traces go to.
pub(super) fn prepare(place: &Path) {
    for name in IN_FILES {
        fs::create_dir_all(place.join(name)).expect("a directory can be made");
    }
}

/// Returns every file of them that there is below `place`.
pub(super) fn files(place: &Path) -> Vec<PathBuf> {
    let below = IN_FILES
        .iter()
        .flat_map(|name| fs::read_dir(place.join(name)).into_iter().flatten().flatten());
    let of_each = below.map(|entry| entry.path());
    IN_A_FILE.iter().map(|name| place.join(name)).chain(of_each).collect()
}

/// What has to be set for all traces to be written below `place`.
pub(super) fn variables(place: &Path) -> Vec<(&'static str, OsString)> {
    let mut variables = vec![(NO_DATA, "1".into()), (SHOWN, "BBCLOUD_TOKEN".into())];
    let names = IN_A_FILE.into_iter().chain(IN_FILES);
    variables.extend(names.map(|name| (name, place.join(name).into())));
    variables
}

/// Whether this line of the file `path` tells what git has in its environment, as [`SHOWN`] asks.
pub(super) fn tells_the_environment(path: &Path, line: &[u8]) -> bool {
    let is_trace = path
        .parent()
        .is_some_and(|parent| IN_FILES.iter().any(|name| parent.ends_with(name)));
    let line = String::from_utf8_lossy(line);
    is_trace && line.contains("def_param") && line.contains("BBCLOUD_TOKEN")
}

/// Processes of git that had a secret in the environment although the product had started them, or whoever they were
/// started by: they have no use for it.
pub(super) fn handed_on(place: &Path, forms: &Forms) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place.join(EVENTS)).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let event = |name: &str| {
            let name = format!("\"event\":\"{name}\"");
            text.lines().find(|line| line.contains(&name)).unwrap_or_default()
        };
        let has_secret = |line: &str| line.contains("\"def_param\"") && forms.are_in(line.as_bytes());
        if is_of_the_product(event("start"), event("cmd_ancestry")) && text.lines().any(has_secret) {
            found.push(format!("{} has the secret in its environment", event("start")));
        }
    }
    found
}

/// Git tells its ancestors since version 2.33, and on Linux; elsewhere the arguments of the usual children have to do.
fn is_of_the_product(start: &str, ancestry: &str) -> bool {
    if ancestry.is_empty() {
        let usual = [
            "\"--stateless-rpc\",\"--stdin\"",
            "\"credential\",\"fill\"",
            "\"credential\",\"approve\"",
        ];
        return usual.iter().any(|words| start.contains(words));
    }
    ancestry.contains(PRODUCT)
}
