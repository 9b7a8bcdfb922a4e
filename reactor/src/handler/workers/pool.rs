//! [`WorkerPool`]: the handler that has the workers of a pool answer: it hands requests over and brings answers back.

mod detached;
mod fault;
mod in_work;
mod leaving;
mod links;
mod redirect;
mod sent_files;
mod streaming;
mod watch;

use std::mem::take;
use std::time::Instant;

use bytes::Bytes;
use log::kv::Value;
use wire::shm::Counter;
use wire::{ExchangeId, Fields, Part, Pool, PoolId, Reason, RequestHead, ToWorker, ids};

use super::body::{Content, Spool, SpoolRoom};
use super::in_flight::{InFlight, Place, Stage, Task, id_of, key_of};
use super::link::WorkerLink;
use super::scheduler::{Dispatch, FollowUp, Placement, RequestKey, WorkerSlot};
use super::upload::Upload;
use crate::error_log::Kind;
use crate::handler::files::held::HeldFiles;
use crate::handler::{Answer, ExchangeKey, Handler, HandlerId, NewRequest, ToClient};
use crate::mailbox::{Mail, PoolMail};
use crate::protocol::StreamId;
use crate::shared::SharedState;
use crate::slots::{Key, Slots};
use crate::turn::Turn;
use detached::Deadlines;
pub use detached::{Claim, Detached};
pub use fault::{FaultKind, WorkerFault};

/// One thread's exchanges and links.
#[derive(Debug)]
pub struct WorkerPool {
    common: SharedState,
    thread: u16,
    /// Which pool it is.
    id: PoolId,
    exchanges: Slots<InFlight>,
    links: Vec<Option<WorkerLink>>,
    /// When the queue's timer will come, if it has been set.
    queue_watched: Option<Instant>,
    /// When the timer that moves requests to idle workers will come, if it has been set.
    balance_watched: Option<Instant>,
    /// Whether the timer that fetches held answers has been set.
    held_watched: bool,
    /// Links with something to write.
    dirty: Vec<WorkerSlot>,
    /// Links that had more than they may have in one turn, and whether to read them to the end.
    unread: Vec<(WorkerSlot, bool)>,
    /// When detached exchanges are answered that nobody claims.
    deadlines: Deadlines,
    /// Files that responses have sent or named.
    held: HeldFiles,
}

impl WorkerPool {
    /// A pool without exchanges or links.
    pub fn new(common: SharedState, thread: u16, id: PoolId, pool: Pool) -> Self {
        // A worker may still hold requests of a former reactor: their ids must not come again.
        let lives = common.shared.get(Counter::ReactorRestarts);
        let links = (0..usize::from(pool.workers) * 2).map(|_| None).collect();
        Self {
            common,
            thread,
            id,
            exchanges: Slots::starting_at(lives << 32 | 1),
            links,
            queue_watched: None,
            balance_watched: None,
            held_watched: false,
            dirty: Vec::new(),
            unread: Vec::new(),
            deadlines: Deadlines::default(),
            held: HeldFiles::default(),
        }
    }

    /// A connection was opened or closed, and a worker is to be told.
    pub fn tell(&mut self, task: Task, turn: &mut Turn) {
        let nobody = Key { slot: u32::MAX, generation: 0 };
        let id = self.insert(nobody, 0, task, Stage::Queued, 0);
        self.submit(id, turn);
    }

    fn insert(
        &mut self,
        conn: Key,
        stream: StreamId,
        task: Task,
        stage: Stage,
        window: u32,
    ) -> ExchangeId {
        self.common.shared.add(Counter::Exchanges, 1);
        let port = match &task {
            Task::Request { head, .. } => head.origin.port,
            Task::Opened(origin) | Task::Closed(origin) => origin.port,
        };
        id_of(self.exchanges.insert(InFlight {
            conn,
            stream,
            record: None,
            port: port.into(),
            task,
            stage,
            upload: None,
            answered: false,
            leaving: false,
            redispatched: 0,
            credit: 0,
            window,
            allowed: 0,
        }))
    }

