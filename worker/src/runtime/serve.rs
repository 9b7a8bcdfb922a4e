//! [`WorkerLoop`]: a worker's links, and one request after another.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use wire::control::{FromWorker, ToWorkerControl};
use wire::limits::{LINK_WAIT_TIME_MAX, WINDOW_BYTES_MIN};
use wire::shm::{Marks, Shared, WorkerCounter};
use wire::{ExchangeId, Part, Reason};

use crate::application::{Application, RequestBody, Verdict, WorkerIdentity};
use crate::control::{WorkerControl, WorkerOrder};
use crate::membership::is_forked_copy;
use crate::runtime::assembly::{Assembly, Job, JobKind};
use crate::runtime::body::BodyStream;
use crate::runtime::claims;
use crate::runtime::link::{ExchangeStatus, Link, Read};
use crate::runtime::links;
use crate::runtime::reply::Reply;
use crate::signals::WorkerSignals;
use crate::supervisor::spawn;

/// What a new worker has in hand.
#[derive(Debug)]
pub(crate) struct WorkerContext {
    pub(crate) identity: WorkerIdentity,
    pub(crate) control: WorkerControl,
    pub(crate) shared: Shared,
    /// See [`Plan::windows`](crate::Plan::windows).
    pub(crate) windows: Vec<u32>,
    /// See [`Plan::max_request`](crate::Plan::max_request).
    pub(crate) max_request: u32,
}

pub(super) struct WorkerLoop<'a> {
    context: WorkerContext,
    application: &'a mut dyn Application,
    links: Vec<LinkState>,
    /// What the supervisor has said that waits until no link is left.
    orders: VecDeque<WorkerOrder>,
    signals: WorkerSignals,
    /// When signals were looked for last.
    signals_seen: Instant,
    /// Whether the only link had nothing for as long as is waited for it alone.
    idle: bool,
    /// This process; asking the kernel for it takes a system call.
    pid: u64,
    /// Requests whose handler was called.
    requests: u64,
    /// At so many the worker asks to be replaced.
    requests_max: Option<u64>,
}

/// A link with what belongs to it.
struct LinkState {
    link: Rc<RefCell<Link>>,
    marks: Marks,
    assembly: Assembly,
}

/// What has come of waiting for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// One was handled.
    Request,
    /// It was told to stop and has no link left.
    Stopped,
    /// Its interpreter must not run any more.
    Unsound,
    /// It is no worker: a callback has forked it.
    ForkedCopy,
}

impl<'a> WorkerLoop<'a> {
    pub(super) fn new(
        context: WorkerContext,
        signals: WorkerSignals,
        application: &'a mut dyn Application,
    ) -> Self {
        let requests_max = requests_max(&context);
        Self {
            context,
            application,
            links: Vec::new(),
            orders: VecDeque::new(),
            signals,
            signals_seen: Instant::now(),
            idle: false,
            pid: u64::from(std::process::id()),
            requests: 0,
            requests_max,
        }
    }

    /// Handles requests until there are no more.
    pub(super) fn serve(&mut self) -> Served {
        loop {
            match self.serve_one() {
                Served::Request => {}
                over => return over,
            }
        }
    }

    /// Waits for a request and handles it.
    pub(super) fn serve_one(&mut self) -> Served {
        loop {
            if self.links.is_empty() {
                let order = self.orders.pop_front().map(|order| Ok(Some(order)));
                match order.unwrap_or_else(|| self.context.control.listen()) {
                    Ok(Some((ToWorkerControl::Links, sockets))) => self.connect(sockets),
                    Ok(Some((ToWorkerControl::Stop, _))) => return Served::Stopped,
                    Ok(Some((ToWorkerControl::Log, files))) => self.take_log(files),
                    // Without a supervisor there is no server.
                    Ok(None) | Err(_) => spawn::end_now(1),
                }
                continue;
            }
            for link in 0..self.links.len() {
                while let Some(job) = self.links[link].next() {
                    let before = self.requests;
                    let verdict = self.take_up(link, job);
                    if is_forked_copy() {
                        return Served::ForkedCopy;
                    }
                    if verdict == Verdict::Exit {
                        self.flush();
                        return Served::Unsound;
                    }
                    if self.requests != before {
                        return Served::Request;
                    }
                }
            }
            self.links.retain(|state| !state.link.borrow().has_ended());
            if !self.links.is_empty() {
                self.receive();
            }
        }
    }

