//! [`FormSpool`]: a form that is larger than what stays in memory, with the content of each of its files in a file
//! of its own, which becomes the upload: so it is written once.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use wire::limits::{FORM_FILE_BYTES_MIN, FORM_FILES_MAX};

use super::body::{ContentPiece, SpoolError, SpoolFile, SpoolRoom};
use super::form::{FormPiece, FormScanner};

/// A form that is arriving.
#[derive(Debug)]
pub struct FormSpool {
    scanner: FormScanner,
    kept: SpooledForm,
}

/// What has come of it.
#[derive(Debug, Default)]
struct SpooledForm {
    /// What is complete, in its order.
    runs: Vec<FormRun>,
    /// Bytes of those in memory.
    memory: usize,
    /// Those that are neither in memory nor files of their own.
    common: Option<FormFile>,
    /// The content of a file, which may become large.
    pending: BytesMut,
    /// Files of their own.
    files: usize,
    /// Whether the last run is the file that is arriving.
    in_file: bool,
}

#[derive(Debug)]
enum FormRun {
    Memory(BytesMut),
    /// In the common file.
    Common {
        offset: u64,
        len: u64,
    },
    File(FormFile),
}

/// A file, and what will be written to it together.
#[derive(Debug)]
struct FormFile {
    file: SpoolFile,
    waiting: Vec<Bytes>,
    /// Bytes of both.
    len: u64,
}

impl FormSpool {
    /// A form with this boundary.
    pub fn new(boundary: &[u8]) -> Self {
        Self { scanner: FormScanner::new(boundary), kept: SpooledForm::default() }
    }

    /// Adds content.
    pub fn push(&mut self, pieces: &[Bytes], room: SpoolRoom<'_>) -> Result<(), SpoolError> {
        let kept = &mut self.kept;
        for of in pieces {
            self.scanner.scan(of, &mut |piece| match piece {
                FormPiece::Frame(bytes) => kept.frame(of, bytes, room),
                FormPiece::Content(bytes) => kept.content(of, bytes, room),
                FormPiece::ContentEnd => kept.content_end(room),
            })?;
        }
        kept.write(room)
    }

    /// All of it, in its order.
    pub fn finish(mut self) -> Arc<[ContentPiece]> {
        let mut kept = self.kept;
        // What is cut off is no file, whatever it was to be.
        let mut rest = kept.pending;
        rest.extend_from_slice(&self.scanner.rest());
        if !rest.is_empty() {
            kept.runs.push(FormRun::Memory(rest));
        }
        let common = kept.common.map(|common| common.file.finish());
        let pieces = kept.runs.into_iter().filter_map(|run| match run {
            FormRun::Memory(bytes) => Some(ContentPiece::Memory(bytes.freeze())),
            FormRun::File(file) => Some(ContentPiece::File(file.file.finish())),
            FormRun::Common { offset, len } => {
                let mut slice = common.clone()?;
                (slice.offset, slice.len) = (offset, len);
                Some(ContentPiece::File(slice))
            }
        });
        pieces.collect()
    }
}

impl SpooledForm {
    /// Content of a file, most often a part of what came.
    fn content(&mut self, of: &Bytes, bytes: &[u8], room: SpoolRoom<'_>) -> Result<(), SpoolError> {
        if self.in_file
            && let Some(FormRun::File(file)) = self.runs.last_mut()
        {
            file.add(of, bytes);
            return Ok(());
        }
        if self.pending.len() + bytes.len() <= FORM_FILE_BYTES_MIN {
            self.pending.extend_from_slice(bytes);
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending).freeze();
        if self.files < FORM_FILES_MAX {
            match FormFile::new(room) {
                Ok(mut file) => {
                    file.add(&pending, &pending);
                    file.add(of, bytes);
                    self.files += 1;
                    self.in_file = true;
                    self.runs.push(FormRun::File(file));
                    return Ok(());
                }
                // It shares one, if there is one.
                Err(SpoolError::Files(_)) if self.common.is_some() => {}
                Err(error) => return Err(error),
            }
        }
        self.frame(&pending, &pending, room)?;
        self.frame(of, bytes, room)
    }

    /// The content of a file is complete.
    fn content_end(&mut self, room: SpoolRoom<'_>) -> Result<(), SpoolError> {
        self.in_file = false;
        if let Some(FormRun::File(file)) = self.runs.last_mut() {
            file.write(room)?;
        }
        let pending = std::mem::take(&mut self.pending).freeze();
        self.frame(&pending, &pending, room)
    }

    /// What has come is written, so that its memory is free.
    fn write(&mut self, room: SpoolRoom<'_>) -> Result<(), SpoolError> {
        let last = match self.runs.last_mut() {
            Some(FormRun::File(file)) => Some(file),
            _ => None,
        };
        self.common.iter_mut().chain(last).try_for_each(|file| file.write(room))
    }

    /// What belongs to no file of its own.
    fn frame(&mut self, of: &Bytes, bytes: &[u8], room: SpoolRoom<'_>) -> Result<(), SpoolError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.common.is_none() && self.memory + bytes.len() <= room.memory_bytes_max {
            self.memory += bytes.len();
            match self.runs.last_mut() {
                Some(FormRun::Memory(memory)) => memory.extend_from_slice(bytes),
                _ => self.runs.push(FormRun::Memory(BytesMut::from(bytes))),
            }
            return Ok(());
        }
        let file = match &mut self.common {
            Some(file) => file,
            none => {
                let mut file = FormFile::new(room)?;
                // By this a worker tells its slices from files of their own, which begin at 0.
                file.add(&Bytes::new(), &[0]);
                none.insert(file)
            }
        };
        let (offset, more) = (file.len, bytes.len() as u64);
        file.add(of, bytes);
        match self.runs.last_mut() {
            Some(FormRun::Common { offset: begin, len }) if *begin + *len == offset => *len += more,
            _ => self.runs.push(FormRun::Common { offset, len: more }),
        }
        Ok(())
    }
}

