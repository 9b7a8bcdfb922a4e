//! `Page`: the page for people, one file with everything in it, and what its browser may do with it.

use http::StatusCode;

use super::response::AdminResponse;

const PAGE: &str = include_str!("page.html");

/// The page, and the policy that belongs to it.
#[derive(Debug)]
pub(super) struct Page {
    policy: String,
}

impl Page {
    /// Its own script and style may run, by their hashes (CSP 3, 2.3.1), and ask where the page comes from.
    /// Nothing else may be loaded or run, whatever a request's path holds.
    pub(super) fn new() -> Self {
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(between("<style>", "</style>")),
            hash(between("<script>", "</script>"))
        );
        Self { policy }
    }

    /// The answer.
    pub(super) fn response(&self) -> AdminResponse {
        let content_type = "text/html; charset=utf-8";
        AdminResponse { content_type, ..AdminResponse::text(StatusCode::OK, PAGE) }
            .with("content-security-policy", self.policy.clone())
            .with("referrer-policy", "no-referrer")
    }
}

fn between(begin: &str, end: &str) -> &'static str {
    let behind = PAGE.split_once(begin).map_or("", |(_, behind)| behind);
    behind.split_once(end).map_or("", |(content, _)| content)
}

fn hash(content: &str) -> String {
    let hash = boring::sha::sha256(content.as_bytes());
    format!("sha256-{}", boring::base64::encode_block(&hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_but_itself() {
        assert!(PAGE.len() < 32 << 10);
        assert!(!PAGE.contains("http://") && !PAGE.contains("https://"));
        assert!(
            !PAGE.contains("style=") && !PAGE.contains("onclick=") && !PAGE.contains("innerHTML")
        );
        assert_eq!(PAGE.matches("<script").count() + PAGE.matches("<style").count(), 2);
        assert!(between("<script>", "</script>").len() > 1000);
        assert!(!Page::new().policy.contains("unsafe"));
    }
}
