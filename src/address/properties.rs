//! What holds for every address, whoever wrote it.

use proptest::prelude::*;

use super::{Address, BaseUrl};

const CANARY: &str = "hunter2canary";

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_.-]{1,40}",
        "\\{[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\}",
    ]
    .prop_filter("a name", |name| {
        name != "." && name != ".." && !name.to_ascii_lowercase().ends_with(".git")
    })
}

/// Addresses as they should be, in several dresses.
fn written() -> impl Strategy<Value = String> {
    let before = prop_oneof![
        Just(String::new()),
        Just("bbcloud::".to_owned()),
        Just("bbcloud://".to_owned()),
        "[a-z%@.]{1,9}@",
        "bbcloud::[a-z]{1,9}:[!-.0-~]{0,12}@",
        "https://([a-z]{1,9}(:[a-z]{1,9})?@)?bitbucket\\.org/",
        Just("git@bitbucket.org:".to_owned()),
        Just("ssh://git@bitbucket.org/".to_owned()),
    ];
    let after = prop_oneof![Just(""), Just("/"), Just(".git"), Just("/wiki"), Just(".git/wiki/")];
    (before, name(), name(), after).prop_map(|(before, ws, repo, after)| format!("{before}{ws}/{repo}{after}"))
}

/// Anything, and what is nearly an address.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        "(bbcloud::|bbcloud://|https://|http://|ssh://|git@)?[a-z:/@.%?#{}\\[\\]\\\\ 0-9-]{0,40}",
        "(https://|ssh://)?([a-z:@%]{0,6}@)?bitbucket\\.org[:/][a-z/.%{}@?#]{0,30}",
        written(),
    ]
}

fn bases() -> impl Strategy<Value = BaseUrl> {
    prop_oneof![
        Just(BaseUrl::DEFAULT),
        Just("http://mia@localhost:8080"),
        Just("https://proxy.example:8443/a/b/"),
        Just("https://[2001:db8::1]/bb"),
    ]
    .prop_map(|text| BaseUrl::parse(text).expect("the base URL is right"))
}

fn segments(url: &url::Url) -> Vec<&str> {
    url.path_segments()
        .into_iter()
        .flatten()
        .filter(|segment| !segment.is_empty())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_every_failure_is_one_short_line(text in anything(), base in bases()) {
        if let Err(failure) = Address::parse(&text, &base) {
            prop_assert!(!failure.message().chars().any(char::is_control));
            prop_assert!(failure.message().len() < 2000);
            prop_assert!(!failure.hints().is_empty());
        }
        BaseUrl::parse(&text).ok();
    }

    #[test]
    fn what_is_shown_is_parsed_to_the_same(text in written()) {
        let base = BaseUrl::default();
        if let Ok(address) = Address::parse(&text, &base) {
            let shown = Address::parse(&address.to_string(), &base).expect("what is shown is an address");
            prop_assert_eq!(shown.to_string(), address.to_string());
            prop_assert_eq!(shown.is_wiki(), address.is_wiki());
            prop_assert_eq!((shown.username(), shown.secret()), (None, None));
            let again = Address::parse(&address.bbcloud(), &base).expect("what is written is an address");
            prop_assert_eq!(again.username(), address.username());
            prop_assert_eq!(again.secret(), None);
            prop_assert_eq!(again.to_string(), address.to_string());
        }
    }

    #[test]
    fn good_names_are_taken(workspace in name(), repository in name(), wiki in any::<bool>()) {
        let text = format!("{workspace}/{repository}{}", if wiki { "/wiki" } else { "" });
        let address = Address::parse(&text, &BaseUrl::default()).expect("good names");
        prop_assert_eq!((address.workspace(), address.repository()), (&*workspace, &*repository));
        prop_assert_eq!(address.is_wiki(), wiki);
    }

    #[test]
    fn no_name_shapes_the_url(text in anything(), base in bases()) {
        if let Ok(address) = Address::parse(&text, &base) {
            let url = address.https_url(&base);
            prop_assert_eq!(url.scheme(), base.url().scheme());
            prop_assert_eq!(url.host(), base.url().host());
            prop_assert_eq!(url.port(), base.url().port());
            prop_assert_eq!((url.username(), url.password()), ("", None));
            prop_assert_eq!((url.query(), url.fragment()), (None, None));
            prop_assert!(url.path().starts_with(base.url().path()));
            prop_assert!(!url.path().ends_with('/'));
            let added = 2 + usize::from(address.is_wiki());
            prop_assert_eq!(segments(&url).len(), segments(base.url()).len() + added);
            prop_assert_eq!(segments(&address.lfs_url(&base)).len(), segments(&url).len() + 2);
            prop_assert_eq!(&url::Url::parse(url.as_str()), &Ok(url.clone()));
        }
    }

    #[test]
    fn a_secret_is_never_shown(
        before in "(bbcloud::)?(https://|http://|ssh://|bbcloud://|)",
        head in "[!-~]{0,8}",
        tail in "[!-~]{0,8}",
        place in prop_oneof![
            Just("acme/widgets".to_owned()),
            Just("bitbucket.org/acme/widgets".to_owned()),
            Just("bitbucket.org/acme/widgets/src".to_owned()),
            "[!-~]{0,20}",
        ],
        base in bases(),
    ) {
        let text = format!("{before}mia:{head}{CANARY}{tail}@{place}");
        match Address::parse(&text, &base) {
            Ok(address) => {
                let shown = format!("{address:?} {address} {} {} {}", address.bbcloud(), address.https_url(&base), address.scope());
                prop_assert!(!shown.contains(CANARY), "{} {}", text, shown);
            }
            Err(failure) => prop_assert!(!format!("{failure:?}").contains(CANARY), "{} {:?}", text, failure),
        }
        if let Err(failure) = BaseUrl::parse(&text) {
            prop_assert!(!format!("{failure:?}").contains(CANARY), "{} {:?}", text, failure);
        }
    }
}
