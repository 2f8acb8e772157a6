//! TLS: whom the helper trusts, how it shows who it is, and which versions it speaks.

use std::path::PathBuf;

use base64::Engine as _;

use super::Scene;
use crate::bitbucket::{Settings, Tls};

fn bare() -> Scene {
    Scene::new().unset("http.sslCAInfo")
}

#[test]
fn an_authority_is_trusted_only_where_it_is_named() {
    let told = bare().fails();
    assert!(told.contains("TLS connection to 'localhost'"), "{told}");
    let scene = bare();
    let file = scene.bitbucket.ca_file();
    scene.variable("GIT_SSL_CAINFO", file).works();
    let scene = bare();
    let file = scene.bitbucket.ca_file();
    scene.variable("SSL_CERT_FILE", file).works();
    let scene = bare();
    let missing = scene.file("missing.pem");
    let told = scene.set("http.sslCAInfo", missing).fails();
    assert!(told.contains("cannot use the certificates of"), "{told}");
}

#[test]
fn a_directory_of_authorities_is_read_whatever_its_files_are_called() {
    for (key, variable) in [("http.sslCAPath", ""), ("", "GIT_SSL_CAPATH"), ("", "SSL_CERT_DIR")] {
        let scene = bare();
        let directory = scene.file("authorities");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("README"), "not a certificate").unwrap();
        std::fs::copy(scene.bitbucket.ca_file(), directory.join("d0dd5b4d.0")).unwrap();
        if variable.is_empty() {
            scene.set(key, directory).works();
        } else {
            scene.variable(variable, directory).works();
        }
    }
}

#[test]
fn checks_are_off_only_where_that_is_asked_for() {
    bare().set("http.sslVerify", "false").works();
    bare().variable("GIT_SSL_NO_VERIFY", "").works();
    bare().set("http.sslVerify", "true").fails();
    let scene = bare();
    let own = format!("http.{}.sslVerify", scene.bitbucket.base_url());
    scene.set(&own, "false").works();
    bare().set("http.https://bitbucket.org.sslVerify", "false").fails();
}

#[test]
fn the_lowest_version_is_kept() {
    let old = || {
        Scene::with(Settings {
            tls: Tls::Only12,
            ..Settings::default()
        })
    };
    old().works();
    old().set("http.sslVersion", "tlsv1.2").works();
    old().set("http.sslVersion", "tlsv1.3").fails();
    old().variable("GIT_SSL_VERSION", "tlsv1.3").fails();
    Scene::new().set("http.sslVersion", "tlsv1.3").works();
}

fn strict() -> (Scene, PathBuf, PathBuf) {
    let scene = Scene::with(Settings {
        tls: Tls::ClientCertificate,
        ..Settings::default()
    });
    let (certificate, key) = scene.bitbucket.client_certificate();
    (scene, certificate, key)
}

#[test]
fn a_client_certificate_is_shown() {
    let (scene, certificate, key) = strict();
    let told = scene.fails();
    assert!(told.contains("the server requires a client certificate"), "{told}");
    let scene = scene.set("http.sslCert", &certificate).set("http.sslKey", &key);
    scene.works();
    let (scene, certificate, key) = strict();
    let scene = scene
        .variable("GIT_SSL_CERT", &certificate)
        .variable("GIT_SSL_KEY", &key);
    scene.works();
    // Both in one file, which sslCert alone names.
    let (scene, certificate, key) = strict();
    let both = scene.file("both.pem");
    let text = std::fs::read_to_string(key).unwrap() + &std::fs::read_to_string(certificate).unwrap();
    std::fs::write(&both, text).unwrap();
    scene.set("http.sslCert", both).works();
    // As an editor on Windows saves it, with OpenSSL's old label.
    let (scene, certificate, key) = strict();
    let marked = scene.file("marked.pem");
    let text = std::fs::read_to_string(certificate)
        .unwrap()
        .replace(" CERTIFICATE", " X509 CERTIFICATE");
    std::fs::write(&marked, format!("\u{feff}{text}")).unwrap();
    let marked_key = scene.file("marked.key");
    std::fs::write(
        &marked_key,
        format!("\u{feff}{}", std::fs::read_to_string(key).unwrap()),
    )
    .unwrap();
    scene.set("http.sslCert", marked).set("http.sslKey", marked_key).works();
}

/// A global setting must not close the way to servers that ask for nothing.
#[test]
fn a_client_certificate_is_read_only_where_a_server_asks_for_one() {
    for (certificate, key) in [("missing.pem", "missing.key"), ("garbled.pem", "garbled.pem")] {
        let scene = Scene::new();
        std::fs::write(scene.file("garbled.pem"), "not a certificate").unwrap();
        let (certificate, key) = (scene.file(certificate), scene.file(key));
        scene.set("http.sslCert", certificate).set("http.sslKey", key).works();
    }
    let (scene, _, key) = strict();
    let missing = scene.file("missing.pem");
    let told = scene.set("http.sslCert", missing).set("http.sslKey", key).fails();
    assert!(told.contains("cannot use the certificate"), "{told}");
}

