//! Rows that were changed manually are found, named and repaired.

use serde_json::json;
use sitelog::projections::all;
use sitelog::projections::batch_jobs::BatchJobs;
use sitelog::projections::domains::Domains;
use sitelog::projections::jobs::Jobs;
use sitelog::projections::registry::AnyProjection;
use sitelog::projections::sitemaps::Sitemaps;
use sitelog::projections::task::{TaskKind, TaskState};
use sitelog::projections::verify::{Difference, Verification};

use super::{TABLES, World, of};

#[tokio::test]
async fn untouched_rows_are_what_the_log_says() {
    let world = World::with_events(800).await;
    for projection in all() {
        let found = world.verify(projection).await;
        assert_eq!(
            (found.wrong, &found.findings),
            (0, &Vec::new()),
            "{}",
            projection.name()
        );
        assert!(found.rows > 0);
        // The hash of each row by the log is that of the row in the table.
        assert_eq!(found.rechecked, 0, "{}", projection.name());
    }
}

/// Changes a row, expects one wrong row, repairs it, and expects the original state.
async fn found_and_mended(projection: &'static dyn AnyProjection, meddling: &str) -> Verification {
    let world = World::with_events(500).await;
    let mut before = Vec::new();
    for table in TABLES {
        before.push(world.digest(table).await);
    }
    world.meddle(meddling).await;
    let found = world.verify(projection).await;
    assert_eq!(found.wrong, 1, "{:?}", found.findings);
    let task = world.perform(projection, TaskKind::Repair).await;
    assert_eq!((task.state, task.error), (TaskState::Done, None));
    for (table, before) in TABLES.iter().zip(before) {
        assert_eq!(world.digest(table).await, before, "{table}");
    }
    assert_eq!(world.verify(projection).await.wrong, 0);
    found
}

#[tokio::test]
async fn a_changed_value_is_told_with_its_column_and_both_values() {
    let meddling = "update rm_jobs_s2.jobs set attempts = 77 where scan_id = \
                      (select scan_id from jobs where status = 'failed' order by 1 limit 1)";
    let found = found_and_mended(of::<Jobs>(), meddling).await;
    let [finding] = found.findings.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(finding.table, "jobs");
    let Difference::Changed {
        column,
        in_table,
        by_log,
    } = &finding.difference
    else {
        panic!("{finding}")
    };
    assert_eq!((column.as_str(), in_table), ("attempts", &json!(77)));
    assert_ne!(by_log, in_table);
}

#[tokio::test]
async fn a_changed_contact_is_told() {
    let meddling = "update domains set email_addresses = '{evil@example.com}' where (tenant_id, domain) in \
                      (select tenant_id, domain from domains order by 1, 2 limit 1)";
    let found = found_and_mended(of::<Domains>(), meddling).await;
    assert_eq!(found.findings.len(), 1);
    assert!(
        found.findings[0].to_string().contains("email_addresses"),
        "{}",
        found.findings[0]
    );
}

#[tokio::test]
async fn a_missing_row_is_told() {
    let meddling = "delete from domains where (tenant_id, domain) in \
                      (select tenant_id, domain from domains order by 1, 2 limit 1)";
    let found = found_and_mended(of::<Domains>(), meddling).await;
    assert_eq!(found.findings[0].difference, Difference::Missing);
}

#[tokio::test]
async fn an_extra_row_is_told() {
    let meddling = "create temp table one as select * from batch_jobs limit 1; \
                    update one set batch_id = '00000000-0000-0000-0000-00000000000f'; \
                    insert into rm_batch_jobs_s2_g1.batch_jobs select * from one";
    let found = found_and_mended(of::<BatchJobs>(), meddling).await;
    assert_eq!(found.findings[0].difference, Difference::Extra);
    assert_eq!(
        found.findings[0].key,
        json!({ "batch_id": "00000000-0000-0000-0000-00000000000f" })
    );
}

#[tokio::test]
async fn a_changed_url_of_a_sitemap_is_told() {
    let meddling = "update sitemap_url_chunks set urls[1] = 'https://evil.example/' where (sitemap_id, first) in \
                      (select sitemap_id, first from sitemap_url_chunks order by 1, 2 limit 1)";
    let found = found_and_mended(of::<Sitemaps>(), meddling).await;
    assert_eq!(found.findings[0].table, "sitemap_url_chunks");
}

#[tokio::test]
async fn a_missing_sitemap_file_and_its_urls_are_told() {
    let meddling = "delete from sitemap_files where sitemap_id in (select sitemap_id from sitemap_files \
                      where entries = 0 order by 1 limit 1)";
    let found = found_and_mended(of::<Sitemaps>(), meddling).await;
    assert!(
        found.findings[0].to_string().contains("is missing"),
        "{}",
        found.findings[0]
    );
}

#[tokio::test]
async fn urls_that_belong_to_no_file_are_told() {
    let meddling = "insert into sitemap_url_chunks (sitemap_id, first, last, tenant_id, urls) values \
                      ('00000000-0000-0000-0000-00000000000f', 1, 1, gen_random_uuid(), '{https://evil.example/}')";
    let found = found_and_mended(of::<Sitemaps>(), meddling).await;
    assert_eq!(
        found.findings[0].key,
        json!({ "sitemap_id": "00000000-0000-0000-0000-00000000000f" })
    );
}

#[tokio::test]
async fn the_running_sample_finds_what_was_changed_and_what_was_taken_out() {
    let world = World::with_events(300).await;
    for projection in all() {
        let found = projection.sample(&world.log, 20).await.unwrap();
        assert_eq!((found.wrong, found.rows > 0), (0, true), "{:?}", found.findings);
    }
    world.meddle("update rm_jobs_s2.jobs set attempts = 77").await;
    assert!(of::<Jobs>().sample(&world.log, 20).await.unwrap().wrong > 0);
    world.meddle("delete from domains").await;
    assert!(of::<Domains>().sample(&world.log, 20).await.unwrap().wrong > 0);
}

#[tokio::test]
async fn a_generation_that_is_not_what_the_log_says_is_never_switched_to() {
    let world = World::with_events(200).await;
    world.perform(of::<Jobs>(), TaskKind::Rebuild).await;
    world.meddle("update rm_jobs_s2_g1.jobs set attempts = 77").await;
    let task = world.perform(of::<Jobs>(), TaskKind::Rollback).await;
    assert_eq!(task.state, TaskState::Failed);
    assert!(
        task.error.as_deref().unwrap().contains("attempts"),
        "{:?}",
        task.error
    );
    assert_eq!(world.verify(of::<Jobs>()).await.wrong, 0);
}
