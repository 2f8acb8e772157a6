//! The processes around this one: those that started it, and those that it has started.
//!
//! Linux tells by `/proc`; for Windows and macOS `sysinfo` asks the system. Elsewhere only the parent is known. Does not
//! depend on what the answers are used for.

/// How many generations are looked at: a chain of git, its helpers and the shell that some of them are scripts for.
#[cfg(any(windows, target_os = "linux", test))]
const GENERATIONS: usize = 16;

/// Returns the numbers of this process's parent and, where the system tells, of its parent. Between git and us there is
/// a `git remote-bbcloud`, which survives git; but then it has another parent.
#[cfg(target_os = "linux")]
pub(super) fn ancestors() -> [Option<u32>; 2] {
    let parent = parent();
    [parent, parent.and_then(process).and_then(|parent| parent.parent)]
}

/// Returns the numbers of this process's parent and, where the system tells, of its parent.
#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn ancestors() -> [Option<u32>; 2] {
    let parent = parent();
    #[cfg(target_os = "macos")]
    let of_parent = parent.and_then(|id| table::read().get(&id)?.parent);
    #[cfg(not(target_os = "macos"))]
    let of_parent = None;
    [parent, of_parent]
}

#[cfg(unix)]
fn parent() -> Option<u32> {
    rustix::process::getppid().and_then(|id| id.as_raw_nonzero().get().try_into().ok())
}

/// Returns the processes of git that this one runs for, the nearest first: on Windows a child outlives its parent, and
/// no pipe tells of that.
#[cfg(windows)]
pub(super) fn gits() -> Vec<(u32, u64)> {
    let table = table::read();
    gits_above(std::process::id(), |id| table.get(&id).cloned())
}

/// Returns the processes of git that this one runs for, the nearest first.
#[cfg(target_os = "linux")]
pub(super) fn gits() -> Vec<(u32, u64)> {
    gits_above(std::process::id(), process)
}

/// Returns the process with the number `id`, as `/proc` has it.
#[cfg(target_os = "linux")]
fn process(id: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // `<id> (<name>) <state> <parent> …`, and a name may have anything in it.
    let (beginning, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    Some(Process {
        name: beginning.split_once('(')?.1.to_owned(),
        parent: fields.nth(1)?.parse().ok(),
        started: fields.nth(17)?.parse().ok()?,
    })
}

/// Whether all of `processes` still run.
#[cfg(windows)]
pub(super) fn are_running(processes: &[(u32, u64)]) -> bool {
    let table = table::read();
    // Without an answer nobody has ended.
    table.is_empty()
        || processes
            .iter()
            .all(|(id, started)| table.get(id).is_some_and(|other| other.started == *started))
}

/// Ends those whom this process has started, and those whom they have started, who have not ended: programs that ask for
/// a password, and helpers that wait for one behind git. Nobody is left to take the answer.
#[cfg(target_os = "linux")]
pub(super) fn end_children() {
    use rustix::process::{Pid, Signal, kill_process};
    let mut found = children("self");
    let mut seen = 0;
    while let Some(id) = found.get(seen).filter(|_| seen < MOST) {
        let more = children(&id.to_string());
        found.extend(more);
        seen += 1;
    }
    for id in found.into_iter().filter_map(Pid::from_raw) {
        // It may have ended meanwhile.
        kill_process(id, Signal::TERM).ok();
    }
}

/// How many descendants are looked at.
#[cfg(target_os = "linux")]
const MOST: usize = 64;

/// Returns the numbers of the children of the process that `/proc` calls `name`.
#[cfg(target_os = "linux")]
fn children(name: &str) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{name}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|id| id.parse().ok())
        .collect()
}

/// Ends those whom this process has started and who have not ended.
#[cfg(any(windows, target_os = "macos"))]
pub(super) fn end_children() {
    table::end_children_of(std::process::id());
}

/// Does nothing: there is no list of them.
#[cfg(not(any(windows, target_os = "linux", target_os = "macos")))]
pub(super) fn end_children() {}

/// A process, as far as its relatives are concerned.
#[cfg(any(windows, target_os = "macos", target_os = "linux", test))]
#[derive(Debug, Clone)]
pub(super) struct Process {
    #[cfg(any(windows, target_os = "linux", test))]
    pub(super) name: String,
    pub(super) parent: Option<u32>,
    /// In the system's own unit: a number is used again, and a parent cannot be younger than its child.
    #[cfg(any(windows, target_os = "linux", test))]
    pub(super) started: u64,
}