    /// Content of a request that is collected.
    fn collect(&mut self, id: ExchangeId, pieces: &mut [Bytes], turn: &mut Turn) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        let Stage::Collecting(spool) = &mut exchange.stage else { return };
        let config = &self.common.config;
        let room = SpoolRoom {
            memory_bytes_max: config.ports[exchange.port].body_memory_bytes_max,
            dir: &config.spool_dir,
            files: &self.common.files,
            disk: &self.common.spool_bytes,
        };
        let task = &exchange.task;
        if let Err(error) = spool.push(pieces, || task.boundary(), room) {
            let (request, place) = (exchange.task.summary(), config.spool_dir.display());
            let (now, _about) = (turn.now(), ids::about(exchange.task.ids()));
            turn.error_log.log_with(
                Kind::Content,
                now,
                &[("request", (&request[..]).into()), ("error", Value::from_display(&error))],
                format_args!(
                    "the client gets 503: the body of {request} cannot be spooled to {place}: {error}"
                ),
            );
            self.common.shared.add(Counter::BodiesRefused, 1);
            self.fail(id, Reason::Overloaded, turn);
        }
    }

    /// A request is complete.
    fn complete(&mut self, id: ExchangeId, trailer_fields: Option<Fields>, turn: &mut Turn) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        if let Some(upload) = &mut exchange.upload {
            upload.finish(trailer_fields);
            return self.feed(id, turn);
        }
        let Stage::Collecting(spool) = &mut exchange.stage else { return };
        let collected = take(spool).finish();
        if let Task::Request { content, trailers, .. } = &mut exchange.task {
            *content = collected;
            *trailers = trailer_fields;
        }
        exchange.stage = Stage::Queued;
        self.submit(id, turn);
    }

    fn submit(&mut self, id: ExchangeId, turn: &mut Turn) {
        let placement = self.common.scheduler(self.id).submit(self.ticket(id), turn.now());
        self.place(id, placement, turn);
    }

    fn ticket(&self, id: ExchangeId) -> RequestKey {
        RequestKey { thread: self.thread, exchange: id }
    }

    fn place(&mut self, id: ExchangeId, placement: Placement, turn: &mut Turn) {
        match placement {
            Placement::Given(worker) => {
                self.give(id, worker, turn);
                // A timer that is set looks at this one as well.
                if self.balance_watched.is_none() {
                    self.watch_balance(turn);
                }
            }
            Placement::Refused => self.shed(id, turn),
            Placement::Queued => {
                self.common.shared.add(Counter::Queued, 1);
                let at = turn.now() + self.common.config.queue_age_max;
                self.watch_queue(at, turn);
            }
        }
    }

    /// A request of this thread was taken out of the queue because it waited too long.
    pub fn too_old(&mut self, id: ExchangeId, turn: &mut Turn) {
        self.common.shared.sub(Counter::Queued, 1);
        self.shed(id, turn);
    }

    fn shed(&mut self, id: ExchangeId, turn: &mut Turn) {
        self.common.shared.add(Counter::Shed, 1);
        self.fail(id, Reason::Overloaded, turn);
    }

    /// Answers an exchange that no worker has with a broken end.
    fn fail(&mut self, id: ExchangeId, reason: Reason, turn: &mut Turn) {
        if let Some(exchange) = self.remove(id) {
            self.answer(id, &exchange, Part::Abort(reason), turn);
        }
    }

    fn remove(&mut self, id: ExchangeId) -> Option<InFlight> {
        let exchange = self.exchanges.remove(key_of(id))?;
        self.common.shared.sub(Counter::Exchanges, 1);
        let detached = matches!(exchange.stage, Stage::Detached(_));
        self.common.shared.sub(Counter::Detached, u64::from(detached));
        Some(exchange)
    }

    /// Says something to the client of an exchange.
    fn answer(
        &self,
        id: ExchangeId,
        exchange: &InFlight,
        message: impl Into<ToClient>,
        turn: &mut Turn,
    ) {
        let key = ExchangeKey { handler: HandlerId::Pool(self.id), id };
        let (conn, stream, message) = (exchange.conn, exchange.stream, message.into());
        turn.answers.push(Answer { conn, stream, exchange: key, message });
    }

    /// A request that waited gets its worker.
    pub fn assigned(&mut self, assignment: Dispatch, turn: &mut Turn) {
        if assignment.ticket.thread != self.thread {
            let mailbox = &self.common.mailboxes[usize::from(assignment.ticket.thread)];
            return mailbox.post(Mail::Pool(self.id, PoolMail::Assign(assignment)));
        }
        self.common.shared.sub(Counter::Queued, 1);
        self.give(assignment.ticket.exchange, assignment.worker, turn);
    }

    /// Writes the request to the worker's link.
    fn give(&mut self, id: ExchangeId, worker: WorkerSlot, turn: &mut Turn) {
        let exchange = self.exchanges.get_mut(key_of(id));
        let link = self.links.get_mut(worker).and_then(Option::as_mut);
        let mark = link.and_then(|link| Some((link.give(id)?, link)));
        match (exchange, mark) {
            (Some(exchange), Some((mark, link))) => {
                self.common.shared.add(Counter::Dispatched, 1);
                turn.records.given(
                    exchange.record,
                    link.worker,
                    link.pid,
                    turn.clock.now().instant,
                );
                let whole = self.common.config.ports[exchange.port].window_bytes;
                let window = (exchange.window < whole).then_some(exchange.window);
                exchange.allowed = whole.min(exchange.window).into();
                exchange.task.hand_over(id, mark, window, link.encoder());
                exchange.stage = Stage::Given(Place { worker, mark });
                self.dirty.push(worker);
                if link.is_deep() {
                    self.watch_held(turn);
                }
            }
            // The link ended after the scheduler had chosen it: its end is on its way to the
            // scheduler, so choose again.
            (Some(exchange), None) => {
                exchange.stage = Stage::Queued;
                let placement =
                    self.common.scheduler(self.id).resubmit(self.ticket(id), turn.now());
                match placement {
                    Placement::Given(again) if again == worker => {
                        self.fail(id, Reason::WorkerLost, turn)
                    }
                    placement => self.place(id, placement, turn),
                }
            }
            // The client left meanwhile.
            (None, mark) => {
                if let Some((mark, link)) = mark {
                    link.done(mark);
                }
                self.relieved(worker, id, turn);
            }
        }
    }

    /// A worker has answered a request.
    fn finished(&mut self, worker: WorkerSlot, id: ExchangeId, turn: &mut Turn) {
        let next = self.common.scheduler(self.id).finished(worker, self.ticket(id), turn.now());
        self.follow(next, worker, turn);
    }

    /// A worker has a request no more, without having answered it.
    fn relieved(&mut self, worker: WorkerSlot, id: ExchangeId, turn: &mut Turn) {
        let next = self.common.scheduler(self.id).relieved(worker, self.ticket(id), turn.now());
        self.follow(next, worker, turn);
    }

    fn follow(&mut self, next: FollowUp, worker: WorkerSlot, turn: &mut Turn) {
        match next {
            FollowUp::Nothing => self.watch_balance(turn),
            FollowUp::Assign(assignment) => self.assigned(assignment, turn),
            FollowUp::Close(incarnation) => self.common.close_links(self.id, worker, incarnation),
        }
    }
}

