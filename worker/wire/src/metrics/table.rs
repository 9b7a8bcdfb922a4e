//! The table of all figures.

mod clients;
mod processes;

use super::{Computed, Family, FigureSource, MetricType};

/// All figures, in the order in which they are told.
pub fn families() -> impl Iterator<Item = &'static Family> {
    clients::FAMILIES.iter().chain(processes::FAMILIES)
}

const fn family(
    name: &'static str,
    kind: MetricType,
    unit: &'static str,
    source: FigureSource,
    help: &'static str,
) -> Family {
    Family { name, kind, unit, help, source }
}

const fn made(computed: Computed) -> FigureSource {
    FigureSource::Computed(computed)
}
