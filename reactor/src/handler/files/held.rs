//! [`HeldFiles`]: files that are open until clients have taken them, each once, however many clients
//! there are.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use wire::{DescriptorBudget, FileSlice, Holder, OpenFile};

use super::root::OpenedFile;

/// The files, by file system and inode. Entries of files that nobody holds any more stay until there are
/// as many of them as of others.
#[derive(Debug, Default)]
pub struct HeldFiles {
    files: HashMap<(u64, u64), Weak<OpenFile>>,
    /// How many entries there may be before the dead ones are removed.
    full: usize,
}

impl HeldFiles {
    /// A slice of the whole file, which keeps it open; `None` when there are as many files as there may
    /// be. A file that is held already takes no second descriptor.
    pub fn hold(&mut self, file: OpenedFile, budget: &DescriptorBudget) -> Option<FileSlice> {
        let len = file.facts.len;
        if let Some(held) = self.files.get(&file.identity).and_then(Weak::upgrade) {
            return Some(FileSlice::shared(held, 0, len));
        }
        let mut slice = FileSlice::new(file.fd, 0, len);
        slice.count(budget.take(Holder::Sent)?, None);
        if self.files.len() >= self.full {
            self.files.retain(|_, file| file.strong_count() > 0);
            self.full = (self.files.len() * 2).max(64);
        }
        self.files.insert(file.identity, Arc::downgrade(&slice.fd));
        Some(slice)
    }
}
