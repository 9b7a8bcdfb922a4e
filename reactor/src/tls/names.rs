//! The names that the certificates of a port are for: who asks for another one is at the wrong server
//! (RFC 9110, 7.4 and 15.5.20).
//!
//! They come from the certificates (RFC 9525, 6), once, when these are read. A look-up makes nothing
//! and takes the same time whether there is one certificate or a thousand.

use std::collections::HashSet;
use std::net::IpAddr;

use boring::nid::Nid;
use boring::x509::X509Ref;

use super::certificates::Material;

/// The longest name that can be asked for in DNS (RFC 1035, 2.3.4), as text.
const NAME_BYTES_MAX: usize = 253;

/// Names and addresses, of all certificates together.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// In lower case, without a dot at the end.
    whole: HashSet<Box<[u8]>>,
    /// What follows the `*.` of a name that stands for one label more.
    parents: HashSet<Box<[u8]>>,
    addresses: HashSet<IpAddr>,
}

impl Names {
    /// Those of the certificates that a port shows.
    pub(crate) fn of(material: &Material) -> Self {
        let mut names = Self::default();
        let named = material.named.iter().map(|(_, credential)| credential);
        for credential in named.chain([&material.default]) {
            if let Some(leaf) = credential.chain.first() {
                names.add_certificate(leaf);
            }
        }
        names
    }

    /// The subject's common name is one only where no alternative names are told (RFC 6125, 6.4.4).
    fn add_certificate(&mut self, leaf: &X509Ref) {
        let Some(alternatives) = leaf.subject_alt_names() else {
            for entry in leaf.subject_name().entries_by_nid(Nid::COMMONNAME) {
                self.add(entry.data().as_slice());
            }
            return;
        };
        for name in &alternatives {
            if let Some(name) = name.dnsname() {
                self.add(name.as_bytes());
            } else if let Some(octets) = name.ipaddress() {
                let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
                let address = v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from));
                self.addresses.extend(address.ok().map(|address| address.to_canonical()));
            }
        }
    }

    fn add(&mut self, name: &[u8]) {
        let name = name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase();
        match name.strip_prefix(b"*.") {
            Some(parent) => self.parents.insert(parent.into()),
            None => self.whole.insert(name.into()),
        };
    }

    /// Whether one of the certificates is for the host of an authority (RFC 3986, 3.2), whatever its
    /// port. `local` is the address that the client has connected to: who asks for just that one,
    /// as a load balancer does that looks whether the server is well, is at the right server.
    pub(crate) fn cover(&self, authority: &[u8], local: Option<IpAddr>) -> bool {
        let host = host(authority);
        if let Some(address) = address(host) {
            let local = local.map(|local| local.to_canonical());
            return local == Some(address) || self.addresses.contains(&address);
        }
        let host = host.strip_suffix(b".").unwrap_or(host);
        let mut space = [0; NAME_BYTES_MAX];
        let Some(name) = space.get_mut(..host.len()) else { return false };
        name.copy_from_slice(host);
        name.make_ascii_lowercase();
        if self.whole.contains(&*name) {
            return true;
        }
        match memchr::memchr(b'.', name) {
            Some(label_len) => label_len > 0 && self.parents.contains(&name[label_len + 1..]),
            None => false,
        }
    }
}

/// An authority without its port.
fn host(authority: &[u8]) -> &[u8] {
    match authority.first() {
        Some(b'[') => memchr::memchr(b']', authority).map_or(authority, |end| &authority[..=end]),
        _ => memchr::memchr(b':', authority).map_or(authority, |end| &authority[..end]),
    }
}

