//! Files on this machine: read within a bound, and replaced in one step, so that nobody reads half of one.
//!
//! Does not depend on what is in them, nor on who else may want to write: whoever needs a lock takes it before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::process::Pending;

/// The permissions of a file for its owner alone.
pub const PRIVATE: u32 = 0o600;
/// Those of a file for whoever the user's `umask` lets in.
pub const SHARED: u32 = 0o666;

/// The most links that are followed, as the kernel has it.
const MOST_LINKS: usize = 40;

/// A temporary file that replaces its target; it is removed on drop, or when the process dies.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: File,
    pending: Pending,
}

impl Draft {
    /// Creates the file at `path`, where none may be, with the permissions `mode`.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(path: PathBuf, mode: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        #[cfg(not(unix))]
        let _ = mode;
        let gone = path.clone();
        let (file, pending) = Pending::begin(|| options.open(&path), move || drop(fs::remove_file(gone)))?;
        Ok(Self { path, file, pending })
    }

    /// Returns the file, to be written to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Takes the place of `target`, in one step. If that fails, the draft is there as before.
    ///
    /// # Errors
    /// If it cannot be moved there.
    pub fn replace(&mut self, target: &Path) -> io::Result<()> {
        self.pending.settle(|| fs::rename(&self.path, target))
    }
}

/// Puts `text` in the place of the file at `path`, or of what it links to, with the permissions `mode`. One process at
/// a time: the draft has a name of its own, and what a process that died has left of one goes.
///
/// # Errors
/// If it cannot be written; what was there is there then.
pub fn write(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    write_in_place(&target(path)?, text, mode)
}

/// As [`write()`], but in the place of a link itself.
///
/// # Errors
/// As [`write()`].
pub fn write_in_place(target: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let beside = with_suffix(target, ".new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut draft = Draft::create(beside, mode)?;
    draft.file().write_all(text)?;
    draft.file().sync_all()?;
    draft.replace(target)
}

/// Returns `path` with `suffix` behind its name.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Returns what is written in the end if a file is written to `path`: the target of a link, whether it is there or not.
///
/// # Errors
/// If links lead in a circle, or cannot be read.
pub fn target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        if !fs::symlink_metadata(&target).is_ok_and(|metadata| metadata.is_symlink()) {
            return Ok(target);
        }
        let next = fs::read_link(&target)?;
        // One that is absolute stands for itself.
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// Whether a link may stand in the place of a file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// As for files of the user's own, which may lie elsewhere.
    Follow,
    /// As for files that others wrote: a link may lead anywhere.
    Refuse,
}

/// Returns the content of the regular file at `path`, or of what it links to, if it is not longer than `max` bytes.
///
/// # Errors
/// If it cannot be read, is longer, or is not a regular file: a pipe or a device may never end.
pub fn read(path: &Path, max: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_with(path, Links::Follow, max)
}

/// As [`read`], where `links` says whether the file may be a link.
///
/// # Errors
/// As [`read`], and for a link that may not be there.
pub fn read_with(path: &Path, links: Links, max: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let bytes = beginning(open(path, links)?, max)?;
    if bytes.len() as u64 > max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Opens the regular file at `path` to be read, without waiting for the other end of a pipe. The open file itself is
/// looked at, so nothing can be put in its place meanwhile.
///
/// # Errors
/// If it cannot be opened, or is not a regular file.
pub fn open(path: &Path, links: Links) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = match links {
            Links::Follow => OFlags::NONBLOCK | OFlags::NOCTTY,
            Links::Refuse => OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW,
        };
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    if links == Links::Refuse && fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other("it is a link"));
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// Reads `max` bytes of `file`, and one more where it is longer.
///
/// # Errors
/// If it cannot be read.
pub fn beginning(file: File, max: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    let size = usize::try_from(length.min(max)).unwrap_or_default();
    // Sized at once: a buffer that grows leaves copies of what is in it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
    file.take(max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes the directory at `path`, and those above it, for its owner alone.
///
/// # Errors
/// If it cannot be made.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_takes_a_place_or_goes() {
        let directory = tempfile::tempdir().expect("a directory");
        let (draft, target) = (directory.path().join("draft"), directory.path().join("target"));
        drop(Draft::create(draft.clone(), PRIVATE).expect("created"));
        assert!(!draft.exists());
        let mut kept = Draft::create(draft.clone(), PRIVATE).expect("created");
        assert!(Draft::create(draft.clone(), PRIVATE).is_err() && draft.exists());
        assert!(kept.replace(&directory.path().join("no/where")).is_err() && draft.exists());
        kept.replace(&target).expect("moved");
        drop(kept);
        assert!(target.exists() && !draft.exists());
    }

    #[test]
    fn only_so_much_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        write(&path, b"12345", PRIVATE).expect("written");
        assert_eq!(read(&path, 5).expect("read").as_slice(), b"12345");
        assert_eq!(
            read(&path, 4).expect_err("too long").kind(),
            io::ErrorKind::FileTooLarge
        );
        assert!(read(directory.path(), 4).is_err());
        let file = File::open(&path).expect("there");
        assert_eq!(beginning(file, 3).expect("read").as_slice(), b"1234");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn neither_pipes_nor_devices_nor_links_of_others_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        fs::write(place("file"), "text").expect("written");
        for (target, name) in [("file", "link"), ("/dev/zero", "device"), ("/proc/self/mem", "memory")] {
            std::os::unix::fs::symlink(target, place(name)).expect("a link");
        }
        let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
        rustix::fs::mknodat(rustix::fs::CWD, place("pipe"), fifo, mode, 0).expect("a pipe");
        assert_eq!(read(&place("link"), 9).expect("followed").as_slice(), b"text");
        assert!(read_with(&place("link"), Links::Refuse, 9).is_err());
        assert_eq!(
            read_with(&place("file"), Links::Refuse, 9).expect("read").as_slice(),
            b"text"
        );
        for name in ["device", "pipe"] {
            for links in [Links::Follow, Links::Refuse] {
                assert!(read_with(&place(name), links, 9).is_err(), "{name} {links:?}");
            }
        }
        write_in_place(&place("link"), b"new", PRIVATE).expect("written");
        assert_eq!(
            fs::read(place("file")).expect("a file"),
            b"text",
            "not written through the link"
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_to_what_is_not_there_yet() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        symlink("second", place("first")).expect("a link");
        symlink(place("third"), place("second")).expect("a link");
        symlink("loop", place("loop")).expect("a link");
        assert_eq!(target(&place("first")).expect("followed"), place("third"));
        write(&place("first"), b"text", PRIVATE).expect("written");
        assert_eq!(fs::read(place("third")).expect("a file"), b"text");
        assert!(write(&place("loop"), b"text", PRIVATE).is_err());
        assert!(fs::symlink_metadata(place("loop")).expect("there").is_symlink());
    }
}
