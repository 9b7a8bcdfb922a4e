//! The media type of a file, by the end of its name.

use std::borrow::Cow;

/// The value of `Content-Type` for a file of this name: the list of the crate `mime_guess`, but for a few
/// names whose registration is newer than that, or which mean something else on the web. What is text is
/// said to be UTF-8.
pub fn media_type(name: &[u8]) -> Cow<'static, str> {
    const UNKNOWN: &str = "application/octet-stream";
    let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    let extension = dot.and_then(|dot| std::str::from_utf8(&name[dot + 1..]).ok());
    let Some(extension) = extension.map(str::to_ascii_lowercase) else { return UNKNOWN.into() };
    if let Some(known) = by_extension(&extension) {
        return known.into();
    }
    match mime_guess::from_ext(&extension).first_raw() {
        Some(text) if text.starts_with("text/") => format!("{text}; charset=utf-8").into(),
        Some(other) => other.into(),
        None => UNKNOWN.into(),
    }
}

/// The most frequent ones, and those that the list has otherwise.
fn by_extension(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "htm" | "html" => "text/html; charset=utf-8",
        "ico" => "image/vnd.microsoft.icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "m3u8" => "application/vnd.apple.mpegurl",
        "m4a" => "audio/mp4",
        "otf" => "font/otf",
        "ts" => "video/mp2t",
        "txt" => "text/plain; charset=utf-8",
        "woff" => "font/woff",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_by_the_end_of_the_name() {
        for (name, wanted) in [
            ("/a/index.html", "text/html; charset=utf-8"),
            ("A.JS", "text/javascript; charset=utf-8"),
            ("data.csv", "text/csv; charset=utf-8"),
            ("a.svg", "image/svg+xml"),
            ("a.tar.gz", "application/gzip"),
            ("font.woff2", "font/woff2"),
            ("a.wasm", "application/wasm"),
            ("a.avif", "image/avif"),
            ("app.webmanifest", "application/manifest+json"),
            ("a.unknown-thing", "application/octet-stream"),
            ("noextension", "application/octet-stream"),
            (".html", "application/octet-stream"),
            ("dir.css/file", "application/octet-stream"),
            ("a.", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(media_type(name.as_bytes()), wanted, "{name}");
        }
        assert_eq!(media_type(b"a.\xff\xfe"), "application/octet-stream");
    }
}
