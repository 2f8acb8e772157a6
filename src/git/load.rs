//! Reads git's configuration: gitoxide parses the files and resolves what they include, the command line is added.
//!
//! Does not depend on what a key means.

use std::io;
use std::path::Path;

use gix::bstr::{BStr, ByteSlice as _};
use gix::config::file::{Metadata, includes, init};
use gix::config::{File, KeyRef, Source, source};
use zeroize::Zeroizing;

use super::entry::{Entry, Prefixes};
use super::{LONGEST, parameters, sources};
use crate::environment::Environment;
use crate::environment::variable::GIT_CONFIG_PARAMETERS;
use crate::file;
use crate::report::{Failure, Kind};
use crate::shell;

/// Every value that git has for `git_dir`, in the order in which later ones win.
pub(super) fn entries(
    git_dir: Option<&Path>,
    places: &mut Prefixes,
    environment: &Environment,
) -> Result<Vec<Entry>, Failure> {
    let mut all = File::default();
    for (source, path) in sources::outside_repositories(environment)? {
        append(&mut all, read(source, &path)?)?;
    }
    if let Some(git_dir) = git_dir {
        let common =
            sources::common(git_dir, environment).map_err(|error| unreadable(&git_dir.join("commondir"), &error))?;
        let local = read(Source::Local, &common.join("config"))?;
        let per_worktree = local.as_ref().is_some_and(has_worktree_config);
        append(&mut all, local)?;
        if per_worktree {
            append(&mut all, read(Source::Worktree, &git_dir.join("config.worktree"))?)?;
        }
    }
    append_command_line(&mut all, environment)?;
    let values = all.sections().flat_map(|section| section.body());
    find_prefix(values.map(|(_, value)| value), places);
    resolve_includes(&mut all, git_dir, places)?;
    let entries = flatten(&all);
    find_prefix(entries.iter().filter_map(|entry| entry.value.as_ref()), places);
    Ok(entries)
}

/// Asks git for `%(prefix)`, once, and only where a value has it and git's own variables do not tell.
fn find_prefix(mut values: impl Iterator<Item = impl AsRef<[u8]>>, places: &mut Prefixes) {
    if places.prefix.is_none() && values.any(|value| value.as_ref().contains_str("%(prefix)")) {
        places.prefix = sources::asked_prefix();
    }
}

fn read(source: Source, path: &Path) -> Result<Option<File>, Failure> {
    let bytes = match bytes(source, path) {
        Ok(bytes) => bytes,
        Err(error) if sources::is_absent(&error) => return Ok(None),
        // As git: where one user acts for another, a home directory that cannot be entered is common.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && source.kind() == source::Kind::Global => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(path, &error)),
    };
    let meta = Metadata::from(source).at(path);
    let options = init::Options {
        lossy: true,
        ..Default::default()
    };
    File::from_bytes_no_includes(&bytes, meta, options)
        .map(Some)
        .map_err(|_| {
            // Gitoxide's words quote the file, which may hold a secret.
            Failure::new(Kind::Local, format!("bad git configuration in '{}'", path.display())).hint(format!(
                "run 'git config --file \"{}\" --list' to see the line",
                path.display()
            ))
        })
}

/// A repository's file is a file. The user may name a pipe or `/dev/null` for git to read.
fn bytes(source: Source, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if source.kind() == source::Kind::Repository {
        return file::read(path, LONGEST);
    }
    let bytes = file::beginning(std::fs::File::open(path)?, LONGEST)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::Local, format!("unable to access '{}'", path.display()))
        .caused_by(error)
        .hint(format!(
            "run '{}' to see who may read it",
            shell::show_permissions(path)
        ))
}

fn append(all: &mut File, more: Option<File>) -> Result<(), Failure> {
    let Some(more) = more else { return Ok(()) };
    let too_large = |error| Failure::new(Kind::Local, "git's configuration is too large").caused_by(&error);
    all.append(more).map(|_| ()).map_err(too_large)
}

/// git-worktree(1), "CONFIGURATION FILE"; like git, without looking into includes.
fn has_worktree_config(local: &File) -> bool {
    matches!(local.boolean("extensions.worktreeConfig"), Ok(Some(true)))
}

