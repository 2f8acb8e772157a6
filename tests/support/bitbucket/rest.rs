//! The small part of the REST API that the product uses: who am I, and a repository's commits.

use std::fmt::Write as _;

use super::access::{directory, percent_decoded};
use super::account::{Account, Kind, Presented, Scope};
use super::log::locked;
use super::process;
use super::refusal::{Refusal, Response, quoted};
use super::request::Head;
use super::world::World;

const BAD_TOKEN: &str = "Token is invalid, expired, or not supported for this endpoint.";
const DEFAULT_PAGE: usize = 30;
const MAX_PAGE: usize = 100;

pub(crate) async fn answer(world: &World, head: &Head) -> Response {
    let path = head.path().strip_prefix(&world.settings.rest_path).unwrap_or_default();
    let parts: Vec<_> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .filter_map(percent_decoded)
        .collect();
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let account = match authenticate(world, head) {
        Ok(account) => account,
        Err(response) => return response,
    };
    let response = match (head.method.as_str(), parts.as_slice()) {
        ("GET", ["user"]) => user(account.as_ref()),
        ("GET", ["repositories", workspace, repository, "commits"]) => {
            commits(world, head, account.as_ref(), &format!("{workspace}/{repository}")).await
        }
        ("GET", _) => Response::rest_error(404, "Resource not found"),
        _ => Response::rest_error(405, "Method not allowed"),
    };
    match account {
        Some(account) => response
            .with("x-credential-type", credential_type(account.kind))
            .with("x-oauth-scopes", &account.scope_names().join(", "))
            .with("x-ratelimit-limit", "1000"),
        None => response,
    }
}

fn authenticate(world: &World, head: &Head) -> Result<Option<Account>, Response> {
    if head.header("authorization").is_none() {
        return Ok(None);
    }
    let refused = || Response::rest_error(401, BAD_TOKEN);
    let presented = Presented::of(head).ok_or_else(refused)?;
    let tables = locked(&world.tables);
    let found = tables
        .accounts
        .iter()
        .find(|account| account.secret == presented.secret());
    let account = found
        .filter(|account| account.accepts_rest(&presented))
        .ok_or_else(refused)?;
    let dead = world.app_passwords_dead.load(std::sync::atomic::Ordering::Relaxed);
    if account.kind == Kind::AppPassword && dead {
        Err(refused())
    } else {
        Ok(Some(account.clone()))
    }
}

fn credential_type(kind: Kind) -> &'static str {
    match kind {
        Kind::AppPassword => "apppassword",
        Kind::ApiToken => "api_token",
        Kind::AccessToken => "repo_access_token",
    }
}

fn user(account: Option<&Account>) -> Response {
    let Some(account) = account else {
        return Response::rest_error(401, "Authentication required");
    };
    if account.kind == Kind::AccessToken {
        let required = vec!["account".to_owned()];
        return Refusal::MissingScopeJson {
            granted: account.scope_names(),
            required,
        }
        .response();
    }
    let name = quoted(&account.username);
    Response::json(
        200,
        format!(
            r#"{{"type": "user", "username": {name}, "nickname": {name}, "display_name": {name}, "account_status": "active"}}"#
        ),
    )
}

async fn commits(world: &World, head: &Head, account: Option<&Account>, name: &str) -> Response {
    let public = locked(&world.tables).public.contains(name);
    let place = world.root.join(directory(name));
    let hidden = name.split('/').any(|part| part.starts_with('.')) || !place.is_dir();
    let reaches = account.is_some_and(|account| account.reaches(name));
    if hidden || !(public || reaches) {
        let message =
            format!("You may not have access to this repository or it no longer exists in this workspace: {name}");
        return Response::rest_error(404, &message);
    }
    if let Some(account) = account.filter(|account| !public && !account.scopes.contains(&Scope::Read)) {
        let required = vec![Scope::Read.name(account.kind).to_owned()];
        return Refusal::MissingScopeJson {
            granted: account.scope_names(),
            required,
        }
        .response();
    }
    let length = number(head, "pagelen", DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let page = number(head, "page", 1).max(1);
    let mut command = process::command("git", &world.root);
    command
        .arg("-C")
        .arg(&place)
        .args(["log", "--all", "--format=%H%x00%aI%x00%an <%ae>%x00%B%x01"]);
    command
        .arg(format!("--skip={}", (page - 1) * length))
        .arg(format!("--max-count={}", length + 1));
    match tokio::process::Command::from(command).kill_on_drop(true).output().await {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let here = format!("{}{}", world.origin, head.path());
            Response::json(200, page_of(&text, &here, page, length))
        }
        Ok(output) => Response::rest_error(500, &String::from_utf8_lossy(&output.stderr)),
        Err(error) => Response::rest_error(500, &error.to_string()),
    }
}

/// One more commit than the page holds says that there is a next one.
fn page_of(log: &str, here: &str, page: usize, length: usize) -> String {
    let all: Vec<_> = log
        .split_terminator('\u{1}')
        .map(str::trim_start)
        .filter(|entry| !entry.is_empty())
        .collect();
    let values: Vec<_> = all.iter().take(length).map(|entry| commit(entry)).collect();
    let mut json = format!(
        r#"{{"values": [{}], "pagelen": {length}, "page": {page}"#,
        values.join(", ")
    );
    if all.len() > length {
        let next = format!("{here}?pagelen={length}&page={}", page + 1);
        write!(json, r#", "next": {}"#, quoted(&next)).expect("a string can be written to");
    }
    json.push('}');
    json
}

fn commit(entry: &str) -> String {
    let mut fields = entry.splitn(4, '\0').map(quoted);
    let mut field = || fields.next().unwrap_or_default();
    let (hash, date, author, message) = (field(), field(), field(), field());
    format!(
        r#"{{"type": "commit", "hash": {hash}, "date": {date}, "author": {{"type": "author", "raw": {author}}}, "message": {message}}}"#
    )
}

fn number(head: &Head, name: &str, default: usize) -> usize {
    let mut pairs = head.query().split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(default)
}
