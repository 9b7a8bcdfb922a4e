//! A played reactor: it speaks the frames of a link to workers and a small language to the clients
//! of the cases, which see each part of a response as it comes.

mod link;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, Shutdown, send, shutdown};
use wire::control::{FromReactor, ToReactorControl, decode, encode};
use wire::head::Origin;
use wire::{
    ExchangeId, FileSlice, Part, Reason, RequestHead, RequestIds, Scheme, ToReactor, ToWorker,
    Version,
};
use worker::ReactorBoot;

use super::Options;
use link::{Link, receive};

/// Serves until told to drain, or until the supervisor is gone.
pub fn run(boot: ReactorBoot, options: &Options) -> i32 {
    let ReactorBoot { mut listeners, control, shared, .. } = boot;
    let listener = UnixListener::from(listeners.remove(0));
    listener.set_nonblocking(true).expect("listener");
    let restarts = shared.get(wire::shm::Counter::ReactorRestarts);
    let mut reactor = Reactor {
        listener: Some(listener),
        control,
        shared,
        turn: (!options.watchdog.is_zero())
            .then(|| options.watchdog / wire::limits::WATCHDOG_LOOKS),
        stuck: options.dir.join("stuck"),
        depth: options.depth,
        clients: Vec::new(),
        workers: Vec::new(),
        queue: VecDeque::new(),
        generation: restarts << 32,
        ends_at: None,
    };
    reactor.tell(&FromReactor::Ready);
    reactor.serve()
}

struct Reactor {
    listener: Option<UnixListener>,
    control: OwnedFd,
    shared: wire::shm::Shared,
    /// How often it turns at least.
    turn: Option<Duration>,
    /// As soon as there is this file, it turns no more.
    stuck: PathBuf,
    depth: usize,
    clients: Vec<Client>,
    workers: Vec<Worker>,
    /// Clients, by index.
    queue: VecDeque<usize>,
    generation: u64,
    ends_at: Option<Instant>,
}

struct Client {
    stream: UnixStream,
    input: Vec<u8>,
    /// What its request is handed over as; kept until it has been answered.
    job: Option<Job>,
    at: Option<Place>,
}

#[derive(Clone)]
struct Job {
    target: String,
    parts: Vec<Part<Box<RequestHead>>>,
    event: Option<bool>,
}

#[derive(Clone, Copy)]
struct Place {
    incarnation: u64,
    thread: usize,
    mark: u8,
    id: ExchangeId,
}

struct Worker {
    incarnation: u64,
    links: Vec<Option<Link>>,
    retiring: bool,
    lost: Option<String>,
}

impl Reactor {
    fn serve(&mut self) -> i32 {
        loop {
            if self.stuck.exists() {
                // For the next reactor there is none.
                std::fs::remove_file(&self.stuck).expect("it is there");
                std::thread::sleep(Duration::from_secs(1000));
            }
            self.shared.turns(0).fetch_add(1, Ordering::Relaxed);
            self.dispatch();
            self.close_retired();
            if let Some(at) = self.ends_at {
                let idle = self.clients.iter().all(|client| client.job.is_none());
                if idle || at <= Instant::now() {
                    return 0;
                }
            }
            self.wait();
            if !self.hear_supervisor() {
                return 1;
            }
            while let Some(Ok((stream, _))) = self.listener.as_ref().map(UnixListener::accept) {
                stream.set_nonblocking(true).expect("client");
                self.clients.push(Client { stream, input: Vec::new(), job: None, at: None });
            }
            for client in 0..self.clients.len() {
                self.hear_client(client);
            }
            for worker in 0..self.workers.len() {
                for thread in 0..self.workers[worker].links.len() {
                    self.hear_worker(worker, thread);
                }
            }
            self.workers.retain(|worker| worker.links.iter().any(Option::is_some));
        }
    }

