//! Every bound that is not an option of the server: unit, then bound, with the reason.

mod access_log;
mod admin;
mod log;
mod otlp;
mod quic;

use std::time::Duration;

pub use self::access_log::*;
pub use self::admin::*;
pub use self::log::*;
pub use self::otlp::*;
pub use self::quic::*;

/// Payload of one frame on a link. A head is bounded by the header options (at most 1 MiB, see
/// `header_bytes_max`), a body part is cut by its sender.
pub const FRAME_BYTES_MAX: u32 = 4 << 20;

/// Field text of one response. Clients and proxies in front take far less; a head must fit a frame.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 256 << 10;

/// Printed bytes that a worker collects before it sends them: most pages whole, with their length, and no
/// large one in memory.
pub const WEB_OUTPUT_BYTES_MAX: usize = 64 << 10;

/// What a detached response has in hand: its header and trailer fields, which a head may be made of, and a
/// few numbers. The reactor keeps it until somebody claims the response.
pub const DETACHED_STATE_BYTES_MAX: usize = 2 * RESPONSE_HEAD_BYTES_MAX;

/// Detached responses that a worker answers at a time by the link of one reactor thread, in the callback
/// that has claimed them: far more than one needs, as each can be ended before the next is claimed.
pub const CLAIMS_MAX: usize = 1024;

/// Body bytes in one frame: big enough that the 16-byte header is nothing, small enough that no
/// reader needs a large buffer to make progress.
pub const BODY_FRAME_BYTES_MAX: usize = 64 << 10;

/// A piece of a response's content from this size on goes through the worker's arena; see
/// [`Arena`](crate::shm::arena::Arena). Below, one more copy by the kernel costs less than a block.
pub const ARENA_BYTES_MIN: usize = 8 << 10;

/// Blocks of an arena, each as large as a body frame may be: 2 MiB per worker, of which only what
/// was ever used is real memory. Enough for a response of 1 MiB while the next one is made.
pub const ARENA_BLOCKS: usize = 32;

/// Requests handed to one worker by one reactor thread at a time, the one in work included. Deep
/// enough that a worker of microseconds never idles a round trip; each costs one mark.
pub const HANDOVER_DEPTH_MAX: usize = 32;

/// A worker whose mean service time is below this may be given requests ahead. Past it, waiting
/// behind a slow request costs more than the round trip that is saved.
pub const HANDOVER_FAST: Duration = Duration::from_micros(500);

/// Finished answers that a worker holds back while it has more requests in hand; see
/// [`ResponseBatch`](crate::shm::batch::ResponseBatch). As much as a few dozen small answers, once per link.
pub const HELD_BYTES_MAX: usize = 16 << 10;

/// Bytes that a reactor thread reads from one link in one turn: several windows. A worker that writes
/// without end has no more of the thread than this before others have their turn.
pub const LINK_BYTES_PER_TURN_MAX: u64 = 4 << 20;

/// What a link's socket can hold beyond the size of its buffers: the kernel takes a message that
/// begins within them.
pub const LINK_UNREAD_BYTES_BEYOND: u64 = 256 << 10;

/// How long held answers may lie before the reactor fetches them itself: what a slow handler can
/// cost an answer that was finished before it.
pub const HELD_TIME_MAX: Duration = Duration::from_millis(1);

/// How long a request may be in work before those behind it move to an idle worker. Longer than
/// what a fast worker takes, so that requests do not move about for nothing.
pub const REBALANCE_AFTER: Duration = Duration::from_millis(1);

/// How long a worker without other requests may take to begin one before an idle worker gets it: its
/// handler may work on after the former answer. Longer than a busy machine takes to wake a process.
pub const BEGIN_TIME_MAX: Duration = Duration::from_millis(100);

/// How long a worker waits for its only link before it waits for signals as well, which takes one
/// system call more; and how often it looks for signals while it has work. Short for who sends one.
pub const LINK_WAIT_TIME_MAX: Duration = Duration::from_millis(100);

