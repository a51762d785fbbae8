//! Earlier states, and the history of a domain.

use serde_json::json;
use sitelog::projections::ProjectionError;
use sitelog::projections::all;
use sitelog::projections::as_of::{self, Point};
use sitelog::projections::fold::FoldOptions;
use sitelog::projections::history::LATEST_SCANS;
use sitelog::values::Findings;

use super::{TABLES, World};
use crate::support::app::TestApp;

fn found(title: &str, email: &str) -> Findings {
    let mut findings = Findings {
        title: Some(title.into()),
        ..Findings::default()
    };
    findings.contact_info.email.push(email.into());
    findings
}

#[tokio::test]
async fn tables_as_of_a_position_are_what_they_were_then() {
    let mut world = World::with_events(300).await;
    let position = world.log.head().await.unwrap();
    let mut then = Vec::new();
    for table in TABLES {
        then.push(world.digest(table).await);
    }
    world.append(300).await;
    for projection in all() {
        world.follow(projection).await;
        projection
            .build_as_of(&world.log, position, "as_of_then", FoldOptions::default())
            .await
            .unwrap();
    }
    for (table, then) in TABLES.iter().zip(then) {
        assert_eq!(
            world.digest(&format!("as_of_then.{table}")).await,
            then,
            "{table}"
        );
        assert_ne!(world.digest(table).await, then, "{table}");
    }
}

#[tokio::test]
async fn a_time_stands_for_the_last_position_recorded_by_then() {
    let world = World::with_events(120).await;
    let pool = &world.database.pool;
    let (middle, at): (i64, chrono::DateTime<chrono::Utc>) = sqlx::query_as(
        "select max(position), recorded_at from events where recorded_at = \
           (select recorded_at from events where position = 60) group by recorded_at",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(as_of::position(pool, Point::Time(at)).await.unwrap(), middle);
    let before_all = at - chrono::TimeDelta::days(1);
    assert_eq!(as_of::position(pool, Point::Time(before_all)).await.unwrap(), 0);
    let head = world.log.head().await.unwrap();
    let now = Point::Time(chrono::Utc::now());
    assert_eq!(as_of::position(pool, now).await.unwrap(), head);
    assert_eq!(as_of::position(pool, Point::Position(head)).await.unwrap(), head);
    // What was known then may still change.
    let tomorrow = Point::Time(chrono::Utc::now() + chrono::TimeDelta::days(1));
    for beyond in [tomorrow, Point::Position(head + 1)] {
        let refused = as_of::position(pool, beyond).await.unwrap_err();
        assert!(matches!(refused, ProjectionError::BeyondTheEnd(_)), "{refused}");
    }
    assert!("yesterday".parse::<Point>().is_err() && "-1".parse::<Point>().is_err());
}

#[tokio::test]
async fn a_domain_tells_what_changed_when_and_by_which_scan() {
    let app = TestApp::start().await;
    let first = app.create_scan("example.com").await;
    app.complete(&first, &found("Old title", "a@example.com")).await;
    let position = app.head().await;
    let second = app.create_scan("example.com").await;
    app.complete(&second, &found("New title", "a@example.com")).await;
    let head = app.head().await;

    let path = format!("/api/v4/domains/example.com/history?at_least={head}");
    let items = app.get(&path).await.json()["items"].clone();
    let changes: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["field"].clone(),
                item["old"].clone(),
                item["new"].clone(),
                item["scan_id"].clone(),
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            (
                json!("title"),
                json!("Old title"),
                json!("New title"),
                json!(second)
            ),
            (json!("title"), json!(null), json!("Old title"), json!(first)),
            (
                json!("email_addresses"),
                json!([]),
                json!(["a@example.com"]),
                json!(first)
            ),
        ]
    );
    // Each names the event that says so.
    let event = app
        .get(&format!(
            "/api/v4/events?after={}&limit=1",
            items[0]["position"].as_i64().unwrap() - 1
        ))
        .await;
    assert_eq!(event.json()["items"][0]["type"], "ScanCompleted");
    let one = app
        .get("/api/v4/domains/example.com/history?field=title&limit=1")
        .await
        .json();
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let next = format!(
        "/api/v4/domains/example.com/history?field=title&limit=1&cursor={}",
        one["next"].as_str().unwrap()
    );
    let last = app.get(&next).await.json();
    assert_eq!(
        (&last["items"][0]["new"], &last["next"]),
        (&json!("Old title"), &json!(null))
    );

    let then = app
        .get(&format!("/api/v4/domains/example.com?as_of={position}"))
        .await
        .json();
    assert_eq!(
        (&then["title"], &then["last_scan_id"]),
        (&json!("Old title"), &json!(first))
    );
    assert_eq!(app.get("/api/v4/domains/example.com?as_of=0").await.status, 404);
    assert_eq!(
        app.get("/api/v4/domains/example.com?as_of=soon").await.status,
        400
    );
    let scan = app
        .get(&format!("/api/v4/scans/{second}?as_of={}", position + 1))
        .await
        .json();
    assert_eq!(scan["status"], "pending");
    assert_eq!(app.get("/api/v4/domains/other.com/history").await.status, 404);
    let stranger = app
        .call("GET", "/api/v4/domains/example.com/history")
        .tenant("0b9b6cf4-6b46-4f1c-9d5c-0c2b1a6f0f4e");
    assert_eq!(stranger.send().await.status, 404);
}

#[tokio::test]
async fn the_history_of_a_domain_is_that_of_its_latest_scans() {
    let app = TestApp::start().await;
    let mut scans = Vec::new();
    for number in 0..=LATEST_SCANS {
        let scan = app.create_scan("example.com").await;
        app.complete(&scan, &found(&format!("Title {number}"), "a@example.com"))
            .await;
        scans.push(scan);
    }
    let path = "/api/v4/domains/example.com/history?field=title";
    let head = app.head().await;
    let first = app.get(&format!("{path}&limit=60&at_least={head}")).await.json();
    let next = first["next"].as_str().unwrap();
    // The page behind is the same though another scan has ended meanwhile, and one more is not looked at any more.
    let newest = app.create_scan("example.com").await;
    app.complete(&newest, &found("Newest", "a@example.com")).await;
    let head = app.head().await;
    let second = app
        .get(&format!("{path}&limit=60&at_least={head}&cursor={next}"))
        .await
        .json();
    let titles: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|item| item["new"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = (2..=LATEST_SCANS)
        .rev()
        .map(|number| format!("Title {number}"))
        .collect();
    assert_eq!(titles, expected);
    let oldest = second["items"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&oldest["old"], &oldest["scan_id"], &second["next"]),
        (&json!(null), &json!(scans[2]), &json!(null))
    );
    let foreign = app.get(&format!("{path}&cursor=MTox")).await.json();
    assert_eq!(
        foreign["items"],
        json!([]),
        "nothing stands before the first event"
    );
    assert_eq!(app.get(&format!("{path}&cursor=MTA")).await.status, 400);
}
