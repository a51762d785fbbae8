//! Records the certificates of connections. It does not affect which certificates are accepted.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{AttributeTypeAndValue, FromDer, GeneralName, X509Certificate};

use super::Fetcher;
use crate::values::certificate::Certificate;
use crate::values::printable::Printable;

/// Hosts of one visit whose certificates are kept.
const MAX_HOSTS: usize = 8;
/// Bytes of a certificate that is kept.
const MAX_BYTES: usize = 64 * 1024;
/// Names of a certificate that are kept.
const MAX_NAMES: usize = 100;
/// Characters of a name.
const MAX_NAME: usize = 255;

/// What the handshakes of a visit showed.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Vec<Handshake>>);

#[derive(Debug)]
struct Handshake {
    host: String,
    der: Vec<u8>,
    version: Option<&'static str>,
    fault: Option<&'static str>,
}

/// The usual verifier, and what it saw.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    pub(super) seen: Arc<Seen>,
}

impl Fetcher {
    /// The last certificate of a host in this attempt, valid or not; `None` if none could be read.
    pub fn certificate(&self, host: &str) -> Option<Certificate> {
        let seen = self.seen().0.lock().unwrap_or_else(PoisonError::into_inner);
        let handshake = seen.iter().find(|handshake| handshake.host == host)?;
        read(handshake)
    }
}

impl Watching {
    fn note(&self, host: &ServerName<'_>, der: &[u8], verdict: &Result<ServerCertVerified, Error>) {
        if der.len() > MAX_BYTES {
            return;
        }
        let handshake = Handshake {
            host: host.to_str().into_owned(),
            der: der.to_vec(),
            version: None,
            fault: verdict.as_ref().err().map(fault),
        };
        let mut seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|known| known.host != handshake.host);
        if seen.len() < MAX_HOSTS {
            seen.push(handshake);
        }
    }

    /// The signature follows the certificate and is checked by the rules of the version.
    fn note_version(&self, der: &[u8], version: &'static str) {
        let mut seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        for handshake in seen.iter_mut().filter(|handshake| handshake.der == der) {
            handshake.version = Some(version);
        }
    }
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        self.note(server_name, end_entity, &verdict);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note_version(cert, "TLS 1.2");
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note_version(cert, "TLS 1.3");
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

fn fault(error: &Error) -> &'static str {
    use CertificateError as Fault;
    match error {
        Error::InvalidCertificate(Fault::Expired | Fault::ExpiredContext { .. }) => "expired",
        Error::InvalidCertificate(Fault::NotValidYet | Fault::NotValidYetContext { .. }) => "not_yet_valid",
        Error::InvalidCertificate(Fault::NotValidForName | Fault::NotValidForNameContext { .. }) => {
            "wrong_name"
        }
        Error::InvalidCertificate(Fault::UnknownIssuer) => "unknown_issuer",
        _ => "invalid",
    }
}

fn read(handshake: &Handshake) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(&handshake.der).ok()?;
    let time = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0);
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(bounded(name)),
        _ => None,
    });
    let issuer = certificate.issuer();
    Some(Certificate {
        host: handshake.host.clone(),
        version: handshake.version.map(str::to_owned),
        issuer: first(issuer.iter_common_name()),
        issuer_organization: first(issuer.iter_organization()),
        valid_from: time(certificate.validity().not_before.timestamp()),
        valid_to: time(certificate.validity().not_after.timestamp()),
        names: names.take(MAX_NAMES).collect(),
        fault: handshake.fault.map(str::to_owned),
    })
}

fn first<'a>(mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
    let text = values.next()?.as_str().ok()?;
    Some(bounded(text)).filter(|text| !text.is_empty())
}

/// Characters that would act on a terminal are escaped.
fn bounded(text: &str) -> String {
    let short: String = text.chars().take(MAX_NAME).collect();
    Printable(&short).to_string()
}
