//! Configuration as git reads it: files, includes, the command line, and their order.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::config::{Config, Remote};
use crate::environment::Environment;
use crate::report::Failure;

/// A home directory with a repository, whose files a test writes.
struct Home(TempDir);

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(TempDir::new().expect("a directory"));
        for (name, text) in files {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            // In git's configuration a backslash begins an escape.
            let here = place.path().display().to_string().replace('\\', "/");
            fs::write(path, text.replace('@', &here)).expect("written");
        }
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self, more: &[(&str, &str)]) -> Result<Config, Failure> {
        let at = |name: &str| self.path().join(name).display().to_string();
        let base = [
            ("HOME", at("")),
            ("GIT_CONFIG_SYSTEM", at("system")),
            ("GIT_DIR", at("repo/.git")),
        ];
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Config::load(&Environment::from_pairs(base.into_iter().chain(more)))
    }
}

#[test]
fn later_files_win_and_the_command_line_wins_over_all() {
    let place = Home::new(&[
        ("system", "[a]\nb = system\n"),
        (".config/git/config", "[a]\nb = xdg\n"),
        (".gitconfig", "[a]\nb = global\n"),
        ("repo/.git/config", "[A]\nB = local\n[extensions]\nworktreeConfig\n"),
        ("repo/.git/config.worktree", "[a]\nb = worktree\n"),
    ]);
    let counted = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "a.b"),
        ("GIT_CONFIG_VALUE_0", "count"),
    ];
    let config = place
        .load(&[&counted[..], &[("GIT_CONFIG_PARAMETERS", "'a.b'='param'")]].concat())
        .expect("loaded");
    assert_eq!(
        config.all("a.b"),
        ["system", "xdg", "global", "local", "worktree", "count", "param"]
    );
    assert_eq!(config.text("A.b").as_deref(), Some("param"));
    assert_eq!(
        config.trusted().all("a.b"),
        ["system", "xdg", "global", "count", "param"]
    );
    let config = place.load(&[("GIT_CONFIG_NOSYSTEM", "yes")]).expect("loaded");
    assert_eq!(config.all("a.b"), ["xdg", "global", "local", "worktree"]);
}

#[test]
fn values_are_read_in_gits_words() {
    let place = Home::new(&[(
        "repo/.git/config",
        "[http]\nsslVerify\npostBuffer = 2m\nlowSpeedTime = x\nextraHeader = a\n\
         extraHeader =\nextraHeader = \"b # c\" ; d\n\
         cookieFile = ~/c\n[http \"https://X.y\"]\nproxy = p\n[legacy.Sub]\nkey = v\n[a]\n\tb = \"q\\\"\\n\" \\\n  r\n",
    )]);
    let config = place.load(&[]).expect("loaded");
    assert_eq!(config.flag("http.sslverify").expect("a flag"), Some(true));
    assert_eq!(config.text("http.sslVerify"), None);
    assert_eq!(config.number("http.postBuffer").expect("a number"), Some(2 << 20));
    assert!(config.number("http.lowSpeedTime").is_err());
    assert_eq!(config.all("http.extraHeader"), ["a", "", "b # c"]);
    assert_eq!(config.list("http.extraHeader"), ["b # c"]);
    assert_eq!(
        config.path("http.cookieFile").expect("a path"),
        Some(place.path().join("c"))
    );
    assert_eq!(config.text("http.https://X.y.proxy").as_deref(), Some("p"));
    assert_eq!(config.text("http.https://x.y.proxy"), None);
    assert_eq!(config.text("legacy.sub.key").as_deref(), Some("v"));
    assert_eq!(config.text("a.b").as_deref(), Some("q\"\n   r"));
    assert_eq!(config.flag("no.such").expect("nothing"), None);
}

#[test]
fn the_command_line_keeps_every_byte() {
    let place = Home::new(&[]);
    let parameters =
        "'http.https://x.y/?a.extraHeader'='A: \"b\" \\ # ; \t c'\\''s ' 'http.sslVerify'= 'a.e'='' 'a.n'='1\n2'";
    let config = place.load(&[("GIT_CONFIG_PARAMETERS", parameters)]).expect("loaded");
    assert_eq!(
        config.text("http.https://x.y/?a.extraheader").as_deref(),
        Some("A: \"b\" \\ # ; \t c's ")
    );
    assert_eq!(config.flag("http.sslverify").expect("a flag"), Some(true));
    assert_eq!(config.text("a.e").as_deref(), Some(""));
    assert_eq!(config.flag("a.e").expect("a flag"), Some(false));
    assert_eq!(config.text("a.n").as_deref(), Some("1\n2"));
}

#[test]
fn includes_follow_their_conditions() {
    let place = Home::new(&[
        (
            ".gitconfig",
            "[include]\npath = more\n[includeIf \"gitdir:@/repo/\"]\npath = ~/dir\n\
             [includeIf \"gitdir:@/other/\"]\npath = ~/bad\n\
             [includeIf \"gitdir/i:@/REPO/\"]\npath = ~/idir\n\
             [includeIf \"onbranch:topic/\"]\npath = branch\n[includeIf \"onbranch:main\"]\npath = bad\n\
             [includeIf \"hasconfig:remote.*.url:bbcloud::acme/**\"]\npath = has\n[include]\npath = not-there\n",
        ),
        ("more", "[a]\nb = more\n"),
        ("dir", "[a]\nb = dir\n"),
        ("idir", "[a]\nb = idir\n"),
        ("branch", "[a]\nb = branch\n"),
        ("has", "[a]\nb = has\n"),
        ("bad", "[a]\nb = bad\n"),
        ("evil", "[bbcloud]\nbaseUrl = https://evil.example\n"),
        ("repo/.git/HEAD", "ref: refs/heads/topic/x\n"),
        (
            "repo/.git/config",
            "[remote \"origin\"]\nurl = bbcloud::acme/widgets\n[include]\npath = @/evil\n",
        ),
    ]);
    let config = place.load(&[]).expect("loaded");
    assert_eq!(config.all("a.b"), ["more", "dir", "idir", "branch", "has"]);
    assert_eq!(config.text("bbcloud.baseUrl").as_deref(), Some("https://evil.example"));
    assert_eq!(config.trusted().text("bbcloud.baseUrl"), None);
}

