//! Colours on terminals that support them, unless `NO_COLOR` or `TERM=dumb` is set.

use crate::values::EventType;
use crate::values::event_type::Tone;
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use super::output::Span;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const UNDER_WAY: Style = AnsiColor::Cyan.on_default();

/// What went well.
pub(super) fn good(text: &str) -> Span {
    paint(GOOD, text)
}

/// What failed.
pub(super) fn bad(text: &str) -> Span {
    paint(BAD, text)
}

/// A status of a scan, batch or read model, in its colour; blanks around it stay as they are.
pub(super) fn status(text: &str) -> Span {
    match text.trim() {
        "completed" | "live" => paint(GOOD, text),
        "failed" | "paused" => paint(BAD, text),
        "partial" | "cancelled" | "building" => paint(DOUBTFUL, text),
        "running" => paint(UNDER_WAY, text),
        _ => text.into(),
    }
}

/// The type of an event, in the colour of its tone.
pub(super) fn event_type(text: &str) -> Span {
    match text.trim().parse::<EventType>().map(EventType::tone) {
        Ok(Tone::Good) => paint(GOOD, text),
        Ok(Tone::Bad) => paint(BAD, text),
        Ok(Tone::Warning) => paint(DOUBTFUL, text),
        Ok(Tone::UnderWay | Tone::Neutral) | Err(_) => text.into(),
    }
}

fn paint(style: Style, text: &str) -> Span {
    Span {
        style,
        text: text.to_owned(),
    }
}

/// Whether standard output shows colours.
pub(super) fn shows_colours() -> bool {
    static SHOWS: OnceLock<bool> = OnceLock::new();
    *SHOWS.get_or_init(|| AutoStream::choice(&std::io::stdout()) != ColorChoice::Never)
}
