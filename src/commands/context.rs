//! The actor, the tenant and the cause of a command. They go into the metadata of every event.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::log::IdempotencyKey;
use crate::values::TenantId;

/// The circumstances of a command.
#[derive(Clone, Debug)]
pub struct CommandContext {
    /// The tenant.
    pub tenant: TenantId,
    /// Who acts: `key:…`, `user:…`, `anonymous`, `worker:…`, `policy:…`, `cli`.
    pub actor: String,
    /// The actor's scopes, separated by spaces; `system` for actions of the service itself.
    pub roles: String,
    /// The id of the HTTP request or of the command.
    pub request_id: Option<String>,
    /// The event that caused it.
    pub causation_id: Option<Uuid>,
    /// The client's idempotency key, if it sent one.
    pub key: Option<RequestKey>,
}

/// An `Idempotency-Key` as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestKey {
    /// Method and path template.
    pub route: String,
    /// As sent.
    pub key: String,
    /// SHA-256 of the request's path and body.
    pub body_hash: [u8; 32],
}

impl CommandContext {
    /// The circumstances of an action of the service itself.
    pub fn internal(tenant: TenantId, actor: impl Into<String>) -> Self {
        Self {
            tenant,
            actor: actor.into(),
            roles: "system".to_owned(),
            request_id: None,
            causation_id: None,
            key: None,
        }
    }

    /// The same, caused by an event.
    #[must_use]
    pub fn caused_by(mut self, event: Uuid) -> Self {
        self.causation_id = Some(event);
        self
    }

    /// A flat object of strings, as postgres-es reads it.
    pub(super) fn metadata(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("tenant_id".into(), self.tenant.to_string().into());
        fields.insert("actor".into(), self.actor.clone().into());
        fields.insert("roles".into(), self.roles.clone().into());
        if let Some(request) = &self.request_id {
            fields.insert("request_id".into(), request.clone().into());
        }
        if let Some(cause) = self.causation_id {
            fields.insert("causation_id".into(), cause.to_string().into());
        }
        Value::Object(fields)
    }

    /// The key with the response for repetitions.
    pub(super) fn key_with(&self, result: Value) -> Option<IdempotencyKey> {
        let key = self.key.clone()?;
        Some(IdempotencyKey {
            route: key.route,
            key: key.key,
            body_hash: key.body_hash,
            result,
        })
    }
}
