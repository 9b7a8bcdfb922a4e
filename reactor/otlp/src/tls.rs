//! [`TlsConnector`]: `https` to a collector, by the TLS library that is there anyway.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;

use boring::ssl::{HandshakeError, SslConnector, SslMethod, SslStream};
use boring::x509::X509;
use boring::x509::store::X509StoreBuilder;
use boring::x509::verify::X509VerifyFlags;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

/// Speaks TLS over the connections to `https` addresses.
pub(crate) struct TlsConnector(SslConnector);

impl TlsConnector {
    /// Trusts the certificates of this file, or those that the system trusts.
    pub fn new(certificates: Option<&Path>) -> io::Result<Self> {
        let mut builder = SslConnector::builder(SslMethod::tls())?;
        if let Some(path) = certificates {
            let mut store = X509StoreBuilder::new()?;
            for certificate in X509::stack_from_pem(&std::fs::read(path)?)? {
                store.add_cert(certificate)?;
            }
            // Who names the collector's own certificate means that one, whoever has signed it.
            store.set_flags(X509VerifyFlags::PARTIAL_CHAIN);
            builder.set_cert_store_builder(store);
        }
        Ok(Self(builder.build()))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut adapter = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        adapter.set_timeout(details.timeout);
        let stream = self.0.connect(host, adapter).map_err(|error| match error {
            HandshakeError::SetupFailure(error) => Error::Io(error.into()),
            error => Error::Io(io::Error::other(error.to_string())),
        })?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

/// A connection over TLS.
pub(crate) struct TlsTransport {
    buffers: LazyBuffers,
    stream: SslStream<TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
