//! What repositories advertised the last time, kept so that a fetch can begin with its first real request.
//!
//! The answer to `GET info/refs` in protocol version 2 is a list of capabilities: the same for months, and the same for
//! every repository of a server. Git can be told it at once; the server still decides on every request, so a copy can
//! be out of date but never let anybody in. It must not know what becomes of a copy that turns out to be stale.
//!
//! Nothing here may fail a fetch: a cache that cannot be read or written is no cache. There is no secret in it, and no
//! byte of the network names a file: the names are hashes.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::bridge::discovery::Advertisement;
use crate::bridge::service::Service;
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_CACHE, XDG_CACHE_HOME};
use crate::file::{self, Draft, Links};
use crate::git::config::Config;
use crate::git::value;
use crate::report::Failure;

/// A copy that is older is asked for again, beside the fetch that uses it.
const GETTING_OLD: Duration = Duration::from_secs(24 * 60 * 60);
/// A copy that is older is not used. A server that changes is noticed before, when it refuses.
const AGE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Capabilities are a few hundred bytes; what is much longer is not worth keeping.
const BYTES: u64 = 16 * 1024;
/// Copies to keep, at most: with [`BYTES`] this bounds the directory to 8 MiB.
const FILES: usize = 512;
/// The first line of a copy; a change of the format changes it.
const FORMAT: &str = "git-remote-bbcloud advertisement 1";

/// The directory of copies.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
}

/// The place of one repository's copy.
#[derive(Debug, Clone)]
pub struct Slot {
    path: PathBuf,
    key: String,
}

impl Cache {
    /// Returns the cache of this user: `BBCLOUD_CACHE` (a directory, or a false word), else below `XDG_CACHE_HOME` or
    /// `~/.cache`. Nothing if it is turned off (`bbcloud.cache=false`) or there is no place for it.
    pub fn open(config: &Config, environment: &Environment) -> Result<Option<Self>, Failure> {
        if config.flag("bbcloud.cache")? == Some(false) {
            return Ok(None);
        }
        if let Some(path) = environment.path(&BBCLOUD_CACHE) {
            let off = path.to_str().is_some_and(|text| value::boolean(text) == Some(false));
            return Ok((!off).then_some(Self { directory: path }));
        }
        let below_home = || environment.home().map(|home| home.join(".cache"));
        let root = environment.path(&XDG_CACHE_HOME).filter(|path| path.is_absolute());
        let directory = root.or_else(below_home).map(|root| root.join("git-remote-bbcloud"));
        Ok(directory.map(|directory| Self { directory }))
    }

    /// Returns the place for the repository at `url` as `account` sees it.
    pub fn slot(&self, url: &str, account: &str) -> Slot {
        let key = format!("{url} {account}");
        let name = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        Slot {
            path: self.directory.join(URL_SAFE_NO_PAD.encode(name)),
            key,
        }
    }
}

impl Slot {
    /// Returns the copy, if there is one of version 2 that is not too old.
    pub fn load(&self) -> Option<Advertisement> {
        // No link and no pipe: the directory may be shared, and whoever else writes there may be no friend.
        let file = file::open(&self.path, Links::Refuse).ok()?;
        if age(&file)? > AGE {
            return None;
        }
        let content = file::beginning(file, BYTES + 4096).ok()?;
        let bytes = content.strip_prefix(self.head().as_bytes())?;
        let advertisement = Advertisement::read(Service::UploadPack, &mut &*bytes).ok()?;
        advertisement.is_usable().then_some(advertisement)
    }

    /// Whether it is time to ask for a new copy, while this one still serves.
    pub fn is_getting_old(&self) -> bool {
        let file = file::open(&self.path, Links::Refuse).ok();
        file.and_then(|file| age(&file)).is_some_and(|age| age > GETTING_OLD)
    }

    /// Keeps `advertisement` if git can begin with it.
    pub fn store(&self, advertisement: &Advertisement) {
        if advertisement.is_usable() && advertisement.bytes().len() as u64 <= BYTES {
            self.write(advertisement).ok();
        } else {
            self.forget();
        }
    }

    /// Removes the copy.
    pub fn forget(&self) {
        fs::remove_file(&self.path).ok();
    }

    /// The copy names what it is for, so that a file in the wrong place is no copy.
    fn head(&self) -> String {
        format!("{FORMAT}\n{}\n", self.key)
    }

    /// Writes beside the place and renames: whoever reads meanwhile sees the old copy or the new one.
    fn write(&self, advertisement: &Advertisement) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        if !directory.is_dir() {
            file::create_private_directory(directory)?;
        }
        if !self.path.exists() {
            make_room(directory)?;
        }
        let draft = self.path.with_extension(format!("{}.draft", std::process::id()));
        let mut draft = Draft::create(draft, file::SHARED)?;
        draft.file().write_all(self.head().as_bytes())?;
        draft.file().write_all(advertisement.bytes())?;
        draft.replace(&self.path)
    }
}

/// `None` if its modification time is in the future.
fn age(file: &fs::File) -> Option<Duration> {
    let modified = file.metadata().ok()?.modified().ok()?;
    SystemTime::now().duration_since(modified).ok()
}

