//! What a port's connections are made by: `quiche`'s configuration, with the port's certificates in
//! it. One per thread, as the library asks; made anew when the certificates have been replaced.

use std::fs::OpenOptions;
use std::sync::Arc;
use std::time::Instant;

use quiche::{CongestionControlAlgorithm, PROTOCOL_VERSION};
use wire::limits::{
    QUIC_CIDS_MAX, QUIC_DATAGRAM_BYTES_MAX, QUIC_UNIDIRECTIONAL_BYTES,
    QUIC_UNIDIRECTIONAL_STREAMS_MAX,
};

use crate::config::{Congestion, QuicSettings};
use crate::error_log::{ErrorLog, Kind};
use crate::protocol::h3::Quic;
use crate::protocol::settings::HttpSettings;
use crate::tls;

/// The configuration of a port in one thread.
pub struct QuicConfigs {
    tls: Arc<tls::contexts::Contexts>,
    port: u16,
    http: Arc<HttpSettings>,
    quic: QuicSettings,
    /// Of which generation of certificates it is.
    current: Option<(u64, quiche::Config)>,
    /// The generation that none could be made of, so that it is said once, and not for each client.
    failed: Option<u64>,
}

impl QuicConfigs {
    /// The configuration of a port, which is made when it is first asked for.
    pub fn new(
        tls: Arc<tls::contexts::Contexts>,
        port: u16,
        http: Arc<HttpSettings>,
        quic: QuicSettings,
    ) -> Self {
        Self { tls, port, http, quic, current: None, failed: None }
    }

    /// The configuration with the certificates of now.
    pub fn current(&mut self) -> Option<&mut quiche::Config> {
        let generation = self.tls.generation(self.port);
        let is_new = self.current.as_ref().is_none_or(|(of, _)| *of != generation);
        if is_new && self.failed != Some(generation) {
            match self.build() {
                Some(config) => self.current = Some((generation, config)),
                None => {
                    self.failed = Some(generation);
                    log::error!(
                        "cannot make a TLS context for QUIC; the port serves no HTTP/3 by it"
                    );
                }
            }
        }
        self.current.as_mut().map(|(_, config)| config)
    }

    fn build(&self) -> Option<quiche::Config> {
        let builder = self.tls.quic(self.port)?;
        let mut config =
            quiche::Config::with_boring_ssl_ctx_builder(PROTOCOL_VERSION, builder).ok()?;
        let http3 = &self.http.http3;
        if http3.early_data {
            config.enable_early_data();
        }
        let idle = self.http.keepalive_timeout.as_millis();
        config.set_max_idle_timeout(u64::try_from(idle).unwrap_or(u64::MAX));
        config.set_max_send_udp_payload_size(QUIC_DATAGRAM_BYTES_MAX);
        config.discover_pmtu(true);
        // What arrives out of order lies in memory: `quiche` is not to open windows further.
        config.set_initial_max_data(http3.connection_window_bytes());
        config.set_max_connection_window(http3.connection_window_bytes());
        config.set_initial_max_stream_data_bidi_remote(http3.window_bytes);
        config.set_max_stream_window(http3.window_bytes);
        config.set_initial_max_stream_data_uni(QUIC_UNIDIRECTIONAL_BYTES);
        config.set_initial_max_streams_bidi(http3.streams_max);
        config.set_initial_max_streams_uni(QUIC_UNIDIRECTIONAL_STREAMS_MAX);
        config.set_active_connection_id_limit(QUIC_CIDS_MAX);
        // What means nothing is for clients to send (RFC 9114, 7.2.8): a stream of it would stay open
        // for as long as each connection.
        config.grease(false);
        config.set_cc_algorithm(match self.quic.congestion {
            Congestion::Cubic => CongestionControlAlgorithm::CUBIC,
            Congestion::Bbr2 => CongestionControlAlgorithm::Bbr2Gcongestion,
        });
        Some(config)
    }

    /// Has a connection write what happens to it, if the port is to.
    pub fn log(&self, mut quic: Quic, error_log: &mut ErrorLog, now: Instant) -> Quic {
        let Some(dir) = &self.quic.qlog_dir else { return quic };
        let path = dir.join(format!("{}.sqlog", quic.trace_id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => {
                let title = "ferrite".to_owned();
                quic.set_qlog(Box::new(file), title, quic.trace_id().to_owned());
            }
            Err(error) => {
                let path = path.display();
                let line =
                    format_args!("cannot write {path}, so this connection has no qlog: {error}");
                error_log.log(Kind::Connection, now, line);
            }
        }
        quic
    }
}