fn der(pem: &std::path::Path) -> Vec<u8> {
    let text = std::fs::read_to_string(pem).expect("a key that was made for this");
    let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    base64::engine::general_purpose::STANDARD
        .decode(body)
        .expect("a key that was made for this")
}

#[test]
fn other_formats_are_read_or_refused_with_the_command_that_helps() {
    for by_variable in [false, true] {
        let (scene, certificate, key) = strict();
        let (certificate_der, key_der) = (scene.file("client.der"), scene.file("key.der"));
        std::fs::write(&certificate_der, der(&certificate)).unwrap();
        std::fs::write(&key_der, der(&key)).unwrap();
        let scene = scene.set("http.sslCert", certificate_der).set("http.sslKey", key_der);
        let scene = if by_variable {
            scene
                .variable("GIT_SSL_CERT_TYPE", "DER")
                .variable("GIT_SSL_KEY_TYPE", "DER")
        } else {
            scene.set("http.sslCertType", "DER").set("http.sslKeyType", "DER")
        };
        scene.works();
    }
    let (scene, certificate, _) = strict();
    let told = scene
        .set("http.sslCert", certificate)
        .set("http.sslCertType", "P12")
        .fails();
    assert!(told.contains("openssl pkcs12 -in"), "{told}");
}

/// The key of a client certificate, encrypted as OpenSSL does by default.
#[cfg(unix)]
fn encrypted(scene: &Scene, key: &std::path::Path) -> PathBuf {
    use pkcs8::der::pem::LineEnding;
    use pkcs8::pkcs5::pbes2::Parameters;
    let der = der(key);
    let info = pkcs8::PrivateKeyInfoRef::try_from(der.as_slice()).expect("a key that was made for this");
    let parameters =
        Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"salt1234", [7; 16]).expect("a key that was made for this");
    let encrypted = info
        .encrypt_with_params(parameters, "key pass")
        .expect("a key that was made for this");
    let pem = encrypted
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
        .expect("a key that was made for this");
    let file = scene.file("encrypted.key");
    std::fs::write(&file, pem.as_bytes()).expect("a key that was made for this");
    file
}

#[cfg(unix)]
#[test]
fn a_key_with_a_password_is_opened_with_what_git_asks_for() {
    for (answer, good) in [("key pass", true), ("wrong", false)] {
        let (scene, certificate, key) = strict();
        let key = encrypted(&scene, &key);
        let program = super::askpass(&scene, answer);
        let scene = scene
            .set("http.sslCert", &certificate)
            .set("http.sslKey", key)
            .set("http.sslCertPasswordProtected", "true")
            .variable("GIT_ASKPASS", program);
        let output = scene.ls_remote();
        assert_eq!(output.status.success(), good, "{}", super::said(&output));
        let questions = std::fs::read_to_string(scene.file("questions")).unwrap();
        let asked = format!("Password for 'cert:///{}'", certificate.display());
        assert_eq!(questions.lines().count(), 1, "{questions}");
        assert!(questions.contains(&asked), "{questions}");
    }
}

fn pin(scene: &Scene) -> String {
    let certificate = scene.bitbucket.server_key();
    let digest = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .expect("a key that was made for this")
        .common
        .hash_provider
        .hash(&certificate);
    let text = base64::engine::general_purpose::STANDARD.encode(digest.as_ref());
    format!("sha256//{text}")
}

#[test]
fn a_pinned_key_is_checked_with_and_without_certificates() {
    let none = format!("sha256//{}", base64::engine::general_purpose::STANDARD.encode([1; 32]));
    for verify in ["true", "false"] {
        let scene = Scene::new().set("http.sslVerify", verify);
        let right = pin(&scene);
        let told = scene.set("http.pinnedPubkey", &none).fails();
        assert!(told.contains("the server's key is none of http.pinnedPubkey"), "{told}");
        let scene = Scene::new().set("http.sslVerify", verify);
        let both = format!("{none};{}", pin(&scene));
        assert_ne!(right, pin(&scene));
        scene.set("http.pinnedPubkey", both).works();
    }
    // No key fits an empty setting, and git refuses every server too.
    let told = Scene::new().set("http.pinnedPubkey", "").fails();
    assert!(told.contains("the server's key is none of http.pinnedPubkey"), "{told}");
    let scene = Scene::new();
    let file = scene.file("key.der");
    std::fs::write(&file, scene.bitbucket.server_key()).unwrap();
    scene.set("http.pinnedPubkey", file).works();
}
