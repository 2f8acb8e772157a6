//! `completions`: a shell's completion script, from the definition of the command line.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::definition;
use super::scene::print;
use crate::report::Failure;

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud completions bash > ~/.local/share/bash-completion/completions/git-remote-bbcloud
  git-remote-bbcloud completions zsh > ~/.zfunc/_git-remote-bbcloud
  git-remote-bbcloud completions fish > ~/.config/fish/completions/git-remote-bbcloud.fish";

/// Write the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    print(&script(arguments.shell))?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> String {
    let mut command = definition();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_learns_every_command() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for name in super::super::COMMANDS {
                assert!(script.contains(name), "{shell}: {name}");
            }
        }
    }
}
