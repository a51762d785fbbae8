//! The engine that reads a site: robots.txt, sitemaps, pages. It knows no database and no events.

pub mod page;
pub mod references;
pub mod report;
pub mod robots;
pub mod site;
pub mod sitemap;