    /// Sends what is held back of answers.
    pub(super) fn flush(&self) {
        self.links.iter().for_each(|state| state.link.borrow_mut().flush());
    }

    fn connect(&mut self, sockets: Vec<OwnedFd>) {
        let WorkerIdentity { worker, incarnation, .. } = self.context.identity;
        let shared = self.context.shared;
        let worker = usize::from(worker);
        let arena = shared.arena(worker, incarnation);
        arena.reset();
        let state = |(thread, socket)| {
            let held = shared.batch(worker, incarnation, thread);
            LinkState {
                link: Rc::new(RefCell::new(Link::new(socket, held, arena))),
                marks: shared.marks(worker, incarnation, thread),
                assembly: Assembly::default(),
            }
        };
        self.links = sockets.into_iter().take(shared.threads()).enumerate().map(state).collect();
        links::set(self.context.identity.pool, self.links.iter().map(|state| &state.link));
    }

    /// Takes what the supervisor has said. Links and the end have to wait for the end of those that
    /// there are: the log has not.
    fn obey(&mut self) {
        loop {
            match self.context.control.look() {
                Ok(Some((ToWorkerControl::Log, files))) => self.take_log(files),
                Ok(Some(order)) => self.orders.push_back(order),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Without a supervisor there is no server.
                Ok(None) | Err(_) => spawn::end_now(1),
            }
        }
    }

    fn take_log(&mut self, files: Vec<OwnedFd>) {
        if files.is_empty() {
            log::error!(
                "the log cannot be opened anew: too many files are open; it goes on where it was. Close \
                 files in the handler or raise the limit (ulimit -n)"
            );
        }
        files.into_iter().for_each(|file| self.application.take_log(file));
    }

    /// Waits until a link has something, and reads it.
    fn receive(&mut self) {
        if let [state] = &self.links[..]
            && !self.idle
        {
            self.idle = state.link.borrow_mut().receive() == Read::Nothing;
            let now = Instant::now();
            if now.duration_since(self.signals_seen) >= LINK_WAIT_TIME_MAX {
                self.signals_seen = now;
                self.signals.obey();
                self.obey();
            }
            return;
        }
        self.idle = false;
        self.flush();
        let borrowed: Vec<_> = self.links.iter().map(|state| state.link.borrow()).collect();
        let control = self.context.control.as_fd();
        let others = [self.signals.as_fd(), control];
        let mut sources = others.map(|source| PollFd::new(source, PollFlags::POLLIN)).to_vec();
        sources.extend(borrowed.iter().map(|link| PollFd::new(link.as_fd(), PollFlags::POLLIN)));
        // An error shows as no event, and the loop comes back here.
        let _ = poll(&mut sources, PollTimeout::NONE);
        let readable: Vec<bool> = sources.iter().map(|source| source.any() == Some(true)).collect();
        drop(sources);
        drop(borrowed);
        if readable[0] {
            self.signals.obey();
        }
        if readable[1] {
            self.obey();
        }
        for (state, _) in self.links.iter().zip(&readable[2..]).filter(|(_, readable)| **readable) {
            state.link.borrow_mut().receive();
        }
    }

