//! A row to which an event cannot be applied is quarantined; all others continue.

use serde_json::json;
use sitelog::log::body::MAX_CONTENT;
use sitelog::projections::domains::Domains;
use sitelog::projections::jobs::Jobs;
use sitelog::projections::quarantine::list;
use sitelog::projections::sitemaps::Sitemaps;
use sitelog::projections::status::{ProjectionState, status};
use sitelog::projections::task::TaskKind;

use super::{World, of};
use crate::support::story::StoryOptions;

#[tokio::test]
async fn a_row_that_the_table_refuses_waits_and_is_released_by_a_retry() {
    let mut world = World::new(StoryOptions::default()).await;
    world
        .meddle(
            "alter table rm_domains_s4_g1.domains add constraint picky check (domain <> 'site-3.example')",
        )
        .await;
    world.append(600).await;
    world.follow(of::<Domains>()).await;
    let quarantined = list(&world.database.pool, 100).await.unwrap();
    // One row of each of the three tenants.
    assert_eq!(quarantined.len(), 3, "{quarantined:?}");
    assert!(
        quarantined
            .iter()
            .all(|row| row.key["domain"] == "site-3.example" && row.error.contains("picky"))
    );
    let found = world.verify(of::<Domains>()).await;
    assert_eq!((found.wrong, found.parked), (0, 3), "{:?}", found.findings);

    let still = world.perform(of::<Domains>(), TaskKind::RetryParked).await;
    assert_eq!(still.result, Some(json!({ "released": 0, "still_parked": 3 })));
    assert_eq!(list(&world.database.pool, 100).await.unwrap()[0].attempts, 2);

    world
        .meddle("alter table rm_domains_s4_g1.domains drop constraint picky")
        .await;
    world.append(100).await;
    world.follow(of::<Domains>()).await;
    let released = world.perform(of::<Domains>(), TaskKind::RetryParked).await;
    assert_eq!(released.result, Some(json!({ "released": 3, "still_parked": 0 })));
    let found = world.verify(of::<Domains>()).await;
    assert_eq!((found.wrong, found.parked), (0, 0), "{:?}", found.findings);
}

