//! Proxies in front of a port: which are trusted, and what they say about the clients for whom they speak.

pub mod forwarded;
pub mod protocol;

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// What a port's options say about proxies in front of it.
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    /// Whose word about clients is taken.
    pub trusted: TrustedProxies,
    /// Whether each connection begins with a header of the PROXY protocol.
    pub protocol: bool,
    /// Which fields of requests they set.
    pub fields: ForwardedFields,
}

/// In which fields trusted proxies tell of their clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedFields {
    /// In either; when both are there they have to agree.
    #[default]
    Either,
    /// In `Forwarded` (RFC 7239) alone.
    Forwarded,
    /// In `X-Forwarded-For` and its kin alone.
    XForwarded,
}

/// The addresses of proxies that are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    unix: bool,
}

/// What `private_ranges` stands for: private use (RFC 1918; RFC 4193), this machine, and link-local
/// addresses (RFC 3927; RFC 4291, 2.5.6).
const PRIVATE_RANGES: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

impl TrustedProxies {
    /// Adds an address, a network in CIDR notation, `private_ranges`, or `unix:` for whoever connects
    /// by a Unix socket. Says whether it is one of these.
    pub fn add(&mut self, word: &str) -> bool {
        match word {
            "unix:" => self.unix = true,
            "private_ranges" => {
                self.networks
                    .extend(PRIVATE_RANGES.iter().filter_map(|net| net.parse::<IpNet>().ok()));
            }
            _ => match word.parse().or_else(|_| word.parse().map(|ip: IpAddr| IpNet::from(ip))) {
                Ok(network) => self.networks.push(network),
                Err(_) => return false,
            },
        }
        true
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    /// Whether the other end of a connection is trusted; `None` on a Unix socket.
    pub fn trust(&self, peer: Option<SocketAddr>) -> bool {
        peer.map_or(self.unix, |peer| self.trust_ip(peer.ip()))
    }

    /// Whether an address is one of a trusted proxy. An IPv4 address is the same in its IPv6 form.
    pub fn trust_ip(&self, ip: IpAddr) -> bool {
        let canonical = ip.to_canonical();
        self.networks.iter().any(|network| network.contains(&canonical) || network.contains(&ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(words: &[&str]) -> TrustedProxies {
        let mut trusted = TrustedProxies::default();
        for word in words {
            assert!(trusted.add(word), "{word}");
        }
        trusted
    }

    fn peer(ip: &str) -> Option<SocketAddr> {
        Some(SocketAddr::new(ip.parse().unwrap(), 1))
    }

    #[test]
    fn networks_and_addresses() {
        let some = trusted(&["192.0.2.0/25", "2001:db8:1::/48", "198.51.100.7", "2001:db8::7"]);
        for ip in
            ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8:1:2::3", "198.51.100.7", "2001:db8::7"]
        {
            assert!(some.trust(peer(ip)), "{ip}");
        }
        for ip in ["192.0.2.128", "2001:db8:2::", "198.51.100.8", "127.0.0.1", "::1"] {
            assert!(!some.trust(peer(ip)), "{ip}");
        }
        assert!(!some.trust(None) && !some.is_empty());
        assert!(trusted(&["unix:"]).trust(None) && !trusted(&["unix:"]).trust(peer("127.0.0.1")));
        assert!(trusted(&[]).is_empty() && !trusted(&[]).trust(peer("127.0.0.1")));
        assert!(trusted(&["::ffff:0:0/96"]).trust(peer("::ffff:1.2.3.4")));
    }

    #[test]
    fn private_ranges() {
        let private = trusted(&["private_ranges"]);
        for ip in ["10.1.2.3", "172.31.255.255", "192.168.0.1", "127.0.0.2", "::1", "fd00::1"] {
            assert!(private.trust(peer(ip)), "{ip}");
        }
        for ip in ["172.32.0.1", "11.0.0.1", "192.169.0.1", "2001:db8::1", "::2"] {
            assert!(!private.trust(peer(ip)), "{ip}");
        }
    }

    #[test]
    fn words_that_are_none() {
        for word in ["", "10.0.0.0/33", "10.0.0", "private", "localhost", "unix", " 10.0.0.1"] {
            assert!(!TrustedProxies::default().add(word), "{word:?}");
        }
    }
}
