//! Reads the log for folds. Folds of a process that begin at about the same time share a pass over it, so that each
//! page is read and decoded once.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use futures::stream::{BoxStream, Stream};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::fold::blocking;
use super::{Fact, ProjectionError, all};
use crate::log::read::read_range;
use crate::log::{EventLog, LogEvent};
use crate::values::EventType;
use crate::values::event_type::Follower;

/// Pages read and decoded ahead of the folds.
pub(super) const AHEAD: usize = 3;
/// A pass can be joined until it has read that many pages: they are kept for those that join.
const JOINABLE: usize = 4;

/// The types of events that any read model follows.
static FOLLOWED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let is_followed = |name| {
        all()
            .iter()
            .any(|projection| projection.event_types().contains(&name))
    };
    EventType::names(|event_type| is_followed(event_type.as_str()))
});

/// A decoded page of the log. Folds share it.
pub(super) struct LogPage {
    /// The position that it ends with.
    pub(super) up_to: i64,
    facts: Vec<(EventType, Arc<Fact>)>,
    unreadable: Vec<LogEvent>,
}

impl LogPage {
    /// The facts that a read model follows.
    pub(super) fn facts_for(&self, follower: Follower) -> impl Iterator<Item = &Arc<Fact>> {
        let followed = self.facts.iter();
        let followed = followed.filter(move |(event_type, _)| event_type.followers().contains(&follower));
        followed.map(|(_, fact)| fact)
    }

    /// The events that a read model follows and that cannot be decoded.
    pub(super) fn unreadable_for(&self, follower: Follower) -> impl Iterator<Item = &LogEvent> {
        let types = follower.event_types();
        let unreadable = self.unreadable.iter();
        unreadable.filter(move |event| types.contains(&event.event_type.as_str()))
    }
}

/// Where folds find the pass that has just begun; clones share it.
#[derive(Clone, Default)]
pub struct Passes(Arc<Mutex<Option<Joinable>>>);

/// A pass that can be joined.
struct Joinable {
    up_to: i64,
    /// All pages read so far.
    pages: Vec<Arc<LogPage>>,
    /// Those that joined since the last page.
    joined: Vec<mpsc::Sender<Arc<LogPage>>>,
}

impl Passes {
    /// Joins the pass that has just begun, or begins one up to the head of the log.
    pub(super) async fn join(&self, log: &EventLog, page: i64) -> Result<Pages, ProjectionError> {
        let head = log.head().await?;
        let (is_new, up_to, shared) = {
            let mut joinable = self.joinable();
            let is_new = joinable.is_none();
            let pass = joinable.get_or_insert_with(|| Joinable::new(head));
            (is_new, pass.up_to, pass.join())
        };
        if is_new {
            let pages = read_pages(log.clone(), 0, up_to, page);
            tokio::spawn(read_for_all(Open(Some(self.clone())), pages));
        }
        Ok(Pages {
            log: log.clone(),
            page,
            read: 0,
            up_to,
            source: Source::Shared(shared),
        })
    }

    fn joinable(&self) -> MutexGuard<'_, Option<Joinable>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Joinable {
    fn new(up_to: i64) -> Self {
        Self {
            up_to,
            pages: Vec::new(),
            joined: Vec::new(),
        }
    }

    fn join(&mut self) -> mpsc::Receiver<Arc<LogPage>> {
        let (sender, receiver) = mpsc::channel(JOINABLE + AHEAD);
        for page in &self.pages {
            // There is room for all that are kept.
            let _ = sender.try_send(Arc::clone(page));
        }
        self.joined.push(sender);
        receiver
    }
}

/// Gives each page to all that joined; waits for the slowest one. If the log cannot be read it ends: each fold then
/// reads on by itself, and meets the error.
async fn read_for_all(mut open: Open, pages: impl Stream<Item = Result<Arc<LogPage>, ProjectionError>>) {
    let mut pages = std::pin::pin!(pages);
    let mut members = Vec::new();
    while let Ok(Some(page)) = pages.try_next().await {
        open.add(&page, &mut members);
        let mut staying = Vec::with_capacity(members.len());
        for member in members {
            if member.send(Arc::clone(&page)).await.is_ok() {
                staying.push(member);
            }
        }
        members = staying;
        if members.is_empty() && open.0.is_none() {
            return;
        }
    }
}

