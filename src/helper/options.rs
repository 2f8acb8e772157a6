//! The options that git sets before it fetches without `connect`, and what they are to `git fetch-pack`.
//!
//! Every option that `git-remote-https` knows is known here (`remote-curl.c`, `set_option`); those of a push have no
//! effect, because a push is always done by git itself over `connect`.

use crate::http::family::Family;

/// How an option was taken, in the words of `gitremote-helpers(7)`.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `ok`
    Set,
    /// `unsupported`
    Unsupported,
    /// `error <message>`
    Invalid(String),
}

/// The options as they are.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "git has that many switches")]
pub struct Options {
    verbosity: i64,
    progress: bool,
    depth: Option<String>,
    deepen_since: Option<String>,
    deepen_not: Vec<String>,
    deepen_relative: bool,
    follow_tags: bool,
    check_connectivity: bool,
    cloning: bool,
    update_shallow: bool,
    from_promisor: bool,
    refetch: bool,
    filter: Option<String>,
    /// Whether `list` begins with the object format.
    pub object_format: bool,
    /// The addresses to connect to.
    pub family: Family,
}

impl Default for Options {
    /// As `git-remote-https` has them before git has said anything.
    fn default() -> Self {
        Self {
            verbosity: 1,
            progress: true,
            depth: None,
            deepen_since: None,
            deepen_not: Vec::new(),
            deepen_relative: false,
            follow_tags: false,
            check_connectivity: false,
            cloning: false,
            update_shallow: false,
            from_promisor: false,
            refetch: false,
            filter: None,
            object_format: false,
            family: Family::Any,
        }
    }
}

impl Options {
    /// Sets option `name` to `value`.
    pub fn set(&mut self, name: &str, value: &[u8]) -> Outcome {
        let Ok(text) = std::str::from_utf8(value) else {
            return Outcome::Invalid(format!("the value of '{name}' is not UTF-8"));
        };
        let owned = || text.to_owned();
        match name {
            "verbosity" => return set_number(&mut self.verbosity, name, text),
            "progress" => return set_flag(&mut self.progress, name, text),
            "deepen-relative" => return set_flag(&mut self.deepen_relative, name, text),
            "followtags" => return set_flag(&mut self.follow_tags, name, text),
            "check-connectivity" => return set_flag(&mut self.check_connectivity, name, text),
            "cloning" => return set_flag(&mut self.cloning, name, text),
            "update-shallow" => return set_flag(&mut self.update_shallow, name, text),
            "depth" if text.parse::<u64>().is_err() => return invalid(name, text),
            "depth" => self.depth = Some(owned()),
            "deepen-since" => self.deepen_since = Some(owned()),
            "deepen-not" => self.deepen_not.push(owned()),
            "filter" => self.filter = Some(owned()),
            // Git sends "1" and "yes"; their presence is what counts.
            "from-promisor" => self.from_promisor = true,
            "refetch" => self.refetch = true,
            // "true" is all that git sends; a particular format would be for a helper that translates.
            "object-format" => self.object_format = true,
            "family" => return self.set_family(text),
            "cas" | "atomic" | "force-if-includes" | "pushcert" | "push-option" | "dry-run" => {}
            _ => return Outcome::Unsupported,
        }
        Outcome::Set
    }

    /// Returns how much git was told to say: 1 by default, 0 for nothing.
    pub fn verbosity(&self) -> i64 {
        self.verbosity
    }

