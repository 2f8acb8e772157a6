//! Git LFS: the batch API with basic transfers, and the objects themselves (git-lfs's docs/api).

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tokio::io::AsyncRead;

use super::log::Entry;
use super::refusal::{Refusal, Response};
use super::request::{Head, Inbound};
use super::world::World;

/// Where objects are at a place of their own, as Bitbucket's are at Atlassian's media service.
pub(crate) const ELSEWHERE: &str = "/_media/";
/// Where they are beside the repository.
pub(crate) const STORAGE: &str = "/info/lfs/storage/";
/// What the place of their own wants; only the batch API tells it.
const TICKET: &str = "Bearer for-this-object-only";

/// What git-lfs asks for.
pub(crate) struct Asked {
    /// `workspace/repo`.
    repository: String,
    what: What,
    /// Why it may not write, if it may not.
    read_only: Option<Refusal>,
}

enum What {
    Batch,
    Verify,
    Locks,
    Object(String),
    Unknown,
}

impl Asked {
    pub(crate) fn of(head: &Head, repository: &str, rest: &str, read_only: Option<Refusal>) -> Self {
        let what = match (head.method.as_str(), rest.split('/').collect::<Vec<_>>().as_slice()) {
            ("POST", ["objects", "batch"]) => What::Batch,
            ("POST", ["verify"]) => What::Verify,
            ("POST", ["locks", "verify"]) => What::Locks,
            ("GET" | "PUT", ["storage", oid]) if is_oid(oid) => What::Object((*oid).to_owned()),
            _ => What::Unknown,
        };
        Self {
            repository: repository.to_owned(),
            what,
            read_only,
        }
    }

    pub(crate) fn elsewhere(head: &Head, oid: &str) -> Self {
        let allowed = head.header("authorization") == Some(TICKET) && is_oid(oid);
        Self {
            repository: String::new(),
            what: if allowed {
                What::Object(oid.to_owned())
            } else {
                What::Unknown
            },
            read_only: None,
        }
    }
}

pub(crate) async fn answer<R: AsyncRead + Unpin>(
    world: &World,
    head: &Head,
    asked: Asked,
    inbound: &mut Inbound<R>,
    entry: &Entry,
) -> io::Result<Response> {
    let mut sent = Vec::new();
    let mut body = head.body();
    loop {
        let bytes = body.next(inbound).await?;
        if bytes.is_empty() {
            break;
        }
        entry.received(bytes.len());
        sent.extend_from_slice(bytes);
    }
    let question: Value = serde_json::from_slice(&sent).unwrap_or_default();
    Ok(match (&asked.what, head.method.as_str()) {
        (What::Batch, _) => batch(world, &asked, &question),
        (What::Verify, _) => {
            let size = question.get("size").and_then(Value::as_u64);
            let stored = std::fs::metadata(file(world, &text(&question, "oid"))).ok();
            let complete = size.is_some() && stored.map(|stored| stored.len()) == size;
            document(if complete { 200 } else { 404 }, &json!({}))
        }
        (What::Locks, _) => document(200, &json!({ "ours": [], "theirs": [] })),
        (What::Object(oid), "PUT") => match (&asked.read_only, digest(&sent) == *oid) {
            (Some(refusal), _) => refusal.response(),
            (None, false) => document(422, &json!({ "message": "another object than its name says" })),
            (None, true) => {
                let file = file(world, oid);
                std::fs::create_dir_all(file.parent().unwrap_or(&world.root))?;
                std::fs::write(file, &sent)?;
                Response::new(200, "", "")
            }
        },
        (What::Object(oid), _) => match std::fs::read(file(world, oid)) {
            Ok(bytes) => Response::new(200, "application/octet-stream", bytes),
            Err(_) => document(404, &json!({ "message": "no such object" })),
        },
        (What::Unknown, _) => document(404, &json!({ "message": "not found" })),
    })
}

fn batch(world: &World, asked: &Asked, question: &Value) -> Response {
    let upload = text(question, "operation") == "upload";
    if let (true, Some(refusal)) = (upload, &asked.read_only) {
        return refusal.response();
    }
    // Objects at a place of their own need no more than their action's header; those beside the repository need a secret.
    let authenticated = world.lfs_elsewhere.load(Ordering::Relaxed);
    let wanted = question.get("objects").and_then(Value::as_array);
    let objects = wanted.into_iter().flatten().map(|object| {
        let oid = text(object, "oid");
        let stored = file(world, &oid).is_file();
        let mut answer = json!({ "oid": oid, "size": object.get("size"), "authenticated": authenticated });
        let told = match (upload, stored) {
            (true, true) => None,
            (true, false) if authenticated => Some(("actions", json!({ "upload": action(world, asked, &oid) }))),
            (true, false) => {
                let actions = json!({ "upload": action(world, asked, &oid), "verify": verify(world, asked) });
                Some(("actions", actions))
            }
            (false, true) => Some(("actions", json!({ "download": action(world, asked, &oid) }))),
            (false, false) => Some(("error", json!({ "code": 404, "message": "no such object" }))),
        };
        if let (Some((name, value)), Some(answer)) = (told, answer.as_object_mut()) {
            answer.insert(name.to_owned(), value);
        }
        answer
    });
    document(
        200,
        &json!({ "transfer": "basic", "objects": objects.collect::<Vec<_>>() }),
    )
}

fn action(world: &World, asked: &Asked, oid: &str) -> Value {
    if world.lfs_elsewhere.load(Ordering::Relaxed) {
        let href = format!("{}{ELSEWHERE}{oid}", world.origin);
        return json!({ "href": href, "header": { "Authorization": TICKET } });
    }
    json!({ "href": format!("{}{STORAGE}{oid}", base(world, asked)) })
}

fn verify(world: &World, asked: &Asked) -> Value {
    json!({ "href": format!("{}/info/lfs/verify", base(world, asked)) })
}

fn base(world: &World, asked: &Asked) -> String {
    format!("{}{}/{}.git", world.origin, world.settings.prefix, asked.repository)
}

fn document(status: u16, body: &Value) -> Response {
    Response::new(status, "application/vnd.git-lfs+json", body.to_string())
}

fn file(world: &World, oid: &str) -> PathBuf {
    // A name that is none is the name of no object.
    world.root.join("lfs").join(if is_oid(oid) { oid } else { "none" })
}

fn is_oid(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn digest(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string can be written to");
        text
    })
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
