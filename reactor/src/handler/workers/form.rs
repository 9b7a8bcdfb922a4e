//! [`FormScanner`]: where the content of files lies in a form (multipart/form-data, RFC 7578) that is arriving.
//!
//! It decides nothing: PHP's parser reads the same bytes again, and what it makes of them is what counts. So
//! lines, delimiters and the boundary are taken as that parser takes them (`main/rfc1867.c`), and where the two
//! would differ nobody is worse off than without.

use memchr::{memchr, memmem};
use wire::limits::{FORM_BOUNDARY_BYTES_MAX, FORM_LINE_BYTES_MAX};

/// Scans a form, piece by piece.
#[derive(Debug)]
pub struct FormScanner {
    /// `\r\n--boundary`. PHP takes a delimiter without the `\r` as well.
    delimiter: Vec<u8>,
    /// Finds it without the `\r`.
    finder: memmem::Finder<'static>,
    state: FormState,
    /// A line that is not complete.
    line: Vec<u8>,
    /// The end of what came, as far as it may begin a delimiter.
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormState {
    /// Up to the line of a delimiter.
    Between,
    /// In the header of a part; whether it has said that it is a file.
    Header { file: bool },
    /// In the content of a file.
    Content,
    /// What PHP would make of it is not known here.
    Lost,
}

/// What a piece of a form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormPiece<'a> {
    /// Delimiters, headers, and the content of fields.
    Frame(&'a [u8]),
    /// Content of a file, or the next of it.
    Content(&'a [u8]),
    /// The content of a file is complete.
    ContentEnd,
}

/// The boundary of a form, as PHP finds it in the value of `Content-Type`; `None` for what is no form.
pub fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let media_type = content_type.split(|byte| matches!(byte, b';' | b',')).next()?.trim_ascii();
    if !media_type.eq_ignore_ascii_case(b"multipart/form-data") {
        return None;
    }
    // As it is written first.
    let name = memmem::find(content_type, b"boundary")
        .or_else(|| memmem::find(&content_type.to_ascii_lowercase(), b"boundary"))?;
    let value = memchr(b'=', &content_type[name..])?;
    let value = &content_type[name + value + 1..];
    let boundary = match value {
        [b'"', quoted @ ..] => &quoted[..memchr(b'"', quoted)?],
        value => value.split(|byte| matches!(byte, b';' | b',')).next()?,
    };
    (!boundary.is_empty() && boundary.len() <= FORM_BOUNDARY_BYTES_MAX).then_some(boundary)
}

impl FormScanner {
    /// A form with this boundary.
    pub fn new(boundary: &[u8]) -> Self {
        let delimiter = [b"\r\n--", boundary].concat();
        Self {
            finder: memmem::Finder::new(&delimiter[1..]).into_owned(),
            delimiter,
            state: FormState::Between,
            line: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Takes what came, and gives it to `take` in pieces, all of it and in its order, but for what is
    /// [held](Self::rest).
    pub fn scan<E>(
        &mut self,
        mut bytes: &[u8],
        take: &mut dyn FnMut(FormPiece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            bytes = match self.state {
                FormState::Lost => {
                    take(FormPiece::Frame(bytes))?;
                    &[]
                }
                FormState::Content => self.content(bytes, take)?,
                FormState::Between | FormState::Header { .. } => {
                    let len = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
                    let (line, rest) = bytes.split_at(len);
                    take(FormPiece::Frame(line))?;
                    self.line.extend_from_slice(line);
                    self.line_came();
                    rest
                }
            };
        }
        Ok(())
    }

    /// What is held at the end: content of a file that is cut off.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// More of a line has come.
    fn line_came(&mut self) {
        if self.line.len() > FORM_LINE_BYTES_MAX {
            // The line of a field may be long; that of a header is cut up by PHP.
            self.state = match self.state {
                FormState::Between => FormState::Between,
                _ => FormState::Lost,
            };
            let ended = self.line.ends_with(b"\n");
            self.line.clear();
            if !ended {
                // So that its rest is not taken for a line.
                self.line.push(b' ');
            }
            return;
        }
        let Some(line) = self.line.strip_suffix(b"\n") else { return };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A NUL ends it (C strings).
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        self.state = match self.state {
            FormState::Between if line == &self.delimiter[2..] => FormState::Header { file: false },
            FormState::Header { file: true } if line.is_empty() => FormState::Content,
            FormState::Header { file: false } if line.is_empty() => FormState::Between,
            FormState::Header { file } => FormState::Header { file: file || names_a_file(line) },
            state => state,
        };
        self.line.clear();
    }

    /// Content of a file; gives back what is behind it.
    fn content<'a, E>(
        &mut self,
        bytes: &'a [u8],
        take: &mut dyn FnMut(FormPiece<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        if !self.held.is_empty() {
            return self.content_behind_held(bytes, take);
        }
        if let Some(at) = self.finder.find(bytes) {
            let end = if bytes[..at].ends_with(b"\r") { at - 1 } else { at };
            if end > 0 {
                take(FormPiece::Content(&bytes[..end]))?;
            }
            take(FormPiece::ContentEnd)?;
            self.state = FormState::Between;
            return Ok(&bytes[end..]);
        }
        let end = bytes.len() - self.open_len(bytes);
        if end > 0 {
            take(FormPiece::Content(&bytes[..end]))?;
        }
        self.held.extend_from_slice(&bytes[end..]);
        Ok(&[])
    }

    /// The same while the last that came may be the beginning of a delimiter.
    fn content_behind_held<'a, E>(
        &mut self,
        bytes: &'a [u8],
        take: &mut dyn FnMut(FormPiece<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        let before = self.held.len();
        // So much of it decides.
        let more = (self.delimiter.len() + 1).min(bytes.len());
        self.held.extend_from_slice(&bytes[..more]);
        let held = std::mem::take(&mut self.held);
        let found = self.finder.find(&held);
        if let Some(at) = found.filter(|at| *at <= before) {
            let end = if held[..at].ends_with(b"\r") { at - 1 } else { at };
            if end > 0 {
                take(FormPiece::Content(&held[..end]))?;
            }
            take(FormPiece::ContentEnd)?;
            self.state = FormState::Between;
            // The line break before the delimiter, and what has been held of it.
            if end < before {
                take(FormPiece::Frame(&held[end..before]))?;
                self.line.extend_from_slice(&held[end..before]);
                self.split_line();
                return Ok(bytes);
            }
            return Ok(&bytes[end - before..]);
        }
        if found.is_none() && more == bytes.len() {
            // All of it is looked at together; what cannot begin a delimiter any more goes on.
            let end = held.len() - self.open_len(&held);
            if end > 0 {
                take(FormPiece::Content(&held[..end]))?;
            }
            self.held.extend_from_slice(&held[end..]);
            return Ok(&[]);
        }
        take(FormPiece::Content(&held[..before]))?;
        Ok(bytes)
    }

    /// What was held may be more than one line.
    fn split_line(&mut self) {
        if let Some(at) = memchr(b'\n', &self.line) {
            self.line.drain(..=at);
        }
    }

    /// How many bytes at the end may begin a delimiter.
    fn open_len(&self, bytes: &[u8]) -> usize {
        let most = self.delimiter.len().min(bytes.len());
        let tail = &bytes[bytes.len() - most..];
        (0..most)
            .map(|skipped| &tail[skipped..])
            .find(|end| self.delimiter.starts_with(end) || self.delimiter[1..].starts_with(end))
            .map_or(0, <[u8]>::len)
    }
}

/// Whether a line of a header says that its part is a file.
fn names_a_file(line: &[u8]) -> bool {
    memmem::find(&line.to_ascii_lowercase(), b"filename").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Seen {
        all: Vec<u8>,
        files: Vec<Vec<u8>>,
        open: Option<Vec<u8>>,
    }

    fn seen(boundary: &[u8], pieces: &[&[u8]]) -> Seen {
        let mut scanner = FormScanner::new(boundary);
        let mut seen = Seen::default();
        for piece in pieces {
            let taken = scanner.scan(piece, &mut |piece| {
                match piece {
                    FormPiece::Frame(bytes) => seen.all.extend_from_slice(bytes),
                    FormPiece::Content(bytes) => {
                        seen.all.extend_from_slice(bytes);
                        seen.open.get_or_insert_default().extend_from_slice(bytes);
                    }
                    FormPiece::ContentEnd => seen.files.push(seen.open.take().unwrap_or_default()),
                }
                Ok::<_, ()>(())
            });
            taken.unwrap();
        }
        seen.all.extend(scanner.rest());
        seen
    }

    fn file(content: &str) -> String {
        format!("--B\r\nContent-Disposition: form-data; name=f; FileName=x\r\n\r\n{content}\r\n")
    }

    #[test]
    fn the_content_of_files_is_found_however_it_is_cut_up() {
        let field = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue\r\n";
        for (form, files) in [
            ([file("abc"), "--B--\r\n".into()].concat(), vec!["abc"]),
            (
                [field, &file(""), &file("\r\n\r\n--\r\n--A"), field, "--B--"].concat(),
                vec!["", "\r\n\r\n--\r\n--A"],
            ),
            (["preamble\r\n", &file("a\r\r"), "--B--"].concat(), vec!["a\r\r"]),
            (file("x").replace("\r\n", "\n") + "--B--\n", vec!["x"]),
            // A delimiter ends content also when its line goes on; the next part begins behind a whole one.
            (
                ["--B\r\nfilename\r\n\r\na\r\n--Bx\r\n", &file("b"), "--B--"].concat(),
                vec!["a", "b"],
            ),
            ([field, "epilogue"].concat(), vec![]),
            (file("\n--\n-\r\n--\r\r\n--C"), vec![]),
        ] {
            let form = form.as_bytes();
            let wanted: Vec<_> = files.iter().map(|file| file.as_bytes().to_vec()).collect();
            for cut in 1..form.len() {
                let halves = seen(b"B", &[&form[..cut], &form[cut..]]);
                assert_eq!(halves.all, form, "{cut}");
                assert_eq!(halves.files, wanted, "{cut} {:?}", form.escape_ascii().to_string());
                let pieces: Vec<_> = form.chunks(cut).collect();
                assert_eq!(seen(b"B", &pieces), halves, "by {cut}");
            }
        }
    }

    #[test]
    fn a_header_that_is_cut_up_by_php_is_left_to_it() {
        let long = "x".repeat(FORM_LINE_BYTES_MAX);
        let form = ["--B\r\nfilename\r\nLong: ", &long, "\r\n\r\na\r\n--B--\r\n"].concat();
        assert_eq!(seen(b"B", &[form.as_bytes()]).files, [[0; 0]; 0]);
        // A field with long lines does no harm.
        let form = ["--B\r\nname\r\n\r\n", &long, &long, "\r\n", &file("a"), "--B--"].concat();
        assert_eq!(seen(b"B", &[form.as_bytes()]).files, [b"a"]);
        let form = ["--B\r\nname\r\n\r\n", &long, "--B\r\n", &file("a"), "--B--"].concat();
        assert_eq!(seen(b"B", &[form.as_bytes()]).files, [b"a"]);
    }

    #[test]
    fn boundaries_are_those_that_php_finds() {
        for (content_type, wanted) in [
            ("multipart/form-data; boundary=B", Some("B")),
            ("Multipart/Form-Data;charset=x;Boundary=B; x=y", Some("B")),
            ("multipart/form-data; BOUNDARY=A; boundary=B", Some("B")),
            ("multipart/form-data; boundary=\"a;b\"; x", Some("a;b")),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=a b", Some("a b")),
            ("multipart/form-data; boundary=B, x", Some("B")),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=B", None),
        ] {
            let found = boundary(content_type.as_bytes());
            assert_eq!(found, wanted.map(str::as_bytes), "{content_type}");
        }
        let long =
            format!("multipart/form-data; boundary={}", "x".repeat(FORM_BOUNDARY_BYTES_MAX + 1));
        assert_eq!(boundary(long.as_bytes()), None);
    }
}
