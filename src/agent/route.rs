//! The five requests that exist: a target is taken apart, put together again, and refused unless it is the same.
//!
//! Whatever a server could read as another name of a repository is so refused before any rule is asked. Does not depend
//! on rules or on HTTP.

use crate::address::{Address, BaseUrl};
use crate::bridge::service::Service;

/// The method of a request; there is no other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Of an advertisement.
    Get,
    /// Of a service itself.
    Post,
}

/// One of the five requests, of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The repository, without a user.
    pub address: Address,
    /// The service.
    pub service: Service,
    /// [`Method::Get`] for its advertisement.
    pub method: Method,
}

/// Why a target leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is of another server than the agent's.
    Elsewhere,
    /// It is below the agent's base URL, and not one of the five.
    Unknown,
}

/// The end of an advertisement's target.
const ADVERTISEMENT: &str = "/info/refs?service=";

impl Route {
    /// Returns the request that `method` and `target` (an absolute URL) are below `base`.
    pub fn parse(method: Method, target: &str, base: &BaseUrl) -> Result<Self, Fault> {
        let below = base.url().as_str().trim_end_matches('/');
        let path = target.strip_prefix(below).and_then(|path| path.strip_prefix('/'));
        let path = path.ok_or(Fault::Elsewhere)?;
        let services: &[_] = match method {
            Method::Get => &[Service::UploadPack, Service::ReceivePack],
            Method::Post => &[Service::UploadPack, Service::ReceivePack, Service::UploadArchive],
        };
        for service in services {
            let Some(place) = path.strip_suffix(&end(method, *service)) else {
                continue;
            };
            let address = Address::parse(place, base).map_err(|_| Fault::Unknown)?;
            let route = Self {
                address: address.without_user(),
                service: *service,
                method,
            };
            return if route.target(base) == target {
                Ok(route)
            } else {
                Err(Fault::Unknown)
            };
        }
        Err(Fault::Unknown)
    }

    /// Returns the URL of the request.
    pub fn target(&self, base: &BaseUrl) -> String {
        format!("{}{}", self.address.https_url(base), end(self.method, self.service))
    }
}

