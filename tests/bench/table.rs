//! The table: medians of both sides, and what they are to each other.

use std::io::Write as _;

use crate::cases::Case;
use crate::measure::median;
use crate::picture::Bars;
use crate::work::{Compared, Sample};

const HEAD: &str = "\
| case | round trip | bbcloud | https | faster | helper's CPU, ms | command's CPU, ms | helper's peak, MiB | requests | connections | KiB |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .expect("somebody reads it");
}

/// Prints what stands above the table.
pub(crate) fn head(versions: &[String]) {
    line(&format!(
        "{}\n\nOf each pair, the first is bbcloud, the second https.\n",
        versions.join("; ")
    ));
    line(HEAD);
}

/// Prints what stands below the table.
pub(crate) fn foot(lines: &[String]) {
    for text in lines {
        line(&format!("\n{text}"));
    }
}

/// Prints a case.
pub(crate) fn row(case: &Case, compared: &Compared) {
    let (ours, theirs) = (&compared.bbcloud, &compared.https);
    let middle = |side: &[Sample], watched: bool, of: fn(&Sample) -> u64| {
        median(side.iter().filter(|sample| sample.watched == watched).map(of))
    };
    let pair = |watched, of, show: fn(u64) -> String| {
        format!(
            "{} / {}",
            show(middle(ours, watched, of)),
            show(middle(theirs, watched, of))
        )
    };
    let (our_wall, their_wall) = (wall(ours), wall(theirs));
    let faster = tenths(their_wall * 100 / our_wall.max(1), 100);
    let round_trip = case
        .round_trip
        .map_or("direct".to_owned(), |time| format!("{} ms", time.as_millis()));
    let columns = [
        case.name.clone(),
        round_trip,
        time(our_wall),
        time(their_wall),
        format!("{faster}×"),
        pair(
            true,
            |sample| sample.taken.helpers.cpu_micros,
            |micros| tenths(micros, 1000),
        ),
        pair(
            false,
            |sample| sample.taken.command.cpu_micros,
            |micros| tenths(micros, 1000),
        ),
        pair(true, |sample| sample.taken.helpers.peak_kib, |kib| tenths(kib, 1024)),
        pair(false, |sample| sample.requests, |count| count.to_string()),
        pair(false, |sample| sample.connections, |count| count.to_string()),
        pair(false, |sample| sample.bytes, |bytes| (bytes / 1024).to_string()),
    ];
    line(&format!("| {} |", columns.join(" | ")));
}

/// Returns the case as the picture shows it.
pub(crate) fn bars(case: &Case, compared: &Compared) -> Bars {
    Bars {
        name: case.name.clone(),
        bbcloud_micros: wall(&compared.bbcloud),
        https_micros: wall(&compared.https),
    }
}

/// Returns the median time of `side`, in microseconds, of the runs without a process around the helper.
fn wall(side: &[Sample]) -> u64 {
    let alone = side.iter().filter(|sample| !sample.watched);
    median(alone.map(|sample| sample.taken.command.wall_micros))
}

/// `value` in `unit`s, with two digits after the point where that says something.
fn tenths(value: u64, unit: u64) -> String {
    let (whole, hundredths) = (value / unit, value % unit * 100 / unit);
    match whole {
        0..10 => format!("{whole}.{hundredths:02}"),
        10..100 => format!("{whole}.{}", hundredths / 10),
        _ => whole.to_string(),
    }
}

fn time(micros: u64) -> String {
    if micros < 1_000_000 {
        format!("{} ms", tenths(micros, 1000))
    } else {
        format!("{} s", tenths(micros, 1_000_000))
    }
}
