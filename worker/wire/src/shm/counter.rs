//! `Counter` and `WorkerCounter`: the figures that processes share.

/// A figure of [`Shared`](super::Shared). Gauges go up and down, counters only up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// Gauge: open client connections.
    Connections,
    /// Connections accepted.
    Accepted,
    /// Connections closed.
    Closed,
    /// Connections closed because of an error or a deadline.
    Aborted,
    /// Requests whose head was read.
    Requests,
    /// Responses sent to their end.
    Responses,
    /// Requests handed to a worker.
    Dispatched,
    /// Requests answered with 503 because the queue was too long or too old.
    Shed,
    /// Requests lost with their worker (502).
    Lost,
    /// Requests refused by the protocol (4xx, 5xx without a handler).
    Refused,
    /// Responses for exchanges that no longer exist, dropped.
    Stray,
    /// Gauge: exchanges open.
    Exchanges,
    /// Gauge: requests in the queue.
    Queued,
    /// Bytes read from clients.
    BytesReceived,
    /// Bytes written to clients.
    BytesSent,
    /// Workers replaced after they died.
    WorkerRestarts,
    /// Reactors replaced after they died.
    ReactorRestarts,
    /// The pid of the reactor process.
    ReactorPid,
    /// When the server started, in seconds since 1970-01-01 UTC.
    StartedAt,
    /// Requests that their clients gave up before the answer.
    GivenUp,
    /// Responses cut off because their client did not take them.
    Stalls,
    /// Gauge: open connections over QUIC, which [`Counter::Connections`] counts as well.
    QuicConnections,
    /// Responses refused because no more files of workers may be open for clients.
    FilesRefused,
    /// Gauge: bytes of responses in memory that clients have not taken.
    SpoolMemory,
    /// Gauge: bytes of responses in files that clients have not taken.
    SpoolDisk,
    /// Gauge: request bodies in files.
    BodyFiles,
    /// Gauge: their bytes.
    BodyBytes,
    /// Requests answered with 503 because their body could not be kept.
    BodiesRefused,
    /// Connections refused because their client's address has as many as it may have.
    AddressesRefused,
    /// Gauge: detached responses that nobody has claimed.
    Detached,
    /// Detached responses that nobody has answered in time.
    Unanswered,
    /// Connections refused because there are as many as there may be.
    ConnectionsRefused,
    /// TLS handshakes, also of QUIC, that have agreed on keys anew.
    TlsHandshakes,
    /// TLS handshakes, also of QUIC, that have resumed a session.
    TlsResumptions,
    /// TLS handshakes over TCP that have failed.
    TlsFailures,
    /// Workers replaced because they had served as many requests as they should.
    WorkersRecycled,
    /// Workers replaced in a reload.
    WorkersReloaded,
    /// Workers replaced because they had ended by their own decision, after a fatal error as a rule.
    WorkersLeft,
    /// Workers replaced because a request took longer than it may.
    WorkersTimedOut,
    /// Workers started again because they did not become ready.
    WorkersNotReady,
    /// Reloads that have replaced all workers.
    Reloads,
    /// Reloads that were given up.
    ReloadsAbandoned,
    /// Gauge: 1 once the server is to get no more requests, see `POST /drain`.
    Draining,
    /// Gauge: how the server stands, as a [`ServerState`](super::ServerState).
    State,
    /// Bound of [`Counter::Connections`].
    ConnectionsMax,
    /// Bound of [`Counter::Queued`], per pool.
    QueuedMax,
    /// Bound of [`Counter::SpoolMemory`].
    SpoolMemoryMax,
    /// Bound of [`Counter::SpoolDisk`].
    SpoolDiskMax,
    /// Bound of [`Counter::BodyFiles`].
    BodyFilesMax,
    /// Bound of [`Counter::BodyBytes`].
    BodyBytesMax,
    /// Bound of [`Counter::Detached`].
    DetachedMax,
    /// Gauge: files that are held open until clients have taken them.
    SentFiles,
    /// Bound of [`Counter::SentFiles`].
    SentFilesMax,
    /// Lines of the log left out because there were too many of their kind.
    LogLinesSuppressed,
    /// Lines of the log that could not be written.
    LogLinesLost,
    /// Lines of the access log that could not be written.
    AccessLogLost,
    /// Spans that a collector has taken.
    SpansExported,
    /// Spans that were dropped; of what waited to be made into spans, the exchanges.
    SpansLost,
    /// Requests to a collector that failed.
    OtlpFailures,
    /// Connections over HTTP/2 ended because of streams that were reset at once.
    FloodsHttp2Reset,
    /// The same, because of PING.
    FloodsHttp2Ping,
    /// The same, because of SETTINGS.
    FloodsHttp2Settings,
    /// The same, because of DATA and CONTINUATION with little or nothing in them.
    FloodsHttp2EmptyFrame,
    /// The same, because of fields without end.
    FloodsHttp2Header,
    /// The same, because of frames of other types.
    FloodsHttp2Other,
    /// Connections over HTTP/3 ended because of requests that were reset at once.
    FloodsHttp3Reset,
    /// The same, because of other packets.
    FloodsHttp3Other,
}

/// How many there are.
pub(super) const COUNTERS: usize = Counter::FloodsHttp3Other as usize + 1;
/// Room for later counters, so that the layout is stable.
pub(super) const COUNTERS_MAX: usize = 128;

/// A figure of one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum WorkerCounter {
    /// Requests that its handler has started.
    Requests,
    /// Responses that it has completed.
    Responses,
    /// 1 while the handler runs.
    Busy,
    /// Lines of the log that it could not write.
    LogLinesLost,
}

/// Words of a worker's counters.
pub(super) const WORKER_COUNTERS: usize = 8;