fn end(method: Method, service: Service) -> String {
    match method {
        Method::Get => format!("{ADVERTISEMENT}{}", service.name()),
        Method::Post => format!("/{}", service.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases() -> [BaseUrl; 3] {
        [
            "https://bitbucket.org",
            "http://localhost:8080",
            "https://proxy.example:8443/a/b",
        ]
        .map(|text| BaseUrl::parse(text).expect("a base URL"))
    }

    #[test]
    fn the_five_are_read_and_written() {
        for base in bases() {
            for place in [
                "acme/widgets.git",
                "Acme/wid_gets.x.git/wiki",
                "acme/%7B00000000-0000-4000-8000-00000000000a%7D.git",
            ] {
                for (method, end, service) in [
                    (Method::Get, "/info/refs?service=git-upload-pack", Service::UploadPack),
                    (Method::Get, "/info/refs?service=git-receive-pack", Service::ReceivePack),
                    (Method::Post, "/git-upload-pack", Service::UploadPack),
                    (Method::Post, "/git-receive-pack", Service::ReceivePack),
                    (Method::Post, "/git-upload-archive", Service::UploadArchive),
                ] {
                    let target = format!("{}/{place}{end}", base.url().as_str().trim_end_matches('/'));
                    let route = Route::parse(method, &target, &base).expect(&target);
                    assert_eq!((route.service, route.target(&base)), (service, target));
                }
            }
        }
    }

    #[test]
    fn nothing_else_exists() {
        let base = BaseUrl::default();
        for path in [
            "",
            "/",
            "/acme/widgets.git",
            "/acme/widgets.git/",
            "/acme/widgets.git/HEAD",
            "/acme/widgets.git/info/refs",
            "/acme/widgets.git/info/lfs/objects/batch",
            "/acme/widgets/info/refs?service=git-upload-pack",
            "/acme/widgets.git.git/info/refs?service=git-upload-pack",
            "/acme/widgets.GIT/info/refs?service=git-upload-pack",
            "/acme/widgets.git/info/refs?service=git-upload-archive",
            "/acme/widgets.git/info/refs?service=git-upload-pack&x=y",
            "/acme/widgets.git/info/refs?x=y&service=git-upload-pack",
            "/acme/widgets.git/info/refs?service=git-upload-pack#x",
            "/acme/widgets.git/info/refs?service=git%2Dupload-pack",
            "/acme//widgets.git/info/refs?service=git-upload-pack",
            "//acme/widgets.git/info/refs?service=git-upload-pack",
            "/acme/./widgets.git/info/refs?service=git-upload-pack",
            "/x/../acme/widgets.git/info/refs?service=git-upload-pack",
            "/acme/%77idgets.git/info/refs?service=git-upload-pack",
            "/acme/widgets%2Egit/info/refs?service=git-upload-pack",
            "/acme%2Fwidgets.git/info/refs?service=git-upload-pack",
            "/acme\\widgets.git/info/refs?service=git-upload-pack",
            "/acme/widgets.git/wiki/info/refs?service=git-upload-pack/",
            "/acme/widgets.git/wiki//info/refs?service=git-upload-pack",
            "/acme/widgets.git/Wiki/info/refs?service=git-upload-pack",
            "/acme/widgets.git/wiki.git/info/refs?service=git-upload-pack",
            "/acme/{00000000-0000-4000-8000-00000000000a}.git/info/refs?service=git-upload-pack",
            "/acme/%7b00000000-0000-4000-8000-00000000000a%7d.git/info/refs?service=git-upload-pack",
            "/mia@acme/widgets.git/info/refs?service=git-upload-pack",
            "/mia:secret@acme/widgets.git/info/refs?service=git-upload-pack",
            "/https://bitbucket.org/acme/widgets.git/info/refs?service=git-upload-pack",
            "/git@bitbucket.org:acme/widgets.git/info/refs?service=git-upload-pack",
            "/bbcloud::acme/widgets.git/info/refs?service=git-upload-pack",
            "/acme/widgets.git/info/refs?service=git-upload-pack ",
            "/acme/widgets.git /info/refs?service=git-upload-pack",
            "/acme/wid\u{f6}gets.git/info/refs?service=git-upload-pack",
        ] {
            let target = format!("https://bitbucket.org{path}");
            for method in [Method::Get, Method::Post] {
                assert!(Route::parse(method, &target, &base).is_err(), "{method:?} {target}");
            }
        }
        let good = "https://bitbucket.org/acme/widgets.git/git-upload-pack";
        assert_eq!(Route::parse(Method::Get, good, &base), Err(Fault::Unknown));
    }

    #[test]
    fn another_server_is_told_apart() {
        let end = "/acme/widgets.git/info/refs?service=git-upload-pack";
        for start in [
            "",
            "https://bitbucket.org.evil.example",
            "https://bitbucket.orgx",
            "https://evil.example",
            "http://bitbucket.org",
            "HTTPS://bitbucket.org",
            "https://BITBUCKET.org",
            "https://bitbucket.org:443",
            "https://mia@bitbucket.org",
            "https:/bitbucket.org",
        ] {
            let target = format!("{start}{end}");
            assert_eq!(
                Route::parse(Method::Get, &target, &BaseUrl::default()),
                Err(Fault::Elsewhere),
                "{target}"
            );
        }
        let deeper = BaseUrl::parse("https://proxy.example/a").expect("a base URL");
        for start in ["https://proxy.example", "https://proxy.example/ab"] {
            let target = format!("{start}{end}");
            assert_eq!(
                Route::parse(Method::Get, &target, &deeper),
                Err(Fault::Elsewhere),
                "{target}"
            );
        }
    }
}
