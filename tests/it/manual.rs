//! Manual pages and completions, as real readers and shells take them; and the tables that they are made from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::run::run;
use crate::support::scene::Scene;
use crate::support::skip::has_program;

fn product(scene: &Scene, arguments: &[&str]) -> String {
    let mut git = scene.command("git", &scene.work());
    git.arg("remote-bbcloud").args(arguments);
    let output = run(git);
    assert!(output.success(), "{arguments:?}: {}", output.stderr);
    output.stdout
}

/// The commands that `--help` lists.
fn commands(scene: &Scene) -> Vec<String> {
    // Git shows the manual page for its own '--help'.
    let mut program = scene.command(env!("CARGO_BIN_EXE_git-remote-bbcloud"), &scene.work());
    program.arg("--help");
    let help = run(program).stdout;
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    list.filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn there_is_a_page_for_the_program_and_for_each_command() {
    let scene = Scene::new();
    let directory = scene.path("pages");
    product(&scene, &["man", "--output", directory.to_str().expect("UTF-8")]);
    let entries = fs::read_dir(&directory).expect("a directory");
    let written: BTreeSet<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    let names = commands(&scene)
        .into_iter()
        .map(|name| format!("git-remote-bbcloud-{name}.1"));
    let expected: BTreeSet<_> = names.chain(["git-remote-bbcloud.1".to_owned()]).collect();
    assert_eq!(written, expected);
    let page = fs::read_to_string(directory.join("git-remote-bbcloud.1")).expect("a page");
    assert_eq!(product(&scene, &["man"]), page);
    if !has_program(&scene, "groff") {
        return;
    }
    for name in written {
        let mut groff = scene.command("groff", &directory);
        groff.args(["-man", "-ww", "-z", "-Tutf8", &name]);
        let output = run(groff);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{name}");
    }
}

#[test]
fn bash_completes_commands_and_options() {
    let scene = Scene::new();
    if !has_program(&scene, "bash") {
        return;
    }
    let script = product(&scene, &["completions", "bash"]);
    fs::write(scene.path("completion"), script).expect("a file can be written");
    let mut bash = scene.command("bash", &scene.work());
    bash.args([
        "-c",
        ". ./completion; COMP_WORDS=(git-remote-bbcloud doctor --); COMP_CWORD=2; COMPREPLY=(); \
         _git__remote__bbcloud git-remote-bbcloud -- doctor; printf '%s ' \"${COMPREPLY[@]}\"",
    ]);
    let output = run(bash);
    assert!(
        output.stdout.contains("--for") && output.stdout.contains("--json"),
        "{output:?}"
    );
}

/// As git's own completion asks: for the words behind `git`, whatever stands between.
#[test]
fn git_completes_it_as_a_command_of_its_own() {
    let scene = Scene::new();
    if !has_program(&scene, "bash") {
        return;
    }
    let script = product(&scene, &["completions", "bash"]);
    fs::write(scene.path("completion"), script).expect("a file can be written");
    for (words, expected) in [
        ("git remote-bbcloud lo", "login logout "),
        ("git -C elsewhere remote-bbcloud doctor --js", "--json "),
    ] {
        let mut bash = scene.command("bash", &scene.work());
        let ask = format!(
            ". ./completion; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _git_remote_bbcloud; \
             printf '%s ' \"${{COMPREPLY[@]}}\""
        );
        bash.args(["-c", &ask]);
        assert_eq!(run(bash).stdout, expected, "{words}");
    }
}

/// For those who have the program from cargo, which installs nothing else.
#[test]
fn pages_and_completions_can_be_installed() {
    let scene = Scene::new();
    product(&scene, &["man", "--install"]);
    let share = scene.home().join(".local/share");
    for file in [
        "man/man1/git-remote-bbcloud.1",
        "man/man1/git-remote-bbcloud-login.1",
        "bash-completion/completions/git-remote-bbcloud",
        "zsh/site-functions/_git-remote-bbcloud",
        "fish/vendor_completions.d/git-remote-bbcloud.fish",
    ] {
        assert!(share.join(file).exists(), "{file}");
    }
    scene.set("XDG_DATA_HOME", scene.path("data"));
    product(&scene, &["man", "--install"]);
    assert!(scene.path("data/man/man1/git-remote-bbcloud.1").exists());
    let prefix = scene.path("prefix");
    product(
        &scene,
        &["man", "--install", "--prefix", prefix.to_str().expect("UTF-8")],
    );
    assert!(prefix.join("share/man/man1/git-remote-bbcloud.1").exists());
}

#[test]
fn other_shells_take_their_scripts() {
    let scene = Scene::new();
    for (shell, check) in [
        ("zsh", "zsh -n ./completion"),
        ("fish", "fish --no-execute ./completion"),
    ] {
        let script = product(&scene, &["completions", shell]);
        fs::write(scene.path("completion"), &script).expect("a file can be written");
        assert!(script.contains("doctor"), "{shell}");
        if has_program(&scene, shell) {
            let mut sh = scene.command("sh", &scene.work());
            sh.args(["-c", check]);
            let output = run(sh);
            assert!(output.success(), "{shell}: {}", output.stderr);
        }
    }
}

/// Every key `bbcloud.<name>` in the code is in the table of settings, and every one there is read.
#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let mut read = BTreeSet::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(path)
                    .expect("a directory")
                    .map(|entry| entry.expect("an entry").path()),
            );
        } else if !path.ends_with("environment/setting.rs") {
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            for part in text.split("\"bbcloud.").skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    read.insert(format!("bbcloud.{name}"));
                }
            }
        }
    }
    let table = git_remote_bbcloud::environment::setting::ALL;
    let table: BTreeSet<_> = table.iter().map(|setting| setting.name.to_owned()).collect();
    assert_eq!(read, table);
}
