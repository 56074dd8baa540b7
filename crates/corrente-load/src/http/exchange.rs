//! HTTP as an [`Exchange`]: picks the prebuilt request, reads the answer, judges it.
//!
//! It must not know sockets or time. Key invariants: bytes after a complete answer are malformed,
//! because nothing was asked yet; an answer of the wrong status is complete, its connection stays.

use std::sync::Arc;

use crate::exchange::{After, Completion, Exchange, Step, Verdict};
use crate::http::content::ContentCheck;
use crate::http::request::encode;
use crate::http::response::{Answer, BodyRule, Reading, ResponseReader};
use crate::outcome::ErrorKind;
use crate::plan::{Expect, Plan, StatusSet};
use crate::random::mix;
use crate::target::{KeepAlive, PathOrder};

/// What all connections of a run share: the bytes to send and what to hold answers against.
#[derive(Debug)]
pub(crate) struct HttpWork {
    requests: Box<[Box<[u8]>]>,
    path_order: PathOrder,
    keep_alive: KeepAlive,
    body_rule: BodyRule,
    expect: Expect,
    seed: u64,
}

impl HttpWork {
    pub(crate) fn new(plan: &Plan) -> Self {
        let request = &plan.target.request;
        Self {
            requests: encode(request),
            path_order: request.path_order,
            keep_alive: request.keep_alive,
            body_rule: if request.answer_has_body() {
                BodyRule::AsFramed
            } else {
                BodyRule::Never
            },
            expect: plan.expect.clone(),
            seed: plan.seed,
        }
    }

    fn pick(&self, ticket: u64) -> usize {
        let number = match self.path_order {
            PathOrder::Cycle => ticket,
            PathOrder::Random => mix(self.seed ^ mix(ticket)),
        };
        (number % self.requests.len() as u64) as usize
    }

    fn statuses(&self) -> &StatusSet {
        &self.expect.statuses
    }
}

/// One connection's HTTP conversation.
#[derive(Debug)]
pub(crate) struct HttpExchange {
    work: Arc<HttpWork>,
    picked: usize,
    reader: ResponseReader,
}

impl HttpExchange {
    pub(crate) fn new(work: Arc<HttpWork>) -> Self {
        let content = match &work.expect.body_contains {
            Some(needle) => ContentCheck::looking_for(needle.clone()),
            None => ContentCheck::Off,
        };
        Self {
            picked: 0,
            reader: ResponseReader::new(work.body_rule, content),
            work,
        }
    }

    fn complete(&self, answer: Answer) -> Step {
        let verdict = if !self.work.statuses().contains(answer.status) {
            Verdict::Wrong(ErrorKind::Status)
        } else if !self.reader.content.is_satisfied() {
            Verdict::Wrong(ErrorKind::Content)
        } else {
            Verdict::Good
        };
        let connection = match self.work.keep_alive {
            KeepAlive::Reuse => answer.connection,
            KeepAlive::Close => After::Close,
        };
        Step::Complete(Completion {
            status: Some(answer.status),
            verdict,
            connection,
        })
    }
}

impl Exchange for HttpExchange {
    fn begin(&mut self, ticket: u64) {
        self.picked = self.work.pick(ticket);
        self.reader.restart();
    }

    fn outgoing(&self) -> &[u8] {
        &self.work.requests[self.picked]
    }

    fn receive(&mut self, bytes: &[u8]) -> Step {
        match self.reader.take(bytes) {
            Ok(Reading::More) => Step::More,
            Ok(Reading::Complete { answer, taken }) if taken == bytes.len() => {
                self.complete(answer)
            }
            Ok(Reading::Complete { .. }) | Err(_) => Step::Failed(ErrorKind::Malformed),
        }
    }

    fn end_of_input(&mut self) -> Step {
        match self.reader.end() {
            Some(answer) => self.complete(answer),
            None => Step::Failed(ErrorKind::Reset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Arrival;
    use crate::target::{Request, Target};

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

    fn plan() -> Plan {
        let target = Target {
            address: "127.0.0.1:1".parse().unwrap(),
            request: Request {
                paths: ["/a", "/b", "/c"].map(str::to_owned).to_vec(),
                ..Request::get("h", "/")
            },
        };
        Plan::new(target, Arrival::Closed { users: 1 })
    }

    fn step(plan: &Plan, bytes: &[u8]) -> Step {
        let mut exchange = HttpExchange::new(Arc::new(HttpWork::new(plan)));
        exchange.begin(0);
        exchange.receive(bytes)
    }

    fn complete(verdict: Verdict, connection: After) -> Step {
        Step::Complete(Completion {
            status: Some(200),
            verdict,
            connection,
        })
    }

    #[test]
    fn answers_are_judged() {
        let good = plan();
        assert_eq!(step(&good, OK), complete(Verdict::Good, After::Reuse));
        let mut close = plan();
        close.target.request.keep_alive = KeepAlive::Close;
        assert_eq!(step(&close, OK), complete(Verdict::Good, After::Close));
        let mut other_status = plan();
        other_status.expect.statuses = StatusSet::only(201);
        let wrong = Verdict::Wrong(ErrorKind::Status);
        assert_eq!(step(&other_status, OK), complete(wrong, After::Reuse));
        let mut other_body = plan();
        other_body.expect.body_contains = Some(b"ho".to_vec());
        let wrong = Verdict::Wrong(ErrorKind::Content);
        assert_eq!(step(&other_body, OK), complete(wrong, After::Reuse));
    }

    #[test]
    fn bytes_after_the_answer_are_malformed() {
        let bytes = [OK, b"H"].concat();
        assert_eq!(step(&plan(), &bytes), Step::Failed(ErrorKind::Malformed));
    }

    #[test]
    fn paths_are_cycled_or_picked_by_seed() {
        let mut plan = plan();
        let picks = |plan: &Plan| {
            let work = HttpWork::new(plan);
            (0..9).map(|ticket| work.pick(ticket)).collect::<Vec<_>>()
        };
        assert_eq!(picks(&plan), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        plan.target.request.path_order = PathOrder::Random;
        let first = picks(&plan);
        assert_eq!(first, picks(&plan));
        plan.seed = 1;
        assert_ne!(first, picks(&plan));
    }
}