    fn wait(&self) {
        let mut sources = vec![PollFd::new(self.control.as_fd(), PollFlags::POLLIN)];
        let links = self.workers.iter().flat_map(|worker| worker.links.iter().flatten());
        let listener = self.listener.iter().map(|listener| listener.as_fd());
        let clients = self.clients.iter().map(|client| client.stream.as_fd());
        let all = listener.chain(clients).chain(links.map(|link| link.socket.as_fd()));
        sources.extend(all.map(|source| PollFd::new(source, PollFlags::POLLIN)));
        let left = self.ends_at.map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = left.into_iter().chain(self.turn).min();
        let timeout = timeout.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left.as_millis() + 1).expect("a short time")
        });
        poll(&mut sources, timeout).expect("poll");
    }

    fn tell(&self, message: &FromReactor) {
        let _ = send(self.control.as_raw_fd(), &encode(message), MsgFlags::MSG_NOSIGNAL);
    }

    fn hear_supervisor(&mut self) -> bool {
        while let Some((bytes, descriptors)) = receive(self.control.as_fd(), 4096) {
            if bytes.is_empty() {
                return false;
            }
            match decode(&bytes).expect("a control message") {
                ToReactorControl::Link { worker, incarnation } => {
                    let marks = |thread| self.shared.marks(worker.into(), incarnation, thread);
                    let arena = self.shared.arena(worker.into(), incarnation);
                    let link = |(thread, socket)| Some(Link::new(socket, marks(thread), arena));
                    let links = descriptors.into_iter().enumerate().map(link).collect();
                    self.workers.push(Worker { incarnation, links, retiring: false, lost: None });
                }
                ToReactorControl::Retire { incarnation } => {
                    let of = |worker: &&mut Worker| worker.incarnation == incarnation;
                    if let Some(worker) = self.workers.iter_mut().find(of) {
                        worker.retiring = true;
                    }
                }
                ToReactorControl::Ended { incarnation } => {
                    let of = |worker: &&Worker| worker.incarnation == incarnation;
                    let links = self.workers.iter().find(of).map(|worker| worker.links.iter());
                    for link in links.into_iter().flatten().flatten() {
                        let _ = shutdown(link.socket.as_raw_fd(), Shutdown::Both);
                    }
                }
                // It has none.
                ToReactorControl::ReloadTls
                | ToReactorControl::Log
                | ToReactorControl::AccessLog => {}
                ToReactorControl::Drain { within_ms } => {
                    self.listener = None;
                    self.ends_at = Some(Instant::now() + Duration::from_millis(within_ms));
                }
            }
        }
        true
    }

    fn in_flight(&self, incarnation: u64) -> usize {
        let at = |client: &&Client| client.at.is_some_and(|at| at.incarnation == incarnation);
        self.clients.iter().filter(at).count()
    }

    fn close_retired(&mut self) {
        let mut closed = Vec::new();
        for worker in self.workers.iter().filter(|worker| worker.retiring) {
            if self.in_flight(worker.incarnation) == 0 {
                closed.push(worker.incarnation);
            }
        }
        self.workers.retain(|worker| !closed.contains(&worker.incarnation));
        for incarnation in closed {
            self.tell(&FromReactor::Retired { incarnation });
        }
    }

    fn dispatch(&mut self) {
        while let Some(&client) = self.queue.front() {
            let free = |worker: &&Worker| {
                !worker.retiring && self.in_flight(worker.incarnation) < self.depth
            };
            let by_load = |worker: &&Worker| self.in_flight(worker.incarnation);
            let Some(worker) = self.workers.iter().filter(free).min_by_key(by_load) else { return };
            let incarnation = worker.incarnation;
            self.queue.pop_front();
            self.hand(client, incarnation);
        }
    }

    fn hand(&mut self, client: usize, incarnation: u64) {
        self.generation += 1;
        let id = ExchangeId::new(client as u32, self.generation);
        let worker = self.workers.iter_mut().find(|worker| worker.incarnation == incarnation);
        let links = &mut worker.expect("linked").links;
        // Each thread in turn, as the exchanges come.
        let thread = self.generation as usize % links.len();
        let link = links[thread].as_mut().expect("all links live");
        let mark = link.give(id);
        let job = self.clients[client].job.as_ref().expect("a job");
        let origin = origin(client);
        match job.event {
            Some(true) => link.post(id, &ToWorker::Opened { mark, origin }),
            Some(false) => link.post(id, &ToWorker::Closed { mark, origin }),
            None => {
                for part in &job.parts {
                    link.post(id, &ToWorker::Request { mark, part: part.clone() });
                }
            }
        }
        link.flush();
        self.clients[client].at = Some(Place { incarnation, thread, mark, id });
    }

    fn hear_client(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = client.stream.read(&mut buffer) {
            client.input.extend_from_slice(&buffer[..read]);
        }
        while let Some((words, content)) = next_command(&mut self.clients[index].input) {
            self.obey(index, &words, content);
        }
    }

    fn obey(&mut self, index: usize, words: &[String], content: Vec<u8>) {
        let place = self.clients[index].at;
        match words[0].as_str() {
            "request" | "file" => {
                let in_file = words[0] == "file";
                self.queue.push_back(index);
                self.clients[index].job = Some(request(index, &words[1], content, in_file));
            }
            "opened" | "closed" => {
                let event = Some(words[0] == "opened");
                self.queue.push_back(index);
                let job = Job { target: "event".into(), parts: Vec::new(), event };
                self.clients[index].job = Some(job);
            }
            "credit" => {
                let credit = words[1].parse().expect("a number");
                self.post(place.expect("given"), &ToWorker::Credit(credit));
            }
            "abort" | "leave" => {
                let place = place.expect("given");
                let left = words[0] == "leave";
                let reason = if left { Reason::ClientLeaving } else { Reason::ClientGone };
                let part = Part::Abort(reason);
                self.post(place, &ToWorker::Request { mark: place.mark, part });
            }
            "takeback" => {
                let place = place.expect("given");
                let taken = self.link(place).take_back(place.mark, place.id);
                if taken {
                    self.clients[index].at = None;
                    self.clients[index].job = None;
                }
                self.say(index, b'T', taken.to_string().as_bytes());
            }
            "settle" => self.say(index, b'S', b""),
            other => panic!("unknown command {other}"),
        }
    }

    fn link(&mut self, place: Place) -> &mut Link {
        let of = |worker: &&mut Worker| worker.incarnation == place.incarnation;
        let worker = self.workers.iter_mut().find(of).expect("linked");
        worker.links[place.thread].as_mut().expect("linked")
    }

    fn post(&mut self, place: Place, message: &ToWorker) {
        let link = self.link(place);
        link.post(place.id, message);
        link.flush();
    }

    fn say(&mut self, client: usize, tag: u8, payload: &[u8]) {
        let stream = &mut self.clients[client].stream;
        stream.set_nonblocking(false).expect("client");
        let mut frame = vec![tag];
        frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        frame.extend_from_slice(payload);
        // A client that has left does not mind.
        let _ = stream.write_all(&frame);
        stream.set_nonblocking(true).expect("client");
    }

    fn hear_worker(&mut self, worker: usize, thread: usize) {
        let Some(link) = &mut self.workers[worker].links[thread] else { return };
        let alive = link.receive();
        let next =
            |this: &mut Self| this.workers[worker].links[thread].as_mut().expect("it").next();
        while let Some((id, message)) = next(self) {
            self.answer(id, message);
        }
        if !alive {
            self.link_ended(worker);
        }
    }

    fn answer(&mut self, id: ExchangeId, message: ToReactor) {
        let client = id.slot();
        let current = self.clients[client].at.filter(|at| at.id == id);
        let place = current.expect("answers are for exchanges that are open");
        let ToReactor::Part(part) = message else { return self.say(client, b'C', b"") };
        let over = matches!(part, Part::End(_) | Part::Abort(_));
        match part {
            Part::Head(head) => self.say(client, b'H', format!("{:?}", head.length).as_bytes()),
            Part::Body(bytes) => self.say(client, b'B', &bytes),
            Part::File(slice) => {
                let content = read(&slice);
                self.say(client, b'F', &content);
            }
            Part::End(_) => self.say(client, b'E', b""),
            Part::Abort(reason) => self.say(client, b'A', format!("{reason:?}").as_bytes()),
        }
        if over {
            self.link(place).done(place.mark);
            self.clients[client].at = None;
            self.clients[client].job = None;
        }
    }

    /// The end of one link is the end of the worker.
    fn link_ended(&mut self, worker: usize) {
        for thread in 0..self.workers[worker].links.len() {
            self.close_link(worker, thread);
        }
    }

    fn close_link(&mut self, worker: usize, thread: usize) {
        let Worker { incarnation, links, lost, .. } = &mut self.workers[worker];
        let Some(link) = links[thread].take() else { return };
        for (index, client) in self.clients.iter_mut().enumerate() {
            let of = |at: &Place| at.incarnation == *incarnation && at.thread == thread;
            let Some(place) = client.at.filter(of) else { continue };
            client.at = None;
            if link.marks.get(place.mark).expect("a mark").take_back(place.id) {
                self.queue.push_front(index);
            } else {
                let job = client.job.take().expect("a job");
                *lost = Some(format!("GET {}", job.target));
                client.stream.write_all(b"L\0\0\0\0").expect("client");
            }
        }
        if links.iter().all(Option::is_none) {
            let message = FromReactor::Lost {
                incarnation: *incarnation,
                request: lost.take().map(Into::into),
            };
            self.tell(&message);
        }
    }
}

