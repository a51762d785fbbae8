//! The second wall between tenants: queries for a tenant run as a role that is shown that tenant's rows only, whatever
//! their text says (row level security). Who writes read models is the owner, and is shown all.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, PgPool, PgTransaction};

use super::generation::{execute, tables_of};
use super::{ProjectionError, ReadModels};
use crate::turns::Turn;
use crate::values::TenantId;

/// Reads for tenants; it cannot log in.
pub const READER: &str = "sitelog_reader";

/// How long a tenant's query may take, so that none holds a connection for as long as it likes; below the time that a
/// request has.
pub const LONGEST_QUERY: &str = "20s";

/// Makes the reader, unless it is there, and lets it read events and bodies and us become it. False if the database's user may
/// not do that: then there is only the first wall, the queries themselves.
pub async fn ensure_reader(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    // Roles belong to the whole cluster: another database may have made it, perhaps at this moment.
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

/// Puts the wall around all tables that have one, for an owner who is new to them.
pub async fn raise_everywhere(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let schemas: Vec<String> = sqlx::query_scalar(
        "select distinct relnamespace::regnamespace::text from pg_class where relforcerowsecurity order by 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    for schema in schemas {
        raise(connection, &schema).await?;
    }
    Ok(())
}

/// Puts the wall around the tables of a schema, where it is not yet. Bulk loads come before it: `copy` does not go
/// through it.
pub(super) async fn raise(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    for table in tables_of(&mut *connection, schema).await? {
        let raised: bool = sqlx::query_scalar(
            "select c.relforcerowsecurity and c.relrowsecurity and exists (select from pg_policy p \
                where p.polrelid = c.oid and p.polname = $2 and c.relowner = any(p.polroles)) \
               from pg_class c where c.oid = $1::regclass",
        )
        .bind(format!("{schema}.{table}"))
        .bind(OWNERS_POLICY)
        .fetch_one(&mut *connection)
        .await?;
        if raised {
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
    open(connection, schema).await
}

/// Lets the reader look into a schema; what it sees there is for the policies to say.
pub(super) async fn open(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
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
    /// A transaction that sees one tenant's rows and nothing else, and none of whose queries may take longer than
    /// `LONGEST_QUERY`. It only reads, so it is never committed.
    pub async fn reading(&self, tenant: TenantId) -> Result<Reading, ProjectionError> {
        let turn = self.turn(tenant).await?;
        let (pool, walled) = (self.pool.clone(), self.walled);
        // On a task of its own: a client that goes away while the transaction begins cannot leave it half begun.
        let begun = tokio::spawn(async move { reading(&pool, walled, tenant).await }).await;
        let transaction = begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))?;
        Ok(Reading {
            transaction,
            _turn: turn,
        })
    }
}

/// A tenant's transaction, and the turn it was given.
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
    walled: bool,
    tenant: TenantId,
) -> Result<PgTransaction<'static>, sqlx::Error> {
    let role = if walled {
        format!("set local role {READER}; ")
    } else {
        String::new()
    };
    // One round trip; a tenant's id holds nothing that would have to be quoted.
    pool.begin_with(format!(
        "begin read only; {role}set local statement_timeout = '{LONGEST_QUERY}'; \
         select set_config('sitelog.tenant', '{tenant}', true)"
    ))
    .await
}
