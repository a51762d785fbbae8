//! Row-level security: the rows that the database shows to a reader of a tenant, whatever the query.

use sitelog::api::problem::{Problem, ProblemCode};
use sitelog::projections::ProjectionError;
use sitelog::projections::row_security::{LONGEST_QUERY, READER, reading};
use sitelog::values::{Findings, TenantId};
use sqlx::{PgPool, Row};

use super::{OTHER, other};
use crate::support::app::TestApp;

/// A completed scan with a sitemap's worth of rows for each of two tenants.
async fn two_tenants() -> TestApp {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    app.complete(&scan, &Findings::default()).await;
    for (path, body) in [
        ("/api/v4/scans", serde_json::json!({ "domain": "b.com" })),
        ("/api/v4/batches", serde_json::json!({ "domains": ["c.com"] })),
    ] {
        app.call("POST", path).json(&body).tenant(OTHER).send().await;
        app.post_json(path, &body).await;
    }
    for tenant in [TenantId::DEFAULT.to_string(), OTHER.to_owned()] {
        crate::support::app::wait_for("both tenants' rows", async || {
            let call = app.call("GET", "/api/v4/scans").tenant(&tenant).send().await;
            let seen = call.json()["items"].as_array()?.len();
            (seen >= 2).then_some(())
        })
        .await;
    }
    app
}

/// Everything that the reader may read: schema, name, whether it is a table, and its options.
async fn readable(pool: &PgPool) -> Vec<(String, String, bool)> {
    let rows = sqlx::query(
        "select n.nspname::text, c.relname::text, c.relkind in ('r', 'p') \
           from pg_class c join pg_namespace n on n.oid = c.relnamespace \
          where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema)' \
            and has_schema_privilege($1, n.oid, 'usage') and has_any_column_privilege($1, c.oid, 'select')",
    )
    .bind(READER)
    .fetch_all(pool)
    .await
    .unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

#[tokio::test]
async fn a_query_that_forgot_the_tenant_is_still_shown_one_tenants_rows_only() {
    let app = two_tenants().await;
    let pool = app.app.log.pool();
    let relations = readable(pool).await;
    assert!(relations.len() >= 10, "{relations:?}");
    let mut with_rows = 0;
    for (schema, name, _) in &relations {
        for tenant in [TenantId::DEFAULT, other()] {
            let mut reading = reading(pool, true, tenant).await.unwrap();
            let sql = format!("select distinct tenant_id from {schema}.{name}");
            let seen: Vec<uuid::Uuid> = sqlx::query_scalar(&sql).fetch_all(&mut *reading).await.unwrap();
            assert!(
                seen.iter().all(|seen| *seen == tenant.0),
                "{schema}.{name} shows {seen:?} to {tenant}"
            );
            with_rows += seen.len();
        }
        let nobody = pool.begin_with(format!("begin; set local role {READER}")).await;
        let count: i64 = sqlx::query_scalar(&format!("select count(*) from {schema}.{name}"))
            .fetch_one(&mut *nobody.unwrap())
            .await
            .unwrap();
        assert_eq!(count, 0, "{schema}.{name} shows rows to nobody in particular");
    }
    assert!(
        with_rows >= 12,
        "the tables are empty, nothing was shown: {with_rows}"
    );
}

#[tokio::test]
async fn no_table_and_no_view_stands_outside_the_wall() {
    let app = two_tenants().await;
    let pool = app.app.log.pool();
    for (schema, name, is_table) in readable(pool).await {
        let whole = format!("{schema}.{name}");
        let sql = if is_table {
            "select relrowsecurity and exists (select from pg_policy where polrelid = c.oid and polcmd = 'r') \
               from pg_class c where oid = $1::regclass"
        } else {
            "select coalesce('security_invoker=true' = any (reloptions), false) from pg_class where oid = $1::regclass"
        };
        let behind: bool = sqlx::query_scalar(sql)
            .bind(&whole)
            .fetch_one(pool)
            .await
            .unwrap();
        assert!(behind, "{whole} stands outside");
    }
    // The tables of read models keep even their owner to policies, and are found by tenant.
    let tables: Vec<(String, bool, bool)> = sqlx::query_as(
        "select c.oid::regclass::text, c.relforcerowsecurity, exists (select from pg_index i \
             join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] \
            where i.indrelid = c.oid and a.attname = 'tenant_id') \
           from pg_class c join pg_namespace n on n.oid = c.relnamespace \
          where c.relkind = 'r' and n.nspname ~ '^rm_'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() >= 6, "{tables:?}");
    for (table, forced, by_tenant) in tables {
        assert!(forced, "{table} lets its owner past");
        // URLs are found through their file, which is found by tenant.
        assert!(
            by_tenant || table.ends_with(".sitemap_url_chunks"),
            "{table} has no index that begins with the tenant"
        );
    }
}

#[tokio::test]
async fn who_reads_for_a_tenant_can_do_nothing_else() {
    let app = two_tenants().await;
    let pool = app.app.log.pool();
    let role: (bool, bool, bool, bool, bool) = sqlx::query_as(
        "select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = $1",
    )
    .bind(READER)
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(role, (false, false, false, false, false));
    for sql in [
        "select * from api_key",
        "select * from event_body",
        "select * from idempotency_key",
        "select * from scan_task",
        "select * from tenant_setting",
        "insert into tenant_setting (tenant_id) values (gen_random_uuid())",
        "delete from events",
        "update batch_jobs set status = 'completed'",
        "delete from domains",
        "create table public.mine ()",
        "copy events to '/tmp/x'",
    ] {
        let mut tx = pool
            .begin_with(format!("begin; set local role {READER}"))
            .await
            .unwrap();
        let error = sqlx::query(sql).execute(&mut *tx).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap().into_owned();
        assert!(code == "42501" || code == "25006", "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_stopped_and_told_so() {
    let app = TestApp::start().await;
    let mut reading = reading(app.log_pool(), true, TenantId::DEFAULT).await.unwrap();
    let bound: String = sqlx::query_scalar("show statement_timeout")
        .fetch_one(&mut *reading)
        .await
        .unwrap();
    assert_eq!(bound, LONGEST_QUERY);
    sqlx::query("set local statement_timeout = 1")
        .execute(&mut *reading)
        .await
        .unwrap();
    let stopped = sqlx::query("select pg_sleep(600)").execute(&mut *reading).await;
    let problem = Problem::from(ProjectionError::from(stopped.unwrap_err()));
    assert_eq!((problem.status, problem.code), (503, ProblemCode::Unavailable));
    assert!(problem.detail.contains("took too long"), "{}", problem.detail);
    drop(reading);
    let left: String = sqlx::query_scalar("show statement_timeout")
        .fetch_one(app.log_pool())
        .await
        .unwrap();
    assert_eq!(left, "0", "the bound is that of a tenant's query alone");
}
