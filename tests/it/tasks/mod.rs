//! The task queue: fair, limited, leased, fenced.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sitelog::tasks::{ClaimedTask, NewTask, ScanTasks, Settled, drop_past_rests, enqueue};
use sitelog::values::{BatchId, ScanId, TenantId};
use uuid::Uuid;

use crate::support::postgres::TestDatabase;

struct Queue {
    tasks: ScanTasks,
    database: TestDatabase,
}

impl Queue {
    async fn with(tasks: &[NewTask]) -> Self {
        let database = TestDatabase::new().await;
        let queue = Self {
            tasks: ScanTasks::new(database.pool.clone()),
            database,
        };
        queue.add(tasks).await;
        queue
    }

    async fn add(&self, tasks: &[NewTask]) {
        enqueue(&mut self.database.pool.acquire().await.unwrap(), tasks)
            .await
            .unwrap();
    }

    async fn claim(&self, wanted: i32) -> Vec<ClaimedTask> {
        self.tasks.claim("w", wanted).await.unwrap()
    }

    /// Stuck, leased, ready and delayed tasks.
    async fn counts(&self) -> [i64; 4] {
        self.tasks.counts().await.unwrap().map(|(_, count)| count)
    }

    async fn let_leases_run_out(&self) {
        sqlx::query(
            "update scan_task set leased_until = now() - interval '1 s' where leased_until is not null",
        )
        .execute(&self.database.pool)
        .await
        .unwrap();
    }
}

fn task(tenant: u128, host: &str, position: i64) -> NewTask {
    NewTask {
        scan_id: ScanId(Uuid::new_v4()),
        tenant: TenantId(Uuid::from_u128(tenant)),
        batch: None,
        max_concurrent: None,
        host: host.into(),
        position,
    }
}

fn many(tenant: u128, batch: Option<(u128, u32)>, count: i64) -> Vec<NewTask> {
    let host = |n| format!("h{n}.t{tenant}.b{:?}.test", batch.map(|b| b.0));
    (0..count)
        .map(|n| NewTask {
            batch: batch.map(|(id, _)| BatchId(Uuid::from_u128(id))),
            max_concurrent: batch.map(|(_, limit)| limit),
            ..task(tenant, &host(n), n)
        })
        .collect()
}

#[tokio::test]
async fn a_task_is_claimed_once_in_the_order_of_the_log() {
    let queue = Queue::with(&many(1, None, 3)).await;
    let first = queue.claim(2).await;
    let second = queue.claim(5).await;
    let hosts: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|task| task.host.split('.').next().unwrap())
        .collect();
    assert_eq!(
        hosts.iter().copied().collect::<HashSet<_>>(),
        HashSet::from(["h0", "h1", "h2"])
    );
    assert_eq!((first.len(), second[0].host.starts_with("h2")), (2, true));
    assert!(queue.claim(5).await.is_empty());
}

#[tokio::test]
async fn a_tenant_with_a_few_tasks_does_not_wait_for_one_with_thousands() {
    let queue = Queue::with(&many(1, None, 3000)).await;
    queue.claim(100).await;
    queue.add(&many(2, None, 10)).await;
    let mut served = 0;
    for _ in 0..4 {
        let claimed = queue.claim(10).await;
        served += claimed.iter().filter(|task| task.tenant.0.as_u128() == 2).count();
    }
    assert_eq!(served, 10, "all ten within the next forty");
}

#[tokio::test]
async fn a_small_batch_does_not_wait_for_a_large_one_of_the_same_tenant() {
    let queue = Queue::with(&many(1, Some((10, 1000)), 2000)).await;
    queue.claim(200).await;
    queue.add(&many(1, Some((11, 1000)), 5)).await;
    let claimed = queue.claim(40).await;
    let small = claimed
        .iter()
        .filter(|task| task.host.contains("Some(11)"))
        .count();
    assert_eq!(small, 5);
}

#[tokio::test]
async fn a_batch_never_has_more_scans_under_way_than_it_allows() {
    let queue = Queue::with(&many(1, Some((10, 3)), 20)).await;
    let claimed = queue.claim(10).await;
    assert_eq!(claimed.len(), 3);
    assert!(queue.claim(10).await.is_empty());
    queue
        .tasks
        .settle(&[(claimed[0].clone(), Settled::Done)])
        .await
        .unwrap();
    assert_eq!(queue.claim(10).await.len(), 1);
}

#[tokio::test]
async fn one_host_is_scanned_by_one_worker_at_a_time_whoever_asks() {
    let queue = Queue::with(&[task(1, "a.test", 1), task(1, "a.test", 2), task(2, "a.test", 3)]).await;
    let claimed = queue.claim(10).await;
    assert_eq!(claimed.len(), 1);
    assert!(queue.claim(10).await.is_empty());
    queue
        .tasks
        .settle(&[(claimed[0].clone(), Settled::Done)])
        .await
        .unwrap();
    assert_eq!(queue.claim(10).await.len(), 1);
}

