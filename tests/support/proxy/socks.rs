//! The SOCKS proxy: versions 4, 4a and 5.

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Bytes, Log, Rules, note};

pub(super) async fn serve(mut stream: impl Bytes, rules: Rules, log: Log) {
    // Whoever goes away before the end is not served.
    let _gone = match stream.read_u8().await {
        Ok(4) => version_4(stream, rules, log).await,
        Ok(5) => version_5(stream, rules, log).await,
        _ => None,
    };
}

async fn version_4(mut stream: impl Bytes, rules: Rules, log: Log) -> Option<()> {
    stream.read_u8().await.ok()?;
    let port = stream.read_u16().await.ok()?;
    let address = stream.read_u32().await.ok()?;
    let name = until_zero(&mut stream).await?;
    let (version, host) = if address < 256 {
        ("socks4a", until_zero(&mut stream).await?)
    } else {
        ("socks4", Ipv4Addr::from(address).to_string())
    };
    let signed = if name.is_empty() {
        String::new()
    } else {
        format!(" as {name}")
    };
    let is_welcome = rules.login.is_none_or(|(known, _)| known == name);
    let refused = if is_welcome { "" } else { " refused" };
    note(&log, format!("{version} {host}:{port}{signed}{refused}"));
    let code = if is_welcome { 0x5a } else { 0x5d };
    stream.write_all(&[0, code, 0, 0, 0, 0, 0, 0]).await.ok()?;
    if is_welcome {
        relay(stream, &host, port).await?;
    }
    Some(())
}

async fn until_zero(stream: &mut impl Bytes) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        match stream.read_u8().await.ok()? {
            0 => return String::from_utf8(bytes).ok(),
            byte => bytes.push(byte),
        }
    }
}

async fn version_5(mut stream: impl Bytes, rules: Rules, log: Log) -> Option<()> {
    let count = stream.read_u8().await.ok()?;
    let mut methods = vec![0; count.into()];
    stream.read_exact(&mut methods).await.ok()?;
    let mut signed = String::new();
    if let Some((name, password)) = rules.login {
        if !methods.contains(&2) {
            note(&log, "socks5 refused".to_owned());
            stream.write_all(&[5, 0xff]).await.ok()?;
            return None;
        }
        stream.write_all(&[5, 2]).await.ok()?;
        stream.read_u8().await.ok()?;
        let given = (text(&mut stream).await?, text(&mut stream).await?);
        signed = format!(" as {}", given.0);
        if given != (name.to_owned(), password.to_owned()) {
            note(&log, format!("socks5{signed} refused"));
            stream.write_all(&[1, 1]).await.ok()?;
            return None;
        }
        stream.write_all(&[1, 0]).await.ok()?;
    } else {
        stream.write_all(&[5, 0]).await.ok()?;
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await.ok()?;
    let host = match request[3] {
        1 => Ipv4Addr::from(stream.read_u32().await.ok()?).to_string(),
        4 => Ipv6Addr::from(stream.read_u128().await.ok()?).to_string(),
        _ => text(&mut stream).await?,
    };
    let port = stream.read_u16().await.ok()?;
    note(&log, format!("socks5 {host}:{port}{signed}"));
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    relay(stream, &host, port).await
}

async fn text(stream: &mut impl Bytes) -> Option<String> {
    let length = stream.read_u8().await.ok()?;
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes).await.ok()?;
    String::from_utf8(bytes).ok()
}

async fn relay(mut stream: impl Bytes, host: &str, port: u16) -> Option<()> {
    let mut server = TcpStream::connect((host, port)).await.ok()?;
    tokio::io::copy_bidirectional(&mut stream, &mut server).await.ok()?;
    Some(())
}
