//! What an exchange takes of its request's content.

use super::{Core, Exchange, Now, RequestStep, ResponseStep, Tunnel};
use crate::h1::body::BodyDecoder;
use crate::message::Continue;

impl Exchange {
    /// Whether content is missing.
    pub fn wants_input(&self) -> bool {
        match self.request {
            RequestStep::Arriving { deadline, .. } => {
                deadline.is_some() || matches!(self.response, ResponseStep::Ended(_))
            }
            RequestStep::Complete => false,
            RequestStep::Upgraded(tunnel) => tunnel == Tunnel::Open,
        }
    }

    /// Bytes of content that are missing, where the head has said how many and they may come.
    pub fn content_left(&self) -> u64 {
        match self.request {
            RequestStep::Arriving {
                decoder: BodyDecoder::Length(left), deadline: Some(_), ..
            } => left,
            _ => 0,
        }
    }

    /// Holds the content back, or lets it come again.
    pub fn set_paused(mut self, paused: bool, core: &mut Core, now: &Now) -> Self {
        match &mut self.request {
            RequestStep::Arriving { deadline, pace, expected, .. } => {
                *deadline = (!paused).then(|| pace.begin(now.instant));
                if !paused
                    && std::mem::replace(expected, Continue::No) == Continue::WhenAsked
                    && matches!(self.response, ResponseStep::Awaited)
                {
                    core.say_continue();
                }
            }
            RequestStep::Upgraded(tunnel) if paused => *tunnel = Tunnel::Paused,
            RequestStep::Upgraded(tunnel) => *tunnel = Tunnel::Open,
            RequestStep::Complete => {}
        }
        self
    }
}
