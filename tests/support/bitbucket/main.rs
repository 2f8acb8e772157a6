//! The local Bitbucket by hand: `local-bitbucket [--root DIR] [--port N] [--prefix P] [--seed-from GIT_REPO]`.
//!
//! Prints what a shell needs to use it, then `ready`, and serves until its standard input ends, so that a script
//! that dies leaves nothing behind.

#[path = "mod.rs"]
#[expect(dead_code, reason = "most of what tests ask for is of no use by hand")]
#[expect(unused_imports, reason = "most of what tests ask for is of no use by hand")]
mod bitbucket;

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bitbucket::{API_TOKEN_USER, Account, Bitbucket, Settings};

const USAGE: &str = "usage: local-bitbucket [--root DIR] [--port N] [--prefix P] [--seed-from GIT_REPO]";
const REPOSITORY: &str = "acme/widgets";

struct Options {
    settings: Settings,
    seed: Option<PathBuf>,
}

fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        settings: Settings::default(),
        seed: None,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--root" => options.settings.root = Some(PathBuf::from(value)),
            "--port" => options.settings.port = value.parse().ok()?,
            "--prefix" => options.settings.prefix = format!("/{}", value.trim_matches('/')),
            "--seed-from" => options.seed = Some(PathBuf::from(value)),
            _ => return None,
        }
    }
    Some(options)
}

/// Made up, in the shape of the real ones, so that a program which looks at the shape is tried too.
struct Secrets {
    app_password: String,
    api_token: String,
    access_token: String,
    read_only_token: String,
}

impl Secrets {
    fn made_up() -> Self {
        let token = |header: &str, word: &str| format!("{header}{}={}", word.repeat(171 / word.len()), "0A1B2C3D");
        Self {
            app_password: format!("ATBB{}0A1B2C3D", "madeup".repeat(4)),
            api_token: token("ATATT3xFfGF0", "made-up-_"),
            access_token: token("ATCTT3xFfGN0", "made-up-_"),
            read_only_token: token("ATATT3xFfGF0", "read-only"),
        }
    }

    fn register(&self, bitbucket: &Bitbucket) {
        bitbucket.add_account(Account::app_password("ada", &self.app_password));
        bitbucket.add_account(Account::api_token("ada", &self.api_token));
        bitbucket.add_account(Account::access_token(&self.access_token));
        bitbucket.add_account(Account::api_token("ada", &self.read_only_token).read_only());
    }
}

fn fill(bitbucket: &Bitbucket, seed: Option<&Path>) {
    let wiki = format!("{REPOSITORY}/wiki");
    if !bitbucket.repository_path(REPOSITORY).exists() {
        bitbucket.create_repository(REPOSITORY);
        match seed {
            Some(seed) => bitbucket.seed_from(REPOSITORY, seed),
            None => bitbucket.commit(REPOSITORY, "main", "Begin", &[("README.md", b"# Widgets\n")]),
        }
    }
    if !bitbucket.repository_path(&wiki).exists() {
        bitbucket.create_wiki(REPOSITORY);
        bitbucket.commit(&wiki, "main", "First page", &[("Home.md", b"# Welcome\n")]);
    }
}

fn announce(bitbucket: &Bitbucket, secrets: &Secrets) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let ca_file = bitbucket.ca_file().display().to_string().replace('\'', r"'\''");
    for (name, value) in [
        ("BBCLOUD_BASE_URL", bitbucket.base_url().as_str()),
        ("BBCLOUD_API_URL", bitbucket.api_url().as_str()),
        ("GIT_SSL_CAINFO", ca_file.as_str()),
        ("BBCLOUD_USERNAME", API_TOKEN_USER),
        ("BBCLOUD_TOKEN", secrets.api_token.as_str()),
        ("LOCAL_BITBUCKET_USERNAME", "ada"),
        ("LOCAL_BITBUCKET_EMAIL", "ada@example.com"),
        ("LOCAL_BITBUCKET_APP_PASSWORD", secrets.app_password.as_str()),
        ("LOCAL_BITBUCKET_ACCESS_TOKEN", secrets.access_token.as_str()),
        ("LOCAL_BITBUCKET_READ_ONLY_TOKEN", secrets.read_only_token.as_str()),
    ] {
        writeln!(out, "export {name}='{value}'")?;
    }
    writeln!(out, "ready")?;
    out.flush()
}

fn main() -> io::Result<()> {
    let Some(options) = options(std::env::args().skip(1)) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, USAGE));
    };
    let bitbucket = Bitbucket::start(options.settings);
    let secrets = Secrets::made_up();
    secrets.register(&bitbucket);
    fill(&bitbucket, options.seed.as_deref());
    announce(&bitbucket, &secrets)?;
    let mut ignored = [0; 256];
    while io::stdin().lock().read(&mut ignored)? > 0 {}
    Ok(())
}