#[test]
fn broken_files_are_named() {
    let place = Home::new(&[(".gitconfig", "[a\n")]);
    let failure = place.load(&[]).expect_err("broken");
    assert_eq!(
        failure.message(),
        format!(
            "bad git configuration in '{}'",
            place.path().join(".gitconfig").display()
        )
    );
    let failure = place
        .load(&[("GIT_CONFIG_GLOBAL", &place.path().display().to_string())])
        .expect_err("a directory");
    assert!(failure.message().starts_with("unable to access '"), "{failure}");
    let parameters = |text| place.load(&[("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_PARAMETERS", text)]);
    assert_eq!(
        parameters("a.b=1").expect_err("bogus").message(),
        "bogus format in GIT_CONFIG_PARAMETERS"
    );
    assert!(
        parameters("'ab=1'")
            .expect_err("no section")
            .message()
            .ends_with(": ab")
    );
    let broken = format!("'include.path'='{}'", place.path().join(".gitconfig").display());
    assert_eq!(
        parameters(&broken).expect_err("broken").message(),
        "bad git configuration in an included file"
    );
}

#[test]
fn nothing_there_is_no_failure() {
    let place = Home::new(&[]);
    assert_eq!(place.load(&[]).expect("loaded").text("a.b"), None);
    assert_eq!(Config::load(&Environment::default()).expect("loaded").text("a.b"), None);
}

#[test]
fn a_linked_work_tree_reads_the_shared_file() {
    let place = Home::new(&[
        ("repo/.git/config", "[a]\nb = shared\n"),
        ("repo/.git/worktrees/w/commondir", "../..\n"),
    ]);
    let at = |name: &str| place.path().join(name).display().to_string();
    let config = place
        .load(&[("GIT_DIR", &at("repo/.git/worktrees/w"))])
        .expect("loaded");
    assert_eq!(config.text("a.b").as_deref(), Some("shared"));
    let config = place
        .load(&[("GIT_DIR", &at("x")), ("GIT_COMMON_DIR", &at("repo/.git"))])
        .expect("loaded");
    assert_eq!(config.text("a.b").as_deref(), Some("shared"));
}

#[test]
fn remotes_are_listed_with_all_their_addresses() {
    let place = Home::new(&[
        (
            ".gitconfig",
            "[remote \"origin\"]\nproxy = p\n[remote]\npushDefault = up\n",
        ),
        (
            "repo/.git/config",
            "[remote \"up\"]\nurl = 1\n[remote \"origin\"]\nurl = 2\nurl = 3\npushurl = 4\n[remote \"a.b\"]\nurl = 5\n",
        ),
    ]);
    let remote = |name: &str, urls: &[&str], push_urls: &[&str]| Remote {
        name: name.to_owned(),
        urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        push_urls: push_urls.iter().map(|url| (*url).to_owned()).collect(),
    };
    let expected = [
        remote("origin", &["2", "3"], &["4"]),
        remote("up", &["1"], &[]),
        remote("a.b", &["5"], &[]),
    ];
    assert_eq!(place.load(&[]).expect("loaded").remotes(), expected);
}

/// With a shell, which git for Windows need not have.
#[cfg(unix)]
#[test]
fn what_git_passes_to_its_programs_is_understood() {
    let show = r#"alias.passed-on=!printf '%s\n%s\n' "$PATH" "$GIT_CONFIG_PARAMETERS""#;
    let output = super::command()
        .args(["-c", "http.https://x.y/.extraHeader=it's! here"])
        .args(["-c", "a.flag", "-c", "a.empty=", "-c", show, "passed-on"])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (path, parameters) = text.trim_end().split_once('\n').expect("two lines");
    let place = Home::new(&[]);
    let config = place.load(&[("GIT_CONFIG_PARAMETERS", parameters)]).expect("loaded");
    assert_eq!(
        config.text("http.https://x.y/.extraheader").as_deref(),
        Some("it's! here")
    );
    assert_eq!(config.flag("a.flag").expect("a flag"), Some(true));
    assert_eq!(config.text("a.empty").as_deref(), Some(""));
    let programs = super::command().arg("--exec-path").output().expect("git").stdout;
    let programs = String::from_utf8(programs).expect("UTF-8");
    let prefix = super::sources::prefix(&Environment::from_pairs([("PATH", path)])).expect("a prefix");
    assert!(programs.starts_with(&prefix.display().to_string()), "{programs}");
}

#[test]
fn the_repository_around_is_found_by_git() {
    // The tests run in the work tree or in an unpacked archive: both are fine, neither may fail.
    let environment = Environment::from_pairs([("GIT_CONFIG_GLOBAL", "/dev/null")]);
    assert_eq!(Config::discover(&environment).expect("loaded").text("no.such"), None);
}
