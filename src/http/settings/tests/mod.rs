//! Settings as git has them, from configuration and variables alone.

use proptest::prelude::*;

use super::*;

mod proxies;

const ADDRESS: &str = "https://bitbucket.org/acme/widgets.git";

/// Reads settings for `ADDRESS` from `key=value` configuration and `NAME=value` variables.
fn read(config: &[&str], variables: &[&str]) -> Result<Settings, Failure> {
    let mut pairs: Vec<(String, String)> = vec![("GIT_CONFIG_COUNT".to_owned(), config.len().to_string())];
    for (n, text) in config.iter().enumerate() {
        let (key, value) = text.split_once('=').expect("a value");
        pairs.push((format!("GIT_CONFIG_KEY_{n}"), key.to_owned()));
        pairs.push((format!("GIT_CONFIG_VALUE_{n}"), value.to_owned()));
    }
    pairs.push(("HOME".to_owned(), "/home/nobody/here".to_owned()));
    for text in variables {
        let (name, value) = text.split_once('=').expect("a value");
        pairs.push((name.to_owned(), value.to_owned()));
    }
    let environment = Environment::from_pairs(pairs);
    let config = Config::load(&environment)?;
    Settings::read(&Url::parse(ADDRESS).expect("a URL"), "origin", &config, &environment)
}

fn good(config: &[&str], variables: &[&str]) -> Settings {
    read(config, variables).expect("settings")
}

#[test]
fn nothing_set_is_gits_default() {
    let settings = good(&[], &[]);
    assert!(settings.tls.verify);
    assert_eq!(settings.tls.min_version, TlsVersion::Tls12);
    assert_eq!((&settings.tls.ca_file, &settings.tls.ca_path), (&None, &None));
    assert!(settings.proxy.is_none());
    assert!(settings.extra_headers.is_empty() && settings.warnings.is_empty() && settings.ignored.is_empty());
    assert_eq!(settings.post_buffer, 1_048_320);
    assert_eq!(settings.follow_redirects, FollowRedirects::Initial);
    assert_eq!(
        settings.redirect_protocols,
        Protocols {
            http: true,
            https: true
        }
    );
    assert_eq!(settings.retries, Retries::default());
    assert!(
        settings.user_agent.starts_with("git/git-remote-bbcloud-"),
        "{}",
        settings.user_agent
    );
}

#[test]
fn trust_is_gits_then_the_systems() {
    let files = |config: &[&str], variables: &[&str]| {
        let tls = good(config, variables).tls;
        [tls.ca_file, tls.ca_path].map(|path| path.map(|path| path.display().to_string()).unwrap_or_default())
    };
    assert_eq!(
        files(&["http.sslCAInfo=~/ca"], &["SSL_CERT_FILE=/s"]),
        ["/home/nobody/here/ca", ""]
    );
    assert_eq!(
        files(&["http.sslCAInfo=/c"], &["GIT_SSL_CAINFO=/e", "GIT_SSL_CAPATH=/d"]),
        ["/e", "/d"]
    );
    assert_eq!(files(&["http.sslCAInfo=/c"], &["GIT_SSL_CAINFO="]), ["", ""]);
    assert_eq!(files(&[], &["SSL_CERT_FILE=/s", "SSL_CERT_DIR=/t"]), ["/s", "/t"]);
    assert_eq!(files(&["http.sslCAInfo=/c", "http.sslBackend=schannel"], &[]), ["", ""]);
    assert!(!good(&["http.https://bitbucket.org.sslVerify=false"], &[]).tls.verify);
    assert!(
        good(&["http.https://elsewhere.example.sslVerify=false"], &[])
            .tls
            .verify
    );
    assert!(!good(&["http.sslVerify=true"], &["GIT_SSL_NO_VERIFY=0"]).tls.verify);
    assert_eq!(
        good(&["http.sslVersion=tlsv1.3"], &[]).tls.min_version,
        TlsVersion::Tls13
    );
    assert_eq!(
        good(&["http.sslVersion=tlsv1.3"], &["GIT_SSL_VERSION=tlsv1.0"])
            .tls
            .min_version,
        TlsVersion::Tls12
    );
    assert_eq!(
        good(&["http.sslVersion=9"], &[]).warnings,
        ["unsupported ssl version 9: using default"]
    );
}

#[test]
fn certificates_and_pins_are_typed() {
    let config = [
        "http.sslCert=/c",
        "http.sslCertType=der",
        "http.sslKeyType=ENG",
        "http.sslKey=k",
    ];
    let certificate = good(&config, &["GIT_SSL_CERT_PASSWORD_PROTECTED=0"])
        .tls
        .client_certificate
        .expect("one");
    assert_eq!(
        (certificate.cert_format, certificate.key_format),
        (Some(FileFormat::Der), Some(FileFormat::Engine))
    );
    assert!(certificate.password_protected);
    assert!(read(&["http.sslCert=/c", "http.sslCertType=x"], &[]).is_err());
    let pin = |text: &str| read(&[&format!("http.pinnedPubkey={text}")], &[]).map(|settings| settings.tls.pin);
    let digest = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(
        pin(&format!("{digest};{digest}")).expect("two"),
        Some(Pin::Sha256(vec![[0; 32]; 2]))
    );
    assert_eq!(
        pin("~/key").expect("a file"),
        Some(Pin::File(PathBuf::from("/home/nobody/here/key")))
    );
    assert!(pin("sha256//AAAA").is_err());
    assert_eq!(pin("").expect("no key"), Some(Pin::Sha256(Vec::new())));
}

