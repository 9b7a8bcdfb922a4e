//! The module as PHP sees it: start, constants, INI entries, phpinfo().

use ext_php_rs::prelude::*;

/// Name and version, hooks, constants and classes.
pub fn describe(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    module.name("ferrite").version(env!("CARGO_PKG_VERSION"))
}
