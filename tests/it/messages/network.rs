//! No server, not the right one, or a connection that breaks.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;

use super::{Table, list, quick};
use crate::bitbucket::{Action, Bitbucket, Fault, Settings, Tls};
use crate::support::fixture::{MAIN, noise};
use crate::support::scene::{Scene, Transport};

#[test]
fn network() {
    let mut table = Table::new("network");
    let scene = quick();
    unreachable(&mut table, &scene);
    broken(&mut table, &scene);
    no_http(&mut table, &scene);
    slow(&mut table);
    table.end();
}

#[test]
fn certificates() {
    let mut table = Table::new("certificates");
    for (title, tls, settings) in [
        ("the server's certificate has expired", Tls::Expired, &[][..]),
        ("the server's certificate is for another name", Tls::OtherHost, &[]),
        (
            "the server speaks an old TLS only",
            Tls::Only12,
            &["http.sslVersion=tlsv1.3"],
        ),
        ("the server wants a certificate", Tls::ClientCertificate, &[]),
    ] {
        let scene = with_tls(tls);
        table.fails(title, &scene, &list(&scene, settings));
    }
    let scene = quick();
    trust(&mut table, &scene);
    pins(&mut table, &scene);
    identity(&mut table);
    table.end();
}

fn with_tls(tls: Tls) -> Scene {
    let settings = Settings {
        tls,
        ..Settings::default()
    };
    let scene = Scene::with(Transport::Bbcloud, 2, settings);
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
    scene
}

fn closed() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn unreachable(table: &mut Table, scene: &Scene) {
    let right = scene.bitbucket.base_url();
    for (title, base) in [
        ("there is no host of that name", "https://nowhere.invalid".to_owned()),
        ("nobody listens", format!("https://localhost:{}", closed())),
    ] {
        scene.set("BBCLOUD_BASE_URL", base);
        // What the resolver says differs from system to system.
        let output = list(scene, &[]);
        let stderr = output.stderr.lines().filter(|line| !line.contains("lookup address"));
        let stderr = stderr.collect::<Vec<_>>().join("\n");
        table.fails(title, scene, &crate::support::run::Output { stderr, ..output });
    }
    scene.set("BBCLOUD_BASE_URL", &right);
    scene.cloned();
    let given = format!("http.curloptResolve=localhost:{}:127.0.0.1", scene.bitbucket.port());
    let output = scene.git_in("clone", &["-c", &given, "fetch", "--ipv6"]);
    table.fails("the host has no address of the wanted family", scene, &output);
    scene.set("BBCLOUD_BASE_URL", right.replace("localhost", "a..b"));
    let given = given.replace("localhost", "*");
    table.fails("a host that no certificate can be for", scene, &list(scene, &[&given]));
    scene.set("BBCLOUD_BASE_URL", right);
}

fn at(table: &mut Table, scene: &Scene, title: &str, path: &str, action: Action) {
    scene.bitbucket.fault(Fault::on(path, action).always());
    table.fails(title, scene, &list(scene, &[]));
    scene.bitbucket.clear_faults();
}

fn broken(table: &mut Table, scene: &Scene) {
    for (title, action) in [
        ("the connection is closed instead of an answer", Action::Close),
        ("the answer is cut in its head", Action::CutHead { after: 20 }),
        ("the answer is cut", Action::CutBody { after: 30 }),
        ("bytes that are no TLS", Action::BelowTls(b"no record of TLS".to_vec())),
    ] {
        at(table, scene, title, "info/refs", action);
    }
}

/// A whole answer with this body.
fn answer(headers: &str, body: &[u8]) -> Action {
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: {}\r\n\
         {headers}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Action::Raw(bytes)
}

