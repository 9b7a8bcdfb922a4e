//! What requests tell of the TLS that they came by.

use std::collections::VecDeque;
use std::sync::Arc;

use boring::ssl::{NameType, SslRef};
use wire::limits::TLS_INFOS_KEPT;
use wire::tls::{ClientCertificate, TlsFacts, TlsInfo};

/// `XN_FLAG_RFC2253`: `CN=…,O=…`, with control characters and what is not ASCII escaped.
const SUBJECT_AS_RFC_2253: i32 = 0x0111_0317;

/// What was told of late. Most connections have nothing to tell that another one had not: they share
/// its memory.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<Arc<TlsInfo>>);

impl Recent {
    /// The same, in memory that is shared if it can be.
    pub(crate) fn share(&mut self, info: TlsInfo) -> Arc<TlsInfo> {
        if let Some(known) = self.0.iter().find(|known| ***known == info) {
            return Arc::clone(known);
        }
        if self.0.len() == TLS_INFOS_KEPT {
            self.0.pop_front();
        }
        let info = Arc::new(info);
        self.0.push_back(Arc::clone(&info));
        info
    }
}

/// What is known of a connection's TLS.
pub(crate) fn of(ssl: &SslRef) -> TlsInfo {
    let cipher = ssl.current_cipher();
    let certificate = ssl.peer_certificate();
    let shown = certificate.as_ref().map(|certificate| {
        let subject = certificate.subject_name().print_ex(SUBJECT_AS_RFC_2253);
        let pem = certificate.to_pem().ok().and_then(|pem| String::from_utf8(pem).ok());
        (subject.unwrap_or_default(), pem.unwrap_or_default())
    });
    TlsInfo::new(&TlsFacts {
        version: ssl.version_str(),
        cipher: cipher.map_or("", |cipher| cipher.standard_name().unwrap_or(cipher.name())),
        server_name: ssl.servername(NameType::HOST_NAME),
        // A handshake in which it could not be verified has failed.
        client: shown.as_ref().map(|(subject, pem)| ClientCertificate { subject, pem }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(server_name: &str) -> TlsInfo {
        TlsInfo::new(&TlsFacts {
            version: "TLSv1.3",
            cipher: "TLS_AES_128_GCM_SHA256",
            server_name: Some(server_name),
            client: None,
        })
    }

    #[test]
    fn what_is_the_same_is_there_once() {
        let mut recent = Recent::default();
        let first = recent.share(info("a.example"));
        for nth in 1..TLS_INFOS_KEPT {
            assert_eq!(*recent.share(info(&nth.to_string())), info(&nth.to_string()));
            assert!(Arc::ptr_eq(&recent.share(info("a.example")), &first));
        }
        recent.share(info("one more"));
        assert_eq!(recent.0.len(), TLS_INFOS_KEPT);
        let again = recent.share(info("a.example"));
        assert_eq!(again, first);
        assert!(!Arc::ptr_eq(&again, &first), "it had to go");
    }
}
