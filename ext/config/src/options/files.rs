//! [`StaticOptions`]: the options of files that a port sends without a worker.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use reactor::config::{FileRedirects, FilesConfig, Routes};
use reactor::handler::HandlerId;
use reactor::handler::files::root::Symlinks;
use reactor::handler::routes::{PathMatch, Route};
use reactor::protocol::message::is_field_text;

/// What the options say.
#[derive(Debug, Clone, Default)]
pub struct StaticOptions {
    /// `enable_static_handler`
    pub enabled: bool,
    /// Whether `enable_static_handler` was set.
    pub decided: bool,
    /// Whether PHP files are run on this port.
    pub beside_php: bool,
    /// `document_root`
    pub root: PathBuf,
    /// `static_handler_locations`
    pub locations: Vec<String>,
    /// `http_index_files`
    pub index: Vec<String>,
    /// Whether it was set.
    pub index_decided: bool,
    /// `http_autoindex`
    pub autoindex: bool,
    /// `static_symlinks`
    pub symlinks: Symlinks,
    /// `static_precompressed`
    pub precompressed: bool,
    /// `static_cache_control`
    pub cache_control: String,
    /// `x_sendfile_roots`
    pub sendfile_roots: Vec<String>,
    /// `x_accel_locations`
    pub accel_locations: Vec<(String, String)>,
}

/// Why files cannot be served so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaticOptionsError {
    /// There is no root.
    NoRoot,
    /// The root is no directory.
    NotADirectory(PathBuf),
    /// A directory of this option, whose files responses may name, is none.
    Named(&'static str, PathBuf),
    /// A location of this option does not begin with a slash.
    Location(&'static str, String),
    /// The name of an index file cannot be one.
    Index(String),
    /// The value cannot be in a field.
    CacheControl,
}

impl fmt::Display for StaticOptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoot => f.write_str(
                "Option 'enable_static_handler' needs a directory: set 'document_root' to one",
            ),
            Self::NotADirectory(root) => {
                write!(f, "Option 'document_root' must be a directory; {} is none", root.display())
            }
            Self::Named(option, root) => write!(
                f,
                "Option '{option}' must name directories by their whole paths; {} is none",
                root.display()
            ),
            Self::Location(option, location) => write!(
                f,
                "Option '{option}' must be paths that begin with '/', \"{}\" given",
                location.escape_debug()
            ),
            Self::Index(name) => write!(
                f,
                "Option 'http_index_files' must be names of files without '/' that do not begin with \
                 '.', \"{}\" given",
                name.escape_debug()
            ),
            Self::CacheControl => f.write_str(
                "Option 'static_cache_control' must be the value of a field, without control \
                 characters",
            ),
        }
    }
}

impl std::error::Error for StaticOptionsError {}

impl StaticOptions {
    /// On a port that runs PHP files: what was not set is as a web server for PHP has it.
    pub fn serve_beside_php(&mut self) {
        self.enabled |= !self.decided;
        if !self.index_decided {
            self.index = vec!["index.php".to_owned(), "index.html".to_owned()];
        }
        self.beside_php = true;
        self.root = absolute(&self.root);
    }

    /// Whether files can be served so. In a `chroot` the root is looked for at the first request.
    pub fn check(&self, in_chroot: bool) -> Result<(), StaticOptionsError> {
        self.check_named(in_chroot)?;
        if !self.enabled {
            return Ok(());
        }
        if self.root.as_os_str().is_empty() {
            return Err(StaticOptionsError::NoRoot);
        }
        if !in_chroot && !self.root.is_dir() {
            return Err(StaticOptionsError::NotADirectory(self.root.clone()));
        }
        if let Some(location) = self.locations.iter().find(|path| !path.starts_with('/')) {
            let option = "static_handler_locations";
            return Err(StaticOptionsError::Location(option, location.clone()));
        }
        let is_name = |name: &&String| {
            !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
        };
        if let Some(name) = self.index.iter().find(|name| !is_name(name)) {
            return Err(StaticOptionsError::Index(name.clone()));
        }
        match is_field_text(self.cache_control.as_bytes()) {
            true => Ok(()),
            false => Err(StaticOptionsError::CacheControl),
        }
    }

    fn check_named(&self, in_chroot: bool) -> Result<(), StaticOptionsError> {
        let (sendfile, accel) = ("x_sendfile_roots", "x_accel_locations");
        let roots = self.sendfile_roots.iter().map(|root| (sendfile, root));
        let roots = roots.chain(self.accel_locations.iter().map(|(_, root)| (accel, root)));
        for (option, root) in roots {
            let path = Path::new(root);
            if !path.is_absolute() || !in_chroot && !path.is_dir() {
                return Err(StaticOptionsError::Named(option, path.to_owned()));
            }
        }
        match self.accel_locations.iter().find(|(location, _)| !location.starts_with('/')) {
            Some((location, _)) => Err(StaticOptionsError::Location(accel, location.clone())),
            None => Ok(()),
        }
    }

