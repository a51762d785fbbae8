//! Feeds of monitors.