fn address(host: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(host).ok()?;
    let address = match text.strip_prefix('[') {
        Some(text) => IpAddr::V6(text.strip_suffix(']')?.parse().ok()?),
        None => IpAddr::V4(text.parse().ok()?),
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use boring::x509::X509NameBuilder;
    use boring::x509::extension::SubjectAlternativeName;
    use boring::x509::{X509, X509Builder};

    use super::*;
    use crate::tls::certificates::CertificateSource;
    use crate::tls::{Tls, TlsConfig, development};

    /// A certificate that nobody has signed.
    fn certificate(common: &str, alternatives: Option<&mut SubjectAlternativeName>) -> X509 {
        let mut builder: X509Builder = X509::builder().unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", common).unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        if let Some(alternatives) = alternatives {
            let extension = alternatives.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(extension.as_ref()).unwrap();
        }
        builder.build()
    }

    fn names(certificates: &[X509]) -> Names {
        let mut names = Names::default();
        certificates.iter().for_each(|certificate| names.add_certificate(certificate));
        names
    }

    #[test]
    fn names_are_whole_or_one_label_more() {
        let mut one = SubjectAlternativeName::new();
        one.dns("Shop.Example").dns("*.api.example");
        let mut two = SubjectAlternativeName::new();
        two.dns("xn--bcher-kva.example.");
        let names = names(&[certificate("a", Some(&mut one)), certificate("a", Some(&mut two))]);
        for own in [
            "shop.example",
            "SHOP.example:8443",
            "shop.example.",
            "shop.example.:443",
            "shop.example:",
            "v1.api.example",
            "V1.API.Example:1",
            "xn--bcher-kva.example",
        ] {
            assert!(names.cover(own.as_bytes(), None), "{own}");
        }
        let long = format!("{}.api.example", "a".repeat(300));
        for other in [
            "",
            ".",
            "..",
            "a",
            "example",
            "shop.example.other",
            "www.shop.example",
            "shop.example..",
            "api.example",
            ".api.example",
            "*.example",
            "b.v1.api.example",
            "shop%2eexample",
            "127.0.0.1",
            "[::1]",
            &long,
        ] {
            assert!(!names.cover(other.as_bytes(), None), "{other}");
        }
    }

    #[test]
    fn a_common_name_is_one_where_there_are_no_others() {
        let old = names(&[certificate("Old.Example", None)]);
        assert!(old.cover(b"old.example", None) && !old.cover(b"a", None));
        let mut alternative = SubjectAlternativeName::new();
        let new = names(&[certificate("old.example", Some(alternative.dns("new.example")))]);
        assert!(new.cover(b"new.example", None) && !new.cover(b"old.example", None));
    }

    #[test]
    fn addresses_are_those_of_certificates_and_the_clients_own() {
        let mut both = SubjectAlternativeName::new();
        let names = names(&[certificate("a", Some(both.ip("192.0.2.7").ip("2001:db8::7")))]);
        for own in ["192.0.2.7", "192.0.2.7:443", "[2001:DB8:0::7]:443", "[::ffff:192.0.2.7]"] {
            assert!(names.cover(own.as_bytes(), None), "{own}");
        }
        let local: Option<IpAddr> = Some("::ffff:192.0.2.8".parse().unwrap());
        for other in ["192.0.2.8", "192.0.2.8:443", "[::ffff:192.0.2.8]"] {
            assert!(!names.cover(other.as_bytes(), None), "{other}");
            assert!(
                names.cover(other.as_bytes(), local),
                "{other} is what the client connected to"
            );
        }
        for other in ["192.0.2.9", "192.0.2", "[2001:db8::8]", "[2001:db8::7", "2001:db8::7"] {
            assert!(!names.cover(other.as_bytes(), local), "{other}");
        }
    }

    #[test]
    fn all_certificates_of_a_port_count() {
        let identity = || development::localhost().unwrap();
        let mut config = TlsConfig::new(identity());
        config.named = vec![("configured.example".to_owned(), identity())];
        let names = Names::of(&Tls::load(config).unwrap().material);
        assert!(names.cover(b"localhost:1", None) && names.cover(b"[::1]", None));
        // What counts is what clients find in the certificate.
        assert!(!names.cover(b"configured.example", None));
        assert!(matches!(identity(), CertificateSource::Memory(_)));
    }
}
