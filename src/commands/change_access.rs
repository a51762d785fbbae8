//! Changes access: keys, quotas, sessions. The change of the table and its event are one transaction, so neither
//! exists without the other.

use std::convert::Infallible;

use super::CommandContext;
use super::bus::{self, CommandBus, Loaded, MAX_CONFLICTS};
use crate::access::keys::{self, CreateKeyError, KeyRow, NewKey};
use crate::access::{AccessError, ApiKey, KeyId, Scopes, Tenants, sessions};
use crate::aggregates::tenant::{Tenant, TenantCommand, TenantEvent};
use crate::log::transaction::TransactionWithEvents;
use crate::log::{AppendUnit, LogError};
use crate::values::{TenantId, TenantSettings};

/// Why the change failed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAccessError {
    /// The tables cannot be read or written.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] CreateKeyError),
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Creates a key for the context's tenant. The complete key is returned only here.
pub async fn create_key(
    bus: &CommandBus,
    new: &NewKey,
    context: &CommandContext,
) -> Result<(ApiKey, KeyRow), ChangeAccessError> {
    let context = for_tenant(context, new.tenant);
    for _ in 0..MAX_CONFLICTS {
        let loaded = load(bus, new.tenant).await?;
        let mut change = bus.log().begin_with_events().await?;
        let (key, row) = keys::create(change.connection(), new).await?;
        if finish(change, loaded, created(&row), &context).await? {
            return Ok((key, row));
        }
    }
    Err(LogError::Conflict.into())
}

/// Creates the first key, an operator's, unless there is or was one; only one process creates it.
pub async fn create_first_key(bus: &CommandBus) -> Result<Option<ApiKey>, ChangeAccessError> {
    let first = NewKey {
        tenant: TenantId::DEFAULT,
        name: "created at the first start".to_owned(),
        scopes: Scopes::of_first_key(),
        expires: None,
        created_by: "system".to_owned(),
    };
    let context = CommandContext::internal(first.tenant, "system");
    for _ in 0..MAX_CONFLICTS {
        let loaded = load(bus, first.tenant).await?;
        let mut change = bus.log().begin_with_events().await?;
        if !keys::is_first(change.connection()).await? {
            return Ok(None);
        }
        let (key, row) = keys::create(change.connection(), &first).await?;
        if finish(change, loaded, created(&row), &context).await? {
            return Ok(Some(key));
        }
    }
    Err(LogError::Conflict.into())
}

/// Revokes a key permanently, from the next request on; a second revocation changes nothing. `None` if there is no such
/// key, or it is not of this tenant.
pub async fn revoke_key(
    bus: &CommandBus,
    tenant: Option<TenantId>,
    id: &KeyId,
    context: &CommandContext,
) -> Result<Option<KeyRow>, ChangeAccessError> {
    let Some(known) = keys::find(bus.log().pool(), tenant, id).await? else {
        return Ok(None);
    };
    let context = for_tenant(context, known.tenant_id);
    for _ in 0..MAX_CONFLICTS {
        let loaded = load(bus, known.tenant_id).await?;
        let mut change = bus.log().begin_with_events().await?;
        let row = keys::revoke(change.connection(), Some(known.tenant_id), id).await?;
        let command = TenantCommand::RevokeKey {
            key_id: id.to_string(),
        };
        if finish(change, loaded, command, &context).await? {
            return Ok(row);
        }
    }
    Err(LogError::Conflict.into())
}

/// Sets the quotas of the context's tenant; other processes apply them within five seconds.
pub async fn change_tenant_settings(
    bus: &CommandBus,
    tenants: &Tenants,
    settings: &TenantSettings,
    context: &CommandContext,
) -> Result<(), ChangeAccessError> {
    for _ in 0..MAX_CONFLICTS {
        let loaded = load(bus, context.tenant).await?;
        let mut change = bus.log().begin_with_events().await?;
        tenants
            .write(change.connection(), context.tenant, settings)
            .await?;
        let command = TenantCommand::ChangeSettings(settings.clone());
        if finish(change, loaded, command, context).await? {
            tenants.invalidate(context.tenant);
            return Ok(());
        }
    }
    Err(LogError::Conflict.into())
}

/// Ends all sessions of a user of the context's tenant.
pub async fn sign_out_person(
    bus: &CommandBus,
    person: &str,
    context: &CommandContext,
) -> Result<(), ChangeAccessError> {
    for _ in 0..MAX_CONFLICTS {
        let loaded = load(bus, context.tenant).await?;
        let mut change = bus.log().begin_with_events().await?;
        if sessions::close_all(change.connection(), context.tenant, person).await? == 0 {
            return Ok(());
        }
        let command = TenantCommand::SignOut {
            person: person.to_owned(),
        };
        if finish(change, loaded, command, context).await? {
            return Ok(());
        }
    }
    Err(LogError::Conflict.into())
}

async fn load(bus: &CommandBus, tenant: TenantId) -> Result<Loaded<Tenant>, LogError> {
    bus.load(tenant.0).await
}

/// Appends the event of a change and commits both; false if a concurrent change came first, and nothing is changed.
async fn finish(
    change: TransactionWithEvents,
    loaded: Loaded<Tenant>,
    command: TenantCommand,
    context: &CommandContext,
) -> Result<bool, LogError> {
    let decided: Result<_, Infallible> = bus::decide(loaded, context.tenant.0, command, context).await;
    let Ok((stream, _)) = decided;
    let unit = AppendUnit {
        tenant: context.tenant,
        streams: Some(stream)
            .filter(|stream| !stream.events.is_empty())
            .into_iter()
            .collect(),
        bodies: Vec::new(),
        key: None,
    };
    match change.commit(unit).await {
        Ok(_) => Ok(true),
        Err(LogError::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}

fn created(row: &KeyRow) -> TenantCommand {
    TenantCommand::CreateKey(TenantEvent::KeyCreated {
        key_id: row.key_id.clone(),
        name: row.name.clone(),
        scopes: row.scopes.clone(),
        expires_at: row.expires_at,
    })
}

/// The circumstances of a change of a tenant that an operator or the command line names.
fn for_tenant(context: &CommandContext, tenant: TenantId) -> CommandContext {
    CommandContext {
        tenant,
        ..context.clone()
    }
}
