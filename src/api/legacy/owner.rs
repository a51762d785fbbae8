//! The tenant of an old client's request. The predecessor needed no key and took the tenant from the body. Now a
//! request needs a key or token, as everywhere. Without one it is accepted only for tenants that allow it (`open_v1`).

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::error::LegacyError;
use crate::access::{AccessError, AuthMode, Caller, Scope, Scopes};
use crate::api::ApiState;
use crate::api::admission::{
    add_rate_limit_headers, caller_of_request, check_rate_limit, credential_in, tenant_in,
};
use crate::api::problem::Problem;
use crate::api::recheck::run_while_admitted;
use crate::values::TenantId;

/// The caller of a v1 request.
#[derive(Clone, Debug)]
pub(in crate::api::legacy) enum Visitor {
    /// There is no access control.
    Anybody {
        /// The tenant that the header names.
        named: Option<TenantId>,
    },
    /// A caller with a key or token.
    Known(Caller),
    /// A caller without one.
    Stranger {
        /// The tenant that the header names.
        named: Option<TenantId>,
    },
}

/// Identifies the caller before the body is read.
pub(in crate::api::legacy) async fn admit(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let visitor = visitor_of(&state, request.method(), request.headers()).await;
    admit_as(visitor, &state, request, next).await
}

/// The same for versions whose clients always had to authenticate.
pub(in crate::api::legacy) async fn admit_known(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let visitor = match visitor_of(&state, request.method(), request.headers()).await {
        Ok(Visitor::Stranger { .. }) => Err(not_authenticated()),
        other => other,
    };
    admit_as(visitor, &state, request, next).await
}

async fn admit_as(
    visitor: Result<Visitor, LegacyError>,
    state: &ApiState,
    mut request: Request,
    next: Next,
) -> Response {
    let visitor = match visitor {
        Ok(visitor) => visitor,
        Err(error) => return error.into_response(),
    };
    let caller = visitor.caller();
    // Without a key the tenant is in the body; its rate limit is counted when the body is read.
    let rate_limit = match &visitor {
        Visitor::Stranger { .. } => None,
        _ => match check_rate_limit(state, caller.tenant).await {
            Ok(rate_limit) => Some(rate_limit),
            Err(refusal) => return LegacyError::from(refusal.problem).into_response(),
        },
    };
    // Only these callers have something that can be revoked.
    let is_known = matches!(visitor, Visitor::Known(_));
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(visitor);
    let mut response = if is_known {
        let response = run_while_admitted(state, &caller, request, next).await;
        response.unwrap_or_else(|problem| LegacyError::from(problem).into_response())
    } else {
        next.run(request).await
    };
    if let Some(rate_limit) = rate_limit {
        add_rate_limit_headers(rate_limit, response.headers_mut());
    }
    response
}

async fn visitor_of(state: &ApiState, method: &Method, headers: &HeaderMap) -> Result<Visitor, LegacyError> {
    let named = tenant_in(headers)?;
    if state.access.mode() == AuthMode::Off {
        return Ok(Visitor::Anybody { named });
    }
    if credential_in(headers).is_some() {
        let caller = caller_of_request(state, method, headers).await;
        return Ok(Visitor::Known(caller?));
    }
    if state.access.tenants().any_open_v1().await.map_err(problem)? {
        return Ok(Visitor::Stranger { named });
    }
    Err(not_authenticated())
}

impl Visitor {
    /// For what is common to all requests; a stranger's tenant may still change.
    fn caller(&self) -> Caller {
        match self {
            Self::Known(caller) => caller.clone(),
            Self::Anybody { named } => Caller::anyone(named.unwrap_or(TenantId::DEFAULT)),
            Self::Stranger { named } => Caller {
                scopes: Scopes::from_iter([Scope::Write]),
                ..Caller::anyone(named.unwrap_or(TenantId::DEFAULT))
            },
        }
    }

    /// The tenant that a request acts for, if it may; `in_body` is the one that its body names.
    pub(in crate::api::legacy) async fn tenant(
        &self,
        state: &ApiState,
        in_body: Option<TenantId>,
    ) -> Result<TenantId, LegacyError> {
        let wanted = in_body.unwrap_or(self.caller().tenant);
        match self {
            Self::Anybody { .. } => Ok(wanted),
            Self::Known(caller) if caller.may_act_for(wanted) => Ok(wanted),
            Self::Known(_) => Err(LegacyError::new(
                StatusCode::FORBIDDEN,
                "You don't have access to this tenant",
            )),
            Self::Stranger { .. } if is_open(state, wanted).await? => {
                check_rate_limit(state, wanted)
                    .await
                    .map_err(|refusal| LegacyError::from(refusal.problem))?;
                Ok(wanted)
            }
            Self::Stranger { .. } => Err(not_authenticated()),
        }
    }

    /// The tenant in whose name a stream may be looked up; `None` if there is none that the visitor may see. Where
    /// no key is needed, the id alone gives access, as it always did: it is a UUID that cannot be guessed.
    pub(in crate::api::legacy) async fn owner_of(
        &self,
        state: &ApiState,
        aggregate_type: &str,
        id: Uuid,
    ) -> Result<Option<TenantId>, LegacyError> {
        match self {
            Self::Known(caller) if !caller.may(Scope::Operator) => return Ok(Some(caller.tenant)),
            Self::Anybody { named: Some(named) } => return Ok(Some(*named)),
            _ => {}
        }
        let owner = state.log.stream_owner(aggregate_type, &id.to_string()).await?;
        let Self::Stranger { named } = self else {
            return Ok(owner);
        };
        let Some(owner) = owner else { return Ok(None) };
        let may_see = named.is_none_or(|named| named == owner) && is_open(state, owner).await?;
        if !may_see {
            return Ok(None);
        }
        check_rate_limit(state, owner)
            .await
            .map_err(|refusal| LegacyError::from(refusal.problem))?;
        Ok(Some(owner))
    }
}

async fn is_open(state: &ApiState, tenant: TenantId) -> Result<bool, LegacyError> {
    let settings = state.access.tenants().settings(tenant).await.map_err(problem)?;
    Ok(settings.open_v1)
}

fn problem(error: AccessError) -> LegacyError {
    Problem::from(error).into()
}

fn not_authenticated() -> LegacyError {
    Problem::from(AccessError::Missing).into()
}
