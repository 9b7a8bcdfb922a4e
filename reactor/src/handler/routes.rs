//! [`Routes`]: which handler answers a request, by its path.

use bytes::Bytes;

use super::HandlerId;

/// The handlers of a port.
#[derive(Debug, Clone)]
pub struct Routes {
    /// The first that matches answers.
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
    /// Who answers a request for this path.
    pub fn find(&self, path: &[u8]) -> Option<HandlerId> {
        let route = self.paths.iter().find(|route| route.path.matches(path));
        route.map_or(self.rest, |route| Some(route.handler))
    }
}

impl Default for Routes {
    /// The workers answer everything.
    fn default() -> Self {
        Self { paths: Vec::new(), rest: Some(HandlerId::WORKERS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_decides() {
        let rule = |path, handler| Route { path, handler: HandlerId::fixed(handler) };
        let routes = Routes {
            paths: vec![
                rule(PathMatch::Exact(Bytes::from_static(b"/healthz")), 0),
                rule(PathMatch::Prefix(Bytes::from_static(b"/files/")), 1),
            ],
            ..Routes::default()
        };
        for (path, handler) in [
            ("/healthz", HandlerId::fixed(0)),
            ("/healthz/", HandlerId::WORKERS),
            ("/files/a", HandlerId::fixed(1)),
            ("/files", HandlerId::WORKERS),
            ("*", HandlerId::WORKERS),
        ] {
            assert_eq!(routes.find(path.as_bytes()), Some(handler), "{path}");
        }
        assert_eq!(Routes { rest: None, ..routes }.find(b"/"), None);
    }
}