fn no_http(table: &mut Table, scene: &Scene) {
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    let version = b"001e# service=git-upload-pack\n0000000eversion 2\n0000";
    deflated.write_all(version).expect("memory can be written to");
    let mut deflated = deflated.finish().expect("memory can be written to");
    // The decoder reads ahead, and what it has read it does not look at.
    deflated.extend(noise(100_000));
    for (title, action) in [
        (
            "the answer is not HTTP",
            Action::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        ),
        (
            "the answer's head has no end",
            Action::Endless(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), b"y".repeat(1000)),
        ),
        (
            "the answer's head has too many lines",
            Action::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(1000)),
        ),
        (
            "the answer's framing has no end",
            Action::Endless(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\
              Transfer-Encoding: chunked\r\n\r\n1;"
                    .to_vec(),
                b"x".repeat(1000),
            ),
        ),
        (
            "the answer is encoded in a way of its own",
            answer("Content-Encoding: br\r\n", b"x"),
        ),
        (
            "the answer's compressed data is broken",
            answer("Content-Encoding: gzip\r\n", b"x"),
        ),
        (
            "the answer goes on after its compressed data",
            answer("Content-Encoding: deflate\r\n", &deflated),
        ),
    ] {
        at(table, scene, title, "info/refs", action);
    }
    bad_http(table, scene);
}

/// Heads and framing that curl refuses as well.
fn bad_http(table: &mut Table, scene: &Scene) {
    let raw = |text: &str| Action::Raw(text.as_bytes().to_vec());
    let head = |headers: &str| raw(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n"));
    let chunks = |body: &str| {
        raw(&format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\
             Transfer-Encoding: chunked\r\n\r\n{body}"
        ))
    };
    for (title, action) in [
        ("the answer is of an old HTTP", raw("HTTP/0.9 200 OK\r\n\r\n")),
        ("the status has two digits", raw("HTTP/1.1 20 OK\r\n\r\n")),
        ("a header has no colon", head("nonsense\r\n")),
        ("a header has a NUL byte", head("X: a\0b\r\n")),
        ("there are too many headers", head(&"X: y\r\n".repeat(6000))),
        ("the length is no number", head("Content-Length: many\r\n")),
        (
            "there are two lengths",
            head("Content-Length: 5\r\nContent-Length: 6\r\n"),
        ),
        ("the transfer coding is unknown", head("Transfer-Encoding: gzip\r\n")),
        ("a chunk has no length", chunks("zz\r\n")),
        ("a chunk is longer than it says", chunks("2\r\n0000\r\n")),
        (
            "the answer is encoded twice",
            answer("Content-Encoding: gzip, gzip\r\n", b"x"),
        ),
    ] {
        at(table, scene, title, "info/refs", action);
    }
}

fn slow(table: &mut Table) {
    let scene = quick();
    let stall = Action::Stall {
        after: 10,
        pause: Duration::from_secs(4),
    };
    scene.bitbucket.fault(Fault::on("info/refs", stall));
    let output = list(&scene, &["http.lowSpeedLimit=1000", "http.lowSpeedTime=1"]);
    table.fails("the connection is too slow", &scene, &output);
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("it is bound").port();
    scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{port}"));
    scene.set("GIT_HTTP_CONNECT_TIMEOUT_MS", "200");
    table.fails("the server says nothing", &scene, &list(&scene, &[]));
}

