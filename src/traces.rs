//! Traces: the course of each scan, as spans for a collector (OpenTelemetry). Nothing is recorded unless a collector
//! is set.
//!
//! The id of a scan is the id of its trace, and the ids of the spans that other spans refer to are derived from the
//! ids of scan and attempt. So nothing has to be passed on: every process that works on a scan adds to the same trace,
//! and the id of the scan is enough to find it.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::OnceLock;
use std::time::SystemTime;

use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator, SdkTracer};
use uuid::Uuid;

static TRACING: OnceLock<Tracing> = OnceLock::new();

/// The tracer, and the scans that it traces.
struct Tracing {
    tracer: SdkTracer,
    sampled: Sampled,
}

/// Which scans are traced: a ratio of all. Whether a scan is one of them follows from its id: so every process decides the
/// same, and a trace is complete or absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Scans are traced whose number of 53 bits is below this.
    below: u64,
}

impl Sampled {
    /// Bits that a float has.
    const BITS: u32 = 53;

    /// A ratio from 0, none, to 1, all.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of 2^53, which a float holds exactly"
    )]
    pub fn ratio(ratio: f64) -> Self {
        let all = 1_u64 << Self::BITS;
        Self {
            below: (ratio.clamp(0.0, 1.0) * all as f64) as u64,
        }
    }

    fn has(self, scan: Uuid) -> bool {
        // Mixed (the finalizer of splitmix64), because ids of version 7 that are made in one moment begin alike.
        let (high, low) = scan.as_u64_pair();
        let mut mixed = high ^ low;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) >> (u64::BITS - Self::BITS) < self.below
    }
}

/// The tracer of a scan, if the scan is traced.
fn tracing_of(scan: Uuid) -> Option<&'static Tracing> {
    TRACING.get().filter(|tracing| tracing.sampled.has(scan))
}

tokio::task_local! {
    /// The attempt that this task works on.
    static ATTEMPT: ParentSpan;
}

thread_local! {
    /// The ids of the span that this thread begins next.
    static IDS: Cell<(TraceId, SpanId)> = const { Cell::new((TraceId::INVALID, SpanId::INVALID)) };
}

/// Generates the ids of spans.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        IDS.get().0
    }

    fn new_span_id(&self) -> SpanId {
        IDS.get().1
    }
}

/// Switches traces of some scans on; the tracer must have [`Ids`].
pub fn switch_on(tracer: SdkTracer, sampled: Sampled) {
    // Several servers of one test process share the first.
    let _kept = TRACING.set(Tracing { tracer, sampled });
}

/// The parent of a span in the trace of a scan.
#[derive(Clone, Copy, Debug)]
pub struct ParentSpan {
    scan: Uuid,
    span: SpanId,
}

impl ParentSpan {
    /// The root: the scan.
    pub fn of_scan(scan: Uuid) -> Self {
        Self {
            scan,
            span: span_id(scan, 0),
        }
    }

    /// An attempt, which its fence identifies.
    pub fn of_attempt(scan: Uuid, fence: i64) -> Self {
        Self {
            scan,
            span: span_id(scan, fence.unsigned_abs()),
        }
    }
}

/// Eight bytes that are the same for the same attempt; never all zero, which is not an id.
fn span_id(scan: Uuid, number: u64) -> SpanId {
    let (_, low) = scan.as_u64_pair();
    SpanId::from((low ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1))
}

/// A span that has begun and not ended.
#[derive(Debug)]
#[must_use = "a span is recorded when it ends"]
pub struct OpenSpan {
    name: Cow<'static, str>,
    kind: SpanKind,
    id: Option<SpanId>,
    parent: Option<ParentSpan>,
    scan: Uuid,
    began: SystemTime,
}

/// Begins the root of a scan's trace: its request. `None` while traces are off, as below.
pub fn scan_requested(scan: Uuid, began: SystemTime) -> Option<OpenSpan> {
    tracing_of(scan)?;
    Some(OpenSpan {
        name: "scan requested".into(),
        kind: SpanKind::Internal,
        id: Some(ParentSpan::of_scan(scan).span),
        parent: None,
        scan,
        began,
    })
}

/// Begins an attempt.
pub fn attempt(scan: Uuid, fence: i64) -> Option<OpenSpan> {
    tracing_of(scan)?;
    Some(OpenSpan {
        name: "attempt".into(),
        kind: SpanKind::Internal,
        id: Some(ParentSpan::of_attempt(scan, fence).span),
        parent: Some(ParentSpan::of_scan(scan)),
        scan,
        began: SystemTime::now(),
    })
}

