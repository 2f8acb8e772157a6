//! The way to the server, step by step, and what its first answer tells: whether it is alive, and what time it is.

use std::io::Read as _;
use std::time::{Duration, SystemTime};

use super::ANSWERS;
use super::checks::Checks;
use crate::cli::scene::Scene;
use crate::explain::network;
use crate::http::error::Error;
use crate::http::probe::{Certificate, Probe, Secured};
use crate::http::rest::{Call, Rest};
use crate::http::settings::Settings;
use crate::http::{date, seconds_since};
use crate::report::Failure;
use crate::trace::Trace;

/// How far a clock may be off; certificates and tokens are judged by it.
const CLOCK: Duration = Duration::from_secs(5 * 60);

/// Words in the names of authorities that stand between a company and the network.
const INSPECTORS: [&str; 20] = [
    "zscaler",
    "netskope",
    "forcepoint",
    "bluecoat",
    "blue coat",
    "fortinet",
    "fortigate",
    "palo alto",
    "sophos",
    "checkpoint",
    "check point",
    "mcafee",
    "skyhigh",
    "kaspersky",
    "avast",
    "eset ssl",
    "umbrella",
    "mitmproxy",
    "charles proxy",
    "inspection",
];

/// Returns whether requests can be sent.
pub(super) fn check(scene: &Scene<'_>, settings: &Settings, checks: &mut Checks) -> bool {
    let probe = Probe::new(scene.base.url(), settings);
    let explain = |error: Error| network::explain(&scene.base, error);
    let mut times = Vec::new();
    match probe.look_up() {
        Ok(addresses) => {
            let list: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
            checks.ok("dns", format!("{} is {}", probe.peer().0, list.join(", ")));
        }
        Err(error) => {
            checks.failure("dns", &explain(error));
            return false;
        }
    }
    let connected = match probe.connect() {
        Ok(connected) => connected,
        Err(error) => {
            checks.failure("tcp", &explain(error));
            return false;
        }
    };
    let (host, port) = probe.peer();
    let proxy = if settings.proxy.is_some() {
        ", a proxy, and on to the server"
    } else {
        ""
    };
    checks.ok("tcp", format!("connected to {host}:{port}{proxy}"));
    times.push(format!("connecting {}", milliseconds(connected.took)));
    if scene.base.url().scheme() == "http" {
        checks.skip("tls", "clear text, which stays on this machine");
    } else {
        match probe.secure(connected) {
            Ok(secured) => {
                times.push(format!("TLS {}", milliseconds(secured.took)));
                judge_certificate(&secured, checks);
            }
            Err(error) => {
                checks.failure("tls", &untrusted(explain(error), &probe));
                return false;
            }
        }
    }
    check_answer(scene, settings, times, checks)
}

fn judge_certificate(secured: &Secured, checks: &mut Checks) {
    let Some(certificate) = &secured.certificate else {
        checks.warn(
            "tls",
            format!("{}; the certificate cannot be read", secured.security),
            "",
        );
        return;
    };
    let detail = format!("{}; {}", secured.security, shown(certificate));
    let issuer = certificate.issuer.to_lowercase();
    if INSPECTORS.iter().any(|word| issuer.contains(word)) {
        checks.warn(
            "tls",
            format!("{detail}; by its issuer, a proxy inspects what is sent"),
            "ask whoever runs it to leave this host out, if that is not wanted",
        );
    } else {
        checks.ok("tls", detail);
    }
}

fn shown(certificate: &Certificate) -> String {
    format!(
        "certificate of '{}', issued by '{}', until {}",
        certificate.subject,
        certificate.issuer,
        date(certificate.until)
    )
}

/// The issuer tells who stands in between; rustls only says that it is not known.
fn untrusted(failure: Failure, probe: &Probe<'_>) -> Failure {
    match probe.untrusted_certificate() {
        Some(certificate) => failure.because(shown(&certificate)),
        None => failure,
    }
}

/// Asks for the server's first page, without any secret: its time, and whether it is in trouble.
fn check_answer(scene: &Scene<'_>, settings: &Settings, mut times: Vec<String>, checks: &mut Checks) -> bool {
    let trace = match Trace::from_environment(scene.environment, scene.report) {
        Ok(trace) => trace,
        Err(failure) => {
            checks.failure("http", &failure);
            return false;
        }
    };
    let mut rest = Rest::new(settings.clone(), scene.report, trace, Some(ANSWERS));
    let mut ask = || {
        let mut reply = rest.send(Call {
            method: "GET",
            url: scene.base.url().clone(),
            lines: vec!["Accept: */*".to_owned().into()],
            body: None,
            // A redirect is an answer, wherever it leads.
            follow: false,
        })?;
        let facts = (reply.status(), reply.header("date").to_owned(), reply.took());
        // The page itself is of no use; only a short one is read, so that its connection can be used again.
        let mut page = Vec::new();
        (&mut reply).take(64 * 1024).read_to_end(&mut page)?;
        rest.finish(reply)?;
        Ok::<_, std::io::Error>(facts)
    };
    let (status, time, first) = match ask() {
        Ok(facts) => facts,
        Err(error) => {
            checks.failure("http", &network::explain(&scene.base, error));
            return false;
        }
    };
    if status >= 500 {
        checks.warn(
            "http",
            format!("the server is in trouble (HTTP {status})"),
            "try again in a minute",
        );
    } else {
        checks.ok("http", format!("the server answers (HTTP {status})"));
    }
    check_clock(&time, checks);
    // The second request has its connection already.
    let round_trip = ask().map_or(first, |(_, _, took)| took.min(first));
    times.push(format!("an answer {}", milliseconds(round_trip)));
    checks.ok("latency", times.join(", "));
    true
}

fn check_clock(time: &str, checks: &mut Checks) {
    let Some(seconds) = seconds_since(time, SystemTime::now()) else {
        checks.skip("clock", "the server tells no time");
        return;
    };
    let off = seconds.unsigned_abs();
    if off <= CLOCK.as_secs() {
        checks.ok("clock", format!("{off} seconds from the server's"));
        return;
    }
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    checks.warn(
        "clock",
        format!("this machine's clock is {} minutes {direction} the server's", off / 60),
        "set it: 'sudo timedatectl set-ntp true'",
    );
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