impl FormFile {
    fn new(room: SpoolRoom<'_>) -> Result<Self, SpoolError> {
        Ok(Self { file: SpoolFile::new(room)?, waiting: Vec::new(), len: 0 })
    }

    /// Adds bytes, which are not copied where they are a part of what came.
    fn add(&mut self, of: &Bytes, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        let Some(mut part) = part_of(of, bytes) else {
            return self.waiting.push(Bytes::copy_from_slice(bytes));
        };
        // Lines that follow each other become one piece.
        if let Some(before) = self.waiting.last().and_then(|last| part_of(of, last))
            && before.end == part.start
        {
            part.start = before.start;
            self.waiting.pop();
        }
        self.waiting.push(of.slice(part));
    }

    fn write(&mut self, room: SpoolRoom<'_>) -> Result<(), SpoolError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.file.push(&self.waiting, room);
        self.waiting.clear();
        written
    }
}

/// Where in what came these bytes lie, if they do.
fn part_of(of: &Bytes, bytes: &[u8]) -> Option<Range<usize>> {
    let start = bytes.as_ptr().addr().checked_sub(of.as_ptr().addr())?;
    let end = start + bytes.len();
    (end <= of.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;

    use wire::{Budget, DescriptorBudget, Holder};

    use super::*;

    struct Place {
        files: DescriptorBudget,
        disk: Budget,
    }

    impl Place {
        fn new(files: u64) -> Self {
            let budget = DescriptorBudget::new(100).bounded(Holder::Body, Budget::new(files));
            Self { files: budget, disk: Budget::new(1 << 30) }
        }

        fn pushed(&self, form: &[u8], together: usize) -> Result<Arc<[ContentPiece]>, SpoolError> {
            let dir = std::env::temp_dir();
            let room = SpoolRoom {
                memory_bytes_max: 1000,
                dir: &dir,
                files: &self.files,
                disk: &self.disk,
            };
            let mut spool = FormSpool::new(b"B");
            let pieces: Vec<_> = form.chunks(1017).map(Bytes::copy_from_slice).collect();
            pieces.chunks(together).try_for_each(|pieces| spool.push(pieces, room))?;
            Ok(spool.finish())
        }
    }

    /// All of it, and where each piece lies: in memory, by itself, or in the common file.
    fn read(pieces: &[ContentPiece]) -> (Vec<u8>, String) {
        let (mut all, mut places) = (Vec::new(), String::new());
        for piece in pieces {
            match piece {
                ContentPiece::Memory(bytes) => {
                    all.extend_from_slice(bytes);
                    places.push('m');
                }
                ContentPiece::File(slice) => {
                    let file = File::from(slice.fd.as_fd().try_clone_to_owned().unwrap());
                    let mut bytes = vec![0; slice.len as usize];
                    file.read_exact_at(&mut bytes, slice.offset).unwrap();
                    all.extend_from_slice(&bytes);
                    places.push(if slice.offset == 0 { 'f' } else { 'c' });
                }
            }
        }
        (all, places)
    }

    fn part(filename: &str, len: usize) -> Vec<u8> {
        let head = format!("--B\r\nContent-Disposition: form-data; name=a{filename}\r\n\r\n");
        [head.as_bytes(), &vec![b'x'; len], b"\r\n"].concat()
    }

    #[test]
    fn large_files_lie_by_themselves_and_all_of_it_in_its_order() {
        let file = |len| part("; filename=f", len);
        let large = FORM_FILE_BYTES_MIN + 1;
        for (form, wanted) in [
            ([file(large), part("", 10), file(large), b"--B--".to_vec()].concat(), "mfmfm"),
            ([part("", large), file(large), b"--B--".to_vec()].concat(), "mcfc"),
            ([file(large - 1), file(10), b"--B--".to_vec()].concat(), "mc"),
            ([file(large), b"--B--".to_vec()].concat(), "mfm"),
            // Cut off.
            (file(large)[..large].to_vec(), "mm"),
            (file(2 * large)[..2 * large].to_vec(), "mf"),
            ([file(large), file(100)[..100].to_vec()].concat(), "mfmm"),
        ] {
            for together in [1, 7, 10_000] {
                let place = Place::new(50);
                let (all, places) = read(&place.pushed(&form, together).unwrap());
                assert!(all == form, "{wanted}");
                assert_eq!(places, wanted);
                assert_eq!((place.files.held(Holder::Body), place.disk.held()), (0, 0));
            }
        }
    }

    #[test]
    fn their_number_is_bounded() {
        let form = part("; filename=f", 2 * FORM_FILE_BYTES_MIN).repeat(FORM_FILES_MAX + 2);
        let place = Place::new(50);
        let pieces = place.pushed(&form, 8).unwrap();
        assert_eq!(place.files.held(Holder::Body), FORM_FILES_MAX as u64 + 1);
        let (all, places) = read(&pieces);
        assert!(all == form);
        assert_eq!(places.matches('f').count(), FORM_FILES_MAX);
        // When no more files are left than one, they share it.
        let place = Place::new(1);
        let first = part("", 2000);
        let (all, places) = read(&place.pushed(&[&first[..], &form].concat(), 8).unwrap());
        assert!(all == [&first[..], &form].concat());
        assert!(places.starts_with("mc") && !places.contains('f'), "{places}");
        assert!(matches!(place.pushed(&form, 8), Err(SpoolError::Files(1))));
    }
}