/// Begins a span below another.
pub fn child(parent: ParentSpan, name: impl Into<Cow<'static, str>>, began: SystemTime) -> Option<OpenSpan> {
    tracing_of(parent.scan)?;
    Some(OpenSpan {
        name: name.into(),
        kind: SpanKind::Internal,
        id: None,
        parent: Some(parent),
        scan: parent.scan,
        began,
    })
}

/// Begins a request to a site, if this task works on an attempt.
pub fn fetch() -> Option<OpenSpan> {
    TRACING.get()?;
    let attempt = ATTEMPT.try_with(|attempt| *attempt).ok()?;
    let span = child(attempt, "GET", SystemTime::now())?;
    Some(OpenSpan {
        kind: SpanKind::Client,
        ..span
    })
}

/// Runs the work of an attempt: spans of its requests are below it.
pub async fn within<T>(attempt: ParentSpan, work: impl Future<Output = T>) -> T {
    if tracing_of(attempt.scan).is_none() {
        return work.await;
    }
    ATTEMPT.scope(attempt, work).await
}

impl OpenSpan {
    /// Records the span.
    pub fn end(self, attributes: Vec<KeyValue>, error: Option<String>) {
        let Some(Tracing { tracer, .. }) = TRACING.get() else {
            return;
        };
        let trace = TraceId::from_bytes(self.scan.into_bytes());
        let parent = self.parent.map_or_else(Context::new, |place| {
            let state = TraceState::default();
            let parent = SpanContext::new(trace, place.span, TraceFlags::SAMPLED, true, state);
            Context::new().with_remote_span_context(parent)
        });
        let id = self
            .id
            .unwrap_or_else(|| SpanId::from(rand::random::<u64>().max(1)));
        IDS.set((trace, id));
        let span = SpanBuilder::from_name(self.name)
            .with_kind(self.kind)
            .with_start_time(self.began)
            .with_attributes(attributes);
        let mut span = tracer.build_with_context(span, &parent);
        if let Some(error) = error {
            opentelemetry::trace::Span::set_status(&mut span, Status::error(error));
        }
        opentelemetry::trace::Span::end(&mut span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_ids_follow_from_the_scan_and_its_attempts() {
        let scan = Uuid::new_v4();
        let spans = [
            ParentSpan::of_scan(scan),
            ParentSpan::of_attempt(scan, 1),
            ParentSpan::of_attempt(scan, 2),
        ];
        assert_eq!(spans[1].span, ParentSpan::of_attempt(scan, 1).span);
        assert_ne!(spans[0].span, spans[1].span);
        assert_ne!(spans[1].span, spans[2].span);
        assert_ne!(ParentSpan::of_scan(Uuid::nil()).span, SpanId::INVALID);
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a count of thousands")]
    fn a_ratio_of_scans_of_every_kind_is_traced() {
        let batch = crate::values::BatchId(Uuid::new_v4());
        let kinds: [&dyn Fn(u32) -> Uuid; 3] = [&|_| Uuid::new_v4(), &|_| Uuid::now_v7(), &|line| {
            crate::values::ScanId::of_batch_line(batch, line).0
        }];
        for new in kinds {
            let scans: Vec<Uuid> = (0..10_000).map(new).collect();
            let traced = |ratio: f64| {
                let sampled = Sampled::ratio(ratio);
                scans.iter().filter(|scan| sampled.has(**scan)).count()
            };
            assert_eq!((traced(0.0), traced(1.0)), (0, 10_000));
            // Ten standard deviations around the middle.
            let some = traced(0.25) as f64;
            assert!((some - 2500.0).abs() < 433.0, "{some}");
        }
        let (few, many) = (Sampled::ratio(0.1), Sampled::ratio(0.2));
        let scans: Vec<Uuid> = (0..1000).map(|_| Uuid::new_v4()).collect();
        let kept = scans.iter().filter(|scan| few.has(**scan));
        // If the ratio is raised, scans that were traced before still are.
        assert!(kept.clone().count() > 0 && kept.into_iter().all(|scan| many.has(*scan)));
    }

    #[test]
    fn nothing_is_recorded_while_traces_are_off() {
        assert!(attempt(Uuid::new_v4(), 1).is_none() && fetch().is_none());
    }
}