/// Bytes of a client that are kept unread behind the request in work (pipelining, RFC 9112, 9.3.2).
pub const READ_AHEAD_BYTES_MAX: usize = 64 << 10;

/// Bytes of a header of the PROXY protocol. Version 1 has at most 107; version 2 could announce 64 KiB,
/// but addresses and what load balancers add to them, a client certificate's name among it, take far less.
pub const PROXY_HEADER_BYTES_MAX: usize = 4 << 10;

/// Bytes from which a request's content that came in one piece is kept as it came. It shares the memory
/// that it was read into, [`READ_BYTES_MAX`] at most, so it holds eight times its size at worst.
pub const PIECE_KEPT_BYTES_MIN: usize = 8 << 10;

/// Bytes read from a socket by one system call, but for a large body.
pub const READ_BYTES_MAX: usize = 64 << 10;

/// Blocks of [`READ_BYTES_MAX`] that are read in one turn of the event loop before other connections have theirs; of a
/// body whose length is known by one system call.
pub const READ_BLOCKS_MAX: usize = 8;

/// Bytes that wait in a connection for its socket before its protocol is asked for more.
pub const WRITE_BUFFER_BYTES_MAX: usize = 128 << 10;
/// As [`WRITE_BUFFER_BYTES_MAX`], for HTTP/1, whose content waits where the worker has put it and can be
/// moved to a file: what one write takes. A page of 1 MiB that is written by 128 KiB costs the kernel half
/// as much again.
pub const H1_WRITE_BYTES_MAX: usize = 512 << 10;

/// Content bytes that are encrypted in one go, and read from a file for it: four records.
pub const TLS_PIECE_BYTES_MAX: usize = 64 << 10;

/// Bytes of TLS records that are collected for one system call: what a piece becomes.
pub const TLS_BATCH_BYTES_MAX: usize = 64 << 10;

/// How often the files of certificates are looked at. A change counts when it has lasted from one
/// look to the next.
pub const TLS_WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Empty lines skipped before a request line (RFC 9112, 2.2): old clients send one too many after a
/// body, nobody sends many.
pub const EMPTY_LINES_MAX: u8 = 4;

/// A span counts a field's name in 16 bits; longer ones are refused with 431.
pub const FIELD_NAME_BYTES_MAX: usize = u16::MAX as usize;

/// Digits of a chunk's size (RFC 9112, 7.1): as many as 64 bits have.
pub const CHUNK_SIZE_DIGITS_MAX: u8 = 16;

/// Bytes of chunk extensions in one request. They are skipped, and skipping is work that no
/// content bound would stop.
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 4 << 10;

/// Chunks below this size are joined before they go on: a part for each would multiply the memory
/// that a client occupies with its bytes.
pub const CHUNK_JOIN_BYTES_MAX: usize = 4 << 10;

/// After an error response the client's bytes are read and dropped, so that a reset does not eat
/// the answer (RFC 9112, 9.6): for so long and so many.
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(2);
/// As [`LINGER_TIME_MAX`], when the server is to stop and waits for its connections.
pub const LINGER_DRAINING_TIME_MAX: Duration = Duration::from_millis(500);
/// How long a connection that a worker closes may take for what has been answered, and for its protocol's
/// last words. Behind it the connection is cut off, so that no client stays that was to go.
pub const CLOSE_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a connection with streams that is to end waits for its client after the last GOAWAY: a
/// way there and back (RFC 9113, 6.8; RFC 9114, 5.2). With [`LINGER_DRAINING_TIME_MAX`] well within
/// what servers are given to stop.
pub const FAREWELL_TIME_MAX: Duration = Duration::from_secs(1);
/// See [`LINGER_TIME_MAX`].
pub const LINGER_BYTES_MAX: usize = 1 << 20;

