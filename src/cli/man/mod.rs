//! `man`: the manual pages, from the definitions of the command line, the variables and the settings; and where they
//! and the completions are installed.

mod layout;
mod main_page;
mod synopsis;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use self::layout::Page;
use super::scene::print_exactly;
use super::{completions, definition};
use crate::environment::Environment;
use crate::environment::variable::XDG_DATA_HOME;
use crate::report::{Failure, Kind, Report};

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud man | man -l -
  git-remote-bbcloud man --install
  sudo git-remote-bbcloud man --install --prefix /usr/local

Once they are installed, 'git help remote-bbcloud' shows the first of them.";

/// Where shells look for completions below `share`, and what the file is called there.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "git-remote-bbcloud"),
    (Shell::Zsh, "zsh/site-functions", "_git-remote-bbcloud"),
    (Shell::Fish, "fish/vendor_completions.d", "git-remote-bbcloud.fish"),
];

/// Write or install the manual pages
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Write all pages to files in this directory, instead of the first one to standard output
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Install the pages, and the completions of bash, zsh and fish, for this user
    #[arg(long, conflicts_with = "output")]
    install: bool,
    /// Install them below DIR/share instead
    #[arg(long, value_name = "DIR", requires = "install")]
    prefix: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, environment: &Environment, report: Report) -> Result<ExitCode, Failure> {
    let mut command = definition();
    command.build();
    if let Some(directory) = &arguments.output {
        write(directory, &pages(&command))?;
    } else if arguments.install {
        let share = match &arguments.prefix {
            Some(prefix) => prefix.join("share"),
            None => users_share(environment)?,
        };
        install(&share, &pages(&command))?;
        report.say(&format!(
            "installed the manual pages and completions in '{}'",
            share.display()
        ));
    } else {
        print_exactly(&main_page::page(&command))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `share` of the user alone, where man, bash and fish look by themselves.
fn users_share(environment: &Environment) -> Result<PathBuf, Failure> {
    let configured = environment.path(&XDG_DATA_HOME).filter(|path| path.is_absolute());
    let share = configured.or_else(|| Some(environment.home()?.join(".local/share")));
    share.ok_or_else(|| {
        Failure::new(Kind::Usage, "there is no home directory to install to")
            .hint("name a place: '--prefix /usr/local'")
    })
}

fn install(share: &Path, pages: &[(String, String)]) -> anyhow::Result<()> {
    write(&share.join("man/man1"), pages)?;
    for (shell, directory, name) in COMPLETIONS {
        write_file(&share.join(directory), name, &completions::script(shell))?;
    }
    Ok(())
}

fn write(directory: &Path, pages: &[(String, String)]) -> anyhow::Result<()> {
    for (name, text) in pages {
        write_file(directory, &format!("{name}.1"), text)?;
    }
    Ok(())
}

fn write_file(directory: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let failed = |path: &Path| format!("cannot write '{}'", path.display());
    fs::create_dir_all(directory).with_context(|| failed(directory))?;
    let file = directory.join(name);
    fs::write(&file, text).with_context(|| failed(&file))
}

/// All pages by their names, the main one first.
fn pages(command: &Command) -> Vec<(String, String)> {
    let mut pages = vec![(name(command), main_page::page(command))];
    for command in command.get_subcommands() {
        add(command, &mut pages);
    }
    pages
}

/// `git-remote-bbcloud-login`
fn name(command: &Command) -> String {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned()
}

fn add(command: &Command, pages: &mut Vec<(String, String)>) {
    if command.is_hide_set() {
        return;
    }
    pages.push((name(command), subcommand_page(command)));
    for command in command.get_subcommands() {
        add(command, pages);
    }
}

fn subcommand_page(command: &Command) -> String {
    let mut page = Page::new(&name(command));
    page.section("NAME");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page.text(&format!("{} - {about}", name(command)));
    let man = Man::new(command.clone().override_usage(synopsis::of(command)));
    page.rendered(|out| man.render_synopsis_section(out));
    page.rendered(|out| man.render_description_section(out));
    page.rendered(|out| man.render_options_section(out));
    if command.has_subcommands() {
        page.rendered(|out| man.render_subcommands_section(out));
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (examples, notes) = layout::split_examples(&after);
    if !examples.is_empty() {
        page.section("EXAMPLES");
        page.verbatim(&examples);
    }
    if !notes.is_empty() {
        page.section("NOTES");
        page.prose(&notes);
    }
    main_page::exit_status(&mut page);
    page.section("SEE ALSO");
    page.text("git-remote-bbcloud(1)");
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_examples() {
        let mut command = definition();
        command.build();
        for command in command.get_subcommands() {
            let page = subcommand_page(command);
            assert!(page.contains(".SH EXAMPLES"), "{}", name(command));
            assert!(name(command).starts_with("git-remote-bbcloud-"), "{}", name(command));
        }
    }
}
