//! Where git-lfs should find the large files of one remote: decided from values alone, without files.

use url::Url;

use super::Locate;
use crate::git::rewriting::Route;

/// When the question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment<'a> {
    /// Git is about to push to this address, and to no other.
    Pushing(&'a str),
    /// Such a push is over.
    Pushed,
    /// Any other time; another process may be pushing.
    Between,
}

/// What the configuration says about a remote's large files now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// `lfsurl` has a value of the user's own.
    pub own_download: bool,
    /// `lfspushurl` has one.
    pub own_upload: bool,
    /// The marked `lfsurl`.
    pub download: Option<String>,
    /// The marked `lfspushurl`.
    pub upload: Option<String>,
}

/// The marked values that a remote should have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// `lfsurl`; `None` where git-lfs finds the place without it.
    pub download: Option<String>,
    /// `lfspushurl`; `None` where git-lfs finds the place without it.
    pub upload: Option<String>,
    /// The upload goes to another server than ours.
    pub foreign: bool,
}

impl Endpoints {
    /// Returns what a remote needs that git fetches from and pushes to by `route`.
    pub fn of(route: &Route, found: &Found, moment: Moment<'_>, locate: Locate<'_>) -> Self {
        // The user's own `lfsurl` is for uploads, too, if there is no `lfspushurl`.
        if found.own_download {
            return Self::default();
        }
        let download = route.fetch.as_deref().and_then(locate);
        let upload = if found.own_upload {
            None
        } else {
            upload(route, found, download.as_deref(), moment, locate)
        };
        let foreign = upload.as_ref().is_some_and(|upload| {
            let mut pushes = route.pushes.iter();
            let is_target = matches!(moment, Moment::Pushing(address) if locate(address).as_ref() == Some(upload));
            !is_target && !pushes.any(|address| locate(address).as_ref() == Some(upload))
        });
        Self {
            download,
            upload,
            foreign,
        }
    }

    /// Returns both, as far as they are there.
    pub fn each(&self) -> impl Iterator<Item = &String> {
        self.download.iter().chain(&self.upload)
    }
}

fn upload(
    route: &Route,
    found: &Found,
    download: Option<&str>,
    moment: Moment<'_>,
    locate: Locate<'_>,
) -> Option<String> {
    let ours = |address: &&String| locate(address).is_some();
    // Without an `lfsurl`, git-lfs follows a push URL that it knows.
    if download.is_none() && !route.pushes.iter().any(|address| ours(&address)) && !matches!(moment, Moment::Pushing(_))
    {
        return None;
    }
    let places = route.pushes.iter().map(|address| place(address, locate));
    let wanted = match moment {
        Moment::Pushing(address) => place(address, locate),
        Moment::Pushed => places.last()?,
        // Of several push URLs the one that is in use stays.
        Moment::Between => {
            let now = found.upload.as_deref().or(found.download.as_deref());
            let places: Vec<String> = places.collect();
            let kept = places.iter().find(|place| Some(place.as_str()) == now);
            kept.or(places.last())?.clone()
        }
    };
    (Some(wanted.as_str()) != download).then_some(wanted)
}

