//! A request and its answer as they go along: unsent, being sent, answered, read to the end.
//!
//! It must not know gitoxide's trait; `client` gives each of its parts to a type of the trait.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use super::agent;
use super::answer_head::AnswerHead;
use super::decoding::Decoding;
use super::error::Error;
use super::exchange::Exchange;
use super::head::Length;
use super::request::Request;
use super::session::{self, Answered, Session};
use crate::bridge::outcome::{Answerer, Unfinished};
use crate::bridge::refusal::{Refusal, TEXT};
use crate::origin::Origin;

/// How far a request and its answer have come.
pub(super) enum Stage {
    Unsent(Box<Request>),
    Sending(Box<Request>, Box<Exchange>),
    Answered(Origin, Decoding),
    /// Nothing more comes. What went wrong is told to whoever asks first.
    Done(Option<Unfinished>),
}

impl Stage {
    /// Begins an upload; where that fails, its body is told so.
    pub(super) fn upload(session: &mut Session, mut request: Request) -> Self {
        match session.start_upload(&mut request, Length::Chunked) {
            Ok(exchange) => Self::Sending(Box::new(request), Box::new(exchange)),
            Err(error) => Self::Done(Some(request.failed(error))),
        }
    }
}

/// A request and its answer.
pub(super) struct Answer {
    session: Rc<RefCell<Session>>,
    stage: Stage,
    /// The request, as long as nobody has seen any of the answer's body: until then it may be sent again.
    again: Option<Box<Request>>,
    content_type: String,
}

impl Answer {
    pub(super) fn new(session: Rc<RefCell<Session>>, stage: Stage) -> Self {
        Self {
            session,
            stage,
            again: None,
            content_type: String::new(),
        }
    }

    /// Sends the next bytes of the request's body, or keeps them until all are there.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stage {
            Stage::Unsent(request) => request.body.get_or_insert_default().extend_from_slice(bytes),
            Stage::Sending(request, exchange) => match exchange.write(bytes) {
                Err(Error::AnsweredEarly) => {
                    exchange.give_up_body();
                    return Err(Error::AnsweredEarly.into());
                }
                Err(error) => {
                    // An upload that is broken must not be ended as if it were complete.
                    let error = request.failed(error);
                    self.stage = Stage::Done(None);
                    return Err(error.into());
                }
                Ok(()) => {}
            },
            Stage::Done(error) => return Err(error.take().map_or_else(already_ended, io::Error::from)),
            Stage::Answered(..) => return Err(already_ended()),
        }
        Ok(())
    }

    /// Sends what is not sent yet and waits for the answer's headers.
    pub(super) fn headers(&mut self) -> io::Result<Vec<u8>> {
        let answered = match std::mem::replace(&mut self.stage, Stage::Done(None)) {
            Stage::Unsent(mut request) => {
                let answered = self.session.borrow_mut().perform(&mut request);
                let answered = answered.map_err(|error| request.failed(error))?;
                self.again = Some(request);
                answered
            }
            Stage::Sending(request, exchange) => session::uploaded(&request, *exchange)?,
            Stage::Done(error) => return Err(error.map_or_else(already_ended, io::Error::from)),
            answered @ Stage::Answered(..) => {
                self.stage = answered;
                return Ok(Vec::new());
            }
        };
        let head = self.begin(answered)?;
        head.text("content-type").clone_into(&mut self.content_type);
        Ok(head.lines())
    }

    /// Gets ready to read the body, unless the answer is a refusal.
    fn begin(&mut self, answered: Answered) -> io::Result<AnswerHead> {
        let Answered {
            origin,
            by,
            exchange,
            head,
        } = answered;
        let host = origin.host().to_owned();
        let refused = head.status >= 300;
        match Decoding::new(exchange, &head) {
            Ok(decoding) => self.stage = Stage::Answered(origin, decoding),
            // What a refusal means, its status says, too.
            Err(_) if refused => {}
            Err(error) => return Err(error.into()),
        }
        if refused {
            self.again = None;
            let mut refusal = self.refusal(&head, host);
            refusal.by = by;
            self.hear_agent(&head, &mut refusal);
            return Err(refusal.into());
        }
        Ok(head)
    }

    /// Takes over what an agent says for itself. A server that says such things is not believed.
    fn hear_agent(&self, head: &AnswerHead, refusal: &mut Refusal) {
        if !self.session.borrow().speaks_to_agent() {
            return;
        }
        if agent::Said::parse(head.text("bbcloud-agent")).is_some() {
            refusal.by = Answerer::Agent;
        }
        refusal.account = Some(head.text("bbcloud-agent-account").to_owned());
    }

    fn refusal(&mut self, head: &AnswerHead, host: String) -> Refusal {
        let mut text = vec![0; TEXT];
        let mut length = 0;
        // What the server has to say is worth having even where its body is cut.
        while let Some(space) = text.get_mut(length..).filter(|space| !space.is_empty())
            && let Ok(count @ 1..) = self.read_once(space)
        {
            length += count;
        }
        text.truncate(length);
        head.refusal(host, &text)
    }

    /// Reads the body. An advertisement is read ahead, because nothing of it reaches git before all is there; a pack
    /// is passed on as it comes.
    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(space) = out.get_mut(filled..).filter(|space| !space.is_empty()) {
            match self.read_once(space) {
                Ok(0) => break,
                Ok(count) => {
                    filled += count;
                    if self.again.as_ref().is_none_or(|request| !request.is_get()) {
                        break;
                    }
                }
                Err(error) => {
                    self.ask_again(error)?;
                    filled = 0;
                }
            }
        }
        self.again = None;
        Ok(filled)
    }

    fn read_once(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let Stage::Answered(_, decoding) = &mut self.stage else {
            return Ok(0);
        };
        let count = decoding.read(out)?;
        if count == 0
            && let Stage::Answered(origin, decoding) = std::mem::replace(&mut self.stage, Stage::Done(None))
            && let Some(stream) = decoding.finish()?.and_then(Exchange::into_stream)
        {
            self.session.borrow_mut().connector.keep(origin, stream);
        }
        Ok(count)
    }

    /// The answer was cut. If nobody has seen any of it, the same request is sent once more, for the same type.
    fn ask_again(&mut self, error: Error) -> io::Result<()> {
        let Some(mut request) = self.again.take() else {
            return Err(error.into());
        };
        // Its connection is of no use any more, and a server may allow few.
        self.stage = Stage::Done(None);
        let answered = self.session.borrow_mut().repeat(&mut request, error)?;
        self.again = Some(request);
        let head = self.begin(answered)?;
        if head.text("content-type") == self.content_type {
            return Ok(());
        }
        Err(Error::Malformed("content type changed after a retry".to_owned()).into())
    }
}

/// A part of a request that has ended is used once more, which no caller of ours does.
fn already_ended() -> io::Error {
    io::Error::other("the request has ended")
}
