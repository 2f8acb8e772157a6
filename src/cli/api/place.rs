//! Where the API is, what a path below it means, and whose secret that needs.

use url::Url;

use super::super::scene::Scene;
use crate::address::{Address, BaseUrl};
use crate::credential::account::Scope;
use crate::environment::variable::BBCLOUD_API_URL;
use crate::report::{Failure, Kind};

/// Bitbucket Cloud's own.
const DEFAULT: &str = "https://api.bitbucket.org/2.0";

/// Returns where the API is: `BBCLOUD_API_URL`, then `bbcloud.apiUrl`, which a repository's own configuration cannot
/// set, because it decides where secrets go. Whoever names it says that it may have the secrets of the base URL; where
/// only the base URL is another one, nobody has said so, and Bitbucket's own API must not see those secrets.
pub(super) fn api_url(scene: &Scene<'_>) -> Result<BaseUrl, Failure> {
    let given = scene
        .environment
        .text(&BBCLOUD_API_URL)
        .filter(|text| !text.is_empty())
        .map(str::to_owned);
    match given.or_else(|| scene.config.trusted().text("bbcloud.apiUrl")) {
        Some(text) => BaseUrl::parse(&text),
        None if scene.base.is_bitbucket_org() => BaseUrl::parse(DEFAULT),
        None => Err(Failure::new(
            Kind::Usage,
            format!("it is not known where the REST API of '{}' is", scene.base.host()),
        )
        .hint("set BBCLOUD_API_URL, or run 'git config --global bbcloud.apiUrl https://<host>/2.0'")),
    }
}

/// Returns the URL of `path`, with `{workspace}` and `{repo}` replaced.
pub(super) fn url(path: &str, base: &BaseUrl, here: Option<&Address>) -> Result<Url, Failure> {
    if !path.starts_with('/') {
        return Err(
            Failure::new(Kind::Usage, format!("the path '{path}' does not begin with a slash"))
                .hint(format!("use '/{path}'")),
        );
    }
    let mut text = path.to_owned();
    if text.contains("{workspace}") || text.contains("{repo}") {
        let here = here.ok_or_else(|| {
            Failure::new(
                Kind::Usage,
                "there is no 'bbcloud::' remote here to fill '{workspace}' and '{repo}' in from",
            )
            .hint("name them, or go to a repository that has one: 'git remote -v' shows it")
        })?;
        text = text.replace("{workspace}", here.workspace());
        text = text.replace("{repo}", here.repository());
    }
    let whole = format!("{}{text}", base.url().as_str().trim_end_matches('/'));
    let url = Url::parse(&whole).ok().filter(|url| is_below(url, base));
    url.ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            format!("'{path}' leads out of the API at '{}'", base.url()),
        )
        .hint("give a path as in the API's documentation, such as '/user'")
    })
}

/// Whether `url` is of the API: its scheme, host, port and the beginning of its path.
pub(super) fn is_below(url: &Url, base: &BaseUrl) -> bool {
    let base = base.url();
    let prefix = base.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(prefix);
    url.origin() == base.origin()
        && rest.is_some_and(|rest| rest.starts_with('/'))
        && url.username().is_empty()
        && url.password().is_none()
}

/// Returns what `url` is about: a repository, a workspace, or anything.
pub(super) fn scope(url: &Url, api: &BaseUrl, base: &BaseUrl) -> Scope {
    let prefix = api.url().path().trim_end_matches('/');
    let path = url.path().strip_prefix(prefix).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let text = match parts.as_slice() {
        ["repositories", workspace, repository, ..] => format!("{workspace}/{repository}"),
        ["repositories" | "workspaces", workspace, ..] => (*workspace).to_owned(),
        _ => String::new(),
    };
    let text = text.replace("%7B", "{").replace("%7D", "}");
    Scope::parse(&text, base).unwrap_or_else(|_| Scope::host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(path: &str) -> Result<String, Failure> {
        let base = BaseUrl::parse(DEFAULT).expect("the default");
        let here = Address::parse("acme/widgets", &BaseUrl::default()).expect("an address");
        url(path, &base, Some(&here)).map(String::from)
    }

    #[test]
    fn a_path_is_below_the_api_and_nowhere_else() {
        for (path, expected) in [
            ("/user", "/user"),
            (
                "/repositories/{workspace}/{repo}/src?q={x}",
                "/repositories/acme/widgets/src?q={x}",
            ),
            ("/repositories/{a-uuid}", "/repositories/%7Ba-uuid%7D"),
            ("//evil.example/x", "//evil.example/x"),
            ("/@evil.example/", "/@evil.example/"),
        ] {
            assert_eq!(below(path).expect(path), format!("{DEFAULT}{expected}"));
        }
        for path in ["user", "/../1.0/user", "/%2e%2e/x", "https://evil.example/"] {
            assert!(below(path).is_err(), "{path}");
        }
    }

    #[test]
    fn the_next_page_is_of_the_same_api() {
        let base = BaseUrl::parse(DEFAULT).expect("the default");
        let is = |text: &str| is_below(&Url::parse(text).expect("a URL"), &base);
        assert!(is("https://api.bitbucket.org/2.0/x?page=2"));
        for other in [
            "http://api.bitbucket.org/2.0/x",
            "https://api.bitbucket.org:444/2.0/x",
            "https://api.bitbucket.org.evil.example/2.0/x",
            "https://api.bitbucket.org/2.01/x",
            "https://me:pw@api.bitbucket.org/2.0/x",
        ] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn the_path_says_whose_secret_is_wanted() {
        let (api, base) = (BaseUrl::parse(DEFAULT).expect("the default"), BaseUrl::default());
        for (path, expected) in [
            ("/user", ""),
            ("/repositories/acme", "acme"),
            ("/repositories/acme/widgets/commits", "acme/widgets"),
            ("/workspaces/acme/members", "acme"),
            ("/repositories/ac%20me/widgets", ""),
        ] {
            let url = url(path, &api, None).expect("a URL");
            assert_eq!(scope(&url, &api, &base).text(), expected, "{path}");
        }
    }
}