/// A command is a line of words; the last word of a request is the length of its content.
fn next_command(input: &mut Vec<u8>) -> Option<(Vec<String>, Vec<u8>)> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let line = String::from_utf8(input[..end].to_vec()).expect("text");
    let words: Vec<String> = line.split(' ').map(String::from).collect();
    let len = match words[0].as_str() {
        "request" | "file" => words[2].parse().expect("a number"),
        _ => 0,
    };
    let content = input.get(end + 1..end + 1 + len)?.to_vec();
    input.drain(..end + 1 + len);
    Some((words, content))
}

fn request(client: usize, target: &str, content: Vec<u8>, in_file: bool) -> Job {
    let (path, query) = target.split_once('?').unwrap_or((target, "0"));
    let head = RequestHead {
        method: http::Method::GET,
        path: path.to_string().into(),
        query: Some(query.to_string().into()),
        version: Version::Http11,
        scheme: Scheme::Http,
        fields: Default::default(),
        origin: origin(client),
        tls: None,
        ids: RequestIds::NONE,
        streamed: false,
        upgrade: None,
    };
    let mut parts = vec![Part::Head(Box::new(head))];
    if in_file {
        let file = nix::sys::memfd::memfd_create(c"upload", nix::sys::memfd::MFdFlags::empty());
        let file = std::fs::File::from(file.expect("memfd"));
        file.write_all_at(&content, 0).expect("write");
        parts.push(Part::File(FileSlice::new(file.into(), 0, content.len() as u64)));
    } else {
        parts.extend(content.chunks(10_000).map(|piece| Part::Body(piece.to_vec().into())));
    }
    parts.push(Part::End(None));
    Job { target: target.into(), parts, event: None }
}

fn origin(client: usize) -> Origin {
    Origin { connection: client as u64, ..Origin::default() }
}

fn read(slice: &FileSlice) -> Vec<u8> {
    let file = std::fs::File::from(slice.fd.as_fd().try_clone_to_owned().expect("dup"));
    let mut content = vec![0; slice.len as usize];
    file.read_exact_at(&mut content, slice.offset).expect("the file is complete");
    content
}
