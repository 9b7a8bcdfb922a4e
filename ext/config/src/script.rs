//! Which PHP file of a document root runs for the path of a request.
//!
//! ```text
//!  /blog/post.php/5 ─▶ the first part that is a `*.php` file, and PATH_INFO behind it
//!  /blog/           ─▶ the index of the directory        /blog ─▶ the same with a slash
//!  /anything        ─▶ the front script
//! ```
//!
//! What is hidden (a segment that begins with a dot, but for `.well-known`, RFC 8615) is never run by its
//! name. Files are looked for by whoever asks, so that the rules need no file system.

use reactor::protocol::percent;

/// What is there under a path below the document root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Nothing that could be used.
    Nothing,
    /// It may not be read by this process.
    Denied,
    /// It cannot be looked for just now.
    Failed,
}

/// What runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules<'a> {
    /// The front script, relative to the root.
    pub front: &'a [u8],
    /// Names that answer for a directory; those that are no PHP files are passed over.
    pub index: &'a [String],
    /// Paths, with a slash in front and none behind, below which nothing runs by its name.
    pub deny: &'a [String],
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This file runs.
    Run(ScriptPath),
    /// A directory without its slash: the path that the client is sent to, percent-encoded.
    Redirect(Vec<u8>),
    /// The file is not to be run, or cannot be read: 403.
    Deny,
    /// There is no file, not even the front script: 404.
    NotFound,
    /// The path is none: it leads out, or holds what no name of a file has in it: 400.
    Malformed,
    /// It could not be looked for: 503.
    Failed,
}

/// A file that runs, and the rest of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptPath {
    /// The file, relative to the root.
    pub file: Vec<u8>,
    /// What follows it in the path of the request, decoded; with a slash in front, or empty.
    pub path_info: Vec<u8>,
}

/// Decides about a path, as the client has sent it.
pub fn decide(
    path: &[u8],
    rules: &Rules<'_>,
    look: &mut dyn FnMut(&[u8]) -> ScriptKind,
) -> Decision {
    // `OPTIONS *` is nobody's file.
    if !path.starts_with(b"/") {
        return front(rules, look);
    }
    let Some(decoded) = decode(path) else { return Decision::Malformed };
    let Some(segments) = segments(&decoded) else { return Decision::Malformed };
    if !is_hidden(&segments) {
        if let Some(decision) = by_name(&decoded, &segments, rules, look) {
            return decision;
        }
        if let Some(decision) = by_index(&decoded, &segments, rules, look) {
            return decision;
        }
    }
    front(rules, look)
}

/// The first part of the path that is a file of PHP's.
fn by_name(
    decoded: &[u8],
    segments: &[&[u8]],
    rules: &Rules<'_>,
    look: &mut dyn FnMut(&[u8]) -> ScriptKind,
) -> Option<Decision> {
    for (at, segment) in segments.iter().enumerate() {
        if !segment.ends_with(SUFFIX) || segment.len() == SUFFIX.len() {
            continue;
        }
        let file = segments[..=at].join(&b'/');
        match look(&file) {
            ScriptKind::File if is_denied(&file, rules) => return Some(Decision::Deny),
            ScriptKind::File => {
                let mut path_info = Vec::new();
                for segment in &segments[at + 1..] {
                    path_info.push(b'/');
                    path_info.extend_from_slice(segment);
                }
                if decoded.ends_with(b"/") {
                    path_info.push(b'/');
                }
                return Some(Decision::Run(ScriptPath { file, path_info }));
            }
            ScriptKind::Denied => return Some(Decision::Deny),
            ScriptKind::Failed => return Some(Decision::Failed),
            ScriptKind::Directory | ScriptKind::Nothing => {}
        }
    }
    None
}

/// The file that answers for a directory.
fn by_index(
    decoded: &[u8],
    segments: &[&[u8]],
    rules: &Rules<'_>,
    look: &mut dyn FnMut(&[u8]) -> ScriptKind,
) -> Option<Decision> {
    let directory = segments.join(&b'/');
    let slash = decoded.ends_with(b"/");
    if !slash && look(&directory) != ScriptKind::Directory {
        return None;
    }
    for name in rules.index.iter().filter(|name| name.as_bytes().ends_with(SUFFIX)) {
        let mut file = directory.clone();
        if !file.is_empty() {
            file.push(b'/');
        }
        file.extend_from_slice(name.as_bytes());
        match look(&file) {
            ScriptKind::File if is_denied(&file, rules) => return Some(Decision::Deny),
            ScriptKind::File if slash => {
                return Some(Decision::Run(ScriptPath { file, path_info: Vec::new() }));
            }
            ScriptKind::File => return Some(Decision::Redirect(encode(segments))),
            ScriptKind::Denied => return Some(Decision::Deny),
            ScriptKind::Failed => return Some(Decision::Failed),
            ScriptKind::Directory | ScriptKind::Nothing => {}
        }
    }
    None
}

fn front(rules: &Rules<'_>, look: &mut dyn FnMut(&[u8]) -> ScriptKind) -> Decision {
    match look(rules.front) {
        ScriptKind::File => {
            Decision::Run(ScriptPath { file: rules.front.to_vec(), path_info: Vec::new() })
        }
        ScriptKind::Denied => Decision::Deny,
        ScriptKind::Failed => Decision::Failed,
        ScriptKind::Directory | ScriptKind::Nothing => Decision::NotFound,
    }
}

const SUFFIX: &[u8] = b".php";

