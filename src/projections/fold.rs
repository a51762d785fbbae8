//! Folds the log in memory. Decoded pages ([`super::pass`]) are folded in order; the keys are spread over shards. If
//! this needs more memory than allowed, the upper half of the keys is dropped, and a further pass over the log folds
//! these.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::TryStreamExt;
use tokio_util::task::AbortOnDropHandle;

use super::apply::in_full;
use super::pass::{AHEAD, LogPage, Pages, Passes};
use super::quarantine::{Poison, Quarantine};
use super::subject::{attach_findings, row_by_log};
use super::task::Claim;
use super::{Fact, Projection, ProjectionError};
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

/// Rows of a part of the keys: the row and the position of the last event that it was folded over.
pub(super) type Shard<P> = HashMap<<P as Projection>::Key, (Option<<P as Projection>::Row>, i64)>;

/// The rows that the log says there are at a position, one part of the keys after the other.
pub(super) struct Fold<P: Projection> {
    log: EventLog,
    passes: Passes,
    options: FoldOptions,
    up_to: i64,
    /// The pages of the first pass, if it has been joined already.
    joined: Option<Pages>,
    /// Hashes of keys that are still to be done start here; `None` when all are done.
    next: Option<u64>,
    quarantined: Arc<Quarantine<P>>,
    poison: Vec<Poison<P>>,
}

impl<P: Projection> Fold<P> {
    /// Folds the log up to its head, of which nothing is quarantined. Joins a pass immediately: folds that begin at the
    /// same time share it, however long each takes until it needs the first page.
    pub(super) async fn up_to_head(
        log: &EventLog,
        passes: &Passes,
        options: FoldOptions,
    ) -> Result<Self, ProjectionError> {
        let pages = passes.join(log, options.page).await?;
        let mut fold = Self::new(log, passes, pages.up_to(), Quarantine::default(), options);
        fold.joined = Some(pages);
        Ok(fold)
    }

    /// Folds the log up to a position, but for what is quarantined.
    pub(super) fn new(
        log: &EventLog,
        passes: &Passes,
        up_to: i64,
        quarantined: Quarantine<P>,
        options: FoldOptions,
    ) -> Self {
        Self {
            log: log.clone(),
            passes: passes.clone(),
            options,
            up_to,
            joined: None,
            next: Some(0),
            quarantined: Arc::new(quarantined),
            poison: Vec::new(),
        }
    }

    /// The position that it folds up to.
    pub(super) fn up_to(&self) -> i64 {
        self.up_to
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
        let pages = match self.joined.take() {
            Some(pages) => pages,
            None => self.passes.join(&self.log, self.options.page).await?,
        };
        let (log, up_to) = (&self.log, self.up_to);
        // Each in a separate task: a page that waits to be folded must not hold a connection while something else
        // here waits for one.
        let pages = pages.stream_up_to(up_to).map_ok(|page| {
            let chosen = choose::<P>(log.clone(), page, up_to, first);
            let task = AbortOnDropHandle::new(tokio::spawn(chosen));
            async move { task.await.expect("choosing facts has no panics of its own") }
        });
        let mut pages = std::pin::pin!(pages.try_buffered(AHEAD));
        while let Some(page) = pages.try_next().await? {
            self.poison.extend(page.unreadable);
            part = part.fold(page.facts, &self.quarantined, &mut self.poison).await?;
            part.fit(self.options.memory);
            if let Some(claim) = claim {
                claim.progress(page.up_to).await?;
            }
        }
        refold_poisoned(&self.log, &self.poison, &mut part).await?;
        self.next = part.end;
        Ok(Some(part.shards.into_iter().map(|shard| shard.rows).collect()))
    }
}

/// A panic lost the row, so it is folded again up to the event before.
async fn refold_poisoned<P: Projection>(
    log: &EventLog,
    poison: &[Poison<P>],
    part: &mut Part<P>,
) -> Result<(), ProjectionError> {
    let mut connection = log.pool().acquire().await?;
    let mut done = HashSet::new();
    for poison in poison {
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

/// A page of a read model's facts with their keys and the hashes of these.
struct ChosenFacts<P: Projection> {
    facts: Vec<(u64, P::Key, Arc<Fact>)>,
    unreadable: Vec<Poison<P>>,
    up_to: i64,
}

/// The facts of a page that are about rows of this read model, with what completed scans found.
async fn choose<P: Projection>(
    log: EventLog,
    page: Arc<LogPage>,
    up_to: i64,
    first: u64,
) -> Result<ChosenFacts<P>, ProjectionError> {
    let mut unreadable = Vec::new();
    for event in page
        .unreadable_for(P::FOLLOWER)
        .filter(|event| event.position <= up_to)
    {
        match Fact::decode(event) {
            Err(error @ LogError::Unreadable { .. }) => {
                let mut connection = log.pool().acquire().await?;
                unreadable.push(Poison::unreadable(&mut connection, event, in_full(&error)).await?);
            }
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
    }
    let page_end = page.up_to;
    let (keys, mut facts) = blocking(move || {
        let followed = page.facts_for(P::FOLLOWER).filter(|fact| fact.position <= up_to);
        let chosen = followed.filter_map(|fact| {
            let key = P::key(fact)?;
            let hash = hash(&key);
            (hash >= first).then(|| ((hash, key), Arc::clone(fact)))
        });
        chosen.unzip::<_, _, Vec<_>, Vec<_>>()
    })
    .await;
    for (number, error) in attach_shared::<P>(&log, &mut facts).await? {
        let (_, key) = &keys[number];
        unreadable.push(Poison::row(key.clone(), facts[number].position, in_full(&error)));
    }
    let facts = keys
        .into_iter()
        .zip(facts)
        .map(|((hash, key), fact)| (hash, key, fact));
    Ok(ChosenFacts {
        facts: facts.collect(),
        unreadable,
        up_to: page_end.min(up_to),
    })
}

/// Gives completed scans what they found ([`attach_findings`]), in copies: other read models have the same facts.
async fn attach_shared<P: Projection>(
    log: &EventLog,
    facts: &mut [Arc<Fact>],
) -> Result<Vec<(usize, LogError)>, ProjectionError> {
    if !P::READS_FINDINGS {
        return Ok(Vec::new());
    }
    let numbers = (0..facts.len()).filter(|number| facts[*number].findings_ref().is_some());
    let (numbers, mut copies): (Vec<usize>, Vec<Fact>) = numbers
        .map(|number| (number, Fact::clone(&facts[number])))
        .unzip();
    let mut connection = log.pool().acquire().await?;
    let refused = attach_findings::<P>(&mut connection, &mut copies).await?;
    for (number, fact) in numbers.iter().zip(copies) {
        facts[*number] = Arc::new(fact);
    }
    let refused = refused.into_iter().map(|(copy, error)| (numbers[copy], error));
    Ok(refused.collect())
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
        facts: Vec<(u64, P::Key, Arc<Fact>)>,
        quarantined: &Arc<Quarantine<P>>,
        poison: &mut Vec<Poison<P>>,
    ) -> Result<Self, ProjectionError> {
        let mut given: Vec<Vec<(P::Key, Arc<Fact>)>> = self.shards.iter().map(|_| Vec::new()).collect();
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
    fn fold(
        mut self,
        facts: Vec<(P::Key, Arc<Fact>)>,
        quarantined: &Quarantine<P>,
    ) -> (Self, Vec<Poison<P>>) {
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
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .expect("folding catches the panics of projections and has none of its own")
}
