//! Frees handshake state once the handshake is complete.

use boring::ssl::SslContextBuilder;
use foreign_types::ForeignTypeRef;

/// Has every connection free its own copy of the configuration (certificates, preferences,
/// parameters) at the end of its handshake: 1.5 KiB that nobody asks for any more.
pub(crate) fn drop_after_handshake(builder: &mut SslContextBuilder) {
    builder.set_select_certificate_callback(|mut hello| {
        let ssl = hello.ssl_mut().as_ptr();
        // SAFETY: the pointer is that of a connection in its handshake. What the library forbids
        // behind it is `SSL_clear`, which nobody calls on a server's connection.
        unsafe { boring_sys::SSL_set_shed_handshake_config(ssl, 1) };
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::thread;

    use boring::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};

    use crate::tls::certificates::Material;
    use crate::tls::{TlsConfig, context, development};

    #[test]
    fn nothing_is_configured_behind_a_handshake() {
        let config = TlsConfig::new(development::localhost().unwrap());
        let material = Material::load(&config).unwrap();
        let context = context::build(&config, &material, true).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let client = thread::spawn(move || {
            let mut builder = SslContext::builder(SslMethod::tls()).unwrap();
            builder.set_verify(SslVerifyMode::NONE);
            let stream = Ssl::new(&builder.build()).unwrap().connect(theirs);
            stream.is_ok()
        });
        let mut ssl = Ssl::new(&context).unwrap();
        assert!(ssl.set_alpn_protos(b"\x02h2").is_ok(), "before");
        let mut stream = ssl.accept(ours).unwrap();
        assert!(stream.ssl_mut().set_alpn_protos(b"\x02h2").is_err(), "behind");
        assert_eq!(stream.ssl().version_str(), "TLSv1.3", "what was agreed on is known");
        assert!(client.join().unwrap());
    }
}
