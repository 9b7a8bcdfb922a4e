//! [`ClassicOptions`]: the options of a port whose requests each run a PHP file, as under php-fpm.

use std::fmt;
use std::path::{Path, PathBuf};

/// What the options say.
#[derive(Debug, Clone, Default)]
pub struct ClassicOptions {
    /// `script`: the front script, relative to `document_root`; empty: no file is run.
    pub script: String,
    /// `php_deny`, without a slash at the end.
    pub deny: Vec<String>,
}

/// Why no file can be run so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassicOptionsError {
    /// There is no document root.
    NoRoot,
    /// The front script is no relative path of a file.
    Script(String),
    /// There is no such file.
    Missing(PathBuf),
    /// An entry of `php_deny` does not begin with a slash.
    Deny(String),
}

impl fmt::Display for ClassicOptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoot => f.write_str(
                "Option 'script' needs a directory that it lies in: set 'document_root' to one",
            ),
            Self::Script(script) => write!(
                f,
                "Option 'script' must be the path of a file below 'document_root', such as 'index.php', \
                 \"{}\" given",
                script.escape_debug()
            ),
            Self::Missing(path) => write!(
                f,
                "Option 'script' must be a file below 'document_root'; {} is none",
                path.display()
            ),
            Self::Deny(path) => write!(
                f,
                "Option 'php_deny' must be paths that begin with '/', \"{}\" given",
                path.escape_debug()
            ),
        }
    }
}

impl std::error::Error for ClassicOptionsError {}

impl ClassicOptions {
    /// Whether requests run files.
    pub fn enabled(&self) -> bool {
        !self.script.is_empty()
    }

    /// Whether files below `root` can be run so. In a `chroot` they are looked for at the first request.
    pub fn check(&self, root: &Path, in_chroot: bool) -> Result<(), ClassicOptionsError> {
        if let Some(path) = self.deny.iter().find(|path| !path.starts_with('/')) {
            return Err(ClassicOptionsError::Deny(path.clone()));
        }
        if !self.enabled() {
            return Ok(());
        }
        if root.as_os_str().is_empty() {
            return Err(ClassicOptionsError::NoRoot);
        }
        let is_name = |name: &str| !matches!(name, "" | "." | "..");
        if !self.script.split('/').all(is_name) {
            return Err(ClassicOptionsError::Script(self.script.clone()));
        }
        let path = root.join(&self.script);
        if !in_chroot && !path.is_file() { Err(ClassicOptionsError::Missing(path)) } else { Ok(()) }
    }

    /// Paths as `php_deny` has them.
    pub(super) fn denied(paths: &[String]) -> Vec<String> {
        let trimmed = |path: &String| match path.trim_end_matches('/') {
            // Every file.
            "" if !path.is_empty() => "/".to_owned(),
            trimmed => trimmed.to_owned(),
        };
        paths.iter().map(trimmed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_say_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("index.php"), "").unwrap();
        let good = ClassicOptions { script: "index.php".into(), deny: vec!["/uploads".into()] };
        assert_eq!(good.check(dir.path(), false), Ok(()));
        assert_eq!(good.check(Path::new("/nonexistent"), true), Ok(()));
        assert_eq!(ClassicOptions::default().check(Path::new(""), false), Ok(()));
        let script = |script: &str| ClassicOptions { script: script.into(), ..good.clone() };
        for (options, root, part) in [
            (good.clone(), Path::new(""), "set 'document_root'"),
            (script("/index.php"), dir.path(), "below 'document_root', such as"),
            (script("../index.php"), dir.path(), "below 'document_root', such as"),
            (script("app.php"), dir.path(), "app.php is none"),
            (
                ClassicOptions { deny: vec!["uploads".into()], ..good.clone() },
                dir.path(),
                "begin with '/'",
            ),
        ] {
            let message = options.check(root, false).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn denied_paths_have_no_slash_at_their_end() {
        let paths = ["/a/".to_owned(), "/b".to_owned(), "/".to_owned(), "c/".to_owned()];
        assert_eq!(ClassicOptions::denied(&paths), ["/a", "/b", "/", "c"]);
    }
}
