//! The views on the live generation: those for requests, and those for people.

use sqlx::PgConnection;

use super::generation::{execute, tables_of};
use super::{Generation, Projection, row_security};

/// The schema of the views on the live generation.
pub fn views_schema<P: Projection>() -> String {
    format!("rm_{}_s{}", P::NAME, P::SHAPE)
}

/// The view on a table of the live generation with all tenants' rows: it runs as its owner, so a role
/// needs a right on what is on it (the schema `legacy`) and none on the tables. No role gets a right on it.
pub fn view_of_all(views: &str, table: &str) -> String {
    let shape = views.rsplit('_').next().unwrap_or_default();
    format!("all_tenants.{table}_{shape}")
}

impl<P: Projection> Generation<P> {
    /// Points the views at this generation.
    pub(super) async fn show(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (schema, views) = (self.schema(), views_schema::<P>());
        execute(&mut *connection, &format!("create schema if not exists {views}")).await?;
        // The short names are for people with psql; of two releases side by side they show the newer one's tables.
        let newest: bool = sqlx::query_scalar(
            "select not exists (select from projection where name = $1 and shape > $2 and state = 'live')",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .fetch_one(&mut *connection)
        .await?;
        let tables = tables_of(&mut *connection, &schema).await?;
        for table in &tables {
            execute(
                &mut *connection,
                &format!(
                    "create or replace view {views}.{table} with (security_invoker = true) \
                     as select * from {schema}.{table}"
                ),
            )
            .await?;
        }
        for (name, query) in for_people::<P>(&tables, &schema) {
            let all = view_of_all(&views, &name);
            execute(
                &mut *connection,
                &format!("create or replace view {all} as {query}"),
            )
            .await?;
        }
        if newest {
            for (name, query) in for_people::<P>(&tables, &views) {
                show_in_public(&mut *connection, &views, &name, &query).await?;
            }
        }
        row_security::grant_read(connection, &views).await
    }
}

/// What people read, by name, with its query on the tables in a schema.
fn for_people<P: Projection>(tables: &[String], schema: &str) -> Vec<(String, String)> {
    let made = P::views_for_people(schema);
    let plain = tables
        .iter()
        .filter(|table| made.iter().all(|(name, _)| name != table))
        .map(|table| (table.clone(), format!("select * from {schema}.{table}")));
    let plain: Vec<_> = plain.collect();
    plain
        .into_iter()
        .chain(made.into_iter().map(|(name, query)| (name.to_owned(), query)))
        .collect()
}

/// A view of another shape has other columns and must be created again.
async fn show_in_public(
    connection: &mut PgConnection,
    views: &str,
    name: &str,
    query: &str,
) -> Result<(), sqlx::Error> {
    let shown: Option<String> =
        sqlx::query_scalar("select definition from pg_views where schemaname = 'public' and viewname = $1")
            .bind(name)
            .fetch_optional(&mut *connection)
            .await?;
    if shown.is_some_and(|definition| definition.contains(&format!("{views}."))) {
        return execute(
            connection,
            &format!("alter view public.{name} set (security_invoker = true)"),
        )
        .await;
    }
    execute(connection, &format!(
        "drop view if exists public.{name} cascade; create view public.{name} with (security_invoker = true) as {query}"
    ))
    .await?;
    Ok(())
}