/// Worker slots: ids fit 16 bits, and each has its marks in shared memory.
pub const WORKERS_MAX: usize = 1024;
/// Reactor threads: each has a link to each worker.
pub const REACTOR_THREADS_MAX: usize = 64;
/// Ports of one server, the first included.
pub const PORTS_MAX: usize = 64;

/// Descriptors in one control message: one link end per reactor thread.
pub const CONTROL_DESCRIPTORS_MAX: usize = REACTOR_THREADS_MAX;
/// Control messages of one child that the supervisor takes before it looks at the others: more than
/// the socket holds, so that the last words of one that has ended are among them.
pub const CONTROL_MESSAGES_PER_TURN_MAX: usize = 1024;
/// Bytes of one control message.
pub const CONTROL_BYTES_MAX: usize = 4 << 10;

/// Files that the supervisor removes for one worker that has died with uploads: far more than
/// `max_file_uploads` lets a form have, and a moment's work.
pub const UPLOADS_REMOVED_MAX: usize = 4096;

/// Boots in a row that may fail before the server gives up.
pub const BOOT_FAILURES_MAX: u32 = 5;
/// First pause before a failed process is started again; doubled each time.
pub const RESPAWN_PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest such pause, for a process that does not even become ready.
pub const RESPAWN_PAUSE_MAX: Duration = Duration::from_secs(5);
/// The longest such pause for one that did, and was killed soon after. Shorter: who can make a
/// handler crash must not be able to keep the workers away, and a crash costs a client its request
/// each time, so that it cannot happen in a tight loop.
pub const CRASH_PAUSE_MAX: Duration = Duration::from_millis(200);

/// Times that a request whose worker died before starting it is given to another. High, because it
/// is innocent: behind a client whose requests end workers it may be unlucky many times. But not
/// without end, should reading it be what kills.
pub const REDISPATCH_MAX: u8 = 32;

/// A process that was ready for at least this long before it died is replaced at once; one that was
/// not is replaced after a pause that doubles.
pub const STEADY_LIFE_MIN: Duration = Duration::from_secs(1);
/// How long the supervisor waits for the reactor's word on what a dead worker was doing. The reactor
/// sees the links end at the same moment, so this only passes when the reactor is stuck.
pub const LOST_REPORT_WAIT_MAX: Duration = Duration::from_millis(200);
/// Beyond `max_wait_time`, before a process that was told to end is killed: the reactor cuts off by
/// itself at `max_wait_time`, and only one that hangs is to be killed.
pub const END_GRACE: Duration = Duration::from_millis(500);
/// How often a service manager that wants to know is told how much is going on: what people read who ask it.
pub const SERVICE_STATUS_INTERVAL: Duration = Duration::from_secs(10);
/// How often the supervisor looks at the reactor's threads within the time that they may take for one
/// turn (`reactor_watchdog_time`), and how often a thread that idles turns in it.
pub const WATCHDOG_LOOKS: u32 = 4;
/// How long a reactor that was told to end by SIGABRT has for it, and for its core file.
pub const ABORT_TIME_MAX: Duration = Duration::from_secs(1);
/// The longest `max_wait_time` and `worker_start_timeout` that are taken literally; keeps sums of times
/// in range.
pub const WAIT_TIME_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
/// What workers have at least for their last callback once the reactor has ended.
pub const STOP_TIME_MIN: Duration = Duration::from_secs(1);

