//! [`Routes`]: which handler answers a request, by its path.

use bytes::Bytes;
use wire::PoolId;

use super::HandlerId;

/// The handlers of a port.
#[derive(Debug, Clone)]
pub struct Routes {
    /// The first that matches answers; if it declines, the next one is asked.
    pub paths: Vec<Route>,
    /// Who answers all other requests; `None`: nobody, they get 404.
    pub rest: Option<HandlerId>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Route {
    /// Which paths.
    pub path: PathMatch,
    /// Who answers.
    pub handler: HandlerId,
}

/// Paths of requests, byte for byte: as the client sent them, without the query.
#[derive(Debug, Clone)]
pub enum PathMatch {
    /// This one.
    Exact(Bytes),
    /// Those that begin so.
    Prefix(Bytes),
}

impl PathMatch {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path.starts_with(prefix),
        }
    }
}

impl Routes {
    /// Who answers a request for this path, and where to go on when it declines. `from` is 0 at first.
    pub fn find(&self, path: &[u8], from: usize) -> Option<(HandlerId, usize)> {
        let rules = self.paths.iter().enumerate().skip(from);
        let rule = rules.into_iter().find(|(_, route)| route.path.matches(path));
        match rule {
            Some((at, route)) => Some((route.handler, at + 1)),
            None if from <= self.paths.len() => Some((self.rest?, self.paths.len() + 1)),
            None => None,
        }
    }

    /// The pool whose workers are told of connections: who answers what no rule matches, else the first.
    pub fn pool_of_connections(&self) -> PoolId {
        match self.rest {
            Some(HandlerId::Pool(pool)) => pool,
            _ => PoolId(0),
        }
    }
}

impl Default for Routes {
    /// The first pool of workers answers everything.
    fn default() -> Self {
        Self { paths: Vec::new(), rest: Some(HandlerId::WORKERS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_decides() {
        let rule = |path, handler| Route { path, handler: HandlerId::Fixed(handler) };
        let routes = Routes {
            paths: vec![
                rule(PathMatch::Exact(Bytes::from_static(b"/healthz")), 0),
                rule(PathMatch::Prefix(Bytes::from_static(b"/files/")), 1),
            ],
            ..Routes::default()
        };
        for (path, handler) in [
            ("/healthz", HandlerId::Fixed(0)),
            ("/healthz/", HandlerId::WORKERS),
            ("/files/a", HandlerId::Fixed(1)),
            ("/files", HandlerId::WORKERS),
            ("*", HandlerId::WORKERS),
        ] {
            let found = routes.find(path.as_bytes(), 0);
            assert_eq!(found.map(|(handler, _)| handler), Some(handler), "{path}");
        }
        assert_eq!(Routes { rest: None, ..routes }.find(b"/", 0), None);
    }

    #[test]
    fn who_declines_is_followed_by_the_next() {
        let rule = |path, handler| Route { path, handler: HandlerId::Fixed(handler) };
        let path = |path| PathMatch::Prefix(Bytes::from_static(path));
        let paths = vec![rule(path(b"/a"), 0), rule(path(b"/b"), 1), rule(path(b"/"), 2)];
        let routes = Routes { paths, ..Routes::default() };
        let (first, next) = routes.find(b"/a", 0).unwrap();
        let (second, next) = routes.find(b"/a", next).unwrap();
        let (last, next) = routes.find(b"/a", next).unwrap();
        assert_eq!([first, second], [HandlerId::Fixed(0), HandlerId::Fixed(2)]);
        assert_eq!((last, routes.find(b"/a", next)), (HandlerId::WORKERS, None));
    }
}
