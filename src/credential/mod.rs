//! Who is asking: where a secret comes from, in which order, and what becomes of it.
//!
//! The order: the address itself; `BBCLOUD_TOKEN` or `BBCLOUD_TOKEN_FILE`, and then the keychain is never opened; the
//! keychain, most specific first; and, once the server has refused to answer without or with that, `~/.netrc`, git's
//! credential helpers and the user. A public repository needs none of them; a repository that `~/.netrc` or a helper
//! served last is asked for with that at once. [`Logins`] is the one place that decides, for git and for commands.
//!
//! What the address or the environment gives is used alone: it was given for this run, and asking elsewhere would
//! hide that it is wrong.

pub mod account;
pub mod caller;
mod environment;
pub mod expiry;
pub mod helper;
pub mod history;
pub mod index;
pub mod keeping;
pub mod keychain;
pub mod lock;
pub mod login;
mod logins;
pub mod netrc;
pub mod parts;
pub mod policy;
pub mod prompt;
pub mod refused;
pub mod username;

pub use self::environment::{given, read_file, read_line, unexpanded};
pub use self::logins::{Logins, Wanted};