#[test]
fn variables_win_over_configuration() {
    let config = [
        "http.lowSpeedLimit=1k",
        "http.lowSpeedTime=5",
        "http.maxRetries=1",
        "http.keepAliveIdle=7",
    ];
    let settings = good(
        &config,
        &[
            "GIT_HTTP_LOW_SPEED_TIME=9",
            "GIT_HTTP_MAX_RETRIES=x",
            "GIT_TCP_KEEPCNT=3",
        ],
    );
    assert_eq!(
        settings.low_speed,
        Some(LowSpeed {
            limit: 1024,
            time: Duration::from_secs(9)
        })
    );
    assert_eq!(settings.retries.max, Some(1));
    assert_eq!(settings.warnings, ["failed to parse GIT_HTTP_MAX_RETRIES"]);
    assert_eq!(
        (settings.keepalive.idle, settings.keepalive.count),
        (Some(Duration::from_secs(7)), Some(3))
    );
    assert_eq!(good(&["http.lowSpeedLimit=1"], &[]).low_speed, None);
    assert_eq!(
        good(&["http.userAgent=a"], &["GIT_HTTP_USER_AGENT=b\r\nc"]).user_agent,
        "bc"
    );
    let both = good(&[], &["GIT_TCP_KEEPIDLE=1", "GIT_HTTP_KEEPALIVE_IDLE=2"]);
    assert_eq!(both.keepalive.idle, Some(Duration::from_secs(1)));
}

#[test]
fn the_rest_is_read_in_gits_words() {
    let follow = |text: &str| good(&[&format!("http.followRedirects={text}")], &[]).follow_redirects;
    assert_eq!(follow("initial"), FollowRedirects::Initial);
    assert_eq!(follow("true"), FollowRedirects::Always);
    assert_eq!(follow("0"), FollowRedirects::Never);
    assert_eq!(good(&["http.postBuffer=1"], &[]).post_buffer, 65_520);
    assert_eq!(good(&["http.postBuffer=500m"], &[]).post_buffer, 500 << 20);
    assert!(read(&["http.emptyAuth=auto"], &[]).is_ok());
    assert!(read(&["http.emptyAuth=maybe"], &[]).is_err());
    for (value, expected) in [
        ("auto", ProactiveAuth::Auto),
        ("basic", ProactiveAuth::Basic),
        ("none", ProactiveAuth::None),
    ] {
        let setting = format!("http.proactiveAuth={value}");
        assert_eq!(good(&[setting.as_str()], &[]).proactive_auth, expected);
    }
    assert!(good(&["http.version=HTTP/2"], &[]).warnings.is_empty());
    assert_eq!(good(&["http.version=HTTP/9"], &[]).warnings.len(), 1);
    assert_eq!(good(&["http.cookieFile=", "http.saveCookies=1"], &[]).warnings.len(), 1);
    assert_eq!(good(&["http.cookieFile="], &[]).cookie_file, Some(PathBuf::new()));
    assert_eq!(good(&["http.cookieFile=-"], &[]).cookie_file, None);
    assert_eq!(
        good(&["http.sslCipherList=x"], &["GIT_SSL_CIPHER_LIST=y"])
            .ignored
            .len(),
        2
    );
    let headers = good(
        &["http.extraHeader=A: 1", "http.extraHeader=", "http.extraHeader=B: 2"],
        &[],
    )
    .extra_headers;
    assert_eq!(
        headers.iter().map(|header| header.name.as_str()).collect::<Vec<_>>(),
        ["B"]
    );
    assert!(good(&["http.curloptResolve=bitbucket.org:443:127.0.0.1"], &[]).resolve[0].is_for("bitbucket.org", 443));
    let failure = read(&["http.sslVerify=maybe"], &[]).expect_err("no boolean");
    assert_eq!(
        failure.message(),
        "bad boolean config value 'maybe' for 'http.sslverify'"
    );
}

#[test]
fn redirects_are_limited_as_git_limits_them() {
    let allowed = |config: &[&str], variables: &[&str]| {
        let protocols = good(config, variables).redirect_protocols;
        (protocols.http, protocols.https)
    };
    assert_eq!(allowed(&["protocol.http.allow=never"], &[]), (false, true));
    assert_eq!(
        allowed(&["protocol.allow=user", "protocol.https.allow=always"], &[]),
        (false, true)
    );
    assert_eq!(allowed(&[], &["GIT_ALLOW_PROTOCOL=bbcloud:ssh"]), (false, true));
    assert_eq!(
        allowed(&["protocol.http.allow=never"], &["GIT_ALLOW_PROTOCOL=http"]),
        (true, false)
    );
    assert!(read(&["protocol.allow=maybe"], &[]).is_err());
}

#[test]
fn no_secret_is_shown_when_debugged() {
    let config = [
        "http.extraHeader=Authorization: Bearer s3cret",
        "http.proxy=http://me:s3cret@p",
    ];
    assert!(!format!("{:?}", good(&config, &[])).contains("s3cret"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9:/@%,.;=*\\[\\] #?~-]{0,24}") {
        for key in ["proxy", "curloptResolve", "extraHeader", "pinnedPubkey", "sslVersion", "postBuffer", "sslCAInfo"] {
            let _settings = read(&[&format!("http.{key}={text}")], &[]);
        }
        let variables = [format!("no_proxy={text}"), format!("LANGUAGE={text}"), "https_proxy=p".to_owned()];
        prop_assert!(read(&[], &variables.each_ref().map(String::as_str)).is_ok());
    }
}
