//! [`FileTarget`]: from the path of a request to the name of a file, or to none.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::protocol::percent;

/// A path below a root that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    /// Relative to the root, decoded, without empty segments; empty for the root itself.
    pub path: Vec<u8>,
    /// Whether the client's path ends with a slash.
    pub is_directory: bool,
}

impl FileTarget {
    /// The file that a path names, as the client has sent it; `None` where it can name none. A segment
    /// that begins with a dot is hidden (which `.` and `..` are too), but for `.well-known` (RFC 8615);
    /// so are programs in PHP, whose source is nobody's business.
    pub fn of(path: &[u8]) -> Option<Self> {
        let segments = path.strip_prefix(b"/")?;
        let mut target =
            Self { path: Vec::with_capacity(path.len()), is_directory: path.ends_with(b"/") };
        for segment in segments.split(|byte| *byte == b'/') {
            if !segment.is_empty() {
                let segment = decode(segment)?;
                let first = target.path.is_empty();
                let shown = !segment.starts_with(b".") || first && segment == b".well-known";
                if !shown {
                    return None;
                }
                target.push(&segment);
            }
        }
        (!is_program(&target.path)).then_some(target)
    }

    fn push(&mut self, segment: &[u8]) {
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(segment);
    }

    /// The path to open.
    pub fn relative(&self) -> &Path {
        match &self.path[..] {
            [] => Path::new("."),
            path => Path::new(OsStr::from_bytes(path)),
        }
    }

    /// A file in this directory.
    pub fn child(&self, name: &[u8]) -> Vec<u8> {
        let mut child = self.clone();
        child.push(name);
        child.path
    }

    /// As a path in a URL, without a slash at its end. It begins with one slash, whatever the client has
    /// sent: two would name another host (RFC 3986, 4.2).
    pub fn encoded(&self) -> Vec<u8> {
        let mut encoded = vec![];
        for segment in self.path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
            encoded.push(b'/');
            percent::encode(segment, &mut encoded);
        }
        encoded
    }

    /// For people to read.
    pub fn shown(&self) -> String {
        match &self.path[..] {
            [] => "/".to_owned(),
            path => format!("/{}/", String::from_utf8_lossy(path)),
        }
    }
}

/// A relative path without its percent-encoding, which may be hidden or a program; `None` where it would
/// lead elsewhere, or can name no file.
pub fn relative(path: &[u8]) -> Option<Vec<u8>> {
    let mut relative = FileTarget { path: Vec::with_capacity(path.len()), is_directory: false };
    for segment in path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
        let segment = decode(segment)?;
        if segment == b"." || segment == b".." {
            return None;
        }
        relative.push(&segment);
    }
    Some(relative.path)
}

/// A segment without its percent-encoding; `None` where that is malformed, or hides what no name of a
/// file has in it.
fn decode(segment: &[u8]) -> Option<Vec<u8>> {
    percent::decode(segment).filter(|decoded| !decoded.iter().any(|byte| matches!(byte, 0 | b'/')))
}

/// Whether a file is a program in PHP, by its name.
pub fn is_program(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = name[dot + 1..].to_ascii_lowercase();
    let version = extension
        .strip_prefix(b"php")
        .is_some_and(|version| version.iter().all(u8::is_ascii_digit));
    version || matches!(&extension[..], b"phtml" | b"phar" | b"phps" | b"inc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_name_files() {
        for (path, wanted, is_directory) in [
            ("/", "", true),
            ("//", "", true),
            ("/a.txt", "a.txt", false),
            ("/a/b/", "a/b", true),
            ("//a///b", "a/b", false),
            ("/%61%2Etxt", "a.txt", false),
            ("/a%20b/%C3%A9", "a b/\u{e9}", false),
            ("/a%5cb", "a\\b", false),
            ("/..a%", "", false),
            ("/.well-known/acme-challenge/x", ".well-known/acme-challenge/x", false),
            ("/a..b", "a..b", false),
            ("/php", "php", false),
            ("/a.phpx", "a.phpx", false),
        ] {
            let target = FileTarget { path: wanted.into(), is_directory };
            let wanted = (path != "/..a%").then_some(target);
            assert_eq!(FileTarget::of(path.as_bytes()), wanted, "{path}");
        }
    }

    #[test]
    fn paths_that_name_none() {
        for path in [
            "",
            "*",
            "a",
            "/..",
            "/../etc/passwd",
            "/a/../b",
            "/.",
            "/./a",
            "/.env",
            "/a/.git/config",
            "/..%2f..%2fetc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/%2e%2e%2fetc",
            "/a%2fb",
            "/a%00b",
            "/a%00.txt",
            "/%",
            "/%4",
            "/%zz",
            "/%2",
            "/a/.well-known/x",
            "/%2ewell-known/../x",
            "/index.php",
            "/a/B.PHP",
            "/a.php7",
            "/a.phtml",
            "/a.phar",
            "/a.phps",
            "/db.inc",
            "/a%2ephp",
            "/a.php/",
            "/.php",
        ] {
            assert_eq!(FileTarget::of(path.as_bytes()), None, "{path}");
        }
        assert_eq!(FileTarget::of(b"/a\0b"), None);
    }

    #[test]
    fn a_path_in_a_url_is_of_this_host() {
        for (path, wanted) in [
            ("//evil.example", "/evil.example"),
            ("/\\evil.example", "/%5Cevil.example"),
            ("/%0d%0aSet-Cookie:x", "/%0D%0ASet-Cookie%3Ax"),
            ("/a b/%C3%A9", "/a%20b/%C3%A9"),
            ("/", ""),
        ] {
            let encoded = FileTarget::of(path.as_bytes()).unwrap().encoded();
            assert_eq!(String::from_utf8(encoded).unwrap(), wanted, "{path}");
        }
    }
}
