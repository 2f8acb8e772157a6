//! The HTTP proxy: tunnels, and requests that name a whole URL.

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Bytes, Log, Rules, note, ntlm};

pub(super) async fn serve(mut stream: impl Bytes, rules: Rules, log: Log) {
    while let Some(head) = head(&mut stream).await {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let user = user(&head);
        let signed = user.as_ref().map_or(String::new(), |(name, _)| format!(" as {name}"));
        let is_welcome = rules.login.is_none_or(|(name, password)| {
            user.as_ref()
                .is_some_and(|(given, secret)| given == name && secret == password)
        });
        if let Some(status) = rules.broken {
            note(&log, format!("{method} {target}{signed} refused"));
            refuse(&mut stream, &format!("{status} No"), "").await;
            return;
        }
        if rules.challenge == "NTLM" {
            if let Some(question) = ntlm::question(&head) {
                refuse(&mut stream, "407 Proxy Authentication Required", &question).await;
                continue;
            }
            if ntlm::signs_in(&head, rules.login) {
                note(&log, format!("{method} {target} by NTLM"));
                tunnel(stream, target).await;
                return;
            }
        }
        if !is_welcome {
            note(&log, format!("{method} {target}{signed} refused"));
            let farewell = rules.hangs_up.unwrap_or_default();
            let challenge = format!("Proxy-Authenticate: {}\r\n{farewell}", rules.challenge);
            refuse(&mut stream, "407 Proxy Authentication Required", &challenge).await;
            match rules.hangs_up {
                Some(_) => return,
                None => continue,
            }
        }
        note(&log, format!("{method} {target}{signed}"));
        if method == "CONNECT" {
            tunnel(stream, target).await;
        } else {
            relay(stream, &head, target).await;
        }
        return;
    }
}

async fn head(stream: &mut impl Bytes) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn user(head: &str) -> Option<(String, String)> {
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("Proxy-Authorization: Basic "))?;
    let pair = base64::engine::general_purpose::STANDARD.decode(line).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (name, password) = pair.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

async fn refuse(stream: &mut impl Bytes, status: &str, header: &str) {
    let text = format!("HTTP/1.1 {status}\r\n{header}Content-Length: 4\r\n\r\nno!\n");
    // The client may have gone.
    let _gone = stream.write_all(text.as_bytes()).await;
    let _gone = stream.flush().await;
}

async fn tunnel(mut stream: impl Bytes, target: &str) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        refuse(&mut stream, "502 Bad Gateway", "").await;
        return;
    };
    let _gone = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    let _gone = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
}

/// One request, after which the connection ends: enough for a test, and no body need be understood.
async fn relay(mut stream: impl Bytes, head: &str, target: &str) {
    let rest = target.strip_prefix("http://").unwrap_or_default();
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    let Ok(mut server) = TcpStream::connect(place).await else {
        refuse(&mut stream, "502 Bad Gateway", "").await;
        return;
    };
    let method = head.split(' ').next().unwrap_or_default();
    let mut forwarded = format!("{method} /{path} HTTP/1.1\r\nConnection: close\r\n");
    for line in head
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty() && !line.starts_with("Proxy-"))
    {
        forwarded.extend([line, "\r\n"]);
    }
    forwarded.push_str("\r\n");
    let _gone = server.write_all(forwarded.as_bytes()).await;
    let _gone = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
}
