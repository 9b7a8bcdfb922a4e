//! Generates `docs/options.md` from the table.

use std::fmt::Write;

use super::option_type::OptionType;
use super::table::{self, Scope, Spec};

/// `docs/options.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Options\n\n\
         Given as an array to `Ferrite\\Http\\Server::set()` or `Ferrite\\Server\\Port::set()`, before\n\
         `start()`. What is set on the server holds for all its ports; what is set on a port holds for\n\
         that port alone. An unknown key, a wrong type and a value out of range are exceptions. Sizes\n\
         are bytes, as an int or as a string with `K`, `M` or `G`; times are seconds, also in\n\
         fractions; `true` and `false` may be written 1 and 0.\n\n\
         This file is made from the table in `ext/config/src/options/table/`.\n",
    );
    let present = |spec: &&Spec| !matches!(spec.kind, OptionType::Absent(_));
    section(&mut text, "Of the server", &|spec| present(spec) && spec.scope == Scope::Server);
    section(&mut text, "Of a port", &|spec| present(spec) && spec.scope == Scope::Port);
    text.push_str(
        "\n## Without effect\n\n\
         Keys that Swoole knows and that have nothing to do here. They are accepted with values that\n\
         ask for nothing, and refused with others.\n\n\
         | option | accepted | why |\n|---|---|---|\n",
    );
    for spec in table::all().filter(|spec| !present(spec)) {
        line(&mut text, &[names(spec), spec.kind.to_string(), spec.doc.to_owned()]);
    }
    text
}

fn section(text: &mut String, title: &str, belongs: &dyn Fn(&&Spec) -> bool) {
    let _ = write!(
        text,
        "\n## {title}\n\n| option | values | default | meaning |\n|---|---|---|---|\n"
    );
    for spec in table::all().filter(belongs) {
        let cells =
            [names(spec), spec.kind.to_string(), spec.default.to_owned(), spec.doc.to_owned()];
        line(text, &cells);
    }
}

fn line(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn names(spec: &Spec) -> String {
    let names = std::iter::once(&spec.name).chain(spec.aliases);
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set the environment variable FERRITE_WRITE_DOCS to write the file instead.
    #[test]
    fn the_file_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/options.md");
        if std::env::var_os("FERRITE_WRITE_DOCS").is_some() {
            std::fs::write(path, markdown()).expect("docs/options.md can be written");
        }
        let file = std::fs::read_to_string(path).unwrap_or_default();
        assert!(file == markdown(), "docs/options.md is old: run with FERRITE_WRITE_DOCS=1");
    }
}
