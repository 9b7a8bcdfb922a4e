//! The admin listener (`admin_listen`): where it is, who may reach it, and its socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use wire::limits::ADMIN_TOKEN_BYTES_MIN;

use crate::bind::{self, BindError, SocketType};

/// A listening socket for administrators.
#[derive(Debug)]
pub struct AdminSocket {
    /// The socket, until the server starts.
    pub socket: Option<OwnedFd>,
    /// Where it is, with the real port when 0 was asked for.
    pub place: String,
    /// The socket's file, to be removed at the end.
    pub path: Option<PathBuf>,
}

/// Why there is none.
#[derive(Debug)]
pub enum AdminError {
    /// It is no place.
    Place(String),
    /// Others could reach it.
    Open(SocketAddr),
    /// The token can be guessed, or is none that a field can carry.
    Token,
    /// It cannot be bound.
    Bind(BindError),
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(given) => write!(
                f,
                "admin_listen '{}' is neither the path of a Unix socket nor an address with a port, as \
                 /run/app/admin.sock or 127.0.0.1:9502",
                given.escape_debug()
            ),
            Self::Open(address) => write!(
                f,
                "admin_listen {address} can be reached by others: set admin_token, or use a Unix socket or \
                 an address of loopback"
            ),
            Self::Token => write!(
                f,
                "admin_token has to be {ADMIN_TOKEN_BYTES_MIN} printable ASCII characters at least, \
                 without spaces"
            ),
            Self::Bind(error) => write!(f, "admin_listen: {error}"),
        }
    }
}

impl std::error::Error for AdminError {}

/// Binds it. A port beyond loopback wants a token.
pub fn bind(place: &str, token: Option<&str>) -> Result<AdminSocket, AdminError> {
    if token.is_some_and(|token| {
        token.len() < ADMIN_TOKEN_BYTES_MIN || !token.bytes().all(|byte| byte.is_ascii_graphic())
    }) {
        return Err(AdminError::Token);
    }
    let bare = place.strip_prefix("unix:").unwrap_or(place);
    let bound = if bare.contains('/') {
        bind::bind_private(bare).map_err(AdminError::Bind)?
    } else {
        let address = address(bare).ok_or_else(|| AdminError::Place(place.to_owned()))?;
        if !address.ip().is_loopback() && token.is_none() {
            return Err(AdminError::Open(address));
        }
        let kind = if address.is_ipv4() { SocketType::Tcp } else { SocketType::Tcp6 };
        let host = address.ip().to_string();
        bind::bind(&host, i64::from(address.port()), kind).map_err(AdminError::Bind)?
    };
    let place = match &bound.path {
        Some(path) => path.display().to_string(),
        None => address(bare).map_or_else(String::new, |address| {
            SocketAddr::new(address.ip(), bound.port).to_string()
        }),
    };
    Ok(AdminSocket { socket: Some(bound.socket.into()), place, path: bound.path })
}

fn address(text: &str) -> Option<SocketAddr> {
    let of_localhost = || {
        let port = text.strip_prefix("localhost:")?.parse().ok()?;
        Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    };
    text.parse().ok().or_else(of_localhost)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn refused(place: &str, token: Option<&str>) -> String {
        bind(place, token).expect_err("refused").to_string()
    }

    #[test]
    fn a_place_that_others_reach_wants_a_token() {
        assert!(refused("0.0.0.0:0", None).contains("set admin_token"));
        assert!(refused("[::]:0", None).contains("set admin_token"));
        assert!(refused("0.0.0.0:0", Some("short")).contains("16 printable"));
        assert!(
            refused("127.0.0.1:0", Some("sixteen bytes, with spaces")).contains("16 printable")
        );
        for place in ["9502", "127.0.0.1", "example.org:80", "127.0.0.1:70000"] {
            assert!(refused(place, None).contains("neither the path"), "{place}");
        }
        let open = bind("0.0.0.0:0", Some("0123456789abcdef")).expect("bound");
        assert!(open.place.starts_with("0.0.0.0:") && !open.place.ends_with(":0"));
        for place in ["127.0.0.1:0", "localhost:0"] {
            assert!(bind(place, None).expect("bound").place.starts_with("127.0.0.1:"));
        }
    }

    #[test]
    fn a_unix_socket_is_this_users_alone() {
        let path = std::env::temp_dir().join(format!("ferrite-admin-{}.sock", std::process::id()));
        let text = path.to_str().expect("a path in UTF-8");
        let first = bind(text, None).expect("bound");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(refused(text, None).contains("another server answers"));
        drop(first);
        let second = bind(&format!("unix:{text}"), None).expect("the stale one is replaced");
        std::fs::remove_file(second.path.expect("a path")).expect("removed");
    }
}