    /// Whether git was told to be quiet.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == 0
    }

    fn set_family(&mut self, text: &str) -> Outcome {
        self.family = match text {
            "ipv4" => Family::V4,
            "ipv6" => Family::V6,
            "all" => Family::Any,
            _ => return invalid("family", text),
        };
        Outcome::Set
    }

    /// Returns the arguments of `git fetch-pack` for these options and `url`, in the order of `remote-curl.c`.
    pub fn fetch_pack(&self, url: &str) -> Vec<String> {
        let mut arguments: Vec<String> = ["fetch-pack", "--stateless-rpc", "--stdin", "--lock-pack"]
            .map(Into::into)
            .into();
        let mut add = |wanted: bool, argument: &str| {
            if wanted {
                arguments.push(argument.to_owned());
            }
        };
        add(self.follow_tags, "--include-tag");
        add(true, "--thin");
        add(self.verbosity >= 3, "-v");
        add(self.verbosity >= 3, "-v");
        add(self.check_connectivity, "--check-self-contained-and-connected");
        add(self.cloning, "--cloning");
        add(self.update_shallow, "--update-shallow");
        add(!self.progress, "--no-progress");
        if let Some(depth) = &self.depth {
            add(true, &format!("--depth={depth}"));
        }
        if let Some(since) = &self.deepen_since {
            add(true, &format!("--shallow-since={since}"));
        }
        for reference in &self.deepen_not {
            add(true, &format!("--shallow-exclude={reference}"));
        }
        add(self.deepen_relative && self.depth.is_some(), "--deepen-relative");
        add(self.from_promisor, "--from-promisor");
        add(self.refetch, "--refetch");
        if let Some(filter) = &self.filter {
            add(true, &format!("--filter={filter}"));
        }
        add(true, url);
        arguments
    }
}

fn invalid(name: &str, value: &str) -> Outcome {
    Outcome::Invalid(format!("'{}' is no value for '{name}'", value.escape_default()))
}

fn set_flag(flag: &mut bool, name: &str, value: &str) -> Outcome {
    match value {
        "true" => *flag = true,
        "false" => *flag = false,
        _ => return invalid(name, value),
    }
    Outcome::Set
}

fn set_number(number: &mut i64, name: &str, value: &str) -> Outcome {
    match value.parse() {
        Ok(value) => *number = value,
        Err(_) => return invalid(name, value),
    }
    Outcome::Set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_git_reaches_fetch_pack() {
        let mut options = Options::default();
        for (name, value) in [
            ("verbosity", "3"),
            ("progress", "false"),
            ("depth", "3"),
            ("deepen-since", "2020-01-01"),
            ("deepen-not", "refs/tags/a"),
            ("deepen-not", "refs/tags/b"),
            ("deepen-relative", "true"),
            ("followtags", "true"),
            ("check-connectivity", "true"),
            ("cloning", "true"),
            ("update-shallow", "true"),
            ("from-promisor", "1"),
            ("refetch", "yes"),
            ("filter", "blob:none"),
            ("object-format", "true"),
            ("family", "ipv4"),
            ("atomic", "true"),
        ] {
            assert_eq!(options.set(name, value.as_bytes()), Outcome::Set, "{name}");
        }
        assert_eq!(
            options.fetch_pack("https://x/y").join(" "),
            "fetch-pack --stateless-rpc --stdin --lock-pack --include-tag --thin -v -v \
             --check-self-contained-and-connected --cloning --update-shallow --no-progress --depth=3 \
             --shallow-since=2020-01-01 --shallow-exclude=refs/tags/a --shallow-exclude=refs/tags/b \
             --deepen-relative --from-promisor --refetch --filter=blob:none https://x/y"
        );
        assert!(options.object_format);
        assert_eq!(options.family, Family::V4);
    }

    #[test]
    fn what_is_unknown_is_unsupported_and_what_is_wrong_is_an_error() {
        let mut options = Options::default();
        assert_eq!(options.set("servpath", b"/x"), Outcome::Unsupported);
        for (name, value) in [
            ("depth", "x"),
            ("progress", "maybe"),
            ("family", "ipx"),
            ("verbosity", ""),
        ] {
            assert!(
                matches!(options.set(name, value.as_bytes()), Outcome::Invalid(_)),
                "{name}"
            );
        }
        assert_eq!(options, Options::default());
    }
}
