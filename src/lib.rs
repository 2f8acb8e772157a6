//! Git remote helper for Bitbucket Cloud: `bbcloud::<workspace>/<repository>` over authenticated HTTPS.
//!
//! ```text
//! git  <->  helper  <->  bridge  <->  http  <->  server
//!                          ^            explain: what a failure means
//!             credential --+            cli: what people run; never on the data path
//! ```
//!
//! Git starts the program with a remote's name and address and talks to it through two pipes. The [`helper`] answers
//! git's commands. For `connect` it hands both pipes to the [`bridge`], which turns git's packets into HTTP requests
//! and passes the answers on as bytes. [`http`] is the only place that knows HTTP and TLS; the bridge sees it through
//! gitoxide's `Http` trait. [`credential`] knows who is asking. A [`repository`] is where all of them are put together.
//!
//! # Reading order
//! 1. [`address`]: what may follow `bbcloud::`, and the only place that builds `https` URLs.
//! 2. [`helper`]: git's commands, one at a time; `command` parses them, `options` keeps them.
//! 3. [`bridge`]: `upload_pack` (fetch, version 2), `receive_pack` (push), `upload_archive`, `fallback` (fetch,
//!    version 0 and 1), over `remote` (one server, and the `outcome` of each request), `discovery` (its
//!    advertisement), `relay` (its answers on their way to git, with the texts in them made harmless by `sideband`,
//!    `report_status`, `text` and `harmless`, but for what `controls` allows) and `packet` (git's framing).
//! 4. [`http`]: `client` implements the trait: each `answer` to a `request` comes over a `session` (redirects, `retry`,
//!    `cookies`); `exchange` is one of them over a `wire`, `connector` the way to the server (`dial`, `proxy`, `tls`,
//!    `stream`); `settings` are git's `http.*`. `rest` and `probe` are for commands. What became of a request is told by type
//!    ([`bridge::outcome`]); [`explain`] puts it into words, for the helper and the commands alike.
//! 5. [`credential`]: `logins` is the one place that decides who is asking, for git's helper and for commands: the
//!    order of sources, and what becomes of a secret that is accepted or refused. It asks through the traits in `parts`:
//!    `keeping` (`account`, `index` and the `keychain`, in time or not at all), `netrc`, `helper` (git's, through
//!    `git credential`), `prompt` (a person), `history` (what worked when). `username` has the rule for names, `expiry`
//!    that for days, `policy` what the settings allow.
//! 6. [`repository`]: all of these put together for one address; `renewal` keeps [`cache`], the kept advertisement that
//!    saves a fetch one of its two requests.
//! 7. [`cli`]: one file or directory a subcommand, over a `scene`; `migrate` and `setup` change git's configuration
//!    through [`git`] alone (`document`, `replace`).
//! 8. [`agent`]: git's requests sent for others, by rules, over warm connections; a program of its own behind a socket.
//! 9. [`environment`] (every variable and setting, once), [`file`](mod@file), [`git`], [`origin`] (which server may be
//!    sent a secret), [`pipe`], [`process`], [`redact`] (what is shown of an address, a URL, a header), [`report`],
//!    [`secret`] (its type and its kinds), [`shell`] (names in a command to paste), [`trace`]: the process's surroundings,
//!    each through one door.
//!
//! # Invariants
//! 1. In helper mode standard output carries protocol bytes only, from one writer, flushed where git waits for it.
//! 2. One buffered reader lives from git's first command to its last packet.
//! 3. Memory is flat: no pack is ever held, and an `info/refs` answer only within a bound.
//! 4. No secret is in an argument, a URL, an error, a log, a trace or a file of ours; it is wiped when dropped.
//! 5. Credentials travel over TLS (or loopback), and only to the host that they are for.
//! 6. A request that may have had an effect is never sent twice; a read may be, until its first byte has reached git.
//! 7. An answer that is cut or malformed never looks like success.
//! 8. Bytes from a peer never panic the program.
//! 9. However the process ends, short of `SIGKILL`, it leaves no lock, no draft and no silent terminal
//!    behind ([`process::Pending`]).
//!
//! # Words
//! One name for one thing, here, in the manual and in messages. Git's and HTTP's own terms are used as they are defined
//! there (`info_refs`, `upload_pack`, `receive_pack`, sideband, `credential fill`, askpass, redirect, tunnel).
//!
//! | word | what it is |
//! |---|---|
//! | address | what stands after `bbcloud::`, parsed ([`address::Address`]); it names a repository or its wiki |
//! | base URL | where repositories are: `https://bitbucket.org`, or `bbcloud.baseUrl` |
//! | origin | scheme, host and port: what a secret is for ([`origin`]) |
//! | advertisement | the answer to `info/refs`: what the server can do and, in versions 0 and 1, its references |
//! | kept copy | an advertisement of version 2 in the [`cache`], which saves a request |
//! | secret | an app password, a token or a password ([`secret::Secret`]) |
//! | kind | what sort of secret it is, which decides the user name that goes with it ([`secret::kind`]) |
//! | account | a secret that is kept, and for what: a host, a workspace or a repository ([`credential::account`]) |
//! | login | a user name and a secret, and which source they came from ([`credential::login`]) |
//! | source | where a login is looked for: the URL, the environment, the keychain, `.netrc`, a helper, a person |
//! | store | what keeps secrets: the system's keychain, or the kernel's key ring |
//! | worked | that a server has accepted a secret; the time of it is kept ([`credential::history`]) |
//! | scope | of a token, what it may do; of an account, what it is for |
//! | session | requests to one server over connections that are kept; an exchange is one request and its answer |
//! | outcome | what became of a request: never sent, answered by whom, unknown ([`bridge::outcome`]) |
//! | refusal | an answer of the server that is no success; a failure is what the user reads ([`report::Failure`]) |
//! | layout | where a repository on this machine has its files ([`git::layout`]) |
//! | marked value | a line in a repository's configuration that this program wrote and may change |
//! | journal | what a command has changed, for its `--undo` |
//! | agent, rule | a program that sends requests for others; what it may send for them ([`agent`]) |
//! | scene | in the tests, a server, a home and a git; in [`cli`], what a command is run in |
//!
//! Dependencies point one way: `helper` and `cli` know `repository`, which knows `bridge`, `http` and `credential`;
//! `bridge` depends on neither `http` nor `credential`; `explain` depends on all three, and nothing below it on `explain`;
//! everyone knows `report`. The tests check the forbidden edges (`tests/it/tidy.rs`).

pub mod address;
pub mod agent;
pub mod bridge;
pub mod cache;
pub mod cli;
pub mod credential;
pub mod environment;
pub mod explain;
pub mod file;
pub mod git;
pub mod helper;
pub mod http;
pub mod origin;
pub mod pipe;
pub mod process;
pub mod redact;
pub mod report;
pub mod repository;
pub mod secret;
pub mod shell;
pub mod trace;
