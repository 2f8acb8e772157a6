//! The Secret Service before it is opened: is it there, is it locked, and has it our entry?
//!
//! `keyring` unlocks what it finds locked, and so may wait for ever for somebody to type a password. These questions
//! wait for nobody (<https://specifications.freedesktop.org/secret-service-spec/latest/>).

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::OnceLock;

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::Fault;
use super::store::SERVICE;
use crate::environment::Environment;
use crate::environment::variable::{DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR};

const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";

/// What the Secret Service says without being unlocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    /// The default collection, in which new entries are made.
    pub(super) collection: State,
    /// The entry that was asked for.
    pub(super) entry: State,
}

/// The state of a collection or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It can be used.
    Open,
    /// It has to be unlocked.
    Locked,
    /// There is none.
    Missing,
}

/// Fails at once where the session has no bus, which costs no more than a look at its socket.
pub(super) fn check_socket(environment: &Environment) -> Result<(), Fault> {
    let Some(path) = socket(environment) else {
        return Ok(());
    };
    match UnixStream::connect(&path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::Absent(format!(
            "the session's message bus at '{}' cannot be reached: {error}",
            path.display()
        ))),
    }
}

/// The bus's socket, where it is a file of one certain name.
fn socket(environment: &Environment) -> Option<PathBuf> {
    match environment
        .text(&DBUS_SESSION_BUS_ADDRESS)
        .filter(|text| !text.is_empty())
    {
        Some(address) => {
            let path = address.strip_prefix("unix:path=")?;
            let simple = !path.contains([';', '%']);
            simple.then(|| PathBuf::from(path.split(',').next().unwrap_or(path)))
        }
        None => Some(environment.path(&XDG_RUNTIME_DIR)?.join("bus")),
    }
}

/// Looks at the default collection and the entry `name`.
pub(super) fn look(name: &str) -> Result<View, Fault> {
    let connection = connect()?;
    let service = service(&connection)?;
    let attributes = HashMap::from([("service", SERVICE), ("username", name)]);
    let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
        service.call("SearchItems", &(attributes,)).map_err(sorted)?;
    let entry = match (open.is_empty(), locked.is_empty()) {
        (false, _) => State::Open,
        (true, false) => State::Locked,
        (true, true) => State::Missing,
    };
    let collection = match default_collection(&service)? {
        None => State::Missing,
        Some(path) => match proxy(&connection, path.as_str(), "Collection")?.get_property("Locked") {
            Ok(true) => State::Locked,
            Ok(false) => State::Open,
            Err(error) => return Err(sorted(error)),
        },
    };
    Ok(View { collection, entry })
}

/// Unlocks the default collection; the desktop asks for its password. May wait for ever.
pub(super) fn unlock() -> Result<(), Fault> {
    let connection = connect()?;
    let service = service(&connection)?;
    let collection = default_collection(&service)?.ok_or_else(no_collection)?;
    let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
        service.call("Unlock", &(vec![collection],)).map_err(sorted)?;
    if prompt.as_str() == "/" {
        return Ok(());
    }
    let prompt = proxy(&connection, prompt.as_str(), "Prompt")?;
    // Listening has to begin before the prompt can end.
    let mut completed = prompt.receive_signal("Completed").map_err(sorted)?;
    prompt.call::<_, _, ()>("Prompt", &("",)).map_err(sorted)?;
    let message = completed.next().ok_or(Fault::Locked)?;
    match message.body().deserialize::<(bool, OwnedValue)>() {
        Ok((dismissed, _)) if !dismissed => Ok(()),
        _ => Err(Fault::Locked),
    }
}

/// Says that there is nothing to keep secrets in.
pub(super) fn no_collection() -> Fault {
    Fault::Absent("the Secret Service has no default collection to keep secrets in".to_owned())
}

/// Returns the connection to the session's bus, which stays open until the process ends: gnome-keyring (42.1) notes
/// clients that come in one thread and those that go in another, and was seen to break down over `OpenSession` of the
/// connection that `keyring` makes just when this one had been closed.
fn connect() -> Result<Connection, Fault> {
    static SESSION: OnceLock<Connection> = OnceLock::new();
    if let Some(connection) = SESSION.get() {
        return Ok(connection.clone());
    }
    let connection = Connection::session()
        .map_err(|error| Fault::Absent(format!("the session's message bus cannot be reached: {error}")))?;
    Ok(SESSION.get_or_init(|| connection).clone())
}

fn service(connection: &Connection) -> Result<Proxy<'static>, Fault> {
    proxy(connection, ROOT, "Service")
}

fn proxy(connection: &Connection, path: &str, interface: &str) -> Result<Proxy<'static>, Fault> {
    zbus::blocking::proxy::Builder::new(connection)
        .destination(NAME)
        .and_then(|builder| builder.path(path.to_owned()))
        .and_then(|builder| builder.interface(format!("org.freedesktop.Secret.{interface}")))
        .map(|builder| builder.cache_properties(zbus::proxy::CacheProperties::No))
        .and_then(zbus::blocking::proxy::Builder::build)
        .map_err(sorted)
}

fn default_collection(service: &Proxy<'_>) -> Result<Option<OwnedObjectPath>, Fault> {
    let path: OwnedObjectPath = service.call("ReadAlias", &("default",)).map_err(sorted)?;
    Ok((path.as_str() != "/").then_some(path))
}

/// A bus on which nobody offers the service has no keychain; any other error is its own.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn sorted(error: zbus::Error) -> Fault {
    let text = error.to_string();
    let nobody = [
        "ServiceUnknown",
        "NameHasNoOwner",
        "Spawn.",
        "org.freedesktop.secrets was not provided",
    ];
    if nobody.iter().any(|word| text.contains(word)) {
        return Fault::Absent("nothing on the session's message bus offers the Secret Service".to_owned());
    }
    if text.contains("IsLocked") {
        return Fault::Locked;
    }
    Fault::Broken(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_that_is_not_there_is_known_without_asking() {
        let directory = tempfile::tempdir().expect("a directory");
        let gone = directory.path().join("bus");
        let address = format!("unix:path={},guid=1", gone.display());
        let check = |name: &str, value: &str| check_socket(&Environment::from_pairs([(name, value)]));
        assert!(matches!(
            check("DBUS_SESSION_BUS_ADDRESS", &address),
            Err(Fault::Absent(_))
        ));
        let runtime = directory.path().to_str().expect("UTF-8");
        assert!(matches!(check("XDG_RUNTIME_DIR", runtime), Err(Fault::Absent(_))));
        let _listener = std::os::unix::net::UnixListener::bind(&gone).expect("a socket");
        assert_eq!(check("DBUS_SESSION_BUS_ADDRESS", &address), Ok(()));
        assert_eq!(check("XDG_RUNTIME_DIR", runtime), Ok(()));
        assert_eq!(check("DBUS_SESSION_BUS_ADDRESS", "unix:abstract=x"), Ok(()));
    }
}
