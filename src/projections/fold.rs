//! Folds the log in memory. Pages are read ahead, decoded in parallel, and folded in order; the keys are spread over
//! shards. If a pass needs more memory than allowed, it drops the upper half of its keys, and a further pass folds
//! these.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use tokio_util::task::AbortOnDropHandle;

use super::apply::in_full;
use super::quarantine::{Poison, Quarantine};
use super::subject::{attach_findings, row_by_log};
use super::task::Claim;
use super::{Fact, Projection, ProjectionError};
use crate::log::read::read_range;
use crate::log::{EventLog, LogError};

/// Options of a fold. The result does not depend on them.
#[derive(Clone, Copy, Debug)]
pub struct FoldOptions {
    /// Positions of one page.
    pub page: i64,
    /// Shards of the keys; each is folded by its own thread.
    pub shards: usize,
    /// Bytes of rows in memory, about.
    pub memory: usize,
}

impl Default for FoldOptions {
    fn default() -> Self {
        Self {
            page: 5_000,
            shards: std::thread::available_parallelism().map_or(2, usize::from),
            memory: memory_for_rows(),
        }
    }
}

/// Each further pass reads the log again, so rows may take a sixteenth of the memory of the machine or container.
fn memory_for_rows() -> usize {
    const MIB: usize = 1024 * 1024;
    let machine = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = machine.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?;
        Some(kilobytes.trim().parse::<usize>().ok()? * 1024)
    });
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    let limit = container.trim().parse().unwrap_or(usize::MAX);
    (total.unwrap_or(0).min(limit) / 16).clamp(256 * MIB, 2048 * MIB)
}

/// Pages read and decoded ahead of the fold.
const AHEAD: usize = 3;

/// Rows of a part of the keys: the row and the position of the last event that it was folded over.
pub(super) type Shard<P> = HashMap<<P as Projection>::Key, (Option<<P as Projection>::Row>, i64)>;

/// The rows that the log says there are at a position, one part of the keys after the other.
pub(super) struct Fold<P: Projection> {
    log: EventLog,
    options: FoldOptions,
    up_to: i64,
    /// Hashes of keys that are still to be done start here; `None` when all are done.
    next: Option<u64>,
    quarantined: Arc<Quarantine<P>>,
    poison: Vec<Poison<P>>,
}

impl<P: Projection> Fold<P> {
    /// Folds the log up to a position, but for what is quarantined.
    pub(super) fn new(log: &EventLog, up_to: i64, quarantined: Quarantine<P>, options: FoldOptions) -> Self {
        Self {
            log: log.clone(),
            options,
            up_to,
            next: Some(0),
            quarantined: Arc::new(quarantined),
            poison: Vec::new(),
        }
    }

    /// The events that could not be applied.
    pub(super) fn into_poison(self) -> Vec<Poison<P>> {
        self.poison
    }

    /// The next part of the rows; `None` after the last. `claim` is called with the positions that were processed.
    pub(super) async fn next_part(
        &mut self,
        claim: Option<&Claim>,
    ) -> Result<Option<Vec<Shard<P>>>, ProjectionError> {
        let Some(first) = self.next else { return Ok(None) };
        let mut part = Part::<P>::new(first, self.options.shards);
        let step = usize::try_from(self.options.page).unwrap_or(1).max(1);
        let starts: Vec<i64> = (0..self.up_to).step_by(step).collect();
        let (log, up_to, page) = (&self.log, self.up_to, self.options.page);
        // Each in a separate task: a page that waits to be folded must not hold a connection while something else
        // here waits for one.
        let mut pages = stream::iter(starts)
            .map(|after| {
                let decoded = decode_page::<P>(log.clone(), after, (after + page).min(up_to), first);
                let task = AbortOnDropHandle::new(tokio::spawn(decoded));
                async move { task.await.expect("decoding a page has no panics of its own") }
            })
            .buffered(AHEAD);
        while let Some(page) = pages.try_next().await? {
            self.poison.extend(page.unreadable);
            part = part.fold(page.facts, &self.quarantined, &mut self.poison).await?;
            part.fit(self.options.memory);
            if let Some(claim) = claim {
                claim.progress(page.up_to).await?;
            }
        }
        drop(pages);
        self.refold_poisoned(&mut part).await?;
        self.next = part.end;
        Ok(Some(part.shards.into_iter().map(|shard| shard.rows).collect()))
    }

    /// A panic lost the row, so it is folded again up to the event before.
    async fn refold_poisoned(&self, part: &mut Part<P>) -> Result<(), ProjectionError> {
        let mut connection = self.log.pool().acquire().await?;
        let mut done = HashSet::new();
        for poison in &self.poison {
            let Some(key) = poison.row_key().filter(|key| part.takes(hash(key))) else {
                continue;
            };
            // In the order of the log: the first one says where the row stops.
            if !done.insert(key) {
                continue;
            }
            let row = row_by_log::<P>(&mut connection, key, poison.position - 1).await?;
            part.put(key.clone(), row, poison.position - 1);
        }
        Ok(())
    }
}

/// A page of facts with their keys and the hashes of these.
struct DecodedPage<P: Projection> {
    facts: Vec<(u64, P::Key, Fact)>,
    unreadable: Vec<Poison<P>>,
    up_to: i64,
}

