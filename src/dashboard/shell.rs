//! The frame of all pages.

use maud::{DOCTYPE, Markup, html};

use super::assets::{ICON, SCRIPT, STYLE};
use super::entry::Visitor;
use crate::access::Scope;
use crate::values::EventType;
use crate::values::event_type::{Progress, StreamType};

/// The media type of pages, without its parameters.
pub(super) const HTML: &[u8] = b"text/html";

/// Where in the navigation a page belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    None,
    Overview,
    Batches,
    Domains,
    Changes,
    Monitors,
    Webhooks,
    Log,
    Projections,
    Tasks,
    Keys,
}

/// Whether a page updates itself.
enum Live {
    No,
    /// When one of these events is in the log; at most this often (milliseconds).
    ByEvents {
        url: String,
        events: String,
        pause: u32,
    },
    /// The interval in milliseconds.
    ByTime(u32),
    /// The same, but not without scripts: a reload would lose what the visitor is writing.
    ByTimeInPlace(u32),
}

/// The events after which a page about scans must be updated.
fn scan_events() -> String {
    let of_scans = |one: EventType| matches!(one.stream(), StreamType::Scan | StreamType::Batch);
    let changes = |one: EventType| one.progress() != Progress::Same || one == EventType::BatchExpanded;
    EventType::names(|one| of_scans(one) && changes(one)).join(" ")
}

/// One page.
pub(super) struct Page<'a> {
    title: &'a str,
    section: Section,
    live: Live,
}

impl<'a> Page<'a> {
    /// A page without updates.
    pub(super) fn new(title: &'a str, section: Section) -> Self {
        Self {
            title,
            section,
            live: Live::No,
        }
    }

    /// It follows the events at an address and refreshes at most once in `pause` milliseconds.
    pub(super) fn following(mut self, url: String, pause: u32) -> Self {
        self.live = Live::ByEvents {
            url,
            events: scan_events(),
            pause,
        };
        self
    }

    /// It refreshes every few seconds.
    pub(super) fn polling(mut self) -> Self {
        self.live = Live::ByTime(4000);
        self
    }

    /// The same for a page with a form to fill in.
    pub(super) fn polling_in_place(mut self) -> Self {
        self.live = Live::ByTimeInPlace(4000);
        self
    }

    /// It retries until the missing content is available.
    pub(super) fn retried(mut self) -> Self {
        self.live = Live::ByTime(2000);
        self
    }

    /// The whole document.
    pub(super) fn render(&self, visitor: Option<&Visitor>, content: &Markup) -> Markup {
        // A refused form was sent to an address of its own: there is no page there to refresh from.
        let is_form_again = visitor.is_some_and(|visitor| visitor.refused.is_some());
        let live = if is_form_again { &Live::No } else { &self.live };
        let (url, events, pause, poll) = match live {
            Live::No => (None, None, None, None),
            Live::ByEvents { url, events, pause } => (Some(url), Some(events), Some(pause), None),
            Live::ByTime(every) | Live::ByTimeInPlace(every) => (None, None, None, Some(every)),
        };
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) " · sitelog" }
                    link rel="icon" href=(ICON) type="image/svg+xml";
                    link rel="stylesheet" href=(STYLE);
                    script src=(SCRIPT) defer {}
                    @if matches!(live, Live::ByEvents { .. } | Live::ByTime(_)) {
                        noscript { meta http-equiv="refresh" content="5"; }
                    }
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    header.bar-top { (self.navigation(visitor)) }
                    p.lost id="lost" role="status" hidden { "The server is not responding." }
                    main id="main" tabindex="-1" data-live=[url] data-events=[events] data-pause=[pause]
                        data-poll=[poll] {
                        @if let Some(visitor) = visitor { (visitor.refused.summary()) }
                        (content)
                    }
                    footer { "sitelog " (env!("CARGO_PKG_VERSION")) " · times are UTC · " a href="/docs" { "API docs" } }
                }
            }
        }
    }

    fn navigation(&self, visitor: Option<&Visitor>) -> Markup {
        let entry = |section: Section, path: &str, name: &str| {
            html! { a href=(path) aria-current=[(self.section == section).then_some("page")] { (name) } }
        };
        html! {
            nav aria-label="Main" {
                a.brand href="/" { img src=(ICON) alt="" width="20" height="20"; "sitelog" }
                @if let Some(visitor) = visitor {
                    (entry(Section::Overview, "/", "Overview"))
                    (entry(Section::Batches, "/batches", "Batches"))
                    (entry(Section::Domains, "/domains", "Domains"))
                    (entry(Section::Changes, "/changes", "Changes"))
                    (entry(Section::Monitors, "/monitors", "Monitors"))
                    (entry(Section::Webhooks, "/webhooks", "Webhooks"))
                    (entry(Section::Log, "/log", "Log"))
                    @if visitor.may(Scope::Operator) {
                        (entry(Section::Tasks, "/tasks", "Tasks"))
                        (entry(Section::Projections, "/projections", "Read models"))
                    }
                    @if visitor.may(Scope::Admin) { (entry(Section::Keys, "/keys", "Keys")) }
                    @if visitor.has_session {
                        form.push method="post" action="/sign-out" {
                            @if let Some(name) = &visitor.caller.name { span.muted.who title=(visitor.caller.actor) { (name) } " " }
                            button.plain type="submit" { "Sign out" }
                        }
                    }
                }
            }
        }
    }
}
