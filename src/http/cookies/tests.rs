//! Cookies from files and servers.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn sent(jar: &Jar, to: &str) -> String {
    jar.line(&url(to))
        .map(|line| line.as_str().to_owned())
        .unwrap_or_default()
}

fn answer(values: &[&str]) -> AnswerHead {
    let headers = values
        .iter()
        .map(|value| ("set-cookie".to_owned(), value.as_bytes().to_vec()));
    AnswerHead {
        status: 200,
        headers: headers.collect(),
        ..AnswerHead::default()
    }
}

#[test]
fn a_file_is_read_in_both_formats() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cookies");
    let lines = "# Netscape HTTP Cookie File\n\
        example.com\tFALSE\t/\tFALSE\t0\ta\t1\n\
        .example.com\tTRUE\t/team\tTRUE\t0\tb\t2\n\
        #HttpOnly_example.com\tFALSE\t/\tFALSE\t4102444800\tc\t3\n\
        example.com\tFALSE\t/\tFALSE\t5\told\tx\n\
        Set-Cookie: d=4; domain=example.com\n\
        Set-Cookie: e=5\n\
        broken line\n";
    fs::write(&file, lines).unwrap();
    let jar = Jar::open(&file, false, "git.example.com");
    assert_eq!(sent(&jar, "https://example.com/team/x"), "Cookie: b=2; a=1; c=3; d=4");
    assert_eq!(sent(&jar, "http://sub.example.com/team"), "Cookie: d=4");
    assert_eq!(sent(&jar, "https://sub.example.com/teams"), "Cookie: d=4");
    assert_eq!(sent(&jar, "https://notexample.com/"), "");
    assert_eq!(sent(&jar, "https://git.example.com/"), "Cookie: d=4; e=5");
}

#[test]
fn what_a_server_sets_is_sent_and_saved_for_the_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cookies");
    let mut jar = Jar::open(&file, true, "git.example.com");
    let from = url("https://git.example.com/acme/widgets.git/info/refs");
    jar.learn(
        &from,
        &answer(&[
            "session=abc; Path=/; HttpOnly; Secure; Max-Age=100",
            "gone=1; Max-Age=0",
            "evil=1; Domain=com",
            "everybody=1; Domain=co.uk",
            "other=1; Domain=bitbucket.org",
            "wide=1; Domain=.example.com; Path=/; Expires=Wed, 01-Jan-2098 00:00:00 GMT",
        ]),
    );
    assert_eq!(sent(&jar, from.as_str()), "Cookie: session=abc; wide=1");
    drop(jar);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("#HttpOnly_git.example.com\tFALSE\t/\tTRUE\t"), "{text}");
    assert!(
        text.contains(".example.com\tTRUE\t/\tFALSE\t4039372800\twide\t1\n"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(
        sent(&Jar::open(&file, false, "git.example.com"), from.as_str()),
        "Cookie: session=abc; wide=1"
    );
}

#[test]
fn a_cookie_cannot_bring_a_header_along() {
    assert!(set_cookie("a=b\r\nX: y", "", None).is_none());
    assert!(netscape("x\tTRUE\t/\tFALSE\t0\ta\u{7f}\tb").is_none());
}

#[test]
fn a_request_carries_no_more_than_curl_lets_it() {
    let url = Url::parse("https://host/x").unwrap();
    let mut jar = Jar::open(Path::new(""), false, "git.example.com");
    for number in 0..2000 {
        let value = "v".repeat(3000 + number);
        let headers = vec![("set-cookie".to_owned(), format!("c{number}={value}").into_bytes())];
        let head = AnswerHead {
            status: 200,
            headers,
            ..AnswerHead::default()
        };
        jar.learn(&url, &head);
    }
    let line = jar.line(&url).unwrap();
    assert!(
        line.len() > 3000 && line.len() <= MAX_LINE + "Cookie: ".len(),
        "{}",
        line.len()
    );
    assert!(jar.cookies.iter().all(|cookie| cookie.value.len() <= MAX_COOKIE));
    let mut many = Jar::open(Path::new(""), false, "git.example.com");
    for number in 0..400 {
        let headers = vec![("set-cookie".to_owned(), format!("c{number}=1").into_bytes())];
        let head = AnswerHead {
            status: 200,
            headers,
            ..AnswerHead::default()
        };
        many.learn(&url, &head);
    }
    assert_eq!(many.line(&url).unwrap().matches('=').count(), MAX_SENT);
}

/// A jar that has something to save, for `file`.
#[cfg(unix)]
fn changed(file: &Path) -> Jar {
    let mut jar = Jar::open(file, true, "git.example.com");
    jar.learn(&url("https://git.example.com/"), &answer(&["a=b; Path=/"]));
    jar
}

#[cfg(unix)]
#[test]
fn only_a_file_is_replaced_and_a_link_stays_one() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let socket = std::os::unix::net::UnixListener::bind(place("socket")).unwrap();
    std::os::unix::fs::symlink("target", place("link")).unwrap();
    std::os::unix::fs::symlink("socket", place("device")).unwrap();
    for name in ["socket", "device", "link"] {
        drop(changed(&place(name)));
    }
    let kind = |name: &str| fs::symlink_metadata(place(name)).unwrap().file_type();
    assert!(!kind("socket").is_file() && kind("device").is_symlink() && kind("link").is_symlink());
    assert!(fs::read_to_string(place("target")).unwrap().contains("\ta\tb\n"));
    drop(socket);
}

#[cfg(unix)]
#[test]
fn of_a_file_without_an_end_only_the_bound_is_read() {
    let began = std::time::Instant::now();
    assert_eq!(Jar::open(Path::new("/dev/zero"), true, "git.example.com").file, None);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cookies");
    let bound = usize::try_from(MAX_FILE).unwrap();
    fs::write(&file, "#\n".repeat(bound)).unwrap();
    drop(changed(&file));
    assert_eq!(
        file.metadata().unwrap().len(),
        2 * MAX_FILE,
        "what was not read is still there"
    );
    assert!(began.elapsed() < Duration::from_secs(20));
}
