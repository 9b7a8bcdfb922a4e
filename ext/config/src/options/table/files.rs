//! Options of files that a port sends without a worker.

use reactor::handler::files::root::Symlinks;

use super::Spec;
use crate::options::option_type::OptionType::{List, Map, Switch, Text, Word};

/// Options of static files, and of those that responses name.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "enable_static_handler",
        Switch(|d, v| {
            d.port.files.enabled = v;
            d.port.files.decided = true;
        }),
        "false",
        "Whether files below `document_root` are sent without a worker (see [files](files.md)). What is \
         no file goes to the callback for `Request`, or gets 404 where there is none. On with `script`.",
    ),
    Spec::port(
        "document_root",
        Text(|d, v| d.port.files.root = v.into()),
        "''",
        "Directory of the files that `enable_static_handler` sends. It is opened anew every second, so a \
         link that stands for it can be moved.",
    ),
    Spec::port(
        "static_handler_locations",
        List(|d, v| d.port.files.locations = v.to_vec()),
        "[] (all paths)",
        "Beginnings of the paths that files are looked for at.",
    ),
    Spec::port(
        "http_index_files",
        List(|d, v| {
            d.port.files.index = v.to_vec();
            d.port.files.index_decided = true;
        }),
        "[]; with `script`: ['index.php', 'index.html']",
        "Names of files that are sent for their directory; the first that is there. With `script` those of \
         PHP are run.",
    ),
    Spec::port(
        "http_autoindex",
        Switch(|d, v| d.port.files.autoindex = v),
        "false",
        "Whether a directory without such a file is answered with a list of its files.",
    ),
    Spec::port(
        "static_symlinks",
        Word {
            words: &["inside", "none", "any"],
            set: |d, v| {
                d.port.files.symlinks = match v {
                    "none" => Symlinks::None,
                    "any" => Symlinks::Any,
                    _ => Symlinks::Inside,
                }
            },
        },
        "'inside'",
        "Which symbolic links below `document_root` are followed: those that stay inside of it, none, or \
         any. With 'any', whoever can make a link there decides what is sent.",
    ),
    Spec::port(
        "static_precompressed",
        Switch(|d, v| d.port.files.precompressed = v),
        "false",
        "Whether `name.br`, `name.zst` or `name.gz` is sent in place of `name` to clients that take it \
         (Accept-Encoding), unless it is older.",
    ),
    Spec::port(
        "static_cache_control",
        Text(|d, v| d.port.files.cache_control = v.to_owned()),
        "'' (no such header)",
        "Value of the Cache-Control header of static files.",
    ),
    Spec::port(
        "x_sendfile_roots",
        List(|d, v| d.port.files.sendfile_roots = v.to_vec()),
        "[] (the header is one as any other)",
        "Directories below which a response may name a file by its path in the header X-Sendfile: the \
         file is sent in its place, and the header is not. `static_symlinks` holds there, too.",
    ),
    Spec::port(
        "x_accel_locations",
        Map(|d, v| d.port.files.accel_locations = v.to_vec()),
        "[] (the header is one as any other)",
        "Beginnings of paths => directories: a response may name a file by such a path in the header \
         X-Accel-Redirect, which is then sent in its place; headers X-Accel-* are not sent.",
    ),
];
