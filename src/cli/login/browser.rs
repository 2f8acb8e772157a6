//! The user's browser, for the page where tokens are made.
//!
//! Which program could show the page is decided from the environment alone. Nothing waits for the browser, and whether
//! it showed the page is not known: the address is always printed as well.

use std::ffi::OsStr;
use std::process::Stdio;

use crate::environment::Environment;
use crate::environment::variable::{BROWSER, DISPLAY, SSH_CONNECTION, SSH_TTY, WAYLAND_DISPLAY, WSL_DISTRO_NAME};
use crate::git;

/// What is known of the place where a browser would be started.
#[derive(Debug, Clone, Copy, Default)]
struct Surroundings<'a> {
    /// `BROWSER`: commands with colons between them.
    browser: Option<&'a str>,
    /// Whether the session came over ssh, so that a window would open on another machine.
    remote: bool,
    /// Whether a desktop can show a window.
    desktop: bool,
    /// Whether this Linux runs inside Windows.
    wsl: bool,
}

impl<'a> Surroundings<'a> {
    fn of(environment: &'a Environment) -> Self {
        Self {
            browser: environment.text(&BROWSER).filter(|text| !text.trim().is_empty()),
            remote: environment.has(&SSH_CONNECTION) || environment.has(&SSH_TTY),
            desktop: cfg!(any(windows, target_os = "macos"))
                || environment.has(&DISPLAY)
                || environment.has(&WAYLAND_DISPLAY),
            wsl: environment.has(&WSL_DISTRO_NAME),
        }
    }

    /// Returns the commands that could show `url`, the best first; none where there is no browser.
    ///
    /// `BROWSER` wins everywhere: editors set it in remote sessions to a program that opens the page on the near side.
    fn commands(self, url: &str) -> Vec<Vec<String>> {
        if let Some(browser) = self.browser {
            return browser.split(':').filter_map(|command| words(command, url)).collect();
        }
        let with = |program: &[&str]| program.iter().chain([&url]).map(ToString::to_string).collect();
        if self.remote {
            Vec::new()
        } else if self.wsl {
            let desktop = self.desktop.then(|| with(&["xdg-open"]));
            [with(&["wslview"])].into_iter().chain(desktop).collect()
        } else if !self.desktop {
            Vec::new()
        } else if cfg!(target_os = "macos") {
            vec![with(&["open"])]
        } else if cfg!(windows) {
            // `cmd /c start` would read the `&` in an address as its own.
            vec![with(&["rundll32", "url.dll,FileProtocolHandler"])]
        } else {
            vec![with(&["xdg-open"])]
        }
    }
}

/// Returns the words of a command of `BROWSER`, with the address in the place of `%s` or at the end.
fn words(command: &str, url: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return None;
    }
    if words.iter().any(|word| word.contains("%s")) {
        for word in &mut words {
            *word = word.replace("%s", url);
        }
    } else {
        words.push(url.to_owned());
    }
    Some(words)
}

/// Opens `url` in the user's browser. Returns whether a program was started that may show it.
///
/// With `over_ssh` a session that came over ssh is no reason to open none.
pub(super) fn open(url: &str, over_ssh: bool, environment: &Environment) -> bool {
    let mut surroundings = Surroundings::of(environment);
    surroundings.remote &= !over_ssh;
    let commands = surroundings.commands(url);
    commands.iter().any(|words| start(words).is_some())
}

fn start(words: &[String]) -> Option<()> {
    let (program, arguments) = words.split_first()?;
    let mut command = git::program(OsStr::new(program));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C at the question for the secret is not meant for the browser.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().ok().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://id.example/tokens?a&b=1";

    fn commands(surroundings: Surroundings<'_>) -> Vec<String> {
        let commands = surroundings.commands(URL);
        commands.iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn the_variable_wins_everywhere() {
        let surroundings = Surroundings {
            browser: Some("firefox --new-tab %s:lynx: "),
            remote: true,
            ..Surroundings::default()
        };
        assert_eq!(
            commands(surroundings),
            [format!("firefox --new-tab {URL}"), format!("lynx {URL}")]
        );
    }

    #[test]
    fn without_a_desktop_or_over_ssh_nothing_is_started() {
        let nowhere = Surroundings::default();
        assert!(cfg!(any(windows, target_os = "macos")) || commands(nowhere).is_empty());
        let remote = Surroundings {
            remote: true,
            desktop: true,
            ..nowhere
        };
        assert!(commands(remote).is_empty());
    }

    #[test]
    fn inside_windows_its_own_browser_comes_first() {
        let wsl = Surroundings {
            wsl: true,
            ..Surroundings::default()
        };
        assert_eq!(commands(wsl), [format!("wslview {URL}")]);
        let desktop = Surroundings { desktop: true, ..wsl };
        assert_eq!(commands(desktop), [format!("wslview {URL}"), format!("xdg-open {URL}")]);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn a_desktop_opens_what_it_prefers() {
        let desktop = Surroundings {
            desktop: true,
            ..Surroundings::default()
        };
        assert_eq!(commands(desktop), [format!("xdg-open {URL}")]);
    }
}