fn is_denied(file: &[u8], rules: &Rules<'_>) -> bool {
    rules.deny.iter().any(|prefix| {
        let prefix = prefix.as_bytes();
        let prefix = prefix.strip_prefix(b"/").unwrap_or(prefix);
        prefix.is_empty()
            || file.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(b"/"))
            || file == prefix
    })
}

/// The names in a path, without empty ones and `.`; `None` when it leads upwards.
fn segments(path: &[u8]) -> Option<Vec<&[u8]>> {
    let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    let names: Vec<&[u8]> = names.collect();
    (!names.contains(&&b".."[..])).then_some(names)
}

fn is_hidden(segments: &[&[u8]]) -> bool {
    segments
        .iter()
        .enumerate()
        .any(|(at, name)| name.starts_with(b".") && !(at == 0 && *name == b".well-known"))
}

/// Without percent-encoding; `None` where that is malformed, or hides a NUL.
fn decode(path: &[u8]) -> Option<Vec<u8>> {
    percent::decode(path).filter(|decoded| !decoded.contains(&0))
}

/// As a path in a URL that ends with a slash, and begins with one: two would name another host
/// (RFC 3986, 4.2).
fn encode(segments: &[&[u8]]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for segment in segments {
        encoded.push(b'/');
        percent::encode(segment, &mut encoded);
    }
    encoded.push(b'/');
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 9] = [
        "index.php",
        "a.php",
        "blog/index.php",
        "blog/post.php",
        "uploads/evil.php",
        "uploads/index.php",
        ".git/x.php",
        ".well-known/x.php",
        "x.php/inner.php",
    ];

    fn there(path: &[u8]) -> ScriptKind {
        let path = std::str::from_utf8(path).unwrap();
        if path == "secret.php" {
            return ScriptKind::Denied;
        }
        if FILES.contains(&path) {
            return ScriptKind::File;
        }
        let below = format!("{path}/");
        if FILES.iter().any(|file| file.starts_with(&below)) {
            ScriptKind::Directory
        } else {
            ScriptKind::Nothing
        }
    }

    fn decided(path: &str) -> String {
        let index = ["index.html".to_owned(), "index.php".to_owned()];
        let deny = ["/uploads".to_owned()];
        let rules = Rules { front: b"index.php", index: &index, deny: &deny };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match decide(path.as_bytes(), &rules, &mut there) {
            Decision::Run(ScriptPath { file, path_info }) => {
                format!("{} {}", text(&file), text(&path_info)).trim_end().to_owned()
            }
            Decision::Redirect(to) => format!("-> {}", text(&to)),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn paths_and_what_runs() {
        for (path, wanted) in [
            ("/", "index.php"),
            ("//", "index.php"),
            ("/index.php", "index.php"),
            ("/a.php", "a.php"),
            ("/%61.php", "a.php"),
            ("/a.php/", "a.php /"),
            ("/a.php/x//y%20z", "a.php /x/y z"),
            ("/a.php/x.php", "a.php /x.php"),
            ("/A.php", "index.php"),
            ("/a.PHP", "index.php"),
            ("/blog", "-> /blog/"),
            ("//blog", "-> /blog/"),
            ("/blog/", "blog/index.php"),
            ("/blog/post.php", "blog/post.php"),
            ("/blog%2fpost.php/5", "blog/post.php /5"),
            ("/blog/missing.php/5", "index.php"),
            ("/missing/deep", "index.php"),
            ("/x.php/inner.php/i", "x.php/inner.php /i"),
            ("*", "index.php"),
            ("/./a.php", "a.php"),
            ("/.well-known/x.php", ".well-known/x.php"),
            // Hidden: never by its name.
            ("/.git/x.php", "index.php"),
            ("/%2egit/x.php", "index.php"),
            ("/blog/.well-known/x.php", "index.php"),
            ("/.php", "index.php"),
            // Not to be run.
            ("/uploads/evil.php", "Deny"),
            ("/uploads/evil.php/a.php", "Deny"),
            ("/uploads/", "Deny"),
            ("/uploads/none.php", "index.php"),
            ("/uploadsevil.php", "index.php"),
            ("/secret.php", "Deny"),
            // No paths.
            ("/../a.php", "Malformed"),
            ("/blog/../a.php", "Malformed"),
            ("/%2e%2e/a.php", "Malformed"),
            ("/..%2fa.php", "Malformed"),
            ("/a.php%00.txt", "Malformed"),
            ("/a.php/%00", "Malformed"),
            ("/%", "Malformed"),
            ("/%zz", "Malformed"),
        ] {
            assert_eq!(decided(path), wanted, "{path}");
        }
    }

    #[test]
    fn without_a_front_script_there_is_nothing() {
        let rules = Rules { front: b"app.php", index: &[], deny: &[] };
        assert_eq!(decide(b"/x", &rules, &mut there), Decision::NotFound);
        assert_eq!(decide(b"/x", &rules, &mut |_| ScriptKind::Failed), Decision::Failed);
        assert_eq!(decide(b"/a.php", &rules, &mut |_| ScriptKind::Failed), Decision::Failed);
    }

    #[test]
    fn a_redirection_stays_on_this_host() {
        let index = ["index.php".to_owned()];
        let rules = Rules { front: b"index.php", index: &index, deny: &[] };
        let mut look = |path: &[u8]| match path.ends_with(b".php") {
            true => ScriptKind::File,
            false => ScriptKind::Directory,
        };
        for (path, wanted) in [("//evil.example", "/evil.example/"), ("/\\evil", "/%5Cevil/")] {
            let decision = decide(path.as_bytes(), &rules, &mut look);
            assert_eq!(decision, Decision::Redirect(wanted.as_bytes().to_vec()));
        }
    }
}