/// Removes what is too old, and the oldest beyond the bound. Drafts of processes that died are copies like any other;
/// what else the user has in a directory of the user's choice is none of ours.
fn make_room(directory: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if is_ours(&entry.path()) {
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    if files.len() < FILES {
        return Ok(());
    }
    files.sort();
    let limit = SystemTime::now().checked_sub(AGE).unwrap_or(SystemTime::UNIX_EPOCH);
    let surplus = files.len() + 1 - FILES / 2;
    for (at, (modified, path)) in files.iter().enumerate() {
        if at < surplus || *modified < limit {
            fs::remove_file(path).ok();
        }
    }
    Ok(())
}

/// Whether a file is called like a copy, or like the draft of one.
fn is_ours(path: &Path) -> bool {
    let stem = path.file_stem().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    let (name, draft) = stem.split_once('.').unwrap_or((stem, ""));
    let is_hash = URL_SAFE_NO_PAD
        .decode(name)
        .is_ok_and(|hash| hash.len() == ring::digest::SHA256_OUTPUT_LEN);
    let extension = path.extension().and_then(std::ffi::OsStr::to_str);
    let is_number = !draft.is_empty() && draft.bytes().all(|byte| byte.is_ascii_digit());
    is_hash && (extension.is_none() || extension == Some("draft") && is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advertisement(text: &str) -> Advertisement {
        Advertisement::read(Service::UploadPack, &mut text.as_bytes()).unwrap()
    }

    const V2: &str = "000eversion 2\n000cls-refs\n000afetch\n0000";

    fn cache() -> (tempfile::TempDir, Cache) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache {
            directory: directory.path().join("deep/er"),
        };
        (directory, cache)
    }

    #[test]
    fn what_is_kept_is_there_for_its_repository_and_account_only() {
        let (_directory, cache) = cache();
        let slot = cache.slot("https://x/a/b.git", "mia");
        assert_eq!(slot.load(), None);
        slot.store(&advertisement(V2));
        assert_eq!(slot.load(), Some(advertisement(V2)));
        assert_eq!(cache.slot("https://x/a/b.git", "ben").load(), None);
        assert_eq!(cache.slot("https://x/a/c.git", "mia").load(), None);
        slot.forget();
        assert_eq!(slot.load(), None);
    }

    #[test]
    fn refs_are_not_kept_and_end_what_was() {
        let (_directory, cache) = cache();
        let slot = cache.slot("https://x/a/b.git", "");
        for useless in [
            "0000",
            "000eversion 2\n0000",
            "000eversion 2\n000cls-refs\n0000",
            "000eversion 2\n000cls-refs\n000afetch\n0016object-format=foo\n0000",
        ] {
            slot.store(&advertisement(V2));
            slot.store(&advertisement(useless));
            assert_eq!(slot.load(), None);
        }
    }

    #[test]
    fn a_copy_that_is_cut_garbled_moved_or_old_is_none() {
        let (_directory, cache) = cache();
        let slot = cache.slot("https://x/a/b.git", "");
        slot.store(&advertisement(V2));
        let good = fs::read(&slot.path).unwrap();
        for bad in [&good[..good.len() - 1], &good[1..], b"", b"\xff\xfe", &vec![0; 40_000]] {
            fs::write(&slot.path, bad).unwrap();
            assert_eq!(slot.load(), None);
        }
        let other = cache.slot("https://x/other/repo.git", "");
        fs::write(&other.path, &good).unwrap();
        assert_eq!(other.load(), None);
        fs::write(&slot.path, &good).unwrap();
        assert!(slot.load().is_some());
        let old = SystemTime::now() - AGE - Duration::from_secs(60);
        fs::File::options()
            .write(true)
            .open(&slot.path)
            .unwrap()
            .set_modified(old)
            .unwrap();
        assert_eq!(slot.load(), None);
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let (_directory, cache) = cache();
        fs::create_dir_all(&cache.directory).unwrap();
        for at in 0..FILES {
            fs::write(cache.directory.join(format!("mine {at}.txt")), "").unwrap();
        }
        let slot = cache.slot("https://x/a/b.git", "");
        fs::write(slot.path.with_extension("1.draft"), "").unwrap();
        slot.store(&advertisement(V2));
        assert!(slot.load().is_some());
        assert_eq!(fs::read_dir(&cache.directory).unwrap().count(), FILES + 2);
        let names = |names: &[&str]| names.iter().filter(|name| is_ours(Path::new(name))).count();
        let hash = URL_SAFE_NO_PAD.encode([7; 32]);
        assert_eq!(names(&[&hash, &format!("{hash}.12.draft")]), 2);
        assert_eq!(
            names(&["notes", &format!("{hash}.txt"), &format!("{hash}.draft"), ".draft", ""]),
            0
        );
    }

    #[test]
    fn the_directory_does_not_grow_for_ever() {
        let (_directory, cache) = cache();
        for at in 0..FILES + 20 {
            cache
                .slot(&format!("https://x/a/{at}.git"), "")
                .store(&advertisement(V2));
        }
        assert!(fs::read_dir(&cache.directory).unwrap().count() <= FILES);
        assert!(
            cache
                .slot(&format!("https://x/a/{}.git", FILES + 19), "")
                .load()
                .is_some()
        );
    }

    #[test]
    fn a_place_that_cannot_be_written_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let slot = Cache { directory: file }.slot("https://x/a/b.git", "");
        slot.store(&advertisement(V2));
        assert_eq!(slot.load(), None);
    }
}