/// `GIT_CONFIG_COUNT` first, then `-c`, so that the latter wins (seen with git 2.47).
fn append_command_line(all: &mut File, environment: &Environment) -> Result<(), Failure> {
    for (key, value) in environment.config_pairs()? {
        let bytes = (
            gix::path::os_str_into_bstr(key).ok(),
            gix::path::os_str_into_bstr(value).ok(),
        );
        let (Some(key), Some(value)) = bytes else {
            return Err(invalid(&key.to_string_lossy()));
        };
        push(all, key, Some(value), Source::Env)?;
    }
    let Some(text) = environment.os(&GIT_CONFIG_PARAMETERS) else {
        return Ok(());
    };
    let parameters = gix::path::os_str_into_bstr(text)
        .ok()
        .and_then(|text| parameters::parse(text));
    let parameters = parameters.ok_or_else(|| {
        Failure::new(Kind::Usage, "bogus format in GIT_CONFIG_PARAMETERS")
            .hint(format!("run '{}'", shell::unset(GIT_CONFIG_PARAMETERS.name)))
    })?;
    for (key, value) in parameters {
        push(
            all,
            key.as_bstr(),
            value.as_ref().map(|value| value.as_bstr()),
            Source::Cli,
        )?;
    }
    Ok(())
}

/// Each value has a section of its own: joined to an earlier one, it would lose its place in the order.
fn push(all: &mut File, key: &BStr, value: Option<&BStr>, source: Source) -> Result<(), Failure> {
    let parts = KeyRef::parse_unvalidated(key).ok_or_else(|| invalid(&key.to_str_lossy()))?;
    let meta = Metadata::from(source);
    let section = all.new_section_with_meta(parts.section_name, parts.subsection_name.map(ToOwned::to_owned), meta);
    let pushed = section.and_then(|mut section| section.push(parts.value_name, value).map(|_| ()));
    pushed.map_err(|_| invalid(&key.to_str_lossy()))
}

fn invalid(key: &str) -> Failure {
    Failure::new(
        Kind::Usage,
        format!("invalid key in the command line's configuration: {key}"),
    )
    .hint("give it as 'git -c section.name=value'")
}

/// All files at once, since `hasconfig` looks at every one of them.
fn resolve_includes(all: &mut File, git_dir: Option<&Path>, places: &Prefixes) -> Result<(), Failure> {
    let branch = git_dir.and_then(branch);
    let conditional = includes::conditional::Context {
        git_dir,
        branch_name: branch.as_ref().map(AsRef::as_ref),
    };
    let options = init::Options {
        includes: includes::Options::follow(places.context(), conditional),
        lossy: true,
        ..Default::default()
    };
    all.resolve_includes(options).map_err(|_| {
        Failure::new(Kind::Local, "bad git configuration in an included file")
            .hint("run 'git config --list --show-origin' to see which one")
    })
}

/// The branch that `HEAD` names, for `onbranch`; `None` where it names none that a file could tell.
fn branch(git_dir: &Path) -> Option<gix::refs::FullName> {
    let head = file::read(&git_dir.join("HEAD"), LONGEST).ok()?;
    let head = head.to_str().ok()?;
    gix::refs::FullName::try_from(head.strip_prefix("ref:")?.trim()).ok()
}

fn flatten(all: &File) -> Vec<Entry> {
    let mut entries = Vec::new();
    for section in all.sections() {
        let header = section.header();
        let name = header.name().to_str_lossy().to_ascii_lowercase();
        let subsection = header.subsection_name().map(|subsection| {
            if header.is_legacy() {
                subsection.to_ascii_lowercase().into()
            } else {
                subsection.to_owned()
            }
        });
        let trusted = section.meta().source.kind() != source::Kind::Repository;
        for (key, value) in section.body() {
            // gitoxide lists a name without `=` as an empty value.
            let implicit = value.is_empty() && section.value_implicit(&key) == Some(None);
            entries.push(Entry {
                section: name.clone(),
                subsection: subsection.clone(),
                name: key.to_ascii_lowercase(),
                value: (!implicit).then_some(value),
                trusted,
            });
        }
    }
    entries
}
