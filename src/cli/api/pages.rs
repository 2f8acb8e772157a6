//! All pages of an answer as one array: every value as the server wrote it, one after the other.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read as _};

use serde_json::value::RawValue;
use url::Url;

use super::{Api, place, screen, write};
use crate::report::{Failure, Kind};

/// The largest page, in bytes; Bitbucket's have at most 100 values.
const MAX: u64 = 16 * 1024 * 1024;

/// What helps where the pages do not fit together.
const ONE: &str = "leave '--paginate' out, and ask for one page at a time";

/// An object's members, as they are written.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Writes the values of the page at `url` and of all that follow it. An answer that is no page is written as it is.
fn write_all(api: &mut Api<'_>, url: Url, out: &mut impl io::Write) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let mut separator = "[";
    let mut next = Some(url);
    while let Some(url) = next.take() {
        if !seen.insert(url.to_string()) {
            return Err(Failure::new(
                Kind::Protocol,
                format!("the pages go round in a circle: '{url}' comes twice"),
            )
            .hint(ONE));
        }
        let text = read(api, url)?;
        let page: Option<Members<'_>> = serde_json::from_slice(&text).ok();
        let values = page.as_ref().and_then(|page| page.get("values"));
        let values: Option<Vec<&RawValue>> = values.and_then(|values| serde_json::from_str(values.get()).ok());
        let (Some(page), Some(values)) = (page, values) else {
            if seen.len() > 1 {
                return Err(Failure::new(Kind::Protocol, "one of the pages has no 'values'").hint(ONE));
            }
            return write(out, &text).map(drop);
        };
        for value in values {
            if !(write(out, separator.as_bytes())? && write(out, value.get().as_bytes())?) {
                return Ok(());
            }
            separator = ",\n";
        }
        next = following(api, &page)?;
    }
    let end = if separator == "[" { "[]\n" } else { "]\n" };
    write(out, end.as_bytes()).map(drop)
}

/// As [`write_all`], to standard output.
pub(super) fn write_values(api: &mut Api<'_>, url: Url) -> Result<(), Failure> {
    write_all(api, url, &mut io::BufWriter::new(screen::open()))
}

fn read(api: &mut Api<'_>, url: Url) -> Result<Vec<u8>, Failure> {
    let mut reply = api.ask("GET", url, None)?;
    let mut text = Vec::new();
    let read = (&mut reply).take(MAX + 1).read_to_end(&mut text);
    read.map_err(|error| api.broken(error))?;
    if text.len() as u64 > MAX {
        return Err(
            Failure::new(Kind::Protocol, format!("a page is longer than {MAX} bytes"))
                .hint("ask for smaller pages: add 'pagelen=10' to the path's query"),
        );
    }
    api.rest.finish(reply).map_err(|error| api.broken(error))?;
    Ok(text)
}

/// Returns the next page. The secret goes to the API and nowhere else, so the page must be there too.
fn following(api: &Api<'_>, page: &Members<'_>) -> Result<Option<Url>, Failure> {
    let Some(next) = page.get("next") else { return Ok(None) };
    let text: Option<String> = serde_json::from_str(next.get()).unwrap_or_default();
    let Some(text) = text else { return Ok(None) };
    match Url::parse(&text) {
        Ok(url) if place::is_below(&url, api.base) => Ok(Some(url)),
        _ => Err(Failure::new(
            Kind::Protocol,
            format!("the next page is not of the API at '{}': '{text}'", api.base.url()),
        )
        .hint("if the server names itself otherwise, set BBCLOUD_API_URL to that name")),
    }
}
