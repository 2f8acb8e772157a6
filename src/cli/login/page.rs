//! The page where tokens are created, shown in the user's browser.

use clap::Args;
use url::Url;

use super::browser;
use crate::cli::scene::Scene;
use crate::report::{Failure, Kind};

/// Where API tokens are created, with the app and the longest life chosen already. Atlassian does not document this for
/// Bitbucket, so `bbcloud.tokenPage` can name another page.
const TOKEN_PAGE: &str =
    "https://id.atlassian.com/manage-profile/security/api-tokens?autofillToken&appId=bitbucket&expiryDays=365";

/// Whether the page is to be opened.
#[derive(Debug, Args)]
pub(super) struct Browser {
    /// Open the page where tokens are created in a browser, over ssh too
    #[arg(long, conflicts_with = "no_browser")]
    web: bool,
    /// Open no browser
    #[arg(long)]
    no_browser: bool,
}

/// Opens the page where tokens are created, where there is a browser.
pub(super) fn open(wanted: &Browser, scene: &Scene<'_>) -> Result<(), Failure> {
    if wanted.no_browser {
        return Ok(());
    }
    let configured = scene.config.trusted().text("bbcloud.tokenPage");
    let page = configured.unwrap_or_else(|| TOKEN_PAGE.to_owned());
    if page.is_empty() {
        return Ok(());
    }
    let is_page = Url::parse(&page).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    if !is_page {
        let message = format!("invalid value for config 'bbcloud.tokenPage': not a web address: {page}");
        return Err(Failure::new(Kind::Usage, message).hint("run 'git config --global --unset bbcloud.tokenPage'"));
    }
    if browser::open(&page, wanted.web, scene.environment) {
        scene.report.say(&format!("opening {page}"));
    }
    Ok(())
}
