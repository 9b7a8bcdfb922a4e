//! What an event loop does for the admin listener: it knows its connections from others, and tells what it
//! knows of exchanges.

use wire::head::Origin;
use wire::limits::ADMIN_CONNECTIONS_MAX;

use super::EventLoop;
use crate::handler::admin::report::ThreadReport;
use crate::mailbox::Mail;

impl EventLoop {
    /// Whether a connection is an administrator's.
    pub(super) fn is_admin(&self, origin: &Origin) -> bool {
        self.common.config.is_admin(origin.port)
    }

    /// Whether it is one more than there may be of administrators.
    pub(super) fn is_beyond_admins(&self, origin: &Origin) -> bool {
        self.is_admin(origin) && self.admin_clients >= ADMIN_CONNECTIONS_MAX
    }

    /// Tells the first thread what this one knows.
    pub(super) fn inspect(&mut self, number: u64) {
        let doing = self.handlers.pools.iter().flat_map(|pool| pool.in_work());
        let report = ThreadReport { doing: doing.collect() };
        if let Some(first) = self.common.mailboxes.first() {
            first.post(Mail::Inspected { number, report });
        }
    }

    pub(super) fn inspected(&mut self, number: u64, report: ThreadReport) {
        if let Some(admin) = &mut self.handlers.admin {
            admin.inspected(number, report, &mut self.turn);
        }
    }

    pub(super) fn expire_admin(&mut self) {
        if let Some(admin) = &mut self.handlers.admin {
            admin.expire(&mut self.turn);
        }
    }
}
