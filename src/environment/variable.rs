//! Every variable that the program reads, each with its meaning, once.
//!
//! It must not read them. Variables of git, curl and OpenSSL keep the meaning that their own manuals give them;
//! the README's table and the tests are checked against [`ALL`].

/// An environment variable that this program reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, in the one spelling that is read.
    pub name: &'static str,
    /// What it does, in one line of Markdown.
    pub meaning: &'static str,
}

macro_rules! variables {
    ($($name:ident = $text:literal: $meaning:literal;)+) => {
        $(
            #[doc = $meaning]
            pub const $name: Variable = Variable { name: $text, meaning: $meaning };
        )+

        /// All of them, in the order of the README's table.
        pub const ALL: &[&Variable] = &[$(&$name),+];
    };
}

variables! {
    BBCLOUD_BASE_URL = "BBCLOUD_BASE_URL": "where repositories are, instead of `https://bitbucket.org`";
    BBCLOUD_API_URL = "BBCLOUD_API_URL": "where the REST API is, instead of `https://api.bitbucket.org/2.0`";
    BBCLOUD_USERNAME = "BBCLOUD_USERNAME": "the Bitbucket user name to sign in with";
    BBCLOUD_EMAIL = "BBCLOUD_EMAIL": "the Atlassian account's address, which the REST API wants beside an API token";
    BBCLOUD_TOKEN = "BBCLOUD_TOKEN": "the secret itself; the keychain is then not opened";
    BBCLOUD_TOKEN_FILE = "BBCLOUD_TOKEN_FILE": "a file whose first line is the secret; the keychain is then not opened";
    BBCLOUD_KEYCHAIN_TIMEOUT = "BBCLOUD_KEYCHAIN_TIMEOUT": "how long the keychain may take, in seconds";
    BBCLOUD_AGENT_SOCK = "BBCLOUD_AGENT_SOCK": "the socket of the agent that sends requests, with its own secrets";
    BBCLOUD_CACHE = "BBCLOUD_CACHE": "where what repositories announce is kept, or 'off'";

    CARGO_HOME = "CARGO_HOME": "where `doctor` looks for cargo's configuration";
    CARGO_NET_GIT_FETCH_WITH_CLI = "CARGO_NET_GIT_FETCH_WITH_CLI": "whether cargo starts git, for `doctor`";
    POETRY_SYSTEM_GIT_CLIENT = "POETRY_SYSTEM_GIT_CLIENT": "whether poetry starts git, for `doctor`";

    BITBUCKET_WORKSPACE = "BITBUCKET_WORKSPACE": "the workspace of the repository that Bitbucket Pipelines builds";
    BITBUCKET_REPO_SLUG = "BITBUCKET_REPO_SLUG": "the name of the repository that Bitbucket Pipelines builds";

    GIT_DIR = "GIT_DIR": "the repository that git runs the helper for";
    GIT_COMMON_DIR = "GIT_COMMON_DIR": "where a linked work tree's shared files are";
    GIT_WORK_TREE = "GIT_WORK_TREE": "where the files of the repository are";
    GIT_EXEC_PATH = "GIT_EXEC_PATH": "where git's own programs are";
    GIT_CONFIG_PARAMETERS = "GIT_CONFIG_PARAMETERS": "what 'git -c' passes on";
    GIT_CONFIG_COUNT = "GIT_CONFIG_COUNT": "how many `GIT_CONFIG_KEY_<n>` and `GIT_CONFIG_VALUE_<n>` pairs there are";
    GIT_CONFIG_GLOBAL = "GIT_CONFIG_GLOBAL": "the file to read instead of the user's configuration";
    GIT_CONFIG_SYSTEM = "GIT_CONFIG_SYSTEM": "the file to read instead of the system's configuration";
    GIT_CONFIG_NOSYSTEM = "GIT_CONFIG_NOSYSTEM": "whether to leave the system's configuration out";

    GIT_ASKPASS = "GIT_ASKPASS": "the program that asks for names and secrets";
    SSH_ASKPASS = "SSH_ASKPASS": "the program that asks, where git names none";
    GIT_TERMINAL_PROMPT = "GIT_TERMINAL_PROMPT": "whether the terminal may be asked";

    GIT_TRACE_CURL = "GIT_TRACE_CURL": "where to write the trace of what goes over the wire";
    GIT_TRACE_CURL_NO_DATA = "GIT_TRACE_CURL_NO_DATA": "leaves bodies out of the trace, with any value";
    GIT_TRACE_CURL_COMPONENTS = "GIT_TRACE_CURL_COMPONENTS": "which parts the trace covers";
    GIT_CURL_VERBOSE = "GIT_CURL_VERBOSE": "traces headers to standard error, with any value";
    GIT_TRACE_BARE = "GIT_TRACE_BARE": "leaves the time and the program's name out of traces";
    GIT_TRACE_REDACT = "GIT_TRACE_REDACT": "whether secrets are hidden in traces (they are, unless it is false)";

    GIT_HTTP_USER_AGENT = "GIT_HTTP_USER_AGENT": "the User-Agent to send";
    GIT_SSL_NO_VERIFY = "GIT_SSL_NO_VERIFY": "turns the checks of certificates off, with any value";
    GIT_SSL_VERSION = "GIT_SSL_VERSION": "the lowest TLS version, as `http.sslVersion`";
    GIT_SSL_CIPHER_LIST = "GIT_SSL_CIPHER_LIST": "accepted and not used, as `http.sslCipherList`";
    GIT_SSL_CERT = "GIT_SSL_CERT": "the client certificate's file";
    GIT_SSL_CERT_TYPE = "GIT_SSL_CERT_TYPE": "the client certificate's format";
    GIT_SSL_KEY = "GIT_SSL_KEY": "the client certificate's key file";
    GIT_SSL_KEY_TYPE = "GIT_SSL_KEY_TYPE": "the key file's format";
    GIT_SSL_CERT_PASSWORD_PROTECTED = "GIT_SSL_CERT_PASSWORD_PROTECTED": "the key has a password, with any value";
    GIT_SSL_CAINFO = "GIT_SSL_CAINFO": "the file of authorities to trust";
    GIT_SSL_CAPATH = "GIT_SSL_CAPATH": "the directory of authorities to trust";
    GIT_PROXY_SSL_CERT = "GIT_PROXY_SSL_CERT": "the client certificate for an https proxy";
    GIT_PROXY_SSL_KEY = "GIT_PROXY_SSL_KEY": "that certificate's key file";
    GIT_PROXY_SSL_CERT_PASSWORD_PROTECTED = "GIT_PROXY_SSL_CERT_PASSWORD_PROTECTED":
        "that key has a password, with any value";
    GIT_PROXY_SSL_CAINFO = "GIT_PROXY_SSL_CAINFO": "the file of authorities to trust for an https proxy";
    GIT_HTTP_PROXY_AUTHMETHOD = "GIT_HTTP_PROXY_AUTHMETHOD": "how to sign in at the proxy";
    GIT_SMART_HTTP = "GIT_SMART_HTTP": "whether git's smart protocol may be spoken; there is no other here, so 0 is an error";
    GIT_HTTP_CONNECT_TIMEOUT_MS = "GIT_HTTP_CONNECT_TIMEOUT_MS": "how long connecting may take, in milliseconds";
    GIT_HTTP_LOW_SPEED_LIMIT = "GIT_HTTP_LOW_SPEED_LIMIT": "the slowest transfer to put up with, in bytes a second";
    GIT_HTTP_LOW_SPEED_TIME = "GIT_HTTP_LOW_SPEED_TIME": "for how long to put up with less, in seconds";
    GIT_HTTP_RETRY_AFTER = "GIT_HTTP_RETRY_AFTER": "the wait before a retry where the server names none, in seconds";
    GIT_HTTP_MAX_RETRIES = "GIT_HTTP_MAX_RETRIES": "how often to try again after 429";
    GIT_HTTP_MAX_RETRY_TIME = "GIT_HTTP_MAX_RETRY_TIME": "the longest wait for a retry, in seconds";
    GIT_TCP_KEEPIDLE = "GIT_TCP_KEEPIDLE": "the idle time before TCP probes a connection, in seconds";
    GIT_TCP_KEEPINTVL = "GIT_TCP_KEEPINTVL": "the time between such probes, in seconds";
    GIT_TCP_KEEPCNT = "GIT_TCP_KEEPCNT": "how many such probes may fail";
    GIT_HTTP_KEEPALIVE_IDLE = "GIT_HTTP_KEEPALIVE_IDLE": "as `GIT_TCP_KEEPIDLE`, by the name of git's manual";
    GIT_HTTP_KEEPALIVE_INTERVAL = "GIT_HTTP_KEEPALIVE_INTERVAL": "as `GIT_TCP_KEEPINTVL`, by the name of git's manual";
    GIT_HTTP_KEEPALIVE_COUNT = "GIT_HTTP_KEEPALIVE_COUNT": "as `GIT_TCP_KEEPCNT`, by the name of git's manual";
    GIT_ALLOW_PROTOCOL = "GIT_ALLOW_PROTOCOL": "the protocols that git may use, with colons between them";
    GIT_PROTOCOL_FROM_USER = "GIT_PROTOCOL_FROM_USER": "whether a person gave the address";

    HTTPS_PROXY_LOWER = "https_proxy": "the proxy for https";
    HTTPS_PROXY = "HTTPS_PROXY": "the same, if `https_proxy` is unset";
    HTTP_PROXY_LOWER = "http_proxy": "the proxy for http, in lower case only as curl has it";
    ALL_PROXY_LOWER = "all_proxy": "the proxy where no other is named";
    ALL_PROXY = "ALL_PROXY": "the same, if `all_proxy` is unset";
    NO_PROXY_LOWER = "no_proxy": "the hosts that are reached without a proxy";
    NO_PROXY = "NO_PROXY": "the same, if `no_proxy` is unset";
    SSL_CERT_FILE = "SSL_CERT_FILE": "the system's file of authorities, as OpenSSL has it";
    SSL_CERT_DIR = "SSL_CERT_DIR": "the system's directory of authorities, as OpenSSL has it";

    HOME = "HOME": "the user's directory";
    HOMEDRIVE = "HOMEDRIVE": "the same on Windows together with `HOMEPATH`, if HOME is unset, as git has it";
    HOMEPATH = "HOMEPATH": "see `HOMEDRIVE`";
    USERPROFILE = "USERPROFILE": "the same on Windows, if those are unset or name no directory";
    XDG_CONFIG_HOME = "XDG_CONFIG_HOME": "where the user's configuration is, instead of ~/.config";
    XDG_CACHE_HOME = "XDG_CACHE_HOME": "where the user's cache is, instead of ~/.cache";
    XDG_DATA_HOME = "XDG_DATA_HOME": "where the user's manual pages and completions are, instead of ~/.local/share";
    XDG_RUNTIME_DIR = "XDG_RUNTIME_DIR": "where the session's sockets are";
    DBUS_SESSION_BUS_ADDRESS = "DBUS_SESSION_BUS_ADDRESS": "where the session's message bus, and so the keychain, is";
    BROWSER = "BROWSER": "the browser that `login` opens the page with, where tokens are created";
    WSL_DISTRO_NAME = "WSL_DISTRO_NAME": "whether this Linux runs inside Windows, whose browser `login` then opens";
    DISPLAY = "DISPLAY": "whether there is an X11 desktop that can ask to unlock the keychain";
    WAYLAND_DISPLAY = "WAYLAND_DISPLAY": "the same for Wayland";
    SSH_CONNECTION = "SSH_CONNECTION": "whether the session came in over ssh, where no window of macOS can be seen and `login` opens no browser";
    SSH_TTY = "SSH_TTY": "the same for the browser";
    NO_COLOR = "NO_COLOR": "turns colour off, with any value that is not empty";
    CI = "CI": "whether nobody is there to answer";
    LANGUAGE = "LANGUAGE": "the user's languages, best first, for what the server writes";
    LC_ALL = "LC_ALL": "the locale, if LANGUAGE is unset";
    LC_MESSAGES = "LC_MESSAGES": "the locale, if `LC_ALL` is unset";
    LANG = "LANG": "the locale, if `LC_MESSAGES` is unset";
    PATH = "PATH": "where programs are; git puts its own first, which tells where its configuration is";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_variable_is_listed_once_and_says_what_it_does() {
        let names: HashSet<_> = ALL.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(
            ALL.iter()
                .all(|variable| !variable.meaning.is_empty() && !variable.meaning.ends_with('.'))
        );
    }
}
