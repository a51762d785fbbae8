//! `?at_least=`: a read waits until its read model has reached a position of the log.

use std::time::{Duration, Instant};

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use uuid::Uuid;

use super::ApiState;
use super::problem::Problem;
use crate::projections::query::wait_for;
use crate::projections::{Projection, query};
use crate::values::TenantId;

/// How long a response may wait.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// How often it polls if nothing notifies it.
const POLL: Duration = Duration::from_millis(20);

/// `?at_least=<log position>` of every GET.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AtLeast {
    /// Respond only when the read model has reached this log position; waits up to 2 s, then 503.
    #[serde(default, deserialize_with = "log_position")]
    pub at_least: Option<i64>,
}

impl AtLeast {
    /// Waits until a read model has reached the position.
    pub async fn wait<P: Projection>(self, state: &ApiState) -> Result<(), Problem> {
        let Some(wanted) = self.at_least else {
            return Ok(());
        };
        if wait_for::<P>(&state.models, wanted, MAX_WAIT).await? {
            return Ok(());
        }
        let reached = query::position::<P>(&state.models).await?;
        Err(not_yet("The read model has", reached, wanted))
    }

    /// The same for something else that follows the log: `what` names it, and `reached` returns its position.
    pub async fn wait_until<F, E>(self, what: &str, reached: impl Fn() -> F) -> Result<(), Problem>
    where
        F: Future<Output = Result<i64, E>>,
        E: Into<Problem>,
    {
        let Some(wanted) = self.at_least else {
            return Ok(());
        };
        let end = Instant::now() + MAX_WAIT;
        loop {
            let reached = reached().await.map_err(Into::into)?;
            if reached >= wanted {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(not_yet(&format!("{what} have"), reached, wanted));
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn not_yet(what: &str, reached: i64, wanted: i64) -> Problem {
    let detail = format!(
        "{what} reached log position {reached}, not yet the requested {wanted}. Try again, and check that the server \
         returned this position."
    );
    Problem::unavailable(detail).with("position", reached)
}

/// For a thing that the log knows and the read model may not know yet: waits until it does. False if the log does
/// not know it either.
pub async fn wait_until_projected<P: Projection>(
    state: &ApiState,
    tenant: TenantId,
    aggregate_type: &str,
    id: Uuid,
) -> Result<bool, Problem> {
    let Some(position) = state
        .log
        .stream_position(tenant, aggregate_type, &id.to_string())
        .await?
    else {
        return Ok(false);
    };
    AtLeast {
        at_least: Some(position),
    }
    .wait::<P>(state)
    .await?;
    Ok(true)
}

/// A position of the log in a query: 0 or more.
pub fn log_position<'de, D: Deserializer<'de>>(text: D) -> Result<Option<i64>, D::Error> {
    let position = Option::<i64>::deserialize(text)?;
    if position.is_some_and(|position| position < 0) {
        return Err(D::Error::custom("a log position must be 0 or greater"));
    }
    Ok(position)
}
