//! Generates `docs/metrics.md` from the table.

use std::fmt::Write;

use super::{Family, FigureSource, MetricType, families};
use crate::shm::WorkerCounter;
use crate::shm::exchanges::BUCKETS;

/// `docs/metrics.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         `GET /metrics` of the admin listener ([operating.md](operating.md)) tells these figures, as OpenMetrics\n\
         to clients that ask for `application/openmetrics-text`, else in the text format 0.0.4 of Prometheus.\n\
         `stats()` has the same figures under the keys of the last column. Counters count since the server has\n\
         started, also across the death of the reactor. What a worker has counted outlives the worker. Times\n\
         are seconds, sizes bytes.\n\n\
         Names that begin with `http_server_`, and labels with their names, are those of the semantic\n\
         conventions of OpenTelemetry. How many series there are is bounded: labels have the values below, one\n\
         for each worker, or one for each status that handlers have sent.\n\n\
         This file is made from the table in `worker/wire/src/metrics/table/`.\n\n\
         | name | type | labels | meaning | `stats()` |\n|---|---|---|---|---|\n",
    );
    for family in families() {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            sample_name(family),
            family.kind.name(),
            labels(family),
            family.help,
            keys(family)
        );
    }
    let bounds: Vec<_> = BUCKETS.iter().map(|bound| (*bound as f64 / 1e6).to_string()).collect();
    let _ = write!(
        text,
        "\nHistograms have the buckets {} and `+Inf`, in seconds.\n",
        bounds.join(", ")
    );
    text
}

/// The name of a family's samples, without what a histogram adds.
pub fn sample_name(family: &Family) -> String {
    let suffix = match family.kind {
        MetricType::Counter => "_total",
        MetricType::Info => "_info",
        MetricType::Gauge | MetricType::Histogram => "",
    };
    format!("{}{suffix}", family.name)
}

fn labels(family: &Family) -> String {
    match family.source {
        FigureSource::One(..) => String::new(),
        FigureSource::Each(label, values) => {
            let values: Vec<_> = values.iter().map(|(value, ..)| *value).collect();
            format!("`{label}`: {}", values.join(", "))
        }
        FigureSource::Parts(_, parts) => {
            let label = |nth: usize| {
                let mut values: Vec<_> = parts.iter().map(|part| part.labels[nth].1).collect();
                let mut seen = std::collections::HashSet::new();
                values.retain(|value| seen.insert(*value));
                format!("`{}`: {}", parts[0].labels[nth].0, values.join(", "))
            };
            format!("{}; {}", label(0), label(1))
        }
        FigureSource::Computed(computed) => {
            let names: Vec<_> = computed.labels().iter().map(|name| format!("`{name}`")).collect();
            names.join(", ")
        }
    }
}

fn keys(family: &Family) -> String {
    let keys: Vec<&str> = match family.source {
        FigureSource::One(_, key) => vec![key],
        FigureSource::Each(_, values) => values.iter().map(|(_, _, key)| *key).collect(),
        FigureSource::Parts(sum, parts) => {
            std::iter::once(sum).chain(parts.iter().map(|part| part.key)).collect()
        }
        FigureSource::Computed(super::Computed::Workers) => {
            vec!["worker_num", "idle_worker_num", "busy_worker_num"]
        }
        FigureSource::Computed(super::Computed::Threads) => vec!["reactor_num"],
        FigureSource::Computed(super::Computed::OfWorker(WorkerCounter::LogLinesLost)) => {
            vec!["worker_log_lost_count"]
        }
        FigureSource::Computed(_) => Vec::new(),
    };
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set the environment variable FERRITE_WRITE_DOCS to write the file instead.
    #[test]
    fn the_file_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        if std::env::var_os("FERRITE_WRITE_DOCS").is_some() {
            std::fs::write(path, markdown()).expect("docs/metrics.md can be written");
        }
        let file = std::fs::read_to_string(path).unwrap_or_default();
        assert!(file == markdown(), "docs/metrics.md is old: run with FERRITE_WRITE_DOCS=1");
    }

    /// Words that begin as names of figures do.
    fn names(text: &str) -> Vec<&str> {
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let figure = |word: &&str| word.starts_with("ferrite_") || word.starts_with("http_server_");
        text.split(word).filter(figure).collect()
    }

    #[test]
    fn examples_name_only_figures_that_there_are() {
        let known: Vec<String> = families()
            .flat_map(|family| match family.kind {
                MetricType::Histogram => {
                    ["bucket", "sum", "count"].map(|end| format!("{}_{end}", family.name)).to_vec()
                }
                _ => vec![sample_name(family)],
            })
            .collect();
        for example in ["grafana-dashboard.json", "prometheus-alerts.yml"] {
            let path = format!("{}/../../examples/{example}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).expect("the example is there");
            let named = names(&text);
            assert!(named.len() > 5, "{example} names figures");
            for name in named {
                assert!(known.iter().any(|known| known == name), "{example}: {name}");
            }
        }
    }
}
