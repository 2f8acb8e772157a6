//! How the server is reached: given addresses, families, time limits, and one connection for a session.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{Scene, said};
use crate::bitbucket::{Action, Fault, Framing, Settings, Tls};

#[test]
fn a_session_is_one_connection() {
    let scene = Scene::new();
    scene.git_ok(&["clone", "--quiet", "bbcloud::acme/widgets", "clone"]);
    assert_eq!(scene.bitbucket.connections(), 1);
}

#[test]
fn a_kept_connection_that_has_ended_is_replaced_without_a_word() {
    let scene = Scene::new();
    scene
        .bitbucket
        .fault(Fault::on("acme/widgets", Action::CloseAfter).always());
    assert_eq!(scene.works(), "");
    assert_eq!(scene.bitbucket.connections(), 2);
}

#[test]
fn addresses_can_be_given() {
    let scene = Scene::new().unset("http.sslCAInfo").set("http.sslVerify", "false");
    let port = scene.bitbucket.port();
    let base = format!("https://bitbucket.invalid:{port}");
    let scene = scene.variable("BBCLOUD_BASE_URL", &base);
    assert!(scene.fails().contains("could not resolve host 'bitbucket.invalid'"));
    let given = format!("bitbucket.invalid:{port}:127.0.0.1");
    scene.set("http.curloptResolve", given).works();
}

#[test]
fn a_family_can_be_chosen() {
    let scene = Scene::new();
    for family in ["--ipv4", "--ipv6"] {
        let clone = scene.git(&[
            "clone",
            "--quiet",
            family,
            "bbcloud::acme/widgets",
            family.trim_matches('-'),
        ]);
        // A machine without IPv6 is told so.
        let told = said(&clone);
        assert!(clone.status.success() || family == "--ipv6", "{told}");
    }
    let scene = scene.variable("BBCLOUD_BASE_URL", format!("https://127.0.0.1:{}", 1));
    let clone = scene.git(&["clone", "--quiet", "--ipv6", "bbcloud::acme/widgets", "none"]);
    assert!(
        said(&clone).contains("no IPv6 address for this host"),
        "{}",
        said(&clone)
    );
}

#[test]
fn connecting_has_a_limit() {
    // A server that accepts and says nothing: the handshake is part of connecting.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://127.0.0.1:{}", silent.local_addr().unwrap().port());
    for by_variable in [false, true] {
        let scene = Scene::new().variable("BBCLOUD_BASE_URL", &base);
        let scene = if by_variable {
            scene.variable("GIT_HTTP_CONNECT_TIMEOUT_MS", "300")
        } else {
            scene.set("http.connectTimeoutMs", "300")
        };
        let started = Instant::now();
        assert!(scene.fails().contains("failed to connect to 127.0.0.1"));
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

/// A byte now and then keeps nobody waiting beyond the limit: not in a handshake, nor at a proxy.
#[test]
fn connecting_has_a_limit_for_those_who_drip() {
    // The head of a TLS record that never ends, of an HTTP answer, and of a SOCKS name.
    for (scheme, drip) in [
        ("", &b"\x16\x03\x03\x40\x00"[..]),
        ("http", b"HTTP/1.1 200 OK\r\nX-A: "),
        ("socks5h", b"\x05\x00\x05\x00\x00\x03\xff"),
    ] {
        let port = dripping(drip);
        let scene = Scene::new().set("http.connectTimeoutMs", "700");
        let scene = match scheme {
            "" => scene.variable("BBCLOUD_BASE_URL", format!("https://127.0.0.1:{port}")),
            scheme => scene.set("http.proxy", format!("{scheme}://127.0.0.1:{port}")),
        };
        let started = Instant::now();
        let told = scene.fails();
        assert!(
            told.contains("failed to connect to 127.0.0.1") || told.contains("did not respond in time"),
            "{scheme}: {told}"
        );
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{scheme}: {:?}",
            started.elapsed()
        );
    }
}

/// Says `begin` to everybody, and then a byte every tenth of a second.
fn dripping(begin: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut said = stream.write_all(begin);
                // Longer than any limit of the tests, and no longer than they take.
                for _ in 0..200 {
                    std::thread::sleep(Duration::from_millis(100));
                    said = said.and_then(|()| stream.write_all(b"a"));
                }
            });
        }
    });
    port
}

/// Clear text is for this machine alone, whatever a proxy's setting, a given address or a name says.
#[test]
fn clear_text_leaves_the_machine_for_nobody() {
    let scene = || {
        Scene::with(Settings {
            tls: Tls::Off,
            ..Settings::default()
        })
    };
    scene().works();
    let port = scene().bitbucket.port();
    for (key, value) in [
        ("http.proxy", "http://192.0.2.1:3128".to_owned()),
        ("http.proxy", "socks5h://192.0.2.1:1080".to_owned()),
        ("http.curloptResolve", format!("localhost:{port}:192.0.2.1")),
    ] {
        let told = scene()
            .variable("BBCLOUD_BASE_URL", format!("http://localhost:{port}"))
            .set(key, &value)
            .fails();
        assert!(
            told.contains("it is not on this machine, and clear text goes nowhere else"),
            "{key}: {told}"
        );
    }
}

#[test]
fn a_transfer_that_stalls_is_given_up() {
    let stall = || Action::Stall {
        after: 10,
        pause: Duration::from_secs(30),
    };
    for by_variable in [false, true] {
        let scene = if by_variable {
            Scene::new()
                .variable("GIT_HTTP_LOW_SPEED_LIMIT", "1000")
                .variable("GIT_HTTP_LOW_SPEED_TIME", "2")
        } else {
            Scene::new()
                .set("http.lowSpeedLimit", "1000")
                .set("http.lowSpeedTime", "2")
        };
        scene.bitbucket.fault(Fault::on("/git-upload-pack", stall()).always());
        let started = Instant::now();
        let told = scene.fails();
        assert!(told.contains("less than 1000 bytes a second for 2 seconds"), "{told}");
        assert!((2..15).contains(&started.elapsed().as_secs()));
    }
    // Without the two settings there is no limit, and a short pause is nothing.
    let scene = Scene::new();
    let pause = Duration::from_secs(3);
    scene
        .bitbucket
        .fault(Fault::on("/git-upload-pack", Action::Stall { after: 10, pause }));
    scene.works();
}

#[test]
fn the_post_buffer_decides_how_a_push_tells_its_length() {
    for (size, framing) in [("65520", Framing::Chunked), ("1m", Framing::Length)] {
        let scene = Scene::new().set("http.postBuffer", size);
        scene.git_ok(&["init", "--quiet", "work"]);
        let noise: Vec<u8> = (0..200_000_u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
            .collect();
        std::fs::write(scene.file("work/noise"), noise).unwrap();
        scene.git_ok(&["-C", "work", "add", "noise"]);
        scene.git_ok(&[
            "-C",
            "work",
            "-c",
            "core.compression=0",
            "commit",
            "--quiet",
            "-m",
            "Noise",
        ]);
        scene.git_ok(&[
            "-C",
            "work",
            "-c",
            "core.compression=0",
            "push",
            "--quiet",
            "bbcloud::acme/widgets",
            "HEAD:refs/heads/noise",
        ]);
        let requests = scene.bitbucket.requests();
        let push = requests.iter().find(|request| request.method == "POST").unwrap();
        assert_eq!(push.framing, framing, "{size}");
    }
}
