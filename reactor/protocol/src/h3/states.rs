//! The small states of a connection beside its [`Phase`](super::life::Phase): what it has to look at,
//! what it has to send, and whether probes come first.

/// What has happened since the streams were last looked at. The later one includes the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum News {
    /// Nothing.
    #[default]
    None,
    /// On this side: a part of a response, a deadline, a shutdown.
    Ours,
    /// The client has sent something as well.
    Received,
}

impl News {
    /// This has happened too.
    pub fn add(&mut self, news: Self) {
        *self = news.max(*self);
    }
}

/// How far `quiche` is with what it was given.
///
/// ```text
///  Flushed ──give──▶ Given ──datagram──▶ Backlog
///     ▲                └──────packets──────▲ │
///     └────────── nothing is left ───────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Egress {
    /// It has made all the packets that it may make now.
    #[default]
    Flushed,
    /// It was given something since packets were made.
    Given,
    /// There are packets that are still to be made: there was no room for them, they are paced, or a
    /// datagram came before they were made.
    Backlog,
}

impl Egress {
    /// `quiche` is given content.
    pub fn give(&mut self) {
        debug_assert_ne!(
            *self,
            Self::Backlog,
            "it gets no more while it has some that cannot leave"
        );
        *self = Self::Given;
    }

    /// A datagram has come.
    pub fn datagram(&mut self) {
        if *self == Self::Given {
            *self = Self::Backlog;
        }
    }
}

/// Probes, which find out what was lost (RFC 9002, 6.2.4), and what `quiche` counts meanwhile. Until
/// probes are gone it looks at no congestion window. Neither has it when it counted, with a datagram
/// that came by then, what streams have room for: that holds until the next one.
///
/// ```text
///  None ──timeout──▶ Due ──datagram──▶ DueAndStale ──gone──▶ Stale
///    ▲ ▲               │                    ▲ └─datagram─┘     │ │
///    │ └─────gone──────┘                    └─────timeout──────┘ │
///    └───────────────────────────datagram────────────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Probes {
    /// None are due.
    #[default]
    None,
    /// They go before anything else.
    Due,
    /// The same, and the streams' capacities are too large.
    DueAndStale,
    /// They are gone, and the streams' capacities are still too large.
    Stale,
}

impl Probes {
    /// Whether they go before anything else.
    pub fn are_due(self) -> bool {
        matches!(self, Self::Due | Self::DueAndStale)
    }

    /// Whether the streams' capacities were counted without the congestion window.
    pub fn leave_capacity_stale(self) -> bool {
        matches!(self, Self::DueAndStale | Self::Stale)
    }

    /// `quiche` has found out that acknowledgements are missing.
    pub fn timeout(&mut self) {
        *self = if self.leave_capacity_stale() { Self::DueAndStale } else { Self::Due };
    }

    /// A datagram comes, with which `quiche` counts anew.
    pub fn datagram(&mut self) {
        *self = if self.are_due() { Self::DueAndStale } else { Self::None };
    }

    /// They have been sent.
    pub fn gone(&mut self) {
        *self = if self.leave_capacity_stale() { Self::Stale } else { Self::None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_add_up() {
        let mut news = News::default();
        news.add(News::Ours);
        assert_eq!(news, News::Ours);
        news.add(News::Received);
        news.add(News::Ours);
        assert_eq!(std::mem::take(&mut news), News::Received);
        assert_eq!(news, News::None);
    }

    #[test]
    fn what_was_given_before_a_datagram_goes_first() {
        let mut egress = Egress::Flushed;
        egress.datagram();
        assert_eq!(egress, Egress::Flushed);
        egress.give();
        egress.datagram();
        assert_eq!(egress, Egress::Backlog);
    }

    #[test]
    fn capacity_is_stale_from_a_datagram_before_the_probes_to_one_behind_them() {
        use Probes::*;
        for (from, timeout, datagram, gone) in [
            (None, Due, None, None),
            (Due, Due, DueAndStale, None),
            (DueAndStale, DueAndStale, DueAndStale, Stale),
            (Stale, DueAndStale, None, Stale),
        ] {
            let after = |step: fn(&mut Probes)| {
                let mut probes = from;
                step(&mut probes);
                probes
            };
            assert_eq!(after(Probes::timeout), timeout, "{from:?}");
            assert_eq!(after(Probes::datagram), datagram, "{from:?}");
            assert_eq!(after(Probes::gone), gone, "{from:?}");
        }
    }
}
