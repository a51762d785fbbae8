//! The connection to the broker.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use tokio_util::sync::CancellationToken;

use super::accounts::NatsUser;
use super::{Cell, FleetError};

/// The time limit of a connection, and of a response.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(2);

/// The address of the broker, and the credentials.
#[derive(Clone, Debug)]
pub struct NatsSettings {
    /// One or more addresses, separated by commas.
    pub url: String,
    /// A `.creds` file, or the seed of a user.
    pub credentials: Option<PathBuf>,
    /// Certificates to trust in addition to the system's.
    pub ca: Option<PathBuf>,
    /// The cell.
    pub cell: Cell,
}

impl NatsSettings {
    /// The addresses as they may be shown: without passwords.
    pub fn shown(&self) -> String {
        let shown = |url: &str| match url.trim().rsplit_once('@') {
            Some((secret, host)) => match secret.split_once("://") {
                Some((scheme, _)) => format!("{scheme}://{host}"),
                None => host.to_owned(),
            },
            None => url.trim().to_owned(),
        };
        self.url.split(',').map(shown).collect::<Vec<_>>().join(",")
    }

    /// Whether all addresses are addresses of NATS.
    pub fn has_addresses(&self) -> bool {
        self.servers().is_ok()
    }

    fn servers(&self) -> Result<Vec<ServerAddr>, FleetError> {
        let is_nats = |server: &ServerAddr| matches!(server.scheme(), "nats" | "tls");
        let address = |url: &str| url.trim().parse().ok().filter(is_nats);
        let servers: Option<Vec<ServerAddr>> = self.url.split(',').map(address).collect();
        servers.ok_or_else(|| FleetError::Address { url: self.shown() })
    }

    async fn options(&self, user: NatsUser) -> Result<ConnectOptions, FleetError> {
        let mut options = ConnectOptions::new()
            .name(format!("sitelog {}", user.name()))
            // Others must not be able to read the answers.
            .custom_inbox_prefix(user.inbox())
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(TIMEOUT))
            .event_callback(|event| async move { log_event(&event) });
        if let Some(ca) = &self.ca {
            let readable = tokio::fs::read(ca).await;
            readable.map_err(|error| FleetError::Authority {
                file: ca.clone(),
                error,
            })?;
            options = options.add_root_certificates(ca.clone());
        }
        match &self.credentials {
            Some(file) => with_credentials(options, file).await,
            None => Ok(options),
        }
    }
}

async fn with_credentials(options: ConnectOptions, file: &Path) -> Result<ConnectOptions, FleetError> {
    let text = tokio::fs::read_to_string(file).await;
    let text = text.map_err(|error| FleetError::Credentials {
        file: file.to_owned(),
        error,
    })?;
    let nothing = || FleetError::NoCredentials {
        file: file.to_owned(),
    };
    if text.contains("NATS USER JWT") {
        return options.credentials(&text).map_err(|_| nothing());
    }
    let seed = text.lines().map(str::trim).find(|line| line.starts_with("SU"));
    let seed = seed.filter(|seed| nkeys::KeyPair::from_seed(seed).is_ok());
    Ok(options.nkey(seed.ok_or_else(nothing)?.to_owned()))
}

fn log_event(event: &Event) {
    match event {
        Event::Connected => tracing::info!("Connected to NATS"),
        Event::Disconnected => tracing::warn!("Disconnected from NATS; reconnecting"),
        Event::ServerError(error) => tracing::warn!(%error, "NATS reported an error: {error}"),
        event => tracing::debug!(%event, "NATS: {event}"),
    }
}

/// Connects, or says why not.
pub async fn connect(settings: &NatsSettings, user: NatsUser) -> Result<Client, FleetError> {
    let options = settings.options(user).await?;
    let connecting = options.connect(settings.servers()?);
    connecting.await.map_err(|error| match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => FleetError::Refused {
            url: settings.shown(),
            file: settings.credentials.clone(),
        },
        _ => FleetError::Connect {
            url: settings.shown(),
            error,
        },
    })
}

/// Connects, and retries while the broker is unreachable. `None` if it is stopped.
pub async fn connect_patiently(
    settings: &NatsSettings,
    user: NatsUser,
    stop: &CancellationToken,
) -> Result<Option<Client>, FleetError> {
    loop {
        match connect(settings, user).await {
            Ok(client) => return Ok(Some(client)),
            Err(error @ FleetError::Connect { .. }) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Cannot connect to NATS at {}; retrying",
                    settings.shown()
                );
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.cancelled() => return Ok(None),
        }
    }
}