/// Content up to this size is copied behind its head, so that a response leaves with one system
/// call; larger content is written from where it lies.
pub const BODY_COPY_BYTES_MAX: usize = 32 << 10;
/// Descriptors of the reactor that are neither counted nor open at its start: connections that are
/// accepted and refused at once, what came from workers and nobody has looked at yet, certificates
/// and other files that are open for a moment.
pub const DESCRIPTORS_SPARE: u64 = 64;
/// Descriptors that have come by a link and whose frames have not been read. One message carries one
/// descriptor, which comes a piece of a message before its frame at worst.
pub const LINK_DESCRIPTORS_MAX: usize = 4;
/// Bytes a worker makes room for before it reads its link.
pub const LINK_READ_BYTES: usize = 64 << 10;
/// A link's buffer with less room than this is renewed before it is read into.
pub const LINK_READ_BYTES_MIN: usize = 8 << 10;
/// What a response may be ahead of its client on a port whose window nobody has named, and each of
/// several on one connection to begin with.
pub const WINDOW_BYTES_MIN: u32 = 64 << 10;
/// How many times a port's window all responses on one connection may be ahead of their client,
/// beyond [`WINDOW_BYTES_MIN`] for each: a few large ones at full speed, however many streams.
pub const WINDOWS_PER_CONNECTION_MAX: u64 = 4;
/// Content of one response that its protocol holds ahead of the client when it is the only one on its
/// connection: as much as one write takes ([`H1_WRITE_BYTES_MAX`]). The rest goes on as the client reads, or
/// is spooled.
pub const RESPONSE_AHEAD_BYTES_MAX: usize = H1_WRITE_BYTES_MAX;
/// As [`RESPONSE_AHEAD_BYTES_MAX`], on a stream that was upgraded, whose bytes stay in memory.
pub const UPGRADED_AHEAD_BYTES_MAX: usize = 128 << 10;
/// As [`RESPONSE_AHEAD_BYTES_MAX`], where several responses share a connection.
pub const SHARED_AHEAD_BYTES_MAX: usize = 64 << 10;
/// Blocks of the spool file of responses. As large as a frame of a worker, so that one write moves
/// all of it, and small enough that a slow client does not hold much more than it has to read.
pub const SPOOL_BLOCK_BYTES: usize = 64 << 10;
/// Content in memory that is moved to the spool file, when there is more of it than there may be, from this size on:
/// each piece occupies a block of the file, and 10,000 clients with less are 40 MiB.
pub const SPOOL_PIECE_BYTES_MIN: usize = 4 << 10;
/// Content bytes of one request that its worker may be sent ahead of what its handler has read, and as
/// many wait in the reactor before the client is held back: enough for a disk that is slow for a moment.
pub const REQUEST_WINDOW_BYTES: u32 = 256 << 10;
/// Parts of one response that wait for the client before they are made one: each has a cost beside its
/// bytes, and holds the buffer that it was read into.
pub const BACKLOG_PARTS_MAX: usize = 32;
/// How long after a line of the log that says that responses cannot be spooled there is no other:
/// one for a burst.
pub const SPOOL_WARNING_PAUSE: Duration = Duration::from_secs(10);
/// How often a thread looks whether there is room again for responses that could not be spooled: soon
/// for their workers, and seldom beside what else it does.
pub const SPOOL_RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// Connections that are looked at then, one after another: each costs a system call or two.
pub const SPOOL_RETRIES_MAX: usize = 64;
/// How long they wait at most when nothing has given room back: others may have made a full disk less
/// full.
pub const SPOOL_RETRY_TIME_MAX: Duration = Duration::from_secs(1);
/// Room that a worker makes in one piece on the word of a request's `Content-Length`.
pub const CONTENT_RESERVE_BYTES_MAX: usize = 8 << 20;

/// Streams of a connection by HTTP/2 whose frames are counted at a time: twice the default of those open.
pub const H2_METERED_STREAMS_MAX: usize = 256;

