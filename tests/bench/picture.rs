//! A picture of the table for the README: two bars a case, as SVG.

use std::fmt::Write as _;
use std::path::Path;

const LEFT: u64 = 190;
const BAR: u64 = 430;
const ROW: u64 = 52;
const TOP: u64 = 58;

/// A case with the medians of both sides.
pub(crate) struct Bars {
    pub(crate) name: String,
    pub(crate) bbcloud_micros: u64,
    pub(crate) https_micros: u64,
}

/// Writes the picture of `rows` to `path`, under `title`.
pub(crate) fn write(path: &Path, title: &str, rows: &[Bars]) {
    std::fs::write(path, draw(title, rows)).expect("the picture can be written");
}

fn draw(title: &str, rows: &[Bars]) -> String {
    let longest = rows.iter().map(|row| row.bbcloud_micros.max(row.https_micros)).max();
    let longest = longest.unwrap_or_default().max(1);
    let height = TOP + ROW * rows.len() as u64 + 8;
    let width = LEFT + BAR + 130;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\" fill=\"#111\">{title}</text>\n\
         <text x=\"16\" y=\"44\" fill=\"#555\">shorter is better; medians of one run, both sides in turns</text>\n"
    );
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + ROW * index as u64;
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#111\">{}</text>",
            LEFT - 12,
            y + 25,
            row.name
        )
        .expect("a string takes everything");
        let hundredths = row.https_micros * 100 / row.bbcloud_micros.max(1);
        let faster = format!(" ({}.{:02}×)", hundredths / 100, hundredths % 100);
        bar(
            &mut svg,
            y + 4,
            ("bbcloud", "#0b57d0"),
            row.bbcloud_micros,
            longest,
            &faster,
        );
        bar(&mut svg, y + 24, ("https", "#9aa0a6"), row.https_micros, longest, "");
    }
    svg.push_str("</svg>\n");
    svg
}

fn bar(svg: &mut String, y: u64, (name, colour): (&str, &str), micros: u64, longest: u64, note: &str) {
    let width = (micros * BAR / longest).max(1);
    let millis = (micros + 500) / 1000;
    writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width}\" height=\"16\" fill=\"{colour}\"/>\
         <text x=\"{}\" y=\"{}\" fill=\"#333\">{name} {millis} ms{note}</text>",
        LEFT + width + 6,
        y + 13
    )
    .expect("a string takes everything");
}
