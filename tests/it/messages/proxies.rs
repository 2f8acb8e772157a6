//! Proxies that do not open the way.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use super::{Table, list, quick};
use crate::proxy::{Kind, Proxy, Rules};
use crate::support::scene::Scene;

/// Whoever connects is sent one of `replies` after each thing that they say, and then nothing more.
fn script(replies: &'static [&'static [u8]]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            for reply in replies {
                let mut heard = [0; 4096];
                // Who goes away before the end is not served.
                let (Ok(1..), Ok(())) = (client.read(&mut heard), client.write_all(reply)) else {
                    break;
                };
            }
            let _heard = client.read(&mut [0; 4096]);
        }
    });
    port
}

fn through(scene: &Scene, scheme: &str, user: &str, port: u16) -> crate::support::run::Output {
    list(scene, &[&format!("http.proxy={scheme}://{user}127.0.0.1:{port}")])
}

#[test]
fn proxies() {
    let mut table = Table::new("proxies");
    let scene = quick();
    http(&mut table, &scene);
    socks(&mut table, &scene);
    socks_replies(&mut table, &scene);
    silent(&mut table, &scene);
    table.end();
}

fn http(table: &mut Table, scene: &Scene) {
    for (title, replies) in [
        ("the proxy closes the connection", &[][..]),
        ("the proxy is none", &[b"SSH-2.0-OpenSSH_9.2\r\n" as &[u8]]),
        (
            "the proxy goes on before it is asked",
            &[b"HTTP/1.1 200 OK\r\n\r\nmore"],
        ),
    ] {
        table.fails(title, scene, &through(scene, "http", "", script(replies)));
    }
    let mut rules = Rules::new(Kind::Http);
    rules.broken = Some(403);
    let proxy = Proxy::start(rules);
    table.fails("the proxy refuses", scene, &through(scene, "http", "", proxy.port()));
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "right"));
    for (title, user) in [
        ("the proxy wants a login", ""),
        ("the proxy wants another login", "ada:wrong@"),
    ] {
        table.fails(title, scene, &through(scene, "http", user, proxy.port()));
    }
    let setting = format!("http.proxy=http://ada:right@127.0.0.1:{}", proxy.port());
    let output = list(scene, &[&setting, "http.proxyAuthMethod=ntlm"]);
    table.fails("the proxy is to be signed in at in another way", scene, &output);
    let mut rules = Rules::new(Kind::Http).login("ada", "right");
    rules.challenge = "NTLM";
    let proxy = Proxy::start(rules);
    table.fails(
        "the proxy offers other ways",
        scene,
        &through(scene, "http", "ada:right@", proxy.port()),
    );
    asked(table, scene);
    let proxy = Proxy::start(Rules::new(Kind::Https));
    table.fails(
        "the proxy's certificate is unknown",
        scene,
        &through(scene, "https", "", proxy.port()),
    );
    let output = list(scene, &["http.proxy=http://nowhere.invalid:8080"]);
    let stderr = output.stderr.lines().filter(|line| !line.contains("lookup address"));
    let stderr = stderr.collect::<Vec<_>>().join("\n");
    table.fails(
        "the proxy's name is none",
        scene,
        &crate::support::run::Output { stderr, ..output },
    );
    table.fails("the proxy does not listen", scene, &through(scene, "http", "", 1));
    let output = list(scene, &["http.proxy=socks5://localhost/no/such/socket"]);
    table.fails("the proxy's socket is not there", scene, &output);
}

/// Somebody is asked again and again.
fn asked(table: &mut Table, scene: &Scene) {
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "right"));
    scene.set("GIT_ASKPASS", "echo");
    table.fails(
        "the proxy does not accept any answer",
        scene,
        &through(scene, "http", "", proxy.port()),
    );
    scene.unset("GIT_ASKPASS");
}

fn socks(table: &mut Table, scene: &Scene) {
    let proxy = Proxy::start(Rules::new(Kind::Socks).login("ada", "right"));
    for (title, scheme, user) in [
        ("the SOCKS 4 proxy knows another user", "socks4a", "eve@"),
        ("the SOCKS proxy wants a login", "socks5h", ""),
        ("the SOCKS proxy wants another login", "socks5h", "ada:wrong@"),
    ] {
        table.fails(title, scene, &through(scene, scheme, user, proxy.port()));
    }
    let long = format!("{}:x@", "x".repeat(300));
    table.fails(
        "the SOCKS proxy's user name is too long",
        scene,
        &through(scene, "socks5h", &long, proxy.port()),
    );
    let right = scene.bitbucket.base_url();
    scene.set(
        "BBCLOUD_BASE_URL",
        format!("https://{}", vec!["x".repeat(60); 5].join(".")),
    );
    table.fails(
        "the server's name is too long for the SOCKS proxy",
        scene,
        &through(scene, "socks5h", "", proxy.port()),
    );
    scene.set("BBCLOUD_BASE_URL", right);
    let refused = script(&[&[0, 0x5b, 0, 0, 0, 0, 0, 0]]);
    table.fails(
        "the SOCKS 4 proxy refuses",
        scene,
        &through(scene, "socks4a", "", refused),
    );
    for (title, replies) in [
        ("the SOCKS proxy closes the connection", &[][..]),
        ("the SOCKS proxy is none", &[b"HT" as &[u8]]),
        ("the SOCKS proxy has another way to sign in", &[&[5, 1]]),
        ("the SOCKS proxy changes its version", &[&[5, 0], &[4, 0, 0, 1]]),
        ("the SOCKS proxy names no address", &[&[5, 0], &[5, 0, 0, 9]]),
    ] {
        table.fails(title, scene, &through(scene, "socks5h", "", script(replies)));
    }
}

/// RFC 1928, section 6.
fn socks_replies(table: &mut Table, scene: &Scene) {
    const REPLIES: [(&str, &[&[u8]]); 8] = [
        ("the SOCKS proxy refuses", &[&[5, 0], &[5, 1, 0, 1]]),
        ("the SOCKS proxy's rules forbid it", &[&[5, 0], &[5, 2, 0, 1]]),
        ("the SOCKS proxy cannot reach the network", &[&[5, 0], &[5, 3, 0, 1]]),
        ("the SOCKS proxy cannot reach the host", &[&[5, 0], &[5, 4, 0, 1]]),
        ("the SOCKS proxy is refused", &[&[5, 0], &[5, 5, 0, 1]]),
        ("the SOCKS proxy has waited too long", &[&[5, 0], &[5, 6, 0, 1]]),
        ("the SOCKS proxy does not connect", &[&[5, 0], &[5, 7, 0, 1]]),
        ("the SOCKS proxy does not know names", &[&[5, 0], &[5, 8, 0, 1]]),
    ];
    for (title, replies) in REPLIES {
        table.fails(title, scene, &through(scene, "socks5h", "", script(replies)));
    }
}

fn silent(table: &mut Table, scene: &Scene) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    scene.set(
        "GIT_HTTP_CONNECT_TIMEOUT_MS",
        Duration::from_millis(300).as_millis().to_string(),
    );
    table.fails("the proxy says nothing", scene, &through(scene, "http", "", port));
    table.fails(
        "the SOCKS proxy says nothing",
        scene,
        &through(scene, "socks5h", "", port),
    );
}
