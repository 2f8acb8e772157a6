//! `man`: the manual pages, from the definitions of the command line, the variables and the settings.

mod layout;
mod main_page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_mangen::Man;

use self::layout::Page;
use super::definition;
use super::scene::print;
use crate::report::Failure;

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud man | man -l -
  git-remote-bbcloud man --output ~/.local/share/man/man1

Once they are installed, 'git help remote-bbcloud' shows the first of them.";

/// Write the manual pages
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Write all pages to files in this directory, and not the first one to standard output
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut command = definition();
    command.build();
    let Some(directory) = &arguments.output else {
        print(&main_page::page(&command))?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut pages = vec![(name(&command), main_page::page(&command))];
    for command in command.get_subcommands() {
        add(command, &mut pages);
    }
    write(directory, pages)?;
    Ok(ExitCode::SUCCESS)
}

fn write(directory: &Path, pages: Vec<(String, String)>) -> anyhow::Result<()> {
    let failed = |path: &Path| format!("cannot write '{}'", path.display());
    fs::create_dir_all(directory).with_context(|| failed(directory))?;
    for (name, text) in pages {
        let file = directory.join(format!("{name}.1"));
        fs::write(&file, text).with_context(|| failed(&file))?;
    }
    Ok(())
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
    let man = Man::new(command.clone());
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
