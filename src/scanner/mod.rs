//! The engine that reads a site: robots.txt, sitemaps, pages. It knows no database and no events.

pub mod report;
pub mod robots;