    /// Which files responses may name; `None`: none.
    pub fn redirects(&self) -> Option<Arc<FileRedirects>> {
        let locations = self.accel_locations.iter();
        let redirects = FileRedirects {
            roots: self.sendfile_roots.iter().map(PathBuf::from).collect(),
            locations: locations.map(|(path, root)| (path.clone(), root.into())).collect(),
            symlinks: self.symlinks,
        };
        (!redirects.is_empty()).then(|| redirects.into())
    }

    /// The handler, whose place among those of files will be `index`. It becomes the first of a port's
    /// routes for these locations.
    pub fn serve(&self, index: u8, routes: &mut Routes) -> FilesConfig {
        let handler = HandlerId::Files(index);
        let all = ["/".to_owned()];
        let locations = if self.locations.is_empty() { &all[..] } else { &self.locations };
        let route = |location: &String| {
            let path = PathMatch::Prefix(Bytes::copy_from_slice(location.as_bytes()));
            Route { path, handler }
        };
        let cache_control = Bytes::copy_from_slice(self.cache_control.as_bytes());
        routes.paths.splice(0..0, locations.iter().map(route));
        FilesConfig {
            root: absolute(&self.root),
            index: self.index.clone(),
            autoindex: self.autoindex,
            symlinks: self.symlinks,
            precompressed: self.precompressed,
            cache_control: (!cache_control.is_empty()).then_some(cache_control),
            runs_programs: self.beside_php,
            alone: routes.rest.is_none(),
        }
    }
}

/// The same path wherever the process is later.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_say_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let good = StaticOptions {
            enabled: true,
            root: dir.path().to_owned(),
            locations: vec!["/a".into()],
            index: vec!["index.html".into()],
            ..StaticOptions::default()
        };
        assert_eq!(good.check(false), Ok(()));
        assert_eq!(StaticOptions::default().check(false), Ok(()));
        let gone = StaticOptions { root: "/nonexistent".into(), ..good.clone() };
        assert_eq!(gone.check(true), Ok(()));
        for (bad, part) in [
            (gone, "/nonexistent is none"),
            (StaticOptions { root: PathBuf::new(), ..good.clone() }, "set 'document_root'"),
            (StaticOptions { locations: vec!["a".into()], ..good.clone() }, "begin with '/'"),
            (StaticOptions { index: vec!["../x".into()], ..good.clone() }, "http_index_files"),
            (StaticOptions { index: vec![".x".into()], ..good.clone() }, "http_index_files"),
            (StaticOptions { cache_control: "a\r\nb".into(), ..good.clone() }, "cache_control"),
            (
                StaticOptions { sendfile_roots: vec!["a".into()], ..good.clone() },
                "x_sendfile_roots",
            ),
            (
                StaticOptions { accel_locations: vec![("a".into(), "/".into())], ..good.clone() },
                "'x_accel_locations' must be paths",
            ),
        ] {
            let message = bad.check(false).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn without_locations_every_path_may_be_a_file() {
        let options = StaticOptions { root: "pub".into(), ..StaticOptions::default() };
        let mut routes = Routes { paths: Vec::new(), rest: None };
        let config = options.serve(3, &mut routes);
        assert!(config.root.is_absolute() && config.alone);
        let (handler, next) = routes.find(b"/x", 0).unwrap();
        assert_eq!((handler, routes.find(b"/x", next)), (HandlerId::Files(3), None));
        let locations = vec!["/a/".to_owned(), "/b".to_owned()];
        let options = StaticOptions { locations, ..options };
        let mut routes = Routes::default();
        let health = PathMatch::Exact(Bytes::from_static(b"/a/health"));
        routes.paths.push(Route { path: health, handler: HandlerId::Fixed(0) });
        assert!(!options.serve(0, &mut routes).alone);
        let (_, next) = routes.find(b"/a/health", 0).unwrap();
        assert_eq!(routes.find(b"/a/health", next).unwrap().0, HandlerId::Fixed(0));
        let first = |path: &[u8]| routes.find(path, 0).unwrap().0;
        assert_eq!(first(b"/a/x"), HandlerId::Files(0));
        assert_eq!(first(b"/c"), HandlerId::WORKERS);
    }
}