async fn decode_page<P: Projection>(
    log: EventLog,
    after: i64,
    up_to: i64,
    first: u64,
) -> Result<DecodedPage<P>, ProjectionError> {
    let mut connection = log.pool().acquire().await?;
    let events = read_range(&mut connection, after, up_to, P::FOLLOWER.event_types()).await?;
    let (mut facts, keys, broken) = blocking(move || {
        let (mut facts, mut keys, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        for event in events {
            match Fact::decode(&event) {
                Ok(fact) => {
                    let Some(fact) = fact else { continue };
                    let Some(key) = P::key(&fact) else { continue };
                    let hash = hash(&key);
                    if hash >= first {
                        facts.push(fact);
                        keys.push((hash, key));
                    }
                }
                Err(error) => broken.push((event, error)),
            }
        }
        (facts, keys, broken)
    })
    .await;
    let mut unreadable = Vec::new();
    for (event, error) in broken {
        if !matches!(error, LogError::Unreadable { .. }) {
            return Err(error.into());
        }
        unreadable.push(Poison::unreadable(&mut connection, &event, in_full(&error)).await?);
    }
    for (number, error) in attach_findings::<P>(&mut connection, &mut facts).await? {
        let (_, key) = &keys[number];
        unreadable.push(Poison::row(key.clone(), facts[number].position, in_full(&error)));
    }
    let facts = keys
        .into_iter()
        .zip(facts)
        .map(|((hash, key), fact)| (hash, key, fact));
    Ok(DecodedPage {
        facts: facts.collect(),
        unreadable,
        up_to,
    })
}

/// The rows of the keys whose hash lies in a range.
struct Part<P: Projection> {
    first: u64,
    /// Behind the last; `None` for all there are.
    end: Option<u64>,
    shards: Vec<ShardState<P>>,
}

struct ShardState<P: Projection> {
    rows: Shard<P>,
    weight: usize,
}

impl<P: Projection> Part<P> {
    fn new(first: u64, shards: usize) -> Self {
        let shards = (0..shards.max(1)).map(|_| ShardState {
            rows: HashMap::new(),
            weight: 0,
        });
        Self {
            first,
            end: None,
            shards: shards.collect(),
        }
    }

    fn takes(&self, hash: u64) -> bool {
        hash >= self.first && self.end.is_none_or(|end| hash < end)
    }

    fn shard_of(&self, hash: u64) -> usize {
        let count = u64::try_from(self.shards.len()).unwrap_or(1);
        usize::try_from(hash % count).unwrap_or(0)
    }

    fn put(&mut self, key: P::Key, row: Option<P::Row>, touched: i64) {
        let shard = self.shard_of(hash(&key));
        self.shards[shard].rows.insert(key, (row, touched));
    }

    async fn fold(
        mut self,
        facts: Vec<(u64, P::Key, Fact)>,
        quarantined: &Arc<Quarantine<P>>,
        poison: &mut Vec<Poison<P>>,
    ) -> Result<Self, ProjectionError> {
        let mut given: Vec<Vec<(P::Key, Fact)>> = self.shards.iter().map(|_| Vec::new()).collect();
        for (hash, key, fact) in facts {
            if self.takes(hash) {
                given[self.shard_of(hash)].push((key, fact));
            }
        }
        let mut quarantined = Quarantine::<P>::clone(quarantined);
        for one in poison.iter() {
            quarantined.add(one.key.clone(), one.position);
        }
        let quarantined = Arc::new(quarantined);
        let shards = std::mem::take(&mut self.shards).into_iter().zip(given);
        let folded = shards.map(|(shard, facts)| {
            let quarantined = Arc::clone(&quarantined);
            blocking(move || shard.fold(facts, &quarantined))
        });
        for (shard, refused) in futures::future::join_all(folded).await {
            self.shards.push(shard);
            poison.extend(refused);
        }
        Ok(self)
    }

    /// Gives up the upper half of the keys until what is left fits.
    fn fit(&mut self, memory: usize) {
        while self.shards.iter().map(|shard| shard.weight).sum::<usize>() > memory {
            let last = self.end.map_or(u64::MAX, |end| end - 1);
            let middle = self.first + (last - self.first) / 2;
            if middle <= self.first {
                return;
            }
            self.end = Some(middle);
            for shard in &mut self.shards {
                shard.rows.retain(|key, _| hash(key) < middle);
                let weights = shard.rows.values().map(|(row, _)| weight::<P>(row.as_ref()));
                shard.weight = weights.sum();
            }
        }
    }
}

impl<P: Projection> ShardState<P> {
    fn fold(mut self, facts: Vec<(P::Key, Fact)>, quarantined: &Quarantine<P>) -> (Self, Vec<Poison<P>>) {
        let mut refused: Vec<Poison<P>> = Vec::new();
        for (key, fact) in facts {
            if quarantined.holds(&key, &fact) || refused.iter().any(|poison| poison.row_key() == Some(&key)) {
                continue;
            }
            let mut entry = match self.rows.entry(key) {
                Entry::Occupied(entry) => entry,
                Entry::Vacant(entry) => entry.insert_entry((None, 0)),
            };
            let before = entry.get_mut().0.take();
            self.weight -= weight::<P>(before.as_ref());
            if let Ok(after) = catch_unwind(AssertUnwindSafe(|| P::evolve(before, &fact))) {
                self.weight += weight::<P>(after.as_ref());
                *entry.get_mut() = (after, fact.position);
            } else {
                let (key, _) = entry.remove_entry();
                let error = "the projection panicked".to_owned();
                refused.push(Poison::row(key, fact.position, error));
            }
        }
        (self, refused)
    }
}

fn weight<P: Projection>(row: Option<&P::Row>) -> usize {
    row.map_or(0, P::weight)
}

/// The same in every process and on every machine.
fn hash<K: Hash>(key: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Off the threads that serve requests.
#[expect(
    clippy::disallowed_methods,
    reason = "bounded: as many at once as there are pages read ahead and shards"
)]
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .expect("folding catches the panics of projections and has none of its own")
}
