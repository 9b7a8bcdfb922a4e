//! [`Notable`]: the slowest routes and the latest errors of a thread, bounded.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use wire::RequestId;
use wire::limits::{ADMIN_ERRORS_KEPT, ADMIN_ROUTE_BYTES_MAX, ADMIN_ROUTES_KEPT};

use crate::record::{Outcome, Record};

/// What a thread has noted.
#[derive(Debug, Default)]
pub struct Notable {
    routes: HashMap<Box<[u8]>, RouteFigures, BuildHasherDefault<NameHasher>>,
    errors: VecDeque<Failed>,
    /// The name of a route, while it is looked up.
    name: Vec<u8>,
}

/// A hash of names that is cheap. Who chooses paths whose hashes are the same has no more of it than that all of
/// the few routes are looked at.
#[derive(Debug, Default)]
struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        words.iter().for_each(|word| self.write_u64(u64::from_ne_bytes(*word)));
        self.write_u64(u64::from_ne_bytes(last));
    }

    fn write_u64(&mut self, word: u64) {
        // An odd number without a pattern: the golden ratio's.
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

/// The times of a route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RouteFigures {
    /// Requests.
    pub count: u64,
    /// All together, in microseconds.
    pub sum_micros: u64,
    /// The slowest.
    pub max_micros: u64,
}

impl RouteFigures {
    /// Adds those of another thread.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum_micros = self.sum_micros.saturating_add(other.sum_micros);
        self.max_micros = self.max_micros.max(other.max_micros);
    }
}

/// A request that has failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// When it was over, in microseconds since 1970-01-01 UTC.
    pub unix_micros: u64,
    /// As `METHOD path`, bounded.
    pub request: String,
    /// Its id, where requests have ids.
    pub id: Option<RequestId>,
    /// What the client was sent; `None`: nothing.
    pub status: Option<u16>,
    /// How it ended.
    pub what: &'static str,
    /// How long it took.
    pub micros: u64,
}

impl Notable {
    /// Notes an exchange that is over.
    pub fn note(&mut self, record: &Record, micros: u64) {
        let Some(method) = &record.method else { return };
        let status = record.status.map(|status| status.as_u16());
        let is_error = match record.outcome {
            Outcome::Complete => status.is_some_and(|status| status >= 500),
            Outcome::WorkerDied | Outcome::Timeout | Outcome::Shed | Outcome::Failed => true,
            // Clients do that, whatever the server does.
            Outcome::ClientLeft | Outcome::Refused => false,
        };
        if is_error {
            if self.errors.len() == ADMIN_ERRORS_KEPT {
                self.errors.pop_front();
            }
            let path = &record.path[..record.path.len().min(ADMIN_ROUTE_BYTES_MAX)];
            self.errors.push_back(Failed {
                unix_micros: record.received_at.saturating_add(micros),
                request: format!("{method} {}", path.escape_ascii()),
                id: record.ids.request.clone(),
                status,
                what: record.outcome.name(),
                micros,
            });
        }
        // A path that leads nowhere is no route.
        if status.is_some_and(|status| status != 404) {
            self.time(method.as_str(), &record.path, micros);
        }
    }

    /// Adds a time to its route. Nothing is allocated for one that is known.
    fn time(&mut self, method: &str, path: &[u8], micros: u64) {
        name(&mut self.name, method, path);
        let one = RouteFigures { count: 1, sum_micros: micros, max_micros: micros };
        if let Some(figures) = self.routes.get_mut(&self.name[..]) {
            return figures.add(one);
        }
        if self.routes.len() >= ADMIN_ROUTES_KEPT {
            let fastest = self.routes.iter().min_by_key(|(_, figures)| figures.max_micros);
            let Some((fastest, figures)) = fastest else { return };
            if figures.max_micros >= micros {
                return;
            }
            let fastest = fastest.clone();
            self.routes.remove(&fastest);
        }
        self.routes.insert(self.name.as_slice().into(), one);
    }

    /// The routes and their times.
    pub fn routes(&self) -> impl Iterator<Item = (&[u8], RouteFigures)> {
        self.routes.iter().map(|(name, figures)| (&name[..], *figures))
    }

    /// The latest errors, the first first.
    pub fn errors(&self) -> Vec<Failed> {
        self.errors.iter().cloned().collect()
    }
}

/// Writes the name of a route: the method, and the path with `*` in the place of each segment that holds a
/// digit, as ids do.
fn name(into: &mut Vec<u8>, method: &str, path: &[u8]) {
    into.clear();
    into.extend_from_slice(method.as_bytes());
    into.push(b' ');
    let has_digit = |text: &[u8]| text.iter().fold(false, |has, byte| has | byte.is_ascii_digit());
    if path.len() <= ADMIN_ROUTE_BYTES_MAX && !has_digit(path) {
        into.extend_from_slice(path);
        return into.truncate(ADMIN_ROUTE_BYTES_MAX);
    }
    for (at, segment) in path.split(|byte| *byte == b'/').enumerate() {
        if at > 0 {
            into.push(b'/');
        }
        match has_digit(segment) {
            true => into.push(b'*'),
            false => into.extend_from_slice(segment),
        }
        if into.len() > ADMIN_ROUTE_BYTES_MAX {
            break;
        }
    }
    into.truncate(ADMIN_ROUTE_BYTES_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_make_no_routes() {
        let mut notable = Notable::default();
        for id in 0..1000 {
            notable.time("GET", format!("/users/{id}/cart").as_bytes(), id);
        }
        let routes: Vec<_> = notable.routes().collect();
        let figures = RouteFigures { count: 1000, sum_micros: 499_500, max_micros: 999 };
        assert_eq!(routes, [(&b"GET /users/*/cart"[..], figures)]);
    }

    #[test]
    fn the_slowest_stay_when_there_are_too_many() {
        let mut notable = Notable::default();
        let word =
            |n: u64| format!("/{}", "x".repeat(n as usize % 97) + &"y".repeat(n as usize / 97));
        notable.time("GET", b"/slow", 1_000_000);
        for n in 0..5_000 {
            notable.time("GET", word(n).as_bytes(), n);
        }
        assert!(notable.routes().count() <= ADMIN_ROUTES_KEPT);
        assert!(notable.routes().any(|(name, _)| name == b"GET /slow"));
        notable.time("GET", &vec![b'/'; 100_000], 2_000_000);
        assert!(notable.routes().all(|(name, _)| name.len() <= ADMIN_ROUTE_BYTES_MAX));
    }
}
