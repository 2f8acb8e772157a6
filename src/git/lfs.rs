//! What git-lfs has to be told: it does not ask remote helpers, and knows no address that begins with `bbcloud::`.
//!
//! It gets the https address of the large files, and a way to the same secret that git has. It must not know how an
//! address is written.

use std::path::Path;

use gix::bstr::ByteSlice as _;
use url::Url;

use super::config::Config;
use super::document::{Document, Key};
use super::place::Place;
use super::replace::{Next, Patience, replace};
use super::{LONGEST, sources};
use crate::environment::Environment;
use crate::file::{self, Links};
use crate::report::Failure;

/// The credential helper that answers from the keychain or `BBCLOUD_TOKEN`.
pub const CREDENTIAL_HELPER: &str = "!git-remote-bbcloud credential";

/// Whether the user has git-lfs installed, which is when git has its filter.
pub fn is_installed(config: &Config) -> bool {
    let values = config.trusted();
    values.text("filter.lfs.process").is_some() || values.text("filter.lfs.smudge").is_some()
}

/// Returns the lines that the configuration `config` lacks for the remote `name`, whose large files are at `url`.
pub fn missing(name: &str, url: &Url, config: &Config) -> Vec<(Key, String)> {
    let url_key = Key::new("remote", name, "lfsurl");
    if config.text(&url_key.to_string()).is_some() || config.text("lfs.url").is_some() {
        return Vec::new();
    }
    let mut lines = vec![(url_key, url.to_string())];
    // git-lfs rewrites even this address; of several rules the longest wins, and so an address that stands for itself.
    if let Some(other) = config.rewriting(url.as_str())
        && other != url.as_str()
    {
        lines.push((Key::new("url", url.as_str(), "insteadof"), url.to_string()));
    }
    let mut bare = url.clone();
    // This fails only for an address without a host.
    bare.set_username("").ok();
    if !config.has_credential_helper(bare.as_str(), CREDENTIAL_HELPER) {
        let key = |name| Key::new("credential", bare.as_str(), name);
        // The empty one keeps the secret from helpers that would store it.
        lines.push((key("helper"), String::new()));
        lines.push((key("helper"), CREDENTIAL_HELPER.to_owned()));
        lines.push((key("usehttppath"), "true".to_owned()));
    }
    lines
}

/// Tells git-lfs about the remote `name` of the repository that git runs the helper for. Returns whether it had to.
///
/// Only while git waits for an answer: it writes the same file itself.
pub fn announce(name: &str, url: &Url, config: &Config, environment: &Environment) -> Result<bool, Failure> {
    let (true, Some(git_dir)) = (is_installed(config), sources::repository(environment)) else {
        return Ok(false);
    };
    let is_complete = missing(name, url, config).is_empty();
    let Some(common) = sources::common(&git_dir, environment).ok().filter(|_| !is_complete) else {
        return Ok(false);
    };
    let path = common.join("config");
    let known = |text: &[u8]| {
        let document = Document::parse(text, &path.display().to_string())?;
        let known = !document.all(&Key::new("remote", name, "url")).is_empty();
        Ok::<_, Failure>(known.then_some(document))
    };
    // An address that was given instead of a remote's name is asked about once, and kept nowhere.
    if !file::read(&path, LONGEST).is_ok_and(|text| matches!(known(&text), Ok(Some(_)))) {
        return Ok(false);
    }
    // A link may lead to a file of the user's, which whoever made this repository must not change.
    if path.is_symlink() {
        return Ok(false);
    }
    let mut done = false;
    replace(&path, Patience::of(config)?, |text| {
        let Some(mut document) = known(text.unwrap_or_default())? else {
            return Ok(Next::Keep);
        };
        // Another fetch may have told it since `config` was read; while the file is locked, nobody does.
        let lines = missing(name, url, &Config::load(environment)?);
        for (key, value) in &lines {
            document.add(key, value)?;
        }
        done = !lines.is_empty();
        Ok(if done {
            Next::Text(document.to_bytes())
        } else {
            Next::Keep
        })
    })?;
    Ok(done)
}

/// Whether the repository uses git-lfs, as far as that can be seen: its objects, its attributes, its hooks.
pub fn is_used(place: &Place) -> bool {
    let common = &place.common_dir;
    let mentions = |path: &Path, word: &str, links| {
        file::read_with(path, links, LONGEST).is_ok_and(|text| text.contains_str(word))
    };
    common.join("lfs/objects").is_dir()
        || mentions(&common.join("info/attributes"), "filter=lfs", Links::Follow)
        || mentions(&common.join("hooks/pre-push"), "git lfs", Links::Follow)
        // It comes with a commit, and git reads no link in its place either.
        || (place.work_tree.as_ref())
            .is_some_and(|tree| mentions(&tree.join(".gitattributes"), "filter=lfs", Links::Refuse))
        || committed(&place.git_dir)
}

fn committed(git_dir: &Path) -> bool {
    let mut git = super::command();
    git.arg("--git-dir").arg(git_dir).env("GIT_NO_LAZY_FETCH", "1");
    git.args([
        "grep",
        "--quiet",
        "-e",
        "filter=lfs",
        "HEAD",
        "--",
        ":(glob)**/.gitattributes",
    ]);
    git.output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_first_fetches_tell_it_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("config");
        let text = "[filter \"lfs\"]\n\tprocess = git-lfs filter-process\n[remote \"origin\"]\n\turl = bbcloud::a/b\n";
        std::fs::write(&path, text).expect("written");
        let environment = Environment::from_pairs([
            ("GIT_DIR", directory.path().as_os_str()),
            ("GIT_CONFIG_NOSYSTEM", "1".as_ref()),
            ("GIT_CONFIG_GLOBAL", path.as_os_str()),
        ]);
        let url = Url::parse("https://bitbucket.org/a/b.git/info/lfs").expect("a URL");
        // Both have read it before either writes.
        let config = Config::load(&environment).expect("sound");
        let tell = || announce("origin", &url, &config, &environment).expect("written");
        assert!(tell());
        let once = std::fs::read_to_string(&path).expect("a file");
        assert!(once.contains("lfsurl"), "{once}");
        assert!(!tell());
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), once);
    }
}
