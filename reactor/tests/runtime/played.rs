//! A reactor in a thread, and the parts of supervisor and worker that a test plays.

#![allow(dead_code)] // not every test plays everything

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recv,
    recvmsg, sendmsg, socketpair,
};
use reactor::{Boot, Config, PortConfig};
use wire::control::{FromReactor, ToReactorControl, decode, encode};
use wire::shm::batch::ResponseBatch;
use wire::shm::{Counter, Marks, Shared};
use wire::{
    Address, BodyLength, ClaimSecret, Claimed, ConnectionId, Decoder, Encoder, ExchangeId, Fields,
    Part, PoolId, Pools, RequestHead, ResponseHead, ToWorker,
};

pub const BODY_MEMORY_BYTES_MAX: usize = 64 << 10;
/// Longer than anything may take, short enough that a hanging test ends.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    address: SocketAddr,
    /// That of the admin listener.
    pub admin: Option<SocketAddr>,
    control: OwnedFd,
    memory: &'static [AtomicU64],
    shared: Shared,
    threads: usize,
    window: u64,
    reactor: Mutex<Option<JoinHandle<Result<(), reactor::Error>>>>,
}

impl Server {
    pub fn start(tweak: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        tweak(&mut config);
        let speaks = config.ports[0].tls.is_some() && config.ports[0].http.http3.enabled;
        let threads = config.threads as u16;
        // The number that TCP got may be taken over UDP.
        let bound = (0..32).find_map(|_| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            match speaks {
                true => Some((listener, reactor::quic::bind::bind(address, threads).ok()?)),
                false => Some((listener, Vec::new())),
            }
        });
        let (listener, datagrams) = bound.expect("a port that is free both ways");
        Self::start_over(config, listener, datagrams)
    }

    /// A server over sockets that are bound already.
    pub fn start_over(config: Config, listener: TcpListener, datagrams: Vec<OwnedFd>) -> Self {
        let (workers, threads) = (config.pools.workers().into(), config.threads);
        let window = config.ports[0].window_bytes.into();
        let memory: Vec<AtomicU64> =
            (0..Shared::words(workers, threads)).map(|_| AtomicU64::new(0)).collect();
        let memory: &'static [AtomicU64] = memory.leak();
        let shared = Shared::new(memory, workers, threads);
        let address = listener.local_addr().unwrap();
        let (control, other) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
                .unwrap();
        let admin = config.admin.is_some().then(|| TcpListener::bind("127.0.0.1:0").unwrap());
        let admin_address = admin.as_ref().map(|admin| admin.local_addr().unwrap());
        let mut datagrams = vec![datagrams];
        datagrams.extend(admin.iter().map(|_| Vec::new()));
        let listeners = std::iter::once(listener).chain(admin).map(OwnedFd::from).collect();
        let boot = Boot { listeners, datagrams, control: other, shared };
        let reactor = std::thread::spawn(move || reactor::run(config, boot));
        let reactor = Mutex::new(Some(reactor));
        let admin = admin_address;
        let server = Self { address, admin, control, memory, shared, threads, window, reactor };
        assert_eq!(server.control(), FromReactor::Ready);
        server
    }

    /// Why the reactor does not start with this configuration.
    pub fn refuses(config: Config) -> String {
        let (workers, threads) = (config.pools.workers().into(), config.threads);
        let memory: Vec<AtomicU64> =
            (0..Shared::words(workers, threads)).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(memory.leak(), workers, threads);
        let (_supervisor, control) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
                .unwrap();
        let listeners = vec![TcpListener::bind("127.0.0.1:0").unwrap().into()];
        let boot = Boot { listeners, datagrams: vec![Vec::new()], control, shared };
        reactor::run(config, boot).unwrap_err().to_string()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_write_timeout(Some(PATIENCE)).unwrap();
        client
    }

    pub fn count(&self, counter: Counter) -> u64 {
        self.shared.get(counter)
    }

    /// Waits until so many are counted, and no more: a client may have its answer before it is counted.
    pub fn counted(&self, counter: Counter, expected: u64) {
        self.until("it is counted", |server| server.count(counter) >= expected);
        assert_eq!(self.count(counter), expected, "{counter:?}");
    }

    pub fn shared(&self) -> Shared {
        self.shared
    }

    pub fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        self.until_any(what, || condition(self));
    }

    /// Waits for anything at all.
    pub fn until_any(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !condition() {
            assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn control(&self) -> FromReactor {
        let mut packet = [0; 4096];
        let len = recv(self.control.as_raw_fd(), &mut packet, MsgFlags::empty()).unwrap();
        decode(&packet[..len]).unwrap()
    }

    /// Whether the reactor has told the supervisor something.
    pub fn has_news(&self) -> bool {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_PEEK;
        recv(self.control.as_raw_fd(), &mut [0], flags).is_ok()
    }

    fn tell(&self, message: &ToReactorControl, descriptors: &[i32]) {
        let packet = encode(message);
        let rights = [ControlMessage::ScmRights(descriptors)];
        let rights = if descriptors.is_empty() { &rights[..0] } else { &rights[..] };
        let content = [IoSlice::new(&packet)];
        sendmsg::<()>(self.control.as_raw_fd(), &content, rights, MsgFlags::empty(), None).unwrap();
    }

    /// Links a worker. Its links are read by the caller one by one, in the order of their use.
    pub fn add_worker(&self, worker: u16, incarnation: u64) -> Worker {
        let pairs: Vec<_> = (0..self.threads).map(|_| UnixStream::pair().unwrap()).collect();
        for (ours, theirs) in &pairs {
            ours.set_nonblocking(true).unwrap();
            theirs.set_nonblocking(true).unwrap();
        }
        let raw: Vec<_> = pairs.iter().map(|(_, theirs)| theirs.as_raw_fd()).collect();
        self.tell(&ToReactorControl::Link { worker, incarnation }, &raw);
        let links = pairs
            .into_iter()
            .enumerate()
            .map(|(thread, (ours, _))| Link {
                socket: ours,
                decoder: Decoder::default(),
                marks: self.shared.marks(worker.into(), incarnation, thread),
                held: self.shared.batch(worker.into(), incarnation, thread),
                sent: 0,
            })
            .collect();
        let part = &self.memory[self.shared.part(worker.into())];
        Worker {
            links,
            messages: VecDeque::new(),
            home: Arc::default(),
            part,
            window: self.window,
            windows: Default::default(),
        }
    }

    /// The worker has been reaped.
    pub fn reaped(&self, incarnation: u64) {
        self.tell(&ToReactorControl::Ended { incarnation }, &[]);
    }

    pub fn retire(&self, incarnation: u64) {
        self.tell(&ToReactorControl::Retire { incarnation }, &[]);
    }

    pub fn reload_tls(&self) {
        self.tell(&ToReactorControl::ReloadTls, &[]);
    }

    pub fn drain(&self, within: Duration) {
        let within_ms = within.as_millis() as u64;
        self.tell(&ToReactorControl::Drain { within_ms }, &[]);
    }

    pub fn ended(&self) {
        let reactor = self.reactor.lock().unwrap().take().unwrap();
        reactor.join().unwrap().unwrap();
    }

    /// The supervisor ends, and says nothing.
    pub fn orphan(self) {
        let Self { control, reactor, .. } = self;
        drop(control);
        let reactor = reactor.into_inner().unwrap().unwrap();
        let begin = Instant::now();
        while !reactor.is_finished() {
            assert!(begin.elapsed() < PATIENCE, "the reactor goes on");
            std::thread::sleep(Duration::from_millis(1));
        }
        reactor.join().unwrap().unwrap();
    }

    pub fn stop(self) {
        self.drain(Duration::ZERO);
        self.ended();
    }
}

/// What a server is like unless a test says otherwise.
pub fn config() -> Config {
    Config {
        pools: Pools::of_requests(4),
        connections_max: 100,
        queue_len_max: 100,
        queue_age_max: PATIENCE,
        // However slow the machine is at the moment.
        handover_fast: PATIENCE,
        ports: vec![PortConfig {
            send_timeout: PATIENCE,
            body_memory_bytes_max: BODY_MEMORY_BYTES_MAX,
            ..PortConfig::default()
        }],
        ..Config::default()
    }
}

pub struct Worker {
    links: Vec<Link>,
    messages: VecDeque<(usize, ExchangeId, ToWorker)>,
    /// Which link an exchange came by.
    home: Arc<Mutex<std::collections::HashMap<ExchangeId, usize>>>,
    /// What it may write of the shared memory.
    part: &'static [AtomicU64],
    /// What it may send of a response on a port whose window nobody has narrowed.
    window: u64,
    /// What it may still send of each, for [`content`](Self::content).
    windows: std::collections::HashMap<ExchangeId, u64>,
}

struct Link {
    socket: UnixStream,
    decoder: Decoder,
    marks: Marks,
    held: ResponseBatch,
    /// Bytes sent so far.
    sent: u64,
}

#[derive(Debug)]
pub struct Request {
    pub id: ExchangeId,
    pub head: Box<RequestHead>,
    pub body: Vec<u8>,
    pub trailers: Option<Fields>,
    pub in_file: bool,
    /// How far its response may be ahead, when it is not the port's window.
    pub window: Option<u32>,
}

impl Worker {
    /// The next message on any link.
    pub fn next(&mut self) -> (ExchangeId, ToWorker) {
        let begin = Instant::now();
        loop {
            if let Some((link, id, message)) = self.messages.pop_front() {
                self.home.lock().unwrap().insert(id, link);
                return (id, message);
            }
            assert!(begin.elapsed() < PATIENCE, "no message");
            if !self.read() {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }

    fn read(&mut self) -> bool {
        let mut any = false;
        for (index, link) in self.links.iter_mut().enumerate() {
            any |= link.read() != Some(0);
            while let Some((Address::Exchange(id), message)) =
                link.decoder.next_to_worker().unwrap()
            {
                match message {
                    ToWorker::SetWindow(window) => drop(self.windows.insert(id, window.into())),
                    ToWorker::Credit(more) => {
                        *self.windows.entry(id).or_insert(self.window) += u64::from(more);
                    }
                    _ => {}
                }
                self.messages.push_back((index, id, message));
                any = true;
            }
        }
        any
    }

    /// The next complete request; it is marked as started.
    pub fn request(&mut self) -> Request {
        self.unless_taken_back().expect("taken back")
    }

    /// The next complete request, marked as started; `None`: the reactor has taken it back, as a worker
    /// that is slow to start one loses it to an idle one.
    pub fn unless_taken_back(&mut self) -> Option<Request> {
        let (id, message) = loop {
            match self.next() {
                (_, ToWorker::Credit(_)) => {}
                // Of a response that the client could not be sent.
                (_, ToWorker::Request { part: Part::Abort(_), .. }) => {}
                message => break message,
            }
        };
        let ToWorker::Request { mark, part: Part::Head(head) } = message else {
            panic!("{message:?}")
        };
        let mut request =
            Request { id, head, body: Vec::new(), trailers: None, in_file: false, window: None };
        loop {
            let (part_of, message) = self.next();
            assert_eq!(part_of, id);
            let part = match message {
                ToWorker::Request { part, .. } => part,
                ToWorker::SetWindow(window) => {
                    request.window = Some(window);
                    continue;
                }
                message => panic!("{message:?}"),
            };
            match part {
                Part::Body(bytes) => request.body.extend_from_slice(&bytes),
                Part::File(slice) => {
                    let file = std::fs::File::from(slice.fd.as_fd().try_clone_to_owned().unwrap());
                    request.body = vec![0; slice.len as usize];
                    file.read_exact_at(&mut request.body, slice.offset).unwrap();
                    request.in_file = true;
                }
                Part::End(trailers) => {
                    request.trailers = trailers;
                    break;
                }
                part => panic!("{part:?}"),
            }
        }
        let link = self.home.lock().unwrap()[&id];
        self.links[link].marks.get(mark).unwrap().start(id).then_some(request)
    }

    /// The next request whose content is still to come; it is marked as started.
    pub fn begin(&mut self) -> Request {
        let (id, message) = self.next();
        let ToWorker::Request { mark, part: Part::Head(head) } = message else {
            panic!("{message:?}")
        };
        let mut request =
            Request { id, head, body: Vec::new(), trailers: None, in_file: false, window: None };
        loop {
            let (of, message) = self.next();
            assert_eq!(of, id);
            match message {
                ToWorker::SetWindow(window) => request.window = Some(window),
                ToWorker::Streamed => break,
                message => panic!("{message:?}"),
            }
        }
        assert!(self.links[self.link_of(id)].marks.get(mark).unwrap().start(id), "taken back");
        request
    }

    /// Takes so many more bytes of the content of a request.
    pub fn grant(&mut self, id: ExchangeId, bytes: u32) {
        let mut encoder = Encoder::default();
        encoder.request_credit(id, bytes);
        self.write(id, &encoder.bytes);
    }

    /// Has a connection ended, by the link of this thread.
    pub fn close(&mut self, thread: usize, connection: u64) {
        let mut encoder = Encoder::default();
        encoder.close(ConnectionId(connection));
        self.write_to(thread, &encoder.bytes);
    }

    /// Leaves an exchange to whoever claims it. Says whether the reactor has taken it.
    pub fn detach(&mut self, id: ExchangeId, secret: u8, state: &[u8]) -> bool {
        let mut encoder = Encoder::default();
        encoder.detach(id, ClaimSecret::new([secret; 16]), state);
        self.write(id, &encoder.bytes);
        let (of, yes) = self.reply(|message| match message {
            ToWorker::Detached(yes) => Ok(yes),
            other => Err(other),
        });
        assert_eq!(of, id);
        yes
    }

    /// The reply to what was asked of the reactor. Requests before it, also such as were taken back, come
    /// after it.
    fn reply<T>(&mut self, is: impl Fn(ToWorker) -> Result<T, ToWorker>) -> (ExchangeId, T) {
        let mut later = Vec::new();
        let reply = loop {
            let (of, message) = self.next();
            match is(message) {
                Ok(reply) => break (of, reply),
                Err(ToWorker::Credit(_) | ToWorker::Request { part: Part::Abort(_), .. }) => {}
                Err(message @ (ToWorker::Request { .. } | ToWorker::SetWindow(_))) => {
                    later.push((self.link_of(of), of, message));
                }
                Err(message) => panic!("{message:?}"),
            }
        };
        later.into_iter().rev().for_each(|message| self.messages.push_front(message));
        reply
    }

    /// Says that an exchange is left, whosever it is.
    pub fn write_detach(&mut self, link: usize, id: ExchangeId, state: &[u8]) {
        let mut encoder = Encoder::default();
        encoder.detach(id, ClaimSecret::new([0; 16]), state);
        self.write_to(link, &encoder.bytes);
    }

    /// Asks for an exchange of a pool that is detached, by the link of this thread.
    pub fn ask_for(&mut self, link: usize, id: ExchangeId, pool: u16, secret: u8) {
        let mut encoder = Encoder::default();
        encoder.claim(id, PoolId(pool), ClaimSecret::new([secret; 16]));
        self.write_to(link, &encoder.bytes);
    }

    /// Asks for an exchange again and again, and waits for no answer.
    pub fn ask_without_end(&mut self, link: usize, id: ExchangeId) {
        let mut encoder = Encoder::default();
        (0..100).for_each(|_| encoder.claim(id, PoolId(0), ClaimSecret::new([99; 16])));
        self.raw(link, &encoder.bytes);
    }

    /// The same, and the answer.
    pub fn claim_of(
        &mut self,
        (link, id): (usize, ExchangeId),
        pool: u16,
        secret: u8,
    ) -> Option<(ExchangeId, Box<Claimed>)> {
        self.ask_for(link, id, pool, secret);
        let (of, claimed) = self.reply(|message| match message {
            ToWorker::Claimed(claimed) => Ok(claimed),
            other => Err(other),
        });
        let claimed = claimed?;
        self.windows.insert(of, claimed.window.into());
        Some((of, claimed))
    }

    /// Takes a detached exchange over, by the link of the first thread.
    pub fn claim(&mut self, id: ExchangeId, secret: u8) -> Option<(ExchangeId, Box<Claimed>)> {
        self.claim_of((0, id), 0, secret)
    }

    /// Whether nothing has come.
    pub fn is_idle(&mut self) -> bool {
        self.read();
        self.messages.is_empty()
    }

    pub fn send(&mut self, id: ExchangeId, part: Part<ResponseHead>) {
        let mut encoder = Encoder::default();
        encoder.to_reactor(id, &part);
        if let Part::File(_) = part {
            return self.write_with_files(id, encoder);
        }
        self.write(id, &encoder.bytes);
    }

    /// Says that what follows of a response is all there.
    pub fn complete(&mut self, id: ExchangeId) {
        let mut encoder = Encoder::default();
        encoder.complete(id);
        self.write(id, &encoder.bytes);
    }

    /// A frame of a file is small: a socket that has room takes all of it.
    fn write_with_files(&mut self, id: ExchangeId, encoder: Encoder) {
        let link = self.home.lock().unwrap()[&id];
        let raw: Vec<_> = encoder.descriptors.iter().map(|with| with.file.as_raw_fd()).collect();
        let (content, rights) = ([IoSlice::new(&encoder.bytes)], [ControlMessage::ScmRights(&raw)]);
        let socket = self.links[link].socket.as_raw_fd();
        let sent = sendmsg::<()>(socket, &content, &rights, MsgFlags::empty(), None).unwrap();
        assert_eq!(sent, encoder.bytes.len());
        self.links[link].sent += sent as u64;
    }

    /// A head, and the frame of a file whose descriptor does not come: read together, so that nothing
    /// of the head has gone out yet.
    pub fn file_without_descriptor(&mut self, id: ExchangeId, len: u64) {
        let mut encoder = Encoder::default();
        encoder.to_reactor(id, &Part::Head(head_of(200, BodyLength::Known(len))));
        encoder.to_reactor(id, &Self::bare_slice(len));
        self.write(id, &encoder.bytes);
    }

    /// The frame of a file whose descriptor does not come.
    pub fn bare_file(&mut self, id: ExchangeId, len: u64) {
        let mut encoder = Encoder::default();
        encoder.to_reactor(id, &Self::bare_slice(len));
        self.write(id, &encoder.bytes);
    }

    fn bare_slice(len: u64) -> Part<ResponseHead> {
        let file = std::fs::File::open("/dev/null").unwrap();
        Part::File(wire::FileSlice::new(file.into(), 0, len))
    }

    /// A body frame with descriptors beside it that no frame names.
    pub fn stray_descriptors(&mut self, id: ExchangeId, of: &impl AsRawFd, count: usize) {
        let mut encoder = Encoder::default();
        encoder.body(id, b"x");
        let raw = vec![of.as_raw_fd(); count];
        let link = self.home.lock().unwrap()[&id];
        let (content, rights) = ([IoSlice::new(&encoder.bytes)], [ControlMessage::ScmRights(&raw)]);
        let socket = self.links[link].socket.as_raw_fd();
        let sent = sendmsg::<()>(socket, &content, &rights, MsgFlags::empty(), None).unwrap();
        assert_eq!(sent, encoder.bytes.len());
        self.links[link].sent += sent as u64;
    }

    fn write(&mut self, id: ExchangeId, bytes: &[u8]) {
        let link = self.home.lock().unwrap()[&id];
        self.write_to(link, bytes);
    }

    fn write_to(&mut self, link: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.links[link].socket.write(bytes) {
                Ok(written) => {
                    bytes = &bytes[written..];
                    self.links[link].sent += written as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_micros(100));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub fn stream_head(&mut self, id: ExchangeId) {
        self.head(id, 200, BodyLength::Streamed);
    }

    pub fn head(&mut self, id: ExchangeId, status: u16, length: BodyLength) {
        self.send(id, Part::Head(head_of(status, length)));
    }

    pub fn respond(&mut self, id: ExchangeId, status: u16, body: &[u8]) {
        self.head(id, status, BodyLength::Known(body.len() as u64));
        self.content(id, body);
        self.send(id, Part::End(None));
    }

    /// Sends content as far as the window goes, and waits for credit, as a worker does.
    pub fn content(&mut self, id: ExchangeId, content: &[u8]) {
        let begin = Instant::now();
        for mut piece in content.chunks(64 << 10) {
            while !piece.is_empty() {
                let window = self.windows.entry(id).or_insert(self.window);
                let (now, later) = piece.split_at(piece.len().min(*window as usize));
                if now.is_empty() {
                    assert!(begin.elapsed() < PATIENCE, "no credit");
                    if !self.read() {
                        std::thread::sleep(Duration::from_micros(200));
                    }
                    continue;
                }
                *window -= now.len() as u64;
                self.send(id, Part::Body(now.to_vec().into()));
                piece = later;
            }
        }
    }

    /// Leaves a complete answer in shared memory, as a worker does that has more to do.
    pub fn hold(&mut self, id: ExchangeId, status: u16, body: &[u8]) {
        let mut encoder = Encoder::default();
        let length = BodyLength::Known(body.len() as u64);
        encoder.to_reactor(id, &Part::Head(head_of(status, length)));
        encoder.body(id, body);
        encoder.to_reactor(id, &Part::End(None));
        let link = self.home.lock().unwrap()[&id];
        let link = &self.links[link];
        assert!(link.held.hold(&encoder.bytes, 0, link.sent));
    }

    /// Says of an answer that it comes behind so many bytes.
    pub fn hold_at(&mut self, id: ExchangeId, position: u64) {
        let link = &self.links[self.link_of(id)];
        assert!(link.held.hold(&answer(id, b"held"), 0, position));
    }

    /// Whether the link still takes answers to hold.
    pub fn can_hold(&self, link: usize) -> bool {
        self.links[link].held.hold(b"frame", 0, self.links[link].sent)
    }

    /// Which link an exchange came by.
    pub fn link_of(&self, id: ExchangeId) -> usize {
        self.home.lock().unwrap()[&id]
    }

    /// One link ends, and this worker lives.
    pub fn end_link(&mut self, link: usize) {
        self.links[link].socket.shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// Whether a message has come.
    pub fn has_message(&mut self) -> bool {
        self.read();
        !self.messages.is_empty()
    }

    /// Whether a request has begun to come.
    pub fn has_request(&mut self) -> bool {
        self.read();
        let head =
            |message: &ToWorker| matches!(message, ToWorker::Request { part: Part::Head(_), .. });
        self.messages.iter().any(|(_, _, message)| head(message))
    }

    /// Reads everything that was sent to it, and starts what it can; returns how many requests.
    pub fn startable(&mut self) -> usize {
        for (index, link) in self.links.iter_mut().enumerate() {
            while matches!(link.read(), Some(1..)) {}
            while let Some((Address::Exchange(id), message)) =
                link.decoder.next_to_worker().unwrap()
            {
                self.messages.push_back((index, id, message));
            }
        }
        let heads = self.messages.drain(..).filter_map(|(link, id, message)| match message {
            ToWorker::Request { mark, part: Part::Head(_) } => Some((link, id, mark)),
            _ => None,
        });
        heads
            .filter(|(link, id, mark)| self.links[*link].marks.get(*mark).unwrap().start(*id))
            .count()
    }

    /// Writes bytes to a link, whatever they are.
    pub fn raw(&mut self, link: usize, bytes: &[u8]) {
        // A reactor that has ended the link does not take them.
        let _ = self.links[link].socket.write_all(bytes);
    }

    /// Fills all memory that this worker may write with one word.
    pub fn scribble(&mut self, value: u64) {
        for word in self.part {
            word.store(value, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// Writes frames for nobody until the link ends.
    pub fn flood(self) -> JoinHandle<()> {
        let frames = answer(ExchangeId::new(7_000, 1), b"nobody's").repeat(500);
        std::thread::spawn(move || {
            let mut socket = &self.links[0].socket;
            socket.set_nonblocking(false).unwrap();
            while socket.write_all(&frames).is_ok() {}
        })
    }

    /// Sends content until the link ends, whatever the window; in how many bytes of it.
    pub fn overrun(&mut self, id: ExchangeId, bytes_max: usize) -> usize {
        let mut encoder = Encoder::default();
        encoder.body(id, &[b'x'; 64 << 10]);
        let mut socket = &self.links[self.link_of(id)].socket;
        socket.set_nonblocking(false).unwrap();
        let mut sent = 0;
        while sent < bytes_max && socket.write_all(&encoder.bytes).is_ok() {
            sent += 64 << 10;
        }
        socket.set_nonblocking(true).unwrap();
        sent
    }

    pub fn garbage(&mut self) {
        self.links[0].socket.write_all(&[0xff; 64]).unwrap();
    }

    /// Whether the reactor has closed all links.
    pub fn ended(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if self.links.iter_mut().all(|link| link.read().is_none()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }
}

impl Link {
    /// Reads once: the number of bytes, or `None` at the end.
    fn read(&mut self) -> Option<usize> {
        let mut bytes = [0; 64 << 10];
        let mut ancillary = nix::cmsg_space!([i32; 16]);
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let raw = self.socket.as_raw_fd();
        let message = recvmsg::<()>(raw, &mut slices, Some(&mut ancillary), MsgFlags::MSG_DONTWAIT);
        let message = match message {
            Ok(message) => message,
            Err(nix::Error::EAGAIN) => return Some(0),
            Err(_) => return None,
        };
        for control in message.cmsgs().unwrap() {
            if let ControlMessageOwned::ScmRights(raw) = control {
                // SAFETY: the kernel has just installed these descriptors for this process.
                let owned = raw.into_iter().map(|raw| unsafe { OwnedFd::from_raw_fd(raw) });
                self.decoder.descriptors_came(owned, false);
            }
        }
        let len = message.bytes;
        self.decoder.bytes.extend_from_slice(&bytes[..len]);
        (len > 0).then_some(len)
    }
}

/// A complete answer as frames.
pub fn answer(id: ExchangeId, body: &[u8]) -> Vec<u8> {
    let length = BodyLength::Known(body.len() as u64);
    let mut encoder = Encoder::default();
    encoder.to_reactor(id, &Part::Head(head_of(200, length)));
    encoder.body(id, body);
    encoder.to_reactor(id, &Part::End(None));
    encoder.bytes.to_vec()
}

/// A frame, with whatever is said of it.
pub fn frame(len: u32, kind: u8, mark: u8, id: ExchangeId, payload: &[u8]) -> Vec<u8> {
    let mut frame = len.to_le_bytes().to_vec();
    frame.extend_from_slice(&[kind, mark, 0, 0]);
    frame.extend_from_slice(&id.to_u64().to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A response's head without fields.
pub fn head_of(status: u16, length: BodyLength) -> ResponseHead {
    let status = status.try_into().unwrap();
    ResponseHead { status, reason: None, length, fields: Fields::default(), id_field: None }
}

/// Reads the head of a response.
pub fn response_head_of(client: &mut impl Read) -> String {
    let mut reader = BufReader::with_capacity(1, client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "the connection ended in the head");
    }
    head
}

/// Reads one response with Content-Length, or to the end of the connection.
pub fn response_of(client: &mut impl Read) -> String {
    let mut reader = BufReader::with_capacity(1, client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            panic!("the connection ended in the head: {head:?}");
        }
    }
    let len = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; len.map_or(0, |len| len.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8_lossy(&body)
}

/// Closes a connection with a reset.
pub fn reset(client: TcpStream) {
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
}
