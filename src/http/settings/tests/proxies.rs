//! Which proxy, and how: the table was tried with git 2.47.

use std::path::Path;

use super::*;

#[test]
fn a_proxy_is_chosen_as_git_chooses_it() {
    let cases: &[(&[&str], &[&str], Option<u16>)] = &[
        (&[], &["https_proxy=http://p:9"], Some(9)),
        (&[], &["https_proxy=http://p:9", "HTTPS_PROXY=http://p:8"], Some(9)),
        (&[], &["https_proxy=", "HTTPS_PROXY=http://p:8"], None),
        (&[], &["HTTPS_PROXY=", "ALL_PROXY=http://p:8"], None),
        (&[], &["ALL_PROXY=http://p:8", "all_proxy=http://p:9"], Some(9)),
        (&[], &["HTTP_PROXY=http://p:8", "http_proxy=http://p:8"], None),
        (&[], &["https_proxy=p"], Some(1080)),
        (&[], &["https_proxy=http://p:80"], Some(80)),
        (&[], &["https_proxy=https://p"], Some(443)),
        (&[], &["https_proxy=http://p:9", "NO_PROXY=bitbucket.org"], None),
        (
            &[],
            &["https_proxy=http://p:9", "NO_PROXY=bitbucket.org", "no_proxy="],
            Some(9),
        ),
        (&["http.proxy=http://p:9"], &["no_proxy=.org"], None),
        (&["http.proxy="], &["https_proxy=http://p:9"], None),
        (
            &["http.https://bitbucket.org.proxy=http://p:7", "http.proxy=http://p:9"],
            &[],
            Some(7),
        ),
        (
            &["remote.origin.proxy=http://p:7", "http.proxy=http://p:9"],
            &["https_proxy=http://p:8"],
            Some(7),
        ),
        (&["remote.origin.proxy=", "http.proxy=http://p:9"], &[], None),
        (&["remote.other.proxy=http://p:7"], &[], None),
    ];
    for (config, variables, port) in cases {
        assert_eq!(
            good(config, variables).proxy.map(|proxy| proxy.port),
            *port,
            "{config:?} {variables:?}"
        );
    }
}

#[test]
fn a_proxys_address_is_taken_apart() {
    let proxy = |text: &str| good(&[&format!("http.proxy={text}")], &[]).proxy.expect("a proxy");
    let full = proxy("socks5h://me:p%40ss@[::1]:9");
    assert_eq!(
        (full.scheme, full.host.as_str(), full.port),
        (ProxyScheme::Socks5h, "::1", 9)
    );
    assert_eq!((full.username.as_deref(), full.auth), (Some("me"), ProxyAuth::Any));
    assert_eq!(full.password.expect("a password").expose(), "p@ss");
    assert!(proxy("me@p:1/").password.is_none());
    for (password, decoded) in [("50%", "50%"), ("%zz%4", "%zz%4"), ("a%25b%", "a%b%"), ("%00", "%00")] {
        let given = proxy(&format!("me:{password}@p")).password.expect("a password");
        assert_eq!(given.expose(), decoded);
    }
    assert_eq!(
        proxy("socks://localhost/run/s%20x").socket,
        Some(PathBuf::from("/run/s x"))
    );
    for text in [
        "ftp://s3cret@x",
        "http://",
        "http://me:s3cret@:9",
        "p:x",
        "http://p/s3cret",
        "socks5://p/x",
        "%ff@p",
    ] {
        let failure = read(&[&format!("http.proxy={text}")], &[]).expect_err(text);
        assert!(
            failure.message().starts_with("invalid proxy address in http.proxy: "),
            "{failure}"
        );
        assert!(!failure.message().contains("s3cret"), "{failure}");
    }
}

#[test]
fn a_proxy_has_its_own_trust_and_sign_in() {
    let config = [
        "http.proxy=https://p",
        "http.proxySSLCert=/c",
        "http.sslCAInfo=/ca",
        "http.proxyAuthMethod=ntlm",
    ];
    let variables = [
        "GIT_PROXY_SSL_CAINFO=/pca",
        "GIT_PROXY_SSL_CERT_PASSWORD_PROTECTED=",
        "GIT_SSL_NO_VERIFY=1",
    ];
    let settings = good(&config, &variables);
    let proxy = settings.proxy.expect("a proxy");
    assert_eq!(proxy.tls.ca_file.as_deref(), Some(Path::new("/pca")));
    assert!(
        proxy.tls.verify
            && proxy
                .tls
                .client_certificate
                .is_some_and(|certificate| certificate.password_protected)
    );
    assert_eq!(proxy.auth, ProxyAuth::Ntlm);
    let config = [
        "http.proxy=p",
        "http.proxyAuthMethod=basic",
        "remote.origin.proxyAuthMethod=digest",
    ];
    let auth = |variables: &[&str]| good(&config, variables).proxy.expect("a proxy").auth;
    assert_eq!(auth(&[]), ProxyAuth::Digest);
    assert_eq!(auth(&["GIT_HTTP_PROXY_AUTHMETHOD=negotiate"]), ProxyAuth::Negotiate);
    assert_eq!(auth(&["GIT_HTTP_PROXY_AUTHMETHOD=x"]), ProxyAuth::Any);
}
