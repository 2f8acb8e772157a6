//! `url.<base>.insteadOf` and `pushInsteadOf`: which address git uses for what a remote says (git-config(1)).
//!
//! Does not depend on what an address means.

use super::config::{Config, Remote};

/// The addresses that git uses for a remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Where git fetches from; `None` for a remote without a URL.
    pub fetch: Option<String>,
    /// Where git pushes to, one after the other.
    pub pushes: Vec<String>,
}

impl Config {
    /// Returns the `<base>` that replaces the beginning of `url`, if an `insteadOf` does.
    pub fn rewriting(&self, url: &str) -> Option<String> {
        longest(&self.by_subsection("url", "insteadOf"), url).map(|(base, _)| base)
    }

    /// Returns `url` as git uses it to fetch.
    pub fn rewritten(&self, url: &str) -> String {
        replaced(&self.by_subsection("url", "insteadOf"), url).unwrap_or_else(|| url.to_owned())
    }

    /// Returns the `<base>` that replaces the beginning of `url` in a push, if a `pushInsteadOf` does.
    pub fn rewriting_for_push(&self, url: &str) -> Option<String> {
        longest(&self.by_subsection("url", "pushInsteadOf"), url).map(|(base, _)| base)
    }

    /// Returns the addresses that git uses for `remote`.
    pub fn route(&self, remote: &Remote) -> Route {
        let rewritten = |urls: &[String]| urls.iter().map(|url| self.rewritten(url)).collect::<Vec<_>>();
        let fetches = rewritten(&remote.urls);
        let pushes = if remote.push_urls.is_empty() {
            self.without_push_url(&remote.urls, &fetches)
        } else {
            rewritten(&remote.push_urls)
        };
        Route {
            fetch: fetches.into_iter().next(),
            pushes,
        }
    }

    /// Where any of `urls` has a `pushInsteadOf`, git pushes to these alone; else to where it fetches from.
    fn without_push_url(&self, urls: &[String], fetches: &[String]) -> Vec<String> {
        let rules = self.by_subsection("url", "pushInsteadOf");
        let aliases: Vec<String> = urls.iter().filter_map(|url| replaced(&rules, url)).collect();
        if aliases.is_empty() { fetches.to_vec() } else { aliases }
    }
}

/// Returns the rule for `url` as its base and its beginning: the longest, and of several as long the first.
fn longest(rules: &[(String, String)], url: &str) -> Option<(String, usize)> {
    let matching = rules.iter().filter(|(_, start)| url.starts_with(start.as_str()));
    let best = matching.reduce(|best, rule| if rule.1.len() > best.1.len() { rule } else { best });
    best.map(|(base, start)| (base.clone(), start.len()))
}

fn replaced(rules: &[(String, String)], url: &str) -> Option<String> {
    let (base, length) = longest(rules, url)?;
    Some(base + url.get(length..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn config(text: &str) -> (tempfile::TempDir, Config) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("config");
        std::fs::write(&path, text).expect("written");
        let environment = Environment::from_pairs([
            ("GIT_CONFIG_NOSYSTEM", "1".as_ref()),
            ("GIT_CONFIG_GLOBAL", path.as_os_str()),
        ]);
        let config = Config::load(&environment).expect("sound");
        (directory, config)
    }

    fn route(text: &str) -> Route {
        let (_directory, config) = config(text);
        let remotes = config.remotes();
        config.route(remotes.first().expect("a remote"))
    }

    #[test]
    fn the_longest_rule_wins_and_then_the_first() {
        let (_directory, config) = config(
            "[url \"one:\"]\n\tinsteadOf = h/\n[url \"two:\"]\n\tinsteadOf = h/\n\tinsteadOf = h/a/\n[url \"p:\"]\n\tpushInsteadOf = h/\n",
        );
        assert_eq!(config.rewritten("h/x"), "one:x");
        assert_eq!(config.rewritten("h/a/x"), "two:x");
        assert_eq!(config.rewritten("other"), "other");
        assert_eq!(config.rewriting_for_push("h/x").as_deref(), Some("p:"));
    }

    #[test]
    fn git_fetches_from_the_first_url_and_pushes_to_all() {
        let both = route("[remote \"o\"]\n\turl = a\n\turl = b\n");
        assert_eq!(both.fetch.as_deref(), Some("a"));
        assert_eq!(both.pushes, ["a", "b"]);
        let pushed = route("[remote \"o\"]\n\turl = h/a\n\tpushurl = h/b\n[url \"p:\"]\n\tpushInsteadOf = h/\n");
        assert_eq!(pushed.pushes, ["h/b"], "a push URL is not for pushInsteadOf");
        let alias = route("[remote \"o\"]\n\turl = h/a\n\turl = x\n[url \"p:\"]\n\tpushInsteadOf = h/\n");
        assert_eq!(alias.pushes, ["p:a"]);
        assert_eq!(alias.fetch.as_deref(), Some("h/a"));
    }
}
