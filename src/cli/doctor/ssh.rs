//! What still uses ssh at `bitbucket.org`: since 2026-11-12 Bitbucket's ssh host is `ssh.bitbucket.org`.

use std::path::Path;

use super::checks::Checks;
use crate::address::{self, Address};
use crate::cli::scene::Scene;
use crate::file::{self, Links};
use crate::git::LONGEST;
use crate::git::document::Document;
use crate::git::layout::Layout;
use crate::redact;
use crate::report::{Failure, Kind};
use crate::shell::{quoted, word};

const NAME: &str = "ssh-host";

/// What helps where several may be concerned.
const ALL: &str = "git-remote-bbcloud migrate --all-remotes";

/// What was found, and what helps.
#[derive(Default)]
struct Found {
    places: Vec<String>,
    remedies: Vec<String>,
}

impl Found {
    fn add(&mut self, place: &str, url: &str, remedy: String) {
        self.places.push(format!("{place} ({})", redact::address(url)));
        if !self.remedies.contains(&remedy) {
            self.remedies.push(remedy);
        }
    }
}

pub(super) fn check(scene: &Scene<'_>, checks: &mut Checks) {
    let mut found = Found::default();
    remotes(scene, &mut found);
    rules(scene, &mut found);
    if let Ok(place) = Layout::find(Path::new(".")) {
        submodules(&place, scene, &mut found);
    }
    if found.places.is_empty() {
        checks.ok(NAME, "nothing here uses ssh at 'bitbucket.org'");
        return;
    }
    let message = format!(
        "Bitbucket's ssh host is 'ssh.bitbucket.org' since 2026-11-12, and 'bitbucket.org' is still used by {}",
        found.places.join(", ")
    );
    let failure = Failure::new(Kind::Local, message);
    let failure = found.remedies.into_iter().fold(failure, Failure::hint);
    checks.warning(NAME, &failure);
}

/// The remotes, by the addresses that git uses for them: an `insteadOf` may have repaired them.
fn remotes(scene: &Scene<'_>, found: &mut Found) {
    for remote in scene.config.remotes() {
        let route = scene.config.route(&remote);
        let old = route
            .fetch
            .iter()
            .chain(&route.pushes)
            .find(|url| address::is_old_ssh(url));
        if let Some(url) = old {
            let name = redact::piece(&remote.name);
            let remedy = format!("git-remote-bbcloud migrate --remote {}", word(&name));
            found.add(&format!("remote '{name}'"), url, remedy);
        }
    }
}

/// `url.git@bitbucket.org:.insteadOf`, by which https addresses become those of ssh.
fn rules(scene: &Scene<'_>, found: &mut Found) {
    for name in ["insteadOf", "pushInsteadOf"] {
        for (base, _) in scene.config.by_subsection("url", name) {
            if address::is_old_ssh(&base) {
                let key = format!("url.{}.{name}", redact::address(&base));
                let remedy = format!("git config --global --unset-all {}", quoted(&key));
                found.add(&key, &base, remedy);
            }
        }
    }
}

/// The file of the commit, what was made of it here, and the submodules' own remotes.
fn submodules(place: &Layout, scene: &Scene<'_>, found: &mut Found) {
    if let Some(top) = &place.work_tree {
        let text = file::read_with(&top.join(".gitmodules"), Links::Refuse, LONGEST);
        for (name, url) in text.map(|text| old_urls(&text, scene)).unwrap_or_default() {
            let key = format!("submodule.{name}.url");
            let new = Address::parse(&url, &scene.base).map_or_else(|_| "<url>".to_owned(), |url| url.bbcloud());
            let remedy = format!("git config --file .gitmodules {} {new}", word(&key));
            found.add(&format!("'.gitmodules', submodule '{name}'"), &url, remedy);
        }
    }
    for (name, url) in scene.config.by_subsection("submodule", "url") {
        if address::is_old_ssh(&scene.config.rewritten(&url)) {
            found.add(&format!("submodule '{}'", redact::piece(&name)), &url, ALL.to_owned());
        }
    }
    for submodule in place.submodules() {
        let text = file::read(&submodule.common_dir.join("config"), LONGEST);
        for (name, url) in text.map(|text| old_urls(&text, scene)).unwrap_or_default() {
            let directory = submodule.common_dir.display();
            found.add(&format!("'{name}' of '{directory}'"), &url, ALL.to_owned());
        }
    }
}

/// Returns the submodules' and remotes' URLs in the text of a configuration file that use the old host, each with the
/// name of its section.
fn old_urls(text: &[u8], scene: &Scene<'_>) -> Vec<(String, String)> {
    let Ok(document) = Document::parse(text, "configuration") else {
        return Vec::new();
    };
    let values = document.values().into_iter();
    let urls = values.filter(|value| ["url", "pushurl"].contains(&value.key.name.as_str()));
    let named = urls.filter_map(|value| Some((value.key.subsection?, value.key.section, value.text)));
    let old = named.filter(|(_, section, url)| {
        ["submodule", "remote"].contains(&section.as_str()) && address::is_old_ssh(&scene.config.rewritten(url))
    });
    old.map(|(name, _, url)| (redact::piece(&name), url.to_string()))
        .collect()
}
