//! [`Outcome`]: how an exchange ended.

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The client was sent the whole response.
    Complete,
    /// The client left before it had the whole response.
    ClientLeft,
    /// The worker that was at work on it has ended.
    WorkerDied,
    /// The client, or who was to answer, took too long.
    Timeout,
    /// It was answered with 503 for want of room: the queue, memory, disk or descriptors.
    Shed,
    /// It was refused for what is wrong with it.
    Refused,
    /// The response broke off for another reason on this side: the handler failed, or the server stopped.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Complete,
        Self::ClientLeft,
        Self::WorkerDied,
        Self::Timeout,
        Self::Shed,
        Self::Refused,
        Self::Failed,
    ];

    /// Its name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientLeft => "client_left",
            Self::WorkerDied => "worker_died",
            Self::Timeout => "timeout",
            Self::Shed => "shed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}
