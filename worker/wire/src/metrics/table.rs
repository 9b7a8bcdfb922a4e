//! The table of all figures.

mod clients;
mod processes;

use super::{Computed, Family, Kind, Source};

/// All figures, in the order in which they are told.
pub fn families() -> impl Iterator<Item = &'static Family> {
    clients::FAMILIES.iter().chain(processes::FAMILIES)
}

const fn family(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    source: Source,
    help: &'static str,
) -> Family {
    Family { name, kind, unit, help, source }
}

const fn made(computed: Computed) -> Source {
    Source::Computed(computed)
}
