//! From arguments to the helper or the command line, and to an exit code; nothing else.

use std::io;
use std::process::ExitCode;

use git_remote_bbcloud::environment::Environment;
use git_remote_bbcloud::environment::variable::NO_COLOR;
use git_remote_bbcloud::helper::{End, Session};
use git_remote_bbcloud::report::{Failure, Kind, Report};
use git_remote_bbcloud::{cli, pipe, process};

fn main() -> ExitCode {
    process::keep_memory_private();
    let environment = Environment::from_process();
    let no_color = environment.text(&NO_COLOR).is_some_and(|value| !value.is_empty());
    let report = Report::new(no_color);
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|text| text.to_string_lossy().into_owned())
        .collect();
    let done = match cli::helper_arguments(&arguments, &environment) {
        Some(remote) => help_git(remote, &environment, report),
        None => cli::run(&arguments, &environment, report),
    };
    done.unwrap_or_else(|failure| {
        if failure.kind() != Kind::Hangup {
            report.failure(&failure);
        }
        ExitCode::from(process::FAILED)
    })
}

fn help_git(remote: (&str, &str), environment: &Environment, report: Report) -> Result<ExitCode, Failure> {
    let (from_git, to_git) = pipe::standard_streams().map_err(|error| pipe::broken(&error))?;
    process::end_with_git(&to_git);
    let end = Session::new(
        remote,
        environment,
        report,
        io::BufReader::with_capacity(pipe::BUFFER, from_git),
        to_git,
    )
    .serve()?;
    Ok(match end {
        End::Complete => ExitCode::SUCCESS,
        End::Hangup => ExitCode::FAILURE,
    })
}
