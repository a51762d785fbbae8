//! TLS and plain HTTP on one port: the first byte of a connection decides.

use std::io;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Of a TLS record that starts a handshake (RFC 8446, 5.1); no HTTP method starts so.
const TLS_HANDSHAKE: u8 = 0x16;

/// How a request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    tls: bool,
}

impl Origin {
    pub(super) fn scheme(self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

impl Connected<IncomingStream<'_, SniffingListener>> for Origin {
    fn connect_info(stream: IncomingStream<'_, SniffingListener>) -> Self {
        *stream.remote_addr()
    }
}

/// A connection, with or without TLS.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

type Accepted = (Box<dyn Connection>, Origin);

/// Returns connections after their handshake; a slow one does not delay others.
pub(super) struct SniffingListener {
    ready: mpsc::Receiver<Accepted>,
}

impl SniffingListener {
    pub(super) fn new(socket: TcpListener, acceptor: TlsAcceptor) -> Self {
        let (sender, ready) = mpsc::channel(1024);
        tokio::spawn(async move {
            // Ends when the server is dropped, for nobody receives then.
            while !sender.is_closed() {
                let accepted = tokio::select! {
                    accepted = socket.accept() => accepted,
                    () = sender.closed() => return,
                };
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(hand_over(stream, acceptor.clone(), sender.clone()));
                }
            }
        });
        Self { ready }
    }
}

/// A failed handshake is the client's to report.
async fn hand_over(stream: TcpStream, acceptor: TlsAcceptor, sender: mpsc::Sender<Accepted>) {
    if let Ok(accepted) = shake_hands(stream, acceptor).await {
        let _server_is_gone = sender.send(accepted).await;
    }
}

async fn shake_hands(stream: TcpStream, acceptor: TlsAcceptor) -> io::Result<Accepted> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    let tls = stream.peek(&mut first).await? == 1 && first[0] == TLS_HANDSHAKE;
    let connection: Box<dyn Connection> = if tls {
        Box::new(acceptor.accept(stream).await?)
    } else {
        Box::new(stream)
    };
    Ok((connection, Origin { tls }))
}

impl Listener for SniffingListener {
    type Io = Box<dyn Connection>;
    type Addr = Origin;

    async fn accept(&mut self) -> Accepted {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Origin> {
        Ok(Origin { tls: true })
    }
}

/// A certificate authority for each server, and its certificate for `*.sites.test`.
pub(super) struct Certificates {
    pub(super) ca_pem: String,
    pub(super) acceptor: TlsAcceptor,
}

impl Certificates {
    pub(super) fn make() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority
            .distinguished_name
            .push(DnType::CommonName, "sites.test authority");
        let authority_key = KeyPair::generate()?;
        let ca_pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);

        let key = KeyPair::generate()?;
        let names = ["sites.test".to_owned(), "*.sites.test".to_owned()];
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        Ok(Self {
            ca_pem,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}
