//! Row-level security, a second separation of tenants: queries for a tenant run as a role that sees only that tenant's
//! rows, even if the query does not filter by tenant. The owner, who writes the read models, sees all rows.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, PgPool, PgTransaction};

use super::generation::{execute, tables_of};
use super::{ProjectionError, ReadModels};
use crate::turns::Turn;
use crate::values::TenantId;

/// Reads for tenants; it cannot log in.
pub const READER: &str = "sitelog_reader";

/// The longest time that a tenant's query may take, so that no query keeps a connection. Shorter than the time limit of a
/// request.
pub const LONGEST_QUERY: &str = "20s";

/// Creates the reader if it is missing, lets it read events and bodies, and lets us switch to it. Returns false if the
/// database's user may not do that: then only the conditions of the queries separate tenants.
pub async fn ensure_reader(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    // Roles belong to the whole cluster: another database may have created it, perhaps at this moment.
    execute(
        &mut connection,
        &format!(
            "do $$ begin \
               if not exists (select from pg_roles where rolname = '{READER}') then \
                 create role {READER} nologin nosuperuser nobypassrls; \
               end if; \
               if not pg_has_role(current_user, '{READER}', 'member') then \
                 execute format('grant {READER} to %I', current_user); \
               end if; \
             exception when insufficient_privilege or duplicate_object or unique_violation then null; \
             end $$"
        ),
    )
    .await?;
    let ready: bool = sqlx::query_scalar(&format!(
        "select exists (select from pg_roles where rolname = '{READER}' and not rolsuper and not rolbypassrls) \
            and coalesce((select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = '{READER}'), false)"
    ))
    .fetch_one(&mut *connection)
    .await?;
    if ready {
        execute(
            &mut connection,
            &format!(
                "grant usage on schema public to {READER}; grant select on events to {READER}; \
                 grant select (tenant_id, digest, bytes) on event_body to {READER}"
            ),
        )
        .await?;
    }
    Ok(ready)
}

/// The policy that shows the owner all rows; it names the owner.
const OWNERS_POLICY: &str = "owner_keeps";

/// Whether a line of `pg_restore --list` is that policy.
pub fn is_owners_policy(line: &str) -> bool {
    line.contains(" POLICY ") && line.contains(&format!(" {OWNERS_POLICY} "))
}

/// Enables row-level security again for all tables that have it, for a new owner.
pub async fn enable_everywhere(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let schemas: Vec<String> = sqlx::query_scalar(
        "select distinct relnamespace::regnamespace::text from pg_class where relforcerowsecurity order by 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    for schema in schemas {
        enable(connection, &schema).await?;
    }
    Ok(())
}

/// Enables row-level security for the tables of a schema that do not have it yet. Bulk loads come first, because `copy`
/// does not work with it.
pub(super) async fn enable(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    for table in tables_of(&mut *connection, schema).await? {
        let enabled: bool = sqlx::query_scalar(
            "select c.relforcerowsecurity and c.relrowsecurity and exists (select from pg_policy p \
                where p.polrelid = c.oid and p.polname = $2 and c.relowner = any(p.polroles)) \
               from pg_class c where c.oid = $1::regclass",
        )
        .bind(format!("{schema}.{table}"))
        .bind(OWNERS_POLICY)
        .fetch_one(&mut *connection)
        .await?;
        if enabled {
            continue;
        }
        execute(
            &mut *connection,
            &format!(
                "drop policy if exists {OWNERS_POLICY} on {schema}.{table}; \
                 drop policy if exists tenant_reads on {schema}.{table}; \
                 create policy {OWNERS_POLICY} on {schema}.{table} to current_user using (true) with check (true); \
                 create policy tenant_reads on {schema}.{table} for select \
                   using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid); \
                 alter table {schema}.{table} enable row level security; \
                 alter table {schema}.{table} force row level security"
            ),
        )
        .await?;
    }
    grant_read(connection, schema).await
}

/// Lets the reader read a schema. The policies decide which rows it sees.
pub(super) async fn grant_read(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    let there: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(READER)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(());
    }
    execute(
        connection,
        &format!("grant usage on schema {schema} to {READER}; grant select on all tables in schema {schema} to {READER}"),
    )
    .await
}

impl ReadModels {
    /// A transaction that sees only one tenant's rows. Its queries may take `LONGEST_QUERY` at most. It only reads, so
    /// it is never committed.
    pub async fn reading(&self, tenant: TenantId) -> Result<Reading, ProjectionError> {
        let turn = self.turn(tenant).await?;
        let (pool, row_security) = (self.pool.clone(), self.row_security);
        // On a task of its own: a client that goes away while the transaction begins cannot leave it half begun.
        let begun = tokio::spawn(async move { reading(&pool, row_security, tenant).await }).await;
        let transaction = begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))?;
        Ok(Reading {
            transaction,
            _turn: turn,
        })
    }
}

/// A tenant's transaction, and its turn.
pub struct Reading {
    transaction: PgTransaction<'static>,
    _turn: Turn,
}

impl Deref for Reading {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// The same on a pool.
pub async fn reading(
    pool: &PgPool,
    row_security: bool,
    tenant: TenantId,
) -> Result<PgTransaction<'static>, sqlx::Error> {
    let role = if row_security {
        format!("set local role {READER}; ")
    } else {
        String::new()
    };
    // One round trip; a tenant's id needs no quoting.
    pool.begin_with(format!(
        "begin read only; {role}set local statement_timeout = '{LONGEST_QUERY}'; \
         select set_config('sitelog.tenant', '{tenant}', true)"
    ))
    .await
}