/// An event of a known type whose content is not what that type has.
async fn broken_event(world: &World, stream: &str, sequence: i64) {
    world
        .meddle(&format!(
            "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) \
             values ('domain_scan', '{stream}', {sequence}, 'ScanStarted', '1', '{{\"ScanStarted\": 5}}', '{{}}')"
        ))
        .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_quarantines_the_row_of_its_stream_only() {
    let mut world = World::with_events(200).await;
    let (stream, sequence): (String, i64) = sqlx::query_as(
        "select aggregate_id, max(sequence) from events where aggregate_type = 'domain_scan' group by 1 order by 1 limit 1",
    )
    .fetch_one(&world.database.pool)
    .await
    .unwrap();
    broken_event(&world, &stream, sequence + 1).await;
    world.append(200).await;
    world.follow(of::<Jobs>()).await;
    let quarantined = list(&world.database.pool, 100).await.unwrap();
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].key, json!({ "scan_id": stream }));
    let found = world.verify(of::<Jobs>()).await;
    assert_eq!((found.wrong, found.parked), (0, 1), "{:?}", found.findings);
    let task = world.perform(of::<Jobs>(), TaskKind::RetryParked).await;
    assert_eq!(task.result, Some(json!({ "released": 0, "still_parked": 1 })));
    // Built again it is no better and no worse.
    let task = world.perform(of::<Jobs>(), TaskKind::Rebuild).await;
    assert_eq!(task.error, None);
    assert_eq!(list(&world.database.pool, 100).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stream_of_which_nothing_can_be_read_is_quarantined_by_its_name() {
    let mut world = World::with_events(50).await;
    let stream = "00000000-0000-0000-0000-00000000000f";
    broken_event(&world, stream, 1).await;
    world.append(50).await;
    world.follow(of::<Domains>()).await;
    let quarantined = list(&world.database.pool, 100).await.unwrap();
    assert_eq!(
        quarantined[0].key,
        json!({ "stream": { "type": "domain_scan", "id": stream } })
    );
    let status = status(&world.database.pool, of::<Domains>()).await.unwrap();
    assert_eq!((status.parked, status.state), (1, ProjectionState::Live));
    assert_eq!(world.verify(of::<Domains>()).await.wrong, 0);
}

/// The stored bodies of lists of URLs of one domain, replaced.
async fn replace_lists(world: &World, domain: &str, bytes: &[u8]) -> u64 {
    sqlx::query(
        "update event_body set bytes = $2 where subject = $1 and digest in \
           (select decode(payload #>> '{SitemapParsed,urls,digest}', 'hex') from events where event_type = 'SitemapParsed')",
    )
    .bind(domain)
    .bind(bytes)
    .execute(&world.database.pool)
    .await
    .unwrap()
    .rows_affected()
}

#[tokio::test]
async fn a_list_that_cannot_be_unpacked_quarantines_its_domain_only() {
    for (bytes, why) in [
        // Written by a release that had no bound for what it wrote.
        (
            zstd::bulk::compress(&vec![b' '; MAX_CONTENT + 1], 1).unwrap(),
            "268435457 bytes",
        ),
        (b"not compressed".to_vec(), "cannot read"),
        (zstd::bulk::compress(b"{\"loc\": 5}\n", 1).unwrap(), "cannot read"),
    ] {
        let mut world = World::new(StoryOptions::default()).await;
        world.append(600).await;
        assert!(replace_lists(&world, "site-3.example", &bytes).await > 0);
        world.follow(of::<Sitemaps>()).await;
        let quarantined = list(&world.database.pool, 100).await.unwrap();
        assert!(!quarantined.is_empty());
        for row in &quarantined {
            assert_eq!(row.key["domain"], "site-3.example");
            assert!(
                row.error.contains(why) && row.error.contains("site-3.example"),
                "{}",
                row.error
            );
        }
        let found = world.verify(of::<Sitemaps>()).await;
        assert_eq!(
            (found.wrong, found.parked),
            (0, quarantined.len() as u64),
            "{:?}",
            found.findings
        );
        // It is no better when it is built again, and that ends.
        let task = world.perform(of::<Sitemaps>(), TaskKind::Rebuild).await;
        assert_eq!(task.error, None);
        let again = list(&world.database.pool, 100).await.unwrap();
        assert_eq!(again.len(), quarantined.len());
        let found = world.verify(of::<Sitemaps>()).await;
        assert_eq!(
            (found.wrong, found.parked),
            (0, quarantined.len() as u64),
            "{:?}",
            found.findings
        );
    }
}

#[tokio::test]
async fn findings_that_cannot_be_read_quarantine_their_rows_only() {
    for bytes in ["not compressed", "{not json"] {
        quarantines_its_domain_only(bytes).await;
    }
}

async fn quarantines_its_domain_only(findings: &str) {
    let mut world = World::new(StoryOptions::default()).await;
    world.append(600).await;
    sqlx::query(
        "update event_body set bytes = $1 where subject = 'site-3.example' and digest in \
           (select decode(payload #>> '{ScanCompleted,findings,digest}', 'hex') from events where event_type = 'ScanCompleted')",
    )
    .bind(findings.as_bytes())
    .execute(&world.database.pool)
    .await
    .unwrap();
    world.follow(of::<Domains>()).await;
    let quarantined = list(&world.database.pool, 100).await.unwrap();
    assert!(!quarantined.is_empty());
    assert!(
        quarantined
            .iter()
            .all(|row| row.key["domain"] == "site-3.example"),
        "{quarantined:?}"
    );
    let found = world.verify(of::<Domains>()).await;
    assert_eq!(
        (found.wrong, found.parked),
        (0, quarantined.len() as u64),
        "{:?}",
        found.findings
    );
    let task = world.perform(of::<Domains>(), TaskKind::Rebuild).await;
    assert_eq!(task.error, None);
    assert_eq!(
        list(&world.database.pool, 100).await.unwrap().len(),
        quarantined.len()
    );
}
