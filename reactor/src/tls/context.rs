//! From certificates to a context of the TLS library.

use boring::error::ErrorStack;
use boring::hash::MessageDigest;
use boring::ssl::{
    AlpnError, NameType, SniError, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions,
    SslSessionCacheMode, SslVerifyMode, SslVersion, select_next_proto,
};
use boring::x509::store::X509StoreBuilder;

use super::certificates::{Credential, Material, RejectReason, TlsError, detail};
use super::{TlsConfig, TlsVersion, ciphers, handshake_state, keylog, tickets};

/// Key agreement, the best first. The hybrid with ML-KEM keeps what is recorded today from being
/// read by a quantum computer; every current browser offers it.
const GROUPS: &str = "X25519MLKEM768:X25519:P-256:P-384";

/// Protocols (RFC 7301), the best first, as the extension has them: each behind its length.
const PROTOCOLS: &[u8] = b"\x02h2\x08http/1.1";
/// The same without HTTP/2.
const PROTOCOLS_WITHOUT_H2: &[u8] = b"\x08http/1.1";

/// The same for QUIC.
const PROTOCOLS_OF_QUIC: &[u8] = b"\x02h3";

/// The context of a port, with its certificates by name inside.
pub(crate) fn build(
    config: &TlsConfig,
    material: &Material,
    http2: bool,
) -> Result<SslContext, TlsError> {
    let protocols = if http2 { PROTOCOLS } else { PROTOCOLS_WITHOUT_H2 };
    assemble(config, material, protocols).map(SslContextBuilder::build)
}

/// The same for QUIC, as `quiche` takes it.
pub(crate) fn quic(config: &TlsConfig, material: &Material) -> Result<SslContextBuilder, TlsError> {
    assemble(config, material, PROTOCOLS_OF_QUIC)
}

fn assemble(
    config: &TlsConfig,
    material: &Material,
    protocols: &'static [u8],
) -> Result<SslContextBuilder, TlsError> {
    let mut named = Vec::with_capacity(material.named.len());
    for (name, credential) in &material.named {
        let context = builder(config, material, credential, protocols)?.build();
        named.push((name.clone(), context));
    }
    let mut builder = builder(config, material, &material.default, protocols)?;
    if !named.is_empty() {
        select_certificate(&mut builder, named);
    }
    Ok(builder)
}

/// A context of one certificate.
fn builder(
    config: &TlsConfig,
    material: &Material,
    credential: &Credential,
    protocols: &'static [u8],
) -> Result<SslContextBuilder, TlsError> {
    let refused = |option| {
        move |error: ErrorStack| TlsError::new(option, None, RejectReason::Refused(detail(&error)))
    };
    let mut builder = SslContextBuilder::new(SslMethod::tls()).map_err(refused("TLS"))?;
    let versions = (version(config.version_min), version(config.version_max));
    builder.set_min_proto_version(Some(versions.0)).map_err(refused("ssl_protocols"))?;
    builder.set_max_proto_version(Some(versions.1)).map_err(refused("ssl_protocols"))?;
    ciphers::set(&mut builder, &config.ciphers)?;
    builder.set_curves_list(GROUPS).map_err(refused("key agreement"))?;
    // A group that the client likes less may be the better one; suites have their own equality.
    builder.set_options(SslOptions::CIPHER_SERVER_PREFERENCE | SslOptions::NO_RENEGOTIATION);
    builder.set_mode(SslMode::RELEASE_BUFFERS | SslMode::ACCEPT_MOVING_WRITE_BUFFER);
    // Sessions are kept by clients, in tickets: memory here would be theirs to fill.
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    tickets::install(&mut builder, &config.tickets);
    set_credential(&mut builder, credential).map_err(refused("ssl_cert_file"))?;
    if let Some(staple) = &credential.staple {
        staple.install(&mut builder).map_err(refused("ssl_stapling_file"))?;
    }
    verify_clients(&mut builder, config, material).map_err(refused("ssl_client_cert_file"))?;
    keylog::install(&mut builder);
    handshake_state::drop_after_handshake(&mut builder);
    // The library asks the context that the server name has led to.
    select_protocol(&mut builder, protocols);
    Ok(builder)
}

fn version(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::Tls12 => SslVersion::TLS1_2,
        TlsVersion::Tls13 => SslVersion::TLS1_3,
    }
}

fn set_credential(
    builder: &mut SslContextBuilder,
    credential: &Credential,
) -> Result<(), ErrorStack> {
    let mut chain = credential.chain.iter();
    if let Some(leaf) = chain.next() {
        builder.set_certificate(leaf)?;
    }
    for certificate in chain {
        builder.add_extra_chain_cert(certificate.clone())?;
    }
    builder.set_private_key(&credential.key)?;
    builder.check_private_key()
}

fn verify_clients(
    builder: &mut SslContextBuilder,
    config: &TlsConfig,
    material: &Material,
) -> Result<(), ErrorStack> {
    // A ticket is good only where clients are verified in the same way.
    let mut scope = vec![u8::from(config.clients.is_some())];
    if let Some(clients) = &config.clients {
        let mut store = X509StoreBuilder::new()?;
        for authority in &material.authorities {
            store.add_cert(authority.clone())?;
            builder.add_client_ca(authority)?;
            scope.extend_from_slice(&authority.digest(MessageDigest::sha256())?);
        }
        builder.set_cert_store_builder(store);
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        builder.set_verify_depth(clients.depth_max);
        scope.extend_from_slice(&clients.depth_max.to_le_bytes());
    }
    builder.set_session_id_context(&boring::sha::sha256(&scope))
}

/// Lets the server's order decide. A client that offers protocols of which none is served is told so
/// (RFC 7301, 3.2).
fn select_protocol(builder: &mut SslContextBuilder, protocols: &'static [u8]) {
    builder.set_alpn_select_callback(move |_, offered| {
        // The library returns the server's first protocol when there is none in common.
        let chosen = select_next_proto(protocols, offered).ok_or(AlpnError::ALERT_FATAL)?;
        let mut rest = offered;
        while let Some((&len, behind)) = rest.split_first() {
            let (name, behind) =
                behind.split_at_checked(len.into()).ok_or(AlpnError::ALERT_FATAL)?;
            if name == chosen {
                return Ok(name);
            }
            rest = behind;
        }
        Err(AlpnError::ALERT_FATAL)
    });
}

fn select_certificate(builder: &mut SslContextBuilder, named: Vec<(String, SslContext)>) {
    builder.set_servername_callback(move |ssl, _| {
        let wanted = ssl.servername(NameType::HOST_NAME).map(str::to_ascii_lowercase);
        let Some(wanted) = wanted else { return Ok(()) };
        match named.iter().find(|(name, _)| covers(name, &wanted)) {
            Some((_, context)) => ssl.set_ssl_context(context).map_err(|_| SniError::ALERT_FATAL),
            None => Ok(()),
        }
    });
}

/// Whether a name, in which `*.` stands for one label, covers a server name (RFC 9525, 6.3).
fn covers(name: &str, wanted: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => {
            wanted.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
        }
        None => name == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_label() {
        assert!(covers("a.example", "a.example"));
        assert!(covers("*.example", "a.example"));
        for other in ["example", "b.a.example", ".example", "a.example2"] {
            assert!(!covers("*.example", other), "{other}");
        }
    }
}
