//! Options of a port that speaks TLS.

use std::path::PathBuf;

use super::Spec;
use crate::options::option_type::OptionType::{
    Certificates, Count, Flags, Seconds, Switch, Text, Word,
};
use crate::options::tls::{TLS_1_2, TLS_1_3};

/// Options of a port that speaks TLS.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "tls",
        Word { words: &["dev"], set: |d, v| d.port.tls.development = v == "dev" },
        "'' (off)",
        "With 'dev', a port with `SSL` that has no certificate gets a self-signed one for \
         `localhost`, made at start. Browsers warn of it; not for production.",
    ),
    Spec::port(
        "ssl_cert_file",
        Text(|d, v| d.port.tls.certificate = path(v)),
        "''",
        "Certificate of a port with `SSL`, PEM, with the intermediate certificates behind it. \
         This file and the others are read again at a reload, by `reloadTls()`, and when they change, \
         by the reactor: with `user` or `chroot` it must be able to read them.",
    ),
    Spec::port(
        "ssl_key_file",
        Text(|d, v| d.port.tls.key = path(v)),
        "''",
        "Private key of `ssl_cert_file`, PEM. May be encrypted; see `ssl_passphrase`.",
    ),
    Spec::port(
        "ssl_passphrase",
        Text(|d, v| d.port.tls.passphrase = (!v.is_empty()).then(|| v.to_owned())),
        "''",
        "What keys in files are encrypted with.",
    )
    .secret(),
    Spec::port(
        "ssl_stapling_file",
        Text(|d, v| d.port.tls.staple = path(v)),
        "''",
        "OCSP response for `ssl_cert_file`, DER, as `openssl ocsp -respout` writes it: sent to \
         clients that ask for it, as long as it is good. Somebody has to fetch new ones.",
    ),
    Spec::port(
        "ssl_sni_certs",
        Certificates(|d, v| d.port.tls.named = v.to_vec()),
        "[]",
        "Certificates by server name (SNI): `['a.example' => ['ssl_cert_file' => …, 'ssl_key_file' \
         => …], '*.b.example' => …]`, each with its own `ssl_stapling_file` if there is one. Clients that ask for another name, or none, get \
         `ssl_cert_file`.",
    ),
    Spec::port(
        "ssl_check_authority",
        Switch(|d, v| d.port.tls.check_authority = Some(v)),
        "true with `ssl_sni_certs`, else false",
        "Whether a request over TLS or QUIC gets 421 (Misdirected Request) when none of the port's \
         certificates is for its host: alternative names with `*.` for one label, or the common name \
         where there are none. An IP address must be in a certificate, or be the one that the \
         client has connected to. A request without a host (HTTP/1.0) is served.",
    ),
    Spec::port(
        "ssl_protocols",
        Flags {
            of: &[("SSL_TLSv1_2", TLS_1_2), ("SSL_TLSv1_3", TLS_1_3)],
            set: |d, v| d.port.tls.protocols = v,
        },
        "0 (all)",
        "Versions of TLS. Older ones than 1.2 are not served.",
    ),
    Spec::port(
        "ssl_ciphers",
        Text(|d, v| d.port.tls.ciphers = (!v.is_empty()).then(|| v.to_owned())),
        "'' (ECDHE with AES-GCM or ChaCha20-Poly1305)",
        "Cipher suites of TLS 1.2, in the notation of OpenSSL. What is not served is left out. Those \
         of 1.3 are fixed.",
    ),
    Spec::port(
        "ssl_verify_peer",
        Switch(|d, v| d.port.tls.verify_peer = v),
        "false",
        "Whether clients must show a certificate that `ssl_client_cert_file` leads to.",
    ),
    Spec::port(
        "ssl_client_cert_file",
        Text(|d, v| d.port.tls.authorities = path(v)),
        "''",
        "Certificates of the authorities that may have signed a client's certificate, PEM.",
    )
    .alias(&["ssl_cafile"]),
    Spec::port(
        "ssl_verify_depth",
        Count { min: 0, max: 100, set: |d, v| d.port.tls.depth_max = v as u32 },
        "9",
        "Intermediate certificates between a client's and an authority's.",
    ),
    Spec::port(
        "ssl_handshake_timeout",
        Seconds { min: 0.001, max: 86_400.0, set: |d, v| d.port.tls.handshake_timeout = v },
        "10",
        "From the accept of a connection to the end of its TLS handshake; then it is closed.",
    ),
];

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}