/// A pass while it can be joined. However the pass ends, nobody can join it afterwards: that fold would wait forever.
struct Open(Option<Passes>);

impl Open {
    /// Keeps a page for those that join later, and takes those that have joined.
    fn add(&mut self, page: &Arc<LogPage>, members: &mut Vec<mpsc::Sender<Arc<LogPage>>>) {
        let Some(passes) = &self.0 else { return };
        let mut is_over = true;
        if let Some(pass) = passes.joinable().as_mut() {
            pass.pages.push(Arc::clone(page));
            members.append(&mut pass.joined);
            is_over = pass.pages.len() == JOINABLE || members.is_empty();
        }
        if is_over {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some(passes) = self.0.take() {
            *passes.joinable() = None;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

/// The pages of the log for one fold.
pub(super) struct Pages {
    log: EventLog,
    page: i64,
    /// The position of the last page.
    read: i64,
    up_to: i64,
    source: Source,
}

enum Source {
    /// A pass that others have joined too.
    Shared(mpsc::Receiver<Arc<LogPage>>),
    /// Reads by itself.
    Own(BoxStream<'static, Result<Arc<LogPage>, ProjectionError>>),
}

impl Pages {
    /// The position that the last page ends with.
    pub(super) fn up_to(&self) -> i64 {
        self.up_to
    }

    /// The pages up to a position; a shared one may end behind it.
    pub(super) fn stream_up_to(
        mut self,
        up_to: i64,
    ) -> impl Stream<Item = Result<Arc<LogPage>, ProjectionError>> + Send {
        self.up_to = up_to;
        stream::try_unfold(self, |mut pages| async move {
            Ok(pages.next().await?.map(|page| (page, pages)))
        })
    }

    async fn next(&mut self) -> Result<Option<Arc<LogPage>>, ProjectionError> {
        if self.read >= self.up_to {
            return Ok(None);
        }
        let page = loop {
            match &mut self.source {
                Source::Own(pages) => break pages.try_next().await?,
                Source::Shared(pages) => {
                    if let Some(page) = pages.recv().await {
                        break Some(page);
                    }
                    let rest = read_pages(self.log.clone(), self.read, self.up_to, self.page);
                    self.source = Source::Own(rest.boxed());
                }
            }
        };
        self.read = page.as_ref().map_or(self.up_to, |page| page.up_to);
        Ok(page)
    }
}

/// Reads and decodes pages ahead, in order.
fn read_pages(
    log: EventLog,
    after: i64,
    up_to: i64,
    page: i64,
) -> impl Stream<Item = Result<Arc<LogPage>, ProjectionError>> + Send {
    let step = usize::try_from(page).unwrap_or(1).max(1);
    // Each on a task of its own: a page that waits to be folded must not hold a connection while something else
    // waits for one.
    stream::iter((after..up_to).step_by(step))
        .map(move |after| {
            let read = read_one(log.clone(), after, (after + page).min(up_to));
            let task = AbortOnDropHandle::new(tokio::spawn(read));
            async move { task.await.expect("reading a page has no panics of its own") }
        })
        .buffered(AHEAD)
}

async fn read_one(log: EventLog, after: i64, up_to: i64) -> Result<Arc<LogPage>, ProjectionError> {
    let mut connection = log.pool().acquire().await?;
    let events = read_range(&mut connection, after, up_to, &FOLLOWED).await?;
    drop(connection);
    Ok(Arc::new(
        blocking(move || {
            let (mut facts, mut unreadable) = (Vec::with_capacity(events.len()), Vec::new());
            for event in events {
                match Fact::decode(&event) {
                    Ok(Some(fact)) => {
                        facts.extend(event.event_type.parse().ok().map(|name| (name, Arc::new(fact))));
                    }
                    Ok(None) => {}
                    Err(_) => unreadable.push(event),
                }
            }
            LogPage {
                up_to,
                facts,
                unreadable,
            }
        })
        .await,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: i64) -> Arc<LogPage> {
        Arc::new(LogPage {
            up_to: number,
            facts: Vec::new(),
            unreadable: Vec::new(),
        })
    }

    fn open(passes: &Passes) -> Open {
        Open(Some(passes.clone()))
    }

    fn begin(passes: &Passes) {
        *passes.joinable() = Some(Joinable::new(1000));
    }

    fn join(passes: &Passes) -> Option<mpsc::Receiver<Arc<LogPage>>> {
        passes.joinable().as_mut().map(Joinable::join)
    }

    async fn all_of(mut pages: mpsc::Receiver<Arc<LogPage>>) -> Vec<Arc<LogPage>> {
        let mut all = Vec::new();
        while let Some(page) = pages.recv().await {
            all.push(page);
        }
        all
    }

    #[tokio::test]
    async fn who_joins_in_time_gets_the_same_pages_from_the_first_on() {
        let passes = Passes::default();
        begin(&passes);
        let first = join(&passes).unwrap();
        let (sender, source) = mpsc::channel(1);
        let source = stream::unfold(source, |mut source| async move {
            Some((source.recv().await?, source))
        });
        let reading = tokio::spawn(read_for_all(open(&passes), source));
        for number in 1..=2 {
            sender.send(Ok(page(number))).await.unwrap();
        }
        let second = join(&passes).unwrap();
        let (first, second) = (tokio::spawn(all_of(first)), tokio::spawn(all_of(second)));
        for number in 3..=40 {
            sender.send(Ok(page(number))).await.unwrap();
        }
        // It has read too many to be joined.
        assert!(join(&passes).is_none());
        drop(sender);
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let numbers: Vec<i64> = first.iter().map(|page| page.up_to).collect();
        assert_eq!(numbers, (1..=40).collect::<Vec<i64>>());
        assert_eq!(first.len(), second.len());
        assert!(
            first
                .iter()
                .zip(&second)
                .all(|(one, other)| Arc::ptr_eq(one, other))
        );
        reading.await.unwrap();
    }

    #[tokio::test]
    async fn who_leaves_stops_nobody_and_an_error_ends_it() {
        let passes = Passes::default();
        begin(&passes);
        let (stays, leaves) = (join(&passes).unwrap(), join(&passes).unwrap());
        drop(leaves);
        let mut pages: Vec<_> = (1..=2).map(|number| Ok(page(number))).collect();
        pages.push(Err(ProjectionError::StillUnreadable));
        pages.push(Ok(page(3)));
        read_for_all(open(&passes), stream::iter(pages)).await;
        assert_eq!(all_of(stays).await.len(), 2);
        assert!(join(&passes).is_none());
    }

    #[tokio::test]
    async fn a_pass_that_panics_or_is_aborted_lets_nobody_wait() {
        for is_aborted in [false, true] {
            let passes = Passes::default();
            begin(&passes);
            let waiting = join(&passes).unwrap();
            let pages = stream::once(async move {
                assert!(is_aborted, "the reader panics");
                std::future::pending().await
            });
            let reading = tokio::spawn(read_for_all(open(&passes), pages));
            if is_aborted {
                reading.abort();
            }
            assert!(reading.await.is_err());
            assert!(all_of(waiting).await.is_empty());
            assert!(join(&passes).is_none());
        }
    }

    #[tokio::test]
    async fn nothing_is_read_when_all_have_left() {
        let passes = Passes::default();
        begin(&passes);
        drop(join(&passes));
        let mut read = 0;
        let pages = stream::iter(1..1000).map(|number| {
            read += 1;
            Ok(page(number))
        });
        read_for_all(open(&passes), pages).await;
        assert!(read <= 2, "{read} pages");
        assert!(join(&passes).is_none());
    }
}
