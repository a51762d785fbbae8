//! The trusted root certificates: Mozilla's, the system's, and those of the settings.

use std::path::Path;
use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::certificate::{Seen, Watching};
use super::error::FetchSetupError;

/// The TLS configuration of all connections.
#[derive(Clone)]
pub(super) struct Tls {
    config: ClientConfig,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Tls {
    /// The settings of one visit, whose certificates are seen. Its sessions end with it: a resumed one shows none.
    pub(super) fn watched(&self, seen: Arc<Seen>) -> ClientConfig {
        const SESSIONS: usize = 16;
        let mut config = self.config.clone();
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        let verifier = Arc::clone(&self.verifier);
        config
            .dangerous()
            .set_certificate_verifier(Arc::new(Watching { verifier, seen }));
        config
    }
}

/// The settings of a connection of which nothing is kept.
pub(super) fn client_config(extra_ca: Option<&Path>) -> Result<ClientConfig, FetchSetupError> {
    Ok(tls(extra_ca)?.config)
}

/// The TLS settings of every connection; ring is named here so that no process-wide provider is needed.
pub(super) fn tls(extra_ca: Option<&Path>) -> Result<Tls, FetchSetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots(extra_ca)?), Arc::clone(&provider))
            .build()
            .map_err(|error| FetchSetupError::Client(error.into()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchSetupError::Client(error.into()))?
        .with_webpki_verifier(Arc::clone(&verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Tls { config, verifier })
}

fn roots(extra_ca: Option<&Path>) -> Result<RootCertStore, FetchSetupError> {
    let mut store = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = extra_ca {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| FetchSetupError::ExtraCa {
            path: path.to_owned(),
            source,
        };
        let mut found = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(error.into()))? {
            let certificate = certificate.map_err(|error| failed(error.into()))?;
            store.add(certificate).map_err(|error| failed(error.into()))?;
            found += 1;
        }
        if found == 0 {
            return Err(failed("it contains no certificate".into()));
        }
    }
    Ok(store)
}