/// Bytes that HTTP/2 has encoded and the connection's output has not taken: a few frames, so that
/// streams take turns and a client that does not read is noticed early.
pub const H2_TAPE_BYTES_MAX: usize = 64 << 10;
/// Content of one stream that was given to the HTTP/2 encoder and has not been encoded.
pub const H2_SEND_BYTES_MAX: usize = 64 << 10;
/// Bytes of content that all streams of an HTTP/2 connection together may have under way to the
/// server. What arrives is spooled at once, so this is about round trips, not about memory.
pub const H2_CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of a file that are read at a time for one stream: one HTTP/2 frame of the usual size.
pub const FILE_READ_BYTES_MAX: usize = 16 << 10;
/// Frames of an HTTP/2 client that serve no request (PING, SETTINGS, resets, empty content) in one
/// go. Browsers and proxies send a few per request, and cancel a page's hundred at once.
pub const H2_IDLE_FRAMES_MAX: u64 = 2_000;
/// How many more of them each second allows: pings that measure a way come once a round trip.
pub const H2_FRAMES_PER_SECOND_EARNED: u64 = 100;
/// How many more each response that was sent to its end allows: priorities and window updates.
pub const H2_FRAMES_PER_RESPONSE_EARNED: u64 = 4;
/// Bytes sent that allow one more: some clients update two windows for each 4 KiB they read.
pub const H2_BYTES_PER_FRAME_EARNED: u64 = 1 << 10;
/// Places that a table of connections or exchanges keeps when most are free again: a burst that
/// comes back finds them, and a table of this size is no loss to any process.
pub const SLOTS_KEPT: usize = 256;
/// Sets of facts of TLS that connections share: one for each name and cipher suite that is in use.
pub const TLS_INFOS_KEPT: usize = 16;

/// Ranges of one request that are sent as parts of one response; a `Range` with more is ignored. Readers
/// of PDF files and players ask for a few; each part costs a head and a system call.
pub const FILE_RANGES_MAX: usize = 16;
/// Bytes between two ranges that are sent along, because the head of another part is as long.
pub const FILE_RANGE_GAP_BYTES: u64 = 80;
/// A range of a file up to this size is read at once, and its descriptor closed: clients that do not read
/// then hold memory, which is bounded and spooled, and no descriptor. From about here on `sendfile` is cheaper
/// than two copies: 16 KiB cost a quarter more CPU when they were read.
pub const FILE_MEMORY_BYTES_MAX: u64 = 4 << 10;
/// How long a directory of files stays open: whoever puts another one in its place sees that after so long.
pub const ROOT_AGE_MAX: Duration = Duration::from_secs(1);
/// Times that a file is tried to be opened while somebody moves directories about (openat2(2), EAGAIN).
pub const OPEN_BENEATH_TRIES: u32 = 16;
/// Names on a page that lists a directory: more are read by nobody, and take long to sort.
pub const LISTING_NAMES_MAX: usize = 4096;
/// Bytes of the boundary of a form in which the content of files is looked for; RFC 2046, 5.1.1, allows 70.
pub const FORM_BOUNDARY_BYTES_MAX: usize = 200;
/// Bytes of a line in the header of a form's part; PHP's parser cuts up longer ones than 5 KiB.
pub const FORM_LINE_BYTES_MAX: usize = 4 << 10;
/// Bytes from which a file in a form that goes to the disk has a file of its own: less is cheaper to write again.
pub const FORM_FILE_BYTES_MIN: usize = 64 << 10;
/// Files of a form that have a file of their own: each is a descriptor in two processes. Further ones share one.
pub const FORM_FILES_MAX: usize = 8;
/// Bytes of a file in a form that PHP has to have written before it is given the reactor's file in its place: more
/// than its buffer (5 KiB), so that they are of that file.
pub const FORM_FILE_WRITTEN_BYTES: u64 = 8 << 10;
/// Bytes at the end of a file in a form that PHP's parser reads where it need not read the rest, and how many there
/// must be beside them: a few of its buffers, so that it sees the end of the file as it would have.
pub const FORM_FILE_READ_BYTES: u64 = 64 << 10;
/// Bytes of a file in a form that are left out in one go: the parser writes them to /dev/null in one go, and the kernel
/// takes less than 2 GiB.
pub const FORM_SKIP_BYTES_MAX: u64 = 1 << 30;
/// Bytes of a request's content that PHP's parser of forms is read ahead: it asks for 5 KiB at a time.
pub const FORM_READ_BYTES: usize = 128 << 10;
