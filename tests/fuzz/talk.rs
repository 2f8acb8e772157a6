//! The other end of a conversation, without a network.

use std::cell::RefCell;
use std::io::{self, Cursor};
use std::rc::Rc;

use git_remote_bbcloud::bridge::Credentials;
use git_remote_bbcloud::bridge::refusal::Refusal;
use git_remote_bbcloud::bridge::remote::Remote;
use git_remote_bbcloud::bridge::service::Version;
use git_remote_bbcloud::report::Failure;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use zeroize::Zeroizing;

use super::URL;

/// A server that answers every request alike, and remembers what it was sent.
#[derive(Clone)]
pub(crate) struct Talk {
    head: Vec<u8>,
    answer: Vec<u8>,
    pub(crate) sent: Rc<RefCell<Vec<u8>>>,
    pub(crate) posts: Rc<RefCell<usize>>,
}

impl Talk {
    pub(crate) fn new(content_type: &str, answer: &[u8]) -> Self {
        Self {
            head: format!("content-type: {content_type}\n").into_bytes(),
            answer: answer.to_vec(),
            sent: Rc::default(),
            posts: Rc::default(),
        }
    }

    pub(crate) fn remote(&self) -> Remote<Self, Nobody> {
        Remote::new(self.clone(), URL.to_owned(), Version::V2, Nobody)
    }
}

/// What the server was sent, as it is written.
pub(crate) struct Sent(Rc<RefCell<Vec<u8>>>);

impl io::Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Http for Talk {
    type Headers = Cursor<Vec<u8>>;
    type ResponseBody = Cursor<Vec<u8>>;
    type PostBody = Sent;

    fn get(
        &mut self,
        _url: &str,
        _base_url: &str,
        _headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::error::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let (headers, body) = (Cursor::new(self.head.clone()), Cursor::new(self.answer.clone()));
        Ok(GetResponse { headers, body })
    }

    fn post(
        &mut self,
        _url: &str,
        _base_url: &str,
        _headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::error::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        *self.posts.borrow_mut() += 1;
        Ok(PostResponse {
            post_body: Sent(self.sent.clone()),
            headers: Cursor::new(self.head.clone()),
            body: Cursor::new(self.answer.clone()),
        })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::error::Result {
        Ok(())
    }
}

/// Nobody in particular.
pub(crate) struct Nobody;

impl Credentials for Nobody {
    fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(None)
    }

    fn accepted(&mut self, _elsewhere: bool) {}

    fn refused(&mut self, _refusal: &Refusal, _may_repeat: bool) -> Result<bool, Failure> {
        Ok(false)
    }
}