    fn take_up(&mut self, link: usize, job: Job) -> Verdict {
        let Job { exchange, mark, task, window, streamed } = job;
        let LinkState { link, marks, .. } = &self.links[link];
        // The mark decides between this worker and a reactor that wants the request back.
        if !marks.get(mark).is_some_and(|mark| mark.start(exchange)) {
            return Verdict::Continue;
        }
        let link = Rc::clone(link);
        let window = window.unwrap_or_else(|| self.window(&task));
        let status = link.borrow_mut().begin(exchange, window, streamed);
        self.set_busy(1);
        let verdict = match (task, status) {
            (JobKind::Event(event, origin), _) => {
                let verdict = self.application.connection(event, origin);
                if is_forked_copy() {
                    return verdict;
                }
                let mut link = link.borrow_mut();
                link.encoder().to_reactor(exchange, &Part::End(None));
                link.finish(exchange);
                verdict
            }
            (JobKind::Abort(reason), _) | (JobKind::Request(_), ExchangeStatus::Gone(reason)) => {
                link.borrow_mut().abort(exchange, reason);
                Verdict::Continue
            }
            (JobKind::Request(mut request), _) => {
                self.count_request();
                if streamed {
                    request.body = RequestBody::Stream(BodyStream::new(Rc::clone(&link), exchange));
                }
                let reply = Reply::new(Rc::clone(&link), exchange);
                let verdict = self.application.handle(request, reply);
                if is_forked_copy() {
                    return verdict;
                }
                settle(&link, exchange);
                self.worker_counter(WorkerCounter::Responses, 1);
                verdict
            }
        };
        claims::end_claims();
        self.set_busy(0);
        verdict
    }

    fn window(&self, task: &JobKind) -> u32 {
        let JobKind::Request(request) = task else { return 0 };
        let port = usize::from(request.head.origin.port);
        self.context.windows.get(port).copied().unwrap_or(WINDOW_BYTES_MIN)
    }

    fn count_request(&mut self) {
        self.worker_counter(WorkerCounter::Requests, 1);
        self.requests += 1;
        if self.requests_max == Some(self.requests) {
            self.say(&FromWorker::Recycle);
        }
    }

    pub(super) fn say(&self, message: &FromWorker) {
        if self.context.control.say(message).is_err() {
            // Without a supervisor there is no server.
            spawn::end_now(1);
        }
    }

    fn worker_counter(&self, counter: WorkerCounter, by: u64) {
        let worker = usize::from(self.context.identity.worker);
        self.context.shared.worker(worker, counter).fetch_add(by, Ordering::Relaxed);
    }

    /// While a successor is linked already, the gauge is its own.
    fn set_busy(&self, busy: u64) {
        let worker = usize::from(self.context.identity.worker);
        let current = self.context.shared.pid(worker).load(Ordering::Relaxed);
        if current == self.pid {
            self.context.shared.worker(worker, WorkerCounter::Busy).store(busy, Ordering::Relaxed);
        }
    }
}

impl LinkState {
    /// The next thing to do that has arrived completely.
    fn next(&mut self) -> Option<Job> {
        let mut link = self.link.borrow_mut();
        loop {
            let (exchange, message) = link.next()?;
            if let Some(job) = self.assembly.push(exchange, message) {
                return Some(job);
            }
        }
    }
}

/// What the handler has left open is broken off.
fn settle(link: &RefCell<Link>, exchange: ExchangeId) {
    let mut link = link.borrow_mut();
    match link.status(exchange) {
        ExchangeStatus::Over => {}
        ExchangeStatus::Open(_) => link.abort(exchange, Reason::HandlerFailed),
        ExchangeStatus::Gone(reason) => link.abort(exchange, reason),
    }
}

/// `max_request`, and up to a tenth more.
fn requests_max(context: &WorkerContext) -> Option<u64> {
    let least = u64::from(context.max_request);
    let chance = RandomState::new().hash_one((std::process::id(), context.identity.incarnation));
    (least > 0).then(|| least + chance % (least / 10 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control;

    fn context(max_request: u32) -> WorkerContext {
        WorkerContext {
            identity: WorkerIdentity {
                worker: 0,
                pool: wire::PoolId(0),
                incarnation: 1,
                supervisor: 1,
            },
            control: WorkerControl::new(control::pair().unwrap().1),
            shared: crate::shared_memory::SharedMemory::map(1, 1).unwrap().shared,
            windows: Vec::new(),
            max_request,
        }
    }

    #[test]
    fn requests_are_counted_to_the_option_and_at_most_a_tenth_more() {
        assert_eq!(requests_max(&context(0)), None);
        for _ in 0..100 {
            let max = requests_max(&context(1000)).unwrap();
            assert!((1000..=1100).contains(&max), "{max}");
        }
        assert_eq!(requests_max(&context(1)), Some(1));
    }
}
