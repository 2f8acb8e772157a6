//! Bare repositories on disk: making them and putting something in.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::access::directory;
use super::process::{git, git_with_input};

/// What Bitbucket's side of a repository is set to.
const CONFIG: &str = "[http]\n\treceivepack = true\n\tuploadarchive = true\n\
    [uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n\
    [receive]\n\tadvertisePushOptions = true\n\tcertNonceSeed = local-bitbucket\n\tcertNonceSlop = 86400\n\
    [core]\n\tfsync = none\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

/// Makes the bare repository `name` (`workspace/repo` or `workspace/repo/wiki`), and returns where it is.
pub(crate) fn create(root: &Path, name: &str, object_format: &str) -> PathBuf {
    let place = root.join(directory(name));
    std::fs::create_dir_all(&place).expect("the workspace's directory can be made");
    let format = format!("--object-format={object_format}");
    git(
        root,
        &place,
        &["init", "--quiet", "--bare", "--initial-branch=main", &format],
    );
    let config = place.join("config");
    let mut text = std::fs::read_to_string(&config).expect("git init writes a config file");
    text.push_str(CONFIG);
    std::fs::write(config, text).expect("the config file can be written");
    place
}

/// Adds one commit with these files to `branch` and leaves the rest of its files as they are.
pub(crate) fn commit(root: &Path, place: &Path, branch: &str, message: &str, files: &[(&str, &[u8])]) {
    let mut stream = format!("commit refs/heads/{branch}\ncommitter Ada <ada@example.com> 1750000000 +0000\n");
    writeln!(stream, "data {}\n{message}", message.len()).expect("a string can be written to");
    if has_branch(root, place, branch) {
        writeln!(stream, "from refs/heads/{branch}^0").expect("a string can be written to");
    }
    let mut stream = stream.into_bytes();
    for (path, content) in files {
        stream.extend_from_slice(format!("M 100644 inline {path}\ndata {}\n", content.len()).as_bytes());
        stream.extend_from_slice(content);
        stream.push(b'\n');
    }
    git_with_input(root, place, &["fast-import", "--quiet"], stream);
}

fn has_branch(root: &Path, place: &Path, branch: &str) -> bool {
    let name = format!("refs/heads/{branch}");
    !git(root, place, &["for-each-ref", "--count=1", &name]).is_empty()
}

/// Copies branches, tags and `HEAD` of the repository `source`.
pub(crate) fn seed_from(root: &Path, place: &Path, source: &Path) {
    let source = source.to_str().expect("the seed's path is UTF-8");
    let refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    git(
        root,
        place,
        &[&["fetch", "--quiet", source], refspecs.as_slice()].concat(),
    );
    let listed = git(root, place, &["ls-remote", "--symref", source, "HEAD"]);
    let listed = String::from_utf8_lossy(&listed);
    let head = listed
        .lines()
        .find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"));
    if let Some(head) = head {
        git(root, place, &["symbolic-ref", "HEAD", head]);
    }
}
