//! Notifications from other processes: a listener on the channel that `append_events` notifies.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;

/// How long a broken listener waits before it tries again; subscribers poll meanwhile.
const PAUSE: Duration = Duration::from_secs(1);

/// A listener that heard nothing for this long is opened again: a connection whose other end is gone is as silent as a
/// quiet log.
const RECONNECT_AFTER: Duration = Duration::from_mins(1);

/// Forwards notifications until there are no receivers.
pub(super) async fn listen(pool: PgPool, head: watch::Sender<i64>) {
    while !pool.is_closed() {
        if let Err(error) = forward(&pool, &head).await {
            tracing::debug!(%error, "The log's listener was disconnected; restarting it");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn forward(pool: &PgPool, head: &watch::Sender<i64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("sitelog_log").await?;
    // What was committed while the connection was down is new as well.
    head.send_modify(|_| {});
    while let Ok(heard) = tokio::time::timeout(RECONNECT_AFTER, listener.recv()).await {
        let position = heard?.payload().parse().unwrap_or(0);
        head.send_if_modified(|known| {
            let news = position > *known;
            *known = (*known).max(position);
            news
        });
    }
    Ok(())
}
