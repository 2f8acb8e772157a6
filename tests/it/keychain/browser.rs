//! The page where tokens are created, which `login` opens in a browser.

use std::fs;

use super::desktop::Desktop;
use super::terminal::Terminal;
use super::{PROGRAM, program, scene};
use crate::support::scene::Scene;

/// Signs in at a terminal up to the first question. Returns what was shown until then.
fn until_asked(scene: &Scene, arguments: &[&str]) -> String {
    let mut command = scene.command(PROGRAM, &scene.work());
    command.args([&["login"], arguments].concat());
    let mut terminal = Terminal::start(command);
    terminal.expect("Username for");
    terminal.type_keys("\u{3}");
    terminal.end().1
}

const PAGE: &str =
    "https://id.atlassian.com/manage-profile/security/api-tokens?autofillToken&appId=bitbucket&expiryDays=365";

#[test]
fn the_page_is_opened_where_there_is_a_browser() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let log = scene.home().join("pages");
    let script = format!("echo \"$#:$1\" >>'{}'", log.display());
    let browser = program(&scene, "browser", &script);
    // The pages that were opened, once the browser has noted `count` of them.
    let pages = |count: usize| {
        let begun = std::time::Instant::now();
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.lines().count() >= count || begun.elapsed().as_secs() > 20 {
                return text;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    for name in [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "SSH_CONNECTION",
        "SSH_TTY",
        "WSL_DISTRO_NAME",
    ] {
        scene.unset(name);
    }
    assert!(!until_asked(&scene, &[]).contains("opening"), "there is none");
    scene.set("BROWSER", &browser);
    assert!(until_asked(&scene, &[]).contains(&format!("opening {PAGE}")));
    assert_eq!(pages(1), format!("1:{PAGE}\n"));
    assert!(!until_asked(&scene, &["--no-browser"]).contains("opening"));
    scene.git_ok(
        "",
        &["config", "--global", "bbcloud.tokenPage", "https://id.example/new"],
    );
    until_asked(&scene, &[]);
    assert_eq!(pages(2), format!("1:{PAGE}\n1:https://id.example/new\n"));
    // Over ssh a window would open on another machine, unless the user knows better.
    scene.unset("BROWSER");
    scene.set("DISPLAY", ":0");
    scene.set("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let path = program(&scene, "xdg-open", &script);
    let first = path.parent().expect("a directory").display().to_string();
    let command = scene.command(PROGRAM, &scene.work());
    let path = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = path.and_then(|(_, value)| value).expect("a path");
    scene.set("PATH", format!("{first}:{}", path.to_str().expect("UTF-8")));
    assert!(!until_asked(&scene, &[]).contains("opening"));
    assert!(until_asked(&scene, &["--web"]).contains("opening https://id.example/new"));
    assert_eq!(pages(3).lines().count(), 3);
}

#[test]
fn a_browser_that_hangs_or_is_missing_stops_nobody() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    scene.set("BROWSER", "/nonexistent/browser:also-not-there %s");
    assert!(!until_asked(&scene, &[]).contains("opening"));
    let hanging = program(
        &scene,
        "hanging",
        "trap '' INT HUP; echo noise; echo noise >&2; sleep 3",
    );
    scene.set("BROWSER", &hanging);
    let shown = until_asked(&scene, &[]);
    assert!(shown.contains("opening") && !shown.contains("noise"), "{shown}");
}
