//! A page that lists what is in a directory (`http_autoindex`).

use std::os::fd::OwnedFd;

use nix::dir::{Dir, Type};
use nix::fcntl::AtFlags;
use nix::sys::stat::{SFlag, fstatat};
use wire::limits::LISTING_NAMES_MAX;

use super::target::is_program;
use crate::protocol::percent;

/// The page, for a directory that people know by the path `shown`; `None` when it cannot be read. Hidden
/// names are left out, and programs in PHP. At most [`LISTING_NAMES_MAX`] names.
pub fn list(directory: OwnedFd, shown: &str) -> Option<String> {
    let mut directory = Dir::from_fd(directory).ok()?;
    let mut names: Vec<(Vec<u8>, Option<Type>)> = Vec::new();
    let mut more = false;
    for entry in directory.iter() {
        let entry = entry.ok()?;
        let name = entry.file_name().to_bytes();
        if name.starts_with(b".") || is_program(name) {
            continue;
        }
        more = names.len() == LISTING_NAMES_MAX;
        if more {
            break;
        }
        names.push((name.to_vec(), entry.file_type()));
    }
    let mut entries: Vec<(bool, Vec<u8>)> = names
        .into_iter()
        .filter_map(|(name, kind)| Some((!is_directory(&directory, &name, kind)?, name)))
        .collect();
    entries.sort_unstable();
    let title = escape(shown);
    let mut page = format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Index of {title}</title></head>\n\
         <body><h1>Index of {title}</h1>\n<ul>\n"
    );
    if shown != "/" {
        page.push_str("<li><a href=\"../\">../</a></li>\n");
    }
    for (is_file, name) in entries {
        let slash = if is_file { "" } else { "/" };
        let text = escape(&String::from_utf8_lossy(&name));
        let mut reference = Vec::with_capacity(name.len());
        percent::encode(&name, &mut reference);
        let reference = String::from_utf8_lossy(&reference);
        page.push_str(&format!("<li><a href=\"{reference}{slash}\">{text}{slash}</a></li>\n"));
    }
    page.push_str("</ul>\n");
    if more {
        page.push_str(&format!("<p>There are more than {LISTING_NAMES_MAX} names.</p>\n"));
    }
    page.push_str("</body></html>\n");
    Some(page)
}

/// `None` for what is neither a directory nor a regular file.
fn is_directory(directory: &Dir, name: &[u8], kind: Option<Type>) -> Option<bool> {
    match kind {
        Some(Type::Directory) => Some(true),
        Some(Type::File) => Some(false),
        // Links, and file systems that do not tell.
        None | Some(Type::Symlink) => {
            let stat = fstatat(directory, name, AtFlags::empty()).ok()?;
            match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
                SFlag::S_IFDIR => Some(true),
                SFlag::S_IFREG => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Text between tags or within an attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