impl Handler for WorkerPool {
    fn open(
        &mut self,
        request: NewRequest,
        turn: &mut Turn,
    ) -> Result<ExchangeId, Box<NewRequest>> {
        let NewRequest { conn, stream, head, window, record } = request;
        self.common.shared.add(Counter::Requests, 1);
        let streamed = head.streamed;
        let (content, stage) = match streamed {
            true => (Content::Streamed, Stage::Queued),
            false => (Content::Empty, Stage::Collecting(Spool::Empty)),
        };
        let task = Task::Request { head, content, trailers: None };
        let id = self.insert(conn, stream, task, stage, window);
        if let Some(exchange) = self.exchanges.get_mut(key_of(id)) {
            exchange.record = record;
        }
        if let (true, Some(exchange)) = (streamed, self.exchanges.get_mut(key_of(id))) {
            exchange.upload = Some(Box::new(Upload::new()));
            self.submit(id, turn);
        }
        Ok(id)
    }

    fn content(&mut self, id: ExchangeId, pieces: &mut [Bytes], turn: &mut Turn) {
        let exchange = self.exchanges.get_mut(key_of(id));
        let Some(upload) = exchange.and_then(|exchange| exchange.upload.as_mut()) else {
            return self.collect(id, pieces, turn);
        };
        // All of them, whichever is one too many.
        if pieces.iter_mut().fold(false, |full, bytes| upload.push(take(bytes)) | full) {
            self.pause(id, true, turn);
        }
        self.feed(id, turn);
    }

    fn receive(&mut self, id: ExchangeId, part: Part<Box<RequestHead>>, turn: &mut Turn) {
        match part {
            Part::Head(_) | Part::Body(_) | Part::File(_) => {}
            Part::End(trailers) => self.complete(id, trailers, turn),
            Part::Abort(Reason::ClientLeaving) => self.client_leaving(id, turn),
            Part::Abort(reason) => self.client_gone(id, reason, turn),
        }
    }

    fn credit(&mut self, id: ExchangeId, bytes: u64) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        let place = match exchange.stage {
            Stage::Given(place) | Stage::Orphaned(place) => place,
            // For who claims it.
            Stage::Detached(_) => return exchange.allowed += bytes,
            Stage::Collecting(_) | Stage::Queued => return,
        };
        let window = exchange.window;
        exchange.credit = exchange.credit.saturating_add(u32::try_from(bytes).unwrap_or(window));
        // Half a window at a time: a short response costs no message at all.
        if exchange.credit < window / 2 {
            return;
        }
        let Some(link) = self.links.get_mut(place.worker).and_then(Option::as_mut) else { return };
        link.push(id, &ToWorker::Credit(exchange.credit));
        exchange.allowed += u64::from(exchange.credit);
        exchange.credit = 0;
        self.dirty.push(place.worker);
    }

    fn grow_window(&mut self, id: ExchangeId, bytes: u32) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        let place = match exchange.stage {
            Stage::Given(place) => place,
            Stage::Detached(_) => {
                exchange.window = exchange.window.saturating_add(bytes);
                return exchange.allowed += u64::from(bytes);
            }
            _ => return,
        };
        let Some(link) = self.links.get_mut(place.worker).and_then(Option::as_mut) else { return };
        exchange.window = exchange.window.saturating_add(bytes);
        exchange.allowed += u64::from(bytes);
        link.push(id, &ToWorker::Credit(bytes));
        self.dirty.push(place.worker);
    }

    fn open_exchanges(&self) -> usize {
        self.exchanges.len()
    }
}
