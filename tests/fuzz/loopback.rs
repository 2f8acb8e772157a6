//! A server on loopback that answers every request on a connection of its own.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use git_remote_bbcloud::address::BaseUrl;

type Answer = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

static ANSWER: Mutex<Option<Answer>> = Mutex::new(None);
static TURN: Mutex<()> = Mutex::new(());

/// The server, for one at a time.
pub(crate) struct Loopback {
    pub(crate) base: BaseUrl,
    _turn: MutexGuard<'static, ()>,
}

/// Lets the server answer with what `answer` makes of a request's beginning.
pub(crate) fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Loopback {
    static PORT: OnceLock<u16> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *ANSWER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(answer));
    let port = *PORT.get_or_init(start);
    let base = BaseUrl::parse(&format!("http://127.0.0.1:{port}")).expect("loopback may be in clear text");
    Loopback { base, _turn: turn }
}

fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that has heard enough may go.
            serve(stream).ok();
        }
    });
    port
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; 4096];
    let length = stream.read(&mut request)?;
    let answer = match &*ANSWER.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(answer) => answer(request.get(..length).unwrap_or_default()),
        None => Vec::new(),
    };
    stream.write_all(&answer)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // What is still said is read, so that the end is no reset.
    while stream.read(&mut request)? > 0 {}
    Ok(())
}