/// Returns the URL of the large files at `address`, and for addresses of others what git-lfs makes of them itself.
fn place(address: &str, locate: Locate<'_>) -> String {
    if let Some(url) = locate(address) {
        return url;
    }
    let Some(mut url) = Url::parse(address)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
    else {
        return address.to_owned();
    };
    // No secret is written a second time: git-lfs then asks for it as git does.
    url.set_password(None).ok();
    let text = url.as_str().trim_end_matches('/');
    let end = if text.strip_suffix(".git").is_some() {
        ""
    } else {
        ".git"
    };
    format!("{text}{end}/info/lfs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locate(address: &str) -> Option<String> {
        let name = address.strip_prefix("bbcloud::")?;
        Some(format!("https://bb/{name}.git/info/lfs"))
    }

    fn route(fetch: &str, pushes: &[&str]) -> Route {
        Route {
            fetch: Some(fetch.to_owned()),
            pushes: pushes.iter().map(|&push| push.to_owned()).collect(),
        }
    }

    fn of(route: &Route, found: &Found, moment: Moment<'_>) -> (Option<String>, Option<String>) {
        let endpoints = Endpoints::of(route, found, moment, &locate);
        (endpoints.download, endpoints.upload)
    }

    const APP: &str = "https://bb/ws/app.git/info/lfs";
    const LIB: &str = "https://bb/ws/lib.git/info/lfs";

    #[test]
    fn large_files_go_where_the_commits_go() {
        let none = Found::default();
        let (app, lib) = (Some(APP.to_owned()), Some(LIB.to_owned()));
        let hub = Some("https://hub/a/b.git/info/lfs".to_owned());
        for (fetch, pushes, expected) in [
            ("bbcloud::ws/app", &["bbcloud::ws/app"][..], (app.clone(), None)),
            ("bbcloud::ws/app", &["bbcloud::ws/lib"], (app.clone(), lib.clone())),
            (
                "bbcloud::ws/app",
                &["bbcloud::ws/app", "bbcloud::ws/lib"],
                (app.clone(), lib.clone()),
            ),
            (
                "bbcloud::ws/app",
                &["https://me:secret@hub/a/b"],
                (app.clone(), Some("https://me@hub/a/b.git/info/lfs".to_owned())),
            ),
            ("bbcloud::ws/app", &["https://hub/a/b.git/"], (app.clone(), hub)),
            (
                "bbcloud::ws/app",
                &["git@hub:a/b"],
                (app.clone(), Some("git@hub:a/b".to_owned())),
            ),
            ("https://hub/a/b", &["https://hub/a/b"], (None, None)),
            ("https://hub/a/b", &["bbcloud::ws/lib"], (None, lib.clone())),
        ] {
            assert_eq!(
                of(&route(fetch, pushes), &none, Moment::Between),
                expected,
                "{fetch} {pushes:?}"
            );
        }
    }

    #[test]
    fn each_of_two_push_urls_gets_its_own_push() {
        let both = route("bbcloud::ws/app", &["bbcloud::ws/app", "bbcloud::ws/lib"]);
        let none = Found::default();
        let (app, lib) = (Some(APP.to_owned()), Some(LIB.to_owned()));
        assert_eq!(
            of(&both, &none, Moment::Pushing("bbcloud::ws/app")),
            (app.clone(), None)
        );
        assert_eq!(
            of(&both, &none, Moment::Pushing("bbcloud::ws/lib")),
            (app.clone(), lib.clone())
        );
        assert_eq!(of(&both, &none, Moment::Pushed), (app.clone(), lib));
    }

    #[test]
    fn a_fetch_does_not_turn_the_upload_of_a_running_push() {
        let both = route("bbcloud::ws/x", &["bbcloud::ws/app", "bbcloud::ws/lib"]);
        let found = Found {
            upload: Some(APP.to_owned()),
            ..Found::default()
        };
        assert_eq!(of(&both, &found, Moment::Between).1.as_deref(), Some(APP));
        let stale = Found {
            upload: Some("https://bb/ws/old.git/info/lfs".to_owned()),
            ..Found::default()
        };
        assert_eq!(of(&both, &stale, Moment::Between).1.as_deref(), Some(LIB));
    }

    #[test]
    fn values_of_the_users_own_stay_in_charge() {
        let two = route("bbcloud::ws/app", &["bbcloud::ws/lib"]);
        let download = Found {
            own_download: true,
            ..Found::default()
        };
        assert_eq!(of(&two, &download, Moment::Pushing("bbcloud::ws/lib")), (None, None));
        let upload = Found {
            own_upload: true,
            ..Found::default()
        };
        assert_eq!(of(&two, &upload, Moment::Between), (Some(APP.to_owned()), None));
    }
}
