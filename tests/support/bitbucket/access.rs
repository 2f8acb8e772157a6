//! From a request to what is done about it: which repository, who asks, and whether they may.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::account::{Account, Kind, Presented, Scope};
use super::backend::Cgi;
use super::fault::Action;
use super::lfs::{self, Asked};
use super::log::locked;
use super::refusal::{Refusal, Response};
use super::request::Head;
use super::world::World;

/// What is to be done about a request.
pub(crate) enum Plan {
    Answer(Response),
    Backend(Cgi),
    Lfs(Asked),
    Rest,
}

pub(crate) fn plan(world: &World, head: &Head, action: Option<&Action>) -> Plan {
    match action {
        Some(Action::Refuse(refusal)) => return Plan::Answer(refusal.response()),
        Some(Action::Redirect { status, location }) => {
            return Plan::Answer(Response::redirect(*status, &location.replace("{target}", &head.target)));
        }
        _ => {}
    }
    let path = head.path();
    if let Some(oid) = path.strip_prefix(lfs::ELSEWHERE) {
        return Plan::Lfs(Asked::elsewhere(head, oid));
    }
    let stores = head.method == "PUT" && path.contains(lfs::STORAGE);
    if !matches!(head.method.as_str(), "GET" | "POST") && !stores {
        return Plan::Answer(Response::new(405, "", "").with("Allow", "GET, POST"));
    }
    if path
        .strip_prefix(&world.settings.rest_path)
        .is_some_and(|rest| rest.starts_with('/'))
    {
        return Plan::Rest;
    }
    let Some(wanted) = path
        .strip_prefix(&world.settings.prefix)
        .and_then(|path| Wanted::parse(world, path))
    else {
        return Plan::Answer(Refusal::NotFound.response());
    };
    if let Some(new) = locked(&world.tables).moved.get(&wanted.repository) {
        return Plan::Answer(Response::redirect(301, &wanted.location(world, new, head.query())));
    }
    if let Some(rest) = wanted.rest.strip_prefix("info/lfs/") {
        return match permit(world, head, &wanted, false) {
            Ok(_) => Plan::Lfs(Asked::of(
                head,
                &wanted.name(),
                rest,
                permit(world, head, &wanted, true).err(),
            )),
            Err(refusal) => Plan::Answer(refusal.response()),
        };
    }
    match permit(world, head, &wanted, wanted.is_push(head.query())) {
        Ok(user) => Plan::Backend(Cgi {
            path_info: wanted.path_info(),
            user,
        }),
        Err(refusal) => Plan::Answer(refusal.response()),
    }
}

/// The repository that a path names.
struct Wanted {
    /// `workspace/repo`.
    repository: String,
    wiki: bool,
    /// What is asked of it, as in `info/refs`.
    rest: String,
}

impl Wanted {
    /// A wiki is one only behind `.git`, so that a client that leaves it out is found out.
    fn parse(world: &World, path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix('/')?.splitn(3, '/');
        let (workspace, repository, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let workspace = part(world, workspace)?;
        let bare = repository.strip_suffix(".git");
        let repository = part(world, bare.unwrap_or(repository))?;
        let wiki = rest.strip_prefix("wiki/").filter(|_| bare.is_some());
        let rest = wiki.unwrap_or(rest);
        (!rest.split('/').any(|part| part == "..")).then(|| Self {
            repository: format!("{workspace}/{repository}"),
            wiki: wiki.is_some(),
            rest: rest.to_owned(),
        })
    }

    fn name(&self) -> String {
        if self.wiki {
            format!("{}/wiki", self.repository)
        } else {
            self.repository.clone()
        }
    }

    fn path_info(&self) -> String {
        format!("/{}/{}", directory(&self.name()), self.rest)
    }

    fn location(&self, world: &World, new: &str, query: &str) -> String {
        let wiki = if self.wiki { "wiki/" } else { "" };
        let question = if query.is_empty() { "" } else { "?" };
        let prefix = &world.settings.prefix;
        format!(
            "{}{prefix}/{new}.git/{wiki}{}{question}{query}",
            world.origin, self.rest
        )
    }

    fn is_push(&self, query: &str) -> bool {
        self.rest == "git-receive-pack" || query.split('&').any(|pair| pair == "service=git-receive-pack")
    }
}

/// Where the repository `name` lives below the root; a wiki is a repository of its own beside its repository.
pub(crate) fn directory(name: &str) -> String {
    match name.splitn(3, '/').collect::<Vec<_>>().as_slice() {
        [workspace, repository, "wiki"] => format!("{workspace}/{repository}.wiki.git"),
        _ => format!("{name}.git"),
    }
}

/// One part of a path, decoded and by its true name.
fn part(world: &World, encoded: &str) -> Option<String> {
    let decoded = percent_decoded(encoded)?;
    let name = locked(&world.tables).aliases.get(&decoded).cloned().unwrap_or(decoded);
    let hidden = name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']);
    (!hidden).then_some(name)
}

pub(crate) fn percent_decoded(encoded: &str) -> Option<String> {
    let mut bytes = encoded.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            decoded.push(u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// Who asks, if anybody in particular, or why they are refused.
fn permit(world: &World, head: &Head, wanted: &Wanted, push: bool) -> Result<Option<String>, Refusal> {
    let name = wanted.name();
    let exists = Path::new(&world.root).join(directory(&name)).is_dir();
    let public = exists && !push && locked(&world.tables).public.contains(&name);
    if head.header("authorization").is_none() {
        return if public { Ok(None) } else { Err(Refusal::NoAccess) };
    }
    let account = authenticate(world, head)?;
    if let Some(refusal) = account.refused {
        return Err(refusal);
    }
    let reachable = public || (exists && account.reaches(&wanted.repository));
    if !reachable {
        return Err(if account.kind == Kind::AppPassword {
            Refusal::Forbidden
        } else {
            Refusal::NoAccess
        });
    }
    let mut required = vec![if push { Scope::Write } else { Scope::Read }];
    if wanted.wiki && account.kind == Kind::ApiToken {
        required.push(Scope::Wiki);
    }
    if !public && required.iter().any(|scope| !account.scopes.contains(scope)) {
        return Err(missing_scope(world, &account, &required));
    }
    Ok(Some(account.username))
}

fn authenticate(world: &World, head: &Head) -> Result<Account, Refusal> {
    let Some(Presented::Basic { user, secret }) = Presented::of(head) else {
        return Err(Refusal::BadSecret);
    };
    let account = locked(&world.tables)
        .accounts
        .iter()
        .find(|account| account.secret == secret)
        .cloned();
    let app_password = account
        .as_ref()
        .map_or(secret.starts_with("ATBB"), |found| found.kind == Kind::AppPassword);
    if app_password && world.app_passwords_dead.load(Ordering::Relaxed) {
        return Err(Refusal::AppPasswordGone);
    }
    let account = account.ok_or(Refusal::BadSecret)?;
    match account.kind {
        _ if account.accepts_git_user(&user) => Ok(account),
        Kind::AppPassword => Err(Refusal::BadSecret),
        Kind::ApiToken | Kind::AccessToken => Err(Refusal::NoAccess),
    }
}

fn missing_scope(world: &World, account: &Account, required: &[Scope]) -> Refusal {
    if !world.scope_refusals_as_json.load(Ordering::Relaxed) {
        return Refusal::MissingScope;
    }
    Refusal::MissingScopeJson {
        granted: account.scope_names(),
        required: required
            .iter()
            .map(|scope| scope.name(account.kind).to_owned())
            .collect(),
    }
}
