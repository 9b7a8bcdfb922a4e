//! From the answer for a file to the parts that its connection is given.

use http::StatusCode;
use wire::limits::FILE_MEMORY_BYTES_MAX;
use wire::{
    BodyLength, DescriptorBudget, Fields, FieldsBuilder, FileSlice, Part, Reason, ResponseHead,
};

use super::held::HeldFiles;
use super::root::OpenedFile;
use crate::file;
use crate::protocol::files::FileContent;

/// All parts of a response.
pub type Parts = Vec<Part<ResponseHead>>;

/// The parts of a response with this content of a file; `None` when no more files may be open. A small
/// content is read at once.
pub fn parts(
    head: ResponseHead,
    content: FileContent,
    file: OpenedFile,
    held: &mut HeldFiles,
    budget: &DescriptorBudget,
) -> Option<Parts> {
    let mut parts = vec![Part::Head(head)];
    match content {
        FileContent::Nothing => {}
        FileContent::Text(text) => parts.push(Part::Body(text)),
        FileContent::Range { len: 0, .. } => {}
        FileContent::Range { offset, len } if len <= FILE_MEMORY_BYTES_MAX => {
            let slice = FileSlice::new(file.fd, offset, len);
            match file::read(&slice, len as usize) {
                Some(bytes) if bytes.len() as u64 == len => parts.push(Part::Body(bytes)),
                // It was cut since its length was asked for.
                _ => return Some(vec![Part::Abort(Reason::Internal)]),
            }
        }
        content => parts.extend(content.parts(&held.hold(file, budget)?)),
    }
    parts.push(Part::End(None));
    Some(parts)
}

/// A head with these fields.
pub fn head_of<'a>(
    status: StatusCode,
    length: u64,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) -> ResponseHead {
    let mut builder = FieldsBuilder::with_capacity(8, 256);
    fields.for_each(|(name, value)| builder.push(name, value));
    let (length, fields): (_, Fields) = (BodyLength::Known(length), builder.build());
    ResponseHead { status, reason: None, length, fields, id_field: None }
}