#[tokio::test]
async fn a_task_whose_worker_went_silent_is_given_to_another_under_a_higher_fence() {
    let queue = Queue::with(&many(1, None, 1)).await;
    let lost = queue.claim(1).await.remove(0);
    assert!(queue.claim(1).await.is_empty());
    queue.let_leases_run_out().await;
    let taken = queue.claim(1).await.remove(0);
    assert_eq!(taken.scan_id, lost.scan_id);
    assert!(taken.fence > lost.fence);
    assert!(
        queue
            .tasks
            .heartbeat(std::slice::from_ref(&lost))
            .await
            .unwrap()
            .is_empty()
    );
    queue.tasks.settle(&[(lost, Settled::Done)]).await.unwrap();
    assert_eq!(
        queue.tasks.heartbeat(std::slice::from_ref(&taken)).await.unwrap(),
        [taken.fence]
    );
}

#[tokio::test]
async fn a_heartbeat_keeps_a_lease_alive() {
    let queue = Queue::with(&many(1, None, 1)).await;
    let claimed = queue.claim(1).await;
    sqlx::query("update scan_task set leased_until = now() + interval '1 s'")
        .execute(&queue.database.pool)
        .await
        .unwrap();
    queue.tasks.heartbeat(&claimed).await.unwrap();
    let left: f64 =
        sqlx::query_scalar("select extract(epoch from leased_until - now())::float8 from scan_task")
            .fetch_one(&queue.database.pool)
            .await
            .unwrap();
    assert!(left > 10.0, "{left}");
}

#[tokio::test]
async fn a_task_that_is_due_later_waits_without_holding_anybody_up() {
    let queue = Queue::with(&many(1, None, 2)).await;
    let claimed = queue.claim(1).await;
    let later = Duration::from_mins(1);
    queue
        .tasks
        .settle(&[(claimed[0].clone(), Settled::RetryIn(later))])
        .await
        .unwrap();
    let next = queue.claim(5).await;
    assert_eq!(next.len(), 1);
    assert_ne!(next[0].scan_id, claimed[0].scan_id);
    assert_eq!(queue.counts().await, [0, 1, 0, 1]);
}

#[tokio::test]
async fn queueing_a_scan_twice_queues_it_once() {
    let task = task(1, "a.test", 1);
    let queue = Queue::with(std::slice::from_ref(&task)).await;
    queue.add(&[task]).await;
    assert_eq!(queue.counts().await, [0, 0, 1, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_claim_at_once_never_share_a_task_nor_break_a_limit() {
    let queue = Queue::with(&many(1, Some((10, 25)), 200)).await;
    let claims = (0..8).map(|_| queue.claim(10));
    let claimed: Vec<ClaimedTask> = futures::future::join_all(claims)
        .await
        .into_iter()
        .flatten()
        .collect();
    let mut times: HashMap<ScanId, usize> = HashMap::new();
    for task in &claimed {
        *times.entry(task.scan_id).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1));
    assert_eq!(claimed.len(), 25);
}

#[tokio::test]
async fn a_tenant_has_at_most_as_many_scans_at_once_as_its_quota() {
    let queue = Queue::with(
        &[
            many(1, Some((9, 50)), 10),
            many(1, Some((8, 50)), 10),
            many(2, None, 3),
        ]
        .concat(),
    )
    .await;
    sqlx::query("insert into tenant_setting (tenant_id, max_concurrent_scans) values ($1, 4)")
        .bind(Uuid::from_u128(1))
        .execute(&queue.database.pool)
        .await
        .unwrap();
    let claimed = queue.claim(100).await;
    let of_first =
        |claimed: &[ClaimedTask]| claimed.iter().filter(|task| task.tenant.0.as_u128() == 1).count();
    assert_eq!((of_first(&claimed), claimed.len()), (4, 7));
    assert!(queue.claim(100).await.is_empty());
    let done = claimed
        .iter()
        .find(|task| task.tenant.0.as_u128() == 1)
        .unwrap()
        .clone();
    queue.tasks.settle(&[(done, Settled::Done)]).await.unwrap();
    assert_eq!(of_first(&queue.claim(100).await), 1);
}

#[tokio::test]
async fn a_host_that_rests_is_visited_by_no_worker_of_any_process() {
    let queue = Queue::with(&[
        task(1, "tired.com", 1),
        task(2, "tired.com", 2),
        task(2, "fresh.com", 3),
    ])
    .await;
    queue
        .tasks
        .set_cooldown("tired.com", Duration::from_mins(1))
        .await
        .unwrap();
    // A shorter rest does not cut a longer one.
    queue
        .tasks
        .set_cooldown("tired.com", Duration::from_millis(1))
        .await
        .unwrap();
    let elsewhere = ScanTasks::new(queue.database.pool.clone());
    for tasks in [&queue.tasks, &elsewhere] {
        let hosts: Vec<String> = tasks
            .claim("w", 10)
            .await
            .unwrap()
            .into_iter()
            .map(|task| task.host)
            .collect();
        assert!(!hosts.contains(&"tired.com".to_owned()), "{hosts:?}");
    }
    drop_past_rests(&queue.database.pool).await.unwrap();
    assert!(queue.claim(10).await.is_empty());
    sqlx::query("update host_rest set rest_until = clock_timestamp() - interval '1 s'")
        .execute(&queue.database.pool)
        .await
        .unwrap();
    assert_eq!(queue.claim(10).await.len(), 1, "one at a time, as ever");
    assert_eq!(drop_past_rests(&queue.database.pool).await.unwrap(), 1);
}
