//! [`FileRedirects`]: which files a handler's response may name to have them sent in its place
//! (`X-Sendfile`, `X-Accel-Redirect`).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use wire::Fields;

use super::root::Symlinks;
use super::target::relative;

/// Directories whose files may be named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRedirects {
    /// Directories below which `X-Sendfile` may name a file by its path. Without any the field is one as
    /// any other.
    pub roots: Vec<PathBuf>,
    /// Beginnings of paths in `X-Accel-Redirect`, and the directory that each stands for. Without any the
    /// field is one as any other.
    pub locations: Vec<(String, PathBuf)>,
    /// Which symbolic links below these are followed.
    pub symlinks: Symlinks,
}

/// A file that a response names.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// The field, in lower case.
    pub field: &'static [u8],
    /// Its directory and its path below that; `None` where no file may have that name.
    pub file: Option<(PathBuf, PathBuf)>,
}

const SENDFILE: &[u8] = b"x-sendfile";
const ACCEL: &[u8] = b"x-accel-redirect";

impl FileRedirects {
    /// Whether no file can be named.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.locations.is_empty()
    }

    /// The file that a response with these fields names.
    pub fn named(&self, fields: &Fields) -> Option<NamedFile> {
        if !self.roots.is_empty()
            && let Some(path) = fields.get(SENDFILE)
        {
            let file = self.by_path(Path::new(OsStr::from_bytes(path)));
            return Some(NamedFile { field: SENDFILE, file });
        }
        let path = fields.get(ACCEL).filter(|_| !self.locations.is_empty())?;
        Some(NamedFile { field: ACCEL, file: self.by_location(path) })
    }

    /// Whether a field is for us alone, and no client's business.
    pub fn takes(&self, field: &[u8]) -> bool {
        match field {
            SENDFILE => !self.roots.is_empty(),
            field => !self.locations.is_empty() && field.starts_with(b"x-accel-"),
        }
    }

    fn by_path(&self, path: &Path) -> Option<(PathBuf, PathBuf)> {
        if path.components().any(|part| part == Component::ParentDir) {
            return None;
        }
        let below = |root: &PathBuf| Some((root.clone(), path.strip_prefix(root).ok()?.to_owned()));
        self.roots.iter().filter_map(below).find(|(_, path)| !path.as_os_str().is_empty())
    }

    fn by_location(&self, path: &[u8]) -> Option<(PathBuf, PathBuf)> {
        let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let begins = |(location, _): &&(String, PathBuf)| path.starts_with(location.as_bytes());
        let longest = self.locations.iter().filter(begins).max_by_key(|(path, _)| path.len());
        let (location, root) = longest?;
        let rest = &path[location.len()..];
        // `/private` is no beginning of `/privateer`.
        if !location.ends_with('/') && !rest.starts_with(b"/") {
            return None;
        }
        let relative = relative(rest)?;
        (!relative.is_empty()).then(|| (root.clone(), OsStr::from_bytes(&relative).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects() -> FileRedirects {
        FileRedirects {
            roots: vec!["/srv/files".into(), "/data".into()],
            locations: vec![
                ("/private/".into(), "/srv/private".into()),
                ("/private/deep".into(), "/deep".into()),
            ],
            symlinks: Symlinks::Inside,
        }
    }

    fn file(name: &str, value: &str) -> Option<(String, String)> {
        let fields = [(name.as_bytes(), value.as_bytes())].into_iter().collect();
        let (root, path) = redirects().named(&fields).expect("a name").file?;
        Some((root.to_str().unwrap().into(), path.to_str().unwrap().into()))
    }

    #[test]
    fn files_below_the_roots() {
        for (name, value, wanted) in [
            ("x-sendfile", "/srv/files/a/b.pdf", Some(("/srv/files", "a/b.pdf"))),
            ("x-sendfile", "/data/.x", Some(("/data", ".x"))),
            ("x-sendfile", "/srv/files", None),
            ("x-sendfile", "/srv/files/", None),
            ("x-sendfile", "/srv/files/../secret", None),
            ("x-sendfile", "/srv/filesystem/a", None),
            ("x-sendfile", "/etc/passwd", None),
            ("x-sendfile", "a.pdf", None),
            ("x-sendfile", "", None),
            ("x-accel-redirect", "/private/a%20b.pdf?x", Some(("/srv/private", "a b.pdf"))),
            ("x-accel-redirect", "/private/deep/a", Some(("/deep", "a"))),
            ("x-accel-redirect", "/private/deeper/a", None),
            ("x-accel-redirect", "/private/../a", None),
            ("x-accel-redirect", "/private/%2e%2e/a", None),
            ("x-accel-redirect", "/private/a%2f..%2fb", None),
            ("x-accel-redirect", "/private/", None),
            ("x-accel-redirect", "/other/a", None),
        ] {
            let wanted = wanted.map(|(root, path)| (root.into(), path.into()));
            assert_eq!(file(name, value), wanted, "{name}: {value}");
        }
    }

    #[test]
    fn what_is_not_configured_is_a_field_as_any_other() {
        let fields: Fields =
            [(SENDFILE, &b"/data/x"[..]), (ACCEL, b"/private/x")].into_iter().collect();
        let accel = FileRedirects { roots: Vec::new(), ..redirects() };
        assert_eq!(accel.named(&fields).unwrap().field, ACCEL);
        assert!(!accel.takes(SENDFILE) && accel.takes(ACCEL) && accel.takes(b"x-accel-buffering"));
        let none = FileRedirects::default();
        assert_eq!(none.named(&fields), None);
        assert!(none.is_empty() && !none.takes(SENDFILE) && !none.takes(ACCEL));
    }
}