fn trust(table: &mut Table, scene: &Scene) {
    let file = |name: &str, text: &str| {
        fs::write(scene.path(name), text).expect("a file can be written");
        scene.path(name)
    };
    let right = fs::read_to_string(scene.bitbucket.ca_file()).expect("a file");
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (half, _) = right.split_at(right.len() / 2);
    for (title, place) in [
        (
            "the certificate is of an unknown authority",
            file("other.pem", &other.cert.pem()),
        ),
        ("the file of authorities is not there", scene.path("nowhere.pem")),
        ("the file of authorities has none", file("none.pem", "none\n")),
        ("the file of authorities is cut", file("half.pem", half)),
        (
            "the file of authorities is garbled",
            file("garbled.pem", &right.replace("MII", "M*I")),
        ),
    ] {
        scene.set("GIT_SSL_CAINFO", place);
        table.fails(title, scene, &list(scene, &[]));
    }
    let other = Bitbucket::start(Settings::default());
    scene.set("GIT_SSL_CAINFO", other.ca_file());
    table.fails("the authority has another key", scene, &list(scene, &[]));
    scene.unset("GIT_SSL_CAINFO");
    fs::create_dir(scene.path("empty")).expect("a directory can be made");
    scene.set("SSL_CERT_FILE", "/dev/null");
    scene.set("SSL_CERT_DIR", scene.path("empty"));
    scene.set("GIT_SSL_CAPATH", scene.path("empty"));
    table.fails("the system trusts nobody", scene, &list(scene, &[]));
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAPATH"] {
        scene.unset(name);
    }
    scene.set("GIT_SSL_CAINFO", scene.bitbucket.ca_file());
}

fn pins(table: &mut Table, scene: &Scene) {
    let none = base64::engine::general_purpose::STANDARD.encode([1; 32]);
    let setting = format!("http.pinnedPubkey=sha256//{none}");
    table.fails(
        "the server's key is not the pinned one",
        scene,
        &list(scene, &[&setting]),
    );
    let output = list(scene, &["http.pinnedPubkey=nowhere.pem"]);
    table.fails("the file of the pinned key is not there", scene, &output);
}

/// The key of a client certificate, encrypted as OpenSSL does by default.
fn encrypted(key: &Path) -> String {
    use pkcs8::der::pem::LineEnding;
    let text = fs::read_to_string(key).expect("a key");
    let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).expect("a key");
    let info = pkcs8::PrivateKeyInfoRef::try_from(der.as_slice()).expect("a key");
    let how = pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"salt1234", [7; 16]);
    let encrypted = info.encrypt_with_params(how.expect("parameters"), "key pass");
    let pem = encrypted
        .expect("a key")
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF);
    pem.expect("a key").to_string()
}

fn identity(table: &mut Table) {
    let scene = with_tls(Tls::ClientCertificate);
    let (certificate, key) = scene.bitbucket.client_certificate();
    for (name, from) in [("client.pem", &certificate), ("client.key", &key)] {
        fs::copy(from, scene.path(name)).expect("a file can be copied");
    }
    fs::write(scene.path("empty"), "").expect("a file can be written");
    fs::write(scene.path("locked.key"), encrypted(&key)).expect("a file can be written");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END RSA PRIVATE KEY-----\n";
    fs::write(scene.path("old.key"), old).expect("a file can be written");
    let (cert, key) = ("http.sslCert=client.pem", "http.sslKey=client.key");
    let locked = &[cert, "http.sslKey=locked.key"][..];
    for (title, settings) in [
        (
            "the certificate to show is not there",
            &["http.sslCert=nowhere.pem"][..],
        ),
        ("the certificate to show is none", &["http.sslCert=empty", key]),
        (
            "the certificate to show is PKCS#12",
            &["http.sslCert=client.p12", "http.sslCertType=P12"],
        ),
        (
            "the certificate to show is in an engine",
            &[cert, "http.sslCertType=ENG"],
        ),
        ("the key to show is not there", &[cert, "http.sslKey=nowhere.key"]),
        ("the key to show is none", &[cert, "http.sslKey=empty"]),
        (
            "the key to show is encrypted in an old way",
            &[cert, "http.sslKey=old.key"],
        ),
        ("the key to show needs a password", locked),
    ] {
        table.fails(title, &scene, &list(&scene, settings));
    }
    scene.set("GIT_ASKPASS", "echo");
    table.fails("the key to show needs another password", &scene, &list(&scene, locked));
    scene.set("BBCLOUD_BASE_URL", scene.bitbucket.base_url());
    assert!(
        scene
            .git(&["-c", cert, "-c", key, "ls-remote", &scene.url(MAIN)])
            .success()
    );
}
