//! `sitelog robots`: checks URLs against a saved robots.txt. Nothing is fetched or recorded.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::{input, print_line};
use crate::scanner::robots::Robots;

/// Checks which URLs a robots.txt file allows
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Has no effect: the output is always JSON
    #[arg(long)]
    json: bool,
    /// The file; `-` for standard input
    file: PathBuf,
    /// Product token of the agent, such as `sitelog`
    #[arg(long, value_name = "NAME")]
    agent: String,
    /// URLs or paths to check
    #[arg(required = true)]
    urls: Vec<String>,
}

/// One line of the output.
#[derive(Debug, Serialize)]
struct Line<'a> {
    url: &'a str,
    allowed: bool,
    rule: Option<String>,
    crawl_delay: Option<f64>,
    sitemaps: &'a [String],
}

/// Prints one JSON object per URL.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let robots = Robots::parse(&input::read(&args.file)?);
    for url in &args.urls {
        let decision = robots.decide(&args.agent, url);
        let line = Line {
            url,
            allowed: decision.allowed,
            rule: decision.rule,
            crawl_delay: robots.crawl_delay(&args.agent),
            sitemaps: robots.sitemaps(),
        };
        print_line(&serde_json::to_string(&line)?)?;
    }
    Ok(ExitCode::SUCCESS)
}
