//! A command's synopsis with the values that its options take, which clap leaves out.

use clap::{Arg, Command};

/// Returns the line: what is optional is in brackets.
pub(super) fn of(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let (positionals, options): (Vec<_>, Vec<_>) = shown.partition(|argument| argument.is_positional());
    let mut line = name.to_owned();
    for argument in options.into_iter().chain(positionals) {
        line.push(' ');
        line += &part(argument);
    }
    if command.has_subcommands() {
        line += " <command>";
    }
    line
}

fn part(argument: &Arg) -> String {
    let count = argument.get_num_args().unwrap_or_default();
    let value = argument.get_value_names().unwrap_or_default().join(" ");
    let value = format!("<{value}>{}", if count.max_values() > 1 { "..." } else { "" });
    let flag = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => Some(format!("-{short}|--{long}")),
        (Some(short), None) => Some(format!("-{short}")),
        (None, Some(long)) => Some(format!("--{long}")),
        (None, None) => None,
    };
    let text = match flag {
        Some(flag) if !count.takes_values() => flag,
        Some(flag) => format!("{flag} {value}"),
        None => value,
    };
    if argument.is_required_set() {
        text
    } else {
        format!("[{text}]")
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::definition;
    use super::*;

    #[test]
    fn options_have_their_values() {
        let mut command = definition();
        command.build();
        let of = |name: &str| of(command.find_subcommand(name).expect("a command"));
        let login = of("login");
        assert!(login.starts_with("git-remote-bbcloud login "), "{login}");
        for part in ["[--for <WORKSPACE[/REPOSITORY]>]", "[--token-stdin]", "[-h|--help]"] {
            assert!(login.contains(part), "{login}");
        }
        assert!(of("man").contains("[--prefix <DIR>]"), "{}", of("man"));
        assert!(of("completions").ends_with(" <SHELL>"), "{}", of("completions"));
    }
}
