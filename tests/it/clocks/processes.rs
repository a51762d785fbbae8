//! Real processes under clocks that change while they run: forward, back, across a kill, and one against another.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::clock::FakeClock;
use crate::support::own_postgres::OwnPostgres;
use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// A server and its database under one clock.
struct World {
    clock: FakeClock,
    postgres: OwnPostgres,
    sites: Sites,
    server: Server,
}

impl World {
    /// `None` where clocks cannot be set.
    async fn start() -> Option<Self> {
        let clock = FakeClock::new()?;
        let postgres = OwnPostgres::start(&clock.environment()).await;
        let sites = Sites::start(SitesOptions::default()).await.unwrap();
        let environment = clock.environment();
        let mut settings: Vec<(&'static str, &str)> = vec![
            ("DATABASE_URL", &postgres.url),
            ("SITELOG_WORKER__CONCURRENCY", "4"),
        ];
        settings.extend(environment.iter().map(|(name, value)| (*name, value.as_str())));
        let server = Server::start(&sites, &settings);
        Some(Self {
            clock,
            postgres,
            sites,
            server,
        })
    }

    async fn ends(&self, path: &str) -> Value {
        let ended = |answer: &Value| answer["status"] == "completed";
        self.server.wait_for(path, ended).await
    }

    async fn scan(&self, domain: &str) {
        let scan = self
            .server
            .post("/api/v4/scans", &json!({ "domain": domain }))
            .await;
        self.ends(&format!("/api/v4/scans/{}", scan["scan_id"].as_str().unwrap()))
            .await;
    }

    /// Requests a batch whose first four scans are under way until the gates open.
    async fn batch_under_way(&self) -> (String, Vec<crate::support::sites::Gate>) {
        let names: Vec<String> = (0..12).map(|n| format!("site{n:05}.sites.test")).collect();
        let gates: Vec<_> = names.iter().map(|name| self.sites.hold(name, "/")).collect();
        let batch = self.server.request_batch(&names).await;
        for gate in &gates[..4] {
            gate.reached_by(1).await;
        }
        (format!("/api/v4/batches/{batch}"), gates)
    }

    /// Nothing is stuck, and the read models are what the log says.
    async fn is_sound(&self) {
        let (code, said) = self.server.run(&["doctor"]).await;
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = self.server.run(&["log", "verify"]).await;
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = self.server.run(&["projections", "verify"]).await;
        assert_eq!(code, Some(0), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_ten_years_ahead_and_is_right_again_keeps_nothing_waiting() {
    let Some(world) = World::start().await else { return };
    world.clock.set("+10y");
    world.scan("site00000.sites.test").await;
    assert!(world.postgres.offset().await > Duration::from_hours(24 * 3650 - 24));
    world.clock.set("+0");
    let (code, said) = world.server.run(&["doctor"]).await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("ahead of the database's clock"), "{said}");
    world.scan("site00001.sites.test").await;
    let (batch, gates) = world.batch_under_way().await;
    drop(gates);
    world.ends(&batch).await;
    world.is_sound().await;
    let (_, said) = world.server.run(&["doctor"]).await;
    assert!(said.contains("recorded times go back from"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_while_a_batch_is_under_way_does_not_hold_it_up() {
    let Some(world) = World::start().await else { return };
    // By hours; and by one hour, as where summer time is set by hand.
    for (before, after) in [("+0", "-3h"), ("+0", "+3h"), ("+1h", "+0"), ("+0", "+1h")] {
        world.clock.set(before);
        let (batch, gates) = world.batch_under_way().await;
        world.clock.set(after);
        drop(gates);
        world.ends(&batch).await;
    }
    world.scan("site00015.sites.test").await;
    world.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_of_a_killed_server_do_not_outlive_the_clock_they_were_taken_under() {
    let Some(mut world) = World::start().await else {
        return;
    };
    for (before, after) in [("+3h", "+0"), ("+0", "-3h"), ("+0", "+3h")] {
        world.clock.set(before);
        let (batch, gates) = world.batch_under_way().await;
        world.server.kill();
        world.clock.set(after);
        drop(gates);
        world.server.restart();
        world.ends(&batch).await;
    }
    world.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_clock_is_off_makes_its_attempts_when_they_are_due() {
    for (offset, words) in [("+600", "10 minutes ahead of"), ("-600", "10 minutes behind")] {
        let Some(clock) = FakeClock::new() else { return };
        clock.set(offset);
        let database = TestDatabase::new().await;
        let sites = Sites::start(SitesOptions::default()).await.unwrap();
        let environment = clock.environment();
        let mut settings: Vec<(&'static str, &str)> = vec![("DATABASE_URL", &database.url)];
        settings.extend(environment.iter().map(|(name, value)| (*name, value.as_str())));
        let server = Server::start(&sites, &settings);
        let asked = json!({ "domain": "flaky.sites.test" });
        let scan = server.post("/api/v4/scans", &asked).await["scan_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let ended = |answer: &Value| answer["status"] == "completed";
        let path = format!("/api/v4/scans/{scan}");
        let scan = server.wait_for(&path, ended).await;
        assert_eq!(scan["attempts"], 3, "{scan}");
        let pauses: Vec<f64> = sqlx::query_scalar(
            "select extract(epoch from s.recorded_at - f.recorded_at)::float8 \
               from events f join events s on s.aggregate_id = f.aggregate_id and s.sequence = f.sequence + 1 \
              where f.event_type = 'ScanAttemptFailed' and s.event_type = 'ScanStarted' order by f.position",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        // They are counted from a moment before the event is recorded.
        assert!(
            pauses.len() == 2 && pauses[0] > 1.5 && pauses[1] > 7.5,
            "{pauses:?}"
        );
        let (code, said) = server.run(&["doctor"]).await;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
