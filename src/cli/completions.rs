//! `completions`: a shell's completion script, from the definition of the command line.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::definition;
use super::scene::print_exactly;
use crate::report::Failure;

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud completions bash > ~/.local/share/bash-completion/completions/git-remote-bbcloud
  git-remote-bbcloud completions zsh > ~/.zfunc/_git-remote-bbcloud
  git-remote-bbcloud completions fish > ~/.config/fish/completions/git-remote-bbcloud.fish";

/// Git's own completion calls this function for `git remote-bbcloud <Tab>`; zsh and fish find the script by its name.
const AS_GITS_COMMAND: &str = include_str!("git_completion.bash");

/// Write the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    print_exactly(&script(arguments.shell))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn script(shell: Shell) -> String {
    let mut command = definition();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        // clap_complete writes a name with dashes in two ways, and so would never come to the options of a command.
        Shell::Bash => script.replace("git__subcmd__remote__subcmd__bbcloud", "git__remote__bbcloud") + AS_GITS_COMMAND,
        _ => script,
    }
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