/// The processes of git above `own`, with the shells between them, which run git's scripts.
#[cfg(any(windows, target_os = "linux", test))]
fn gits_above(own: u32, look_up: impl Fn(u32) -> Option<Process>) -> Vec<(u32, u64)> {
    let mut found = Vec::new();
    let mut child = look_up(own);
    for _ in 0..GENERATIONS {
        let Some((id, process)) = child.and_then(|child| {
            let id = child.parent?;
            let parent = look_up(id)?;
            (parent.started <= child.started).then_some((id, parent))
        }) else {
            break;
        };
        let name = process.name.to_ascii_lowercase();
        if is_git(&name) {
            found.push((id, process.started));
        } else if !matches!(name.as_str(), "sh.exe" | "sh") {
            break;
        }
        child = Some(process);
    }
    found
}

/// Whether a program of this name, in lower case, is git or a part of it, and not one of the programs around it.
#[cfg(any(windows, target_os = "linux", test))]
fn is_git(name: &str) -> bool {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    name == "git"
        || ["git-submodule", "git-remote-"]
            .iter()
            .any(|part| name.starts_with(part))
}

#[cfg(any(windows, target_os = "macos"))]
mod table {
    //! The list of all processes, from the system.

    use std::collections::HashMap;

    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, Signal, System};

    use super::Process;

    /// Returns all processes that the system shows, by their numbers.
    pub(super) fn read() -> HashMap<u32, Process> {
        let system = system();
        let processes = system.processes().iter();
        let entry = |(id, process): (&sysinfo::Pid, &sysinfo::Process)| {
            let process = Process {
                #[cfg(any(windows, test))]
                name: process.name().to_string_lossy().into_owned(),
                parent: process.parent().map(sysinfo::Pid::as_u32),
                #[cfg(any(windows, test))]
                started: process.start_time(),
            };
            (id.as_u32(), process)
        };
        processes.map(entry).collect()
    }

    /// Asks the children of `own` to end, or makes them where the system has no such request.
    pub(super) fn end_children_of(own: u32) {
        for process in system().processes().values() {
            if process.parent().map(sysinfo::Pid::as_u32) == Some(own) {
                process.kill_with(Signal::Term).unwrap_or_else(|| process.kill());
            }
        }
    }

    fn system() -> System {
        let mut system = System::new();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, ProcessRefreshKind::nothing());
        system
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn table(rows: &[(u32, &str, u32, u64)]) -> HashMap<u32, Process> {
        let row = |(id, name, parent, started): &(u32, &str, u32, u64)| {
            let process = Process {
                name: (*name).to_owned(),
                parent: Some(*parent),
                started: *started,
            };
            (*id, process)
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn git_is_found_through_the_scripts_between() {
        let found = |rows: &[(u32, &str, u32, u64)]| {
            let table = table(rows);
            let gits = gits_above(9, |id| table.get(&id).cloned());
            gits.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        let own = (9, "git-remote-bbcloud.exe", 8, 50);
        let nearest = (8, "git.exe", 7, 40);
        assert_eq!(found(&[own]), [0; 0]);
        assert_eq!(
            found(&[own, (8, "powershell.exe", 7, 40), (7, "git.exe", 1, 1)]),
            [0; 0]
        );
        assert_eq!(
            found(&[own, nearest, (7, "Git.exe", 6, 40), (6, "cmd.exe", 5, 1)]),
            [8, 7]
        );
        let script = [
            own,
            nearest,
            (7, "sh.exe", 6, 30),
            (6, "git.exe", 5, 20),
            (5, "bash.exe", 4, 1),
        ];
        assert_eq!(found(&script), [8, 6]);
        assert_eq!(
            found(&[own, nearest, (7, "git.exe", 6, 60)]),
            [8],
            "its number was used again"
        );
        assert_eq!(found(&[(9, "git.exe", 9, 1)]).len(), GENERATIONS, "a circle ends");
        let own = (9, "git-remote-bbcl", 8, 50);
        let submodules = [own, (8, "git", 7, 40), (7, "git-submodule", 6, 30), (6, "git", 5, 20)];
        assert_eq!(found(&submodules), [8, 7, 6]);
        assert_eq!(found(&[own, (8, "git", 7, 40), (7, "gitkraken", 6, 30)]), [8]);
    }
}
