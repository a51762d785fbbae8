//! `sitelog events`.

use std::process::ExitCode;
use std::time::Duration;

use super::{note_line, print_line, style};
use crate::aggregates::STREAM_TYPES;
use crate::api::v4::views::Event;
use crate::config::Config;
use crate::database::Database;
use crate::log::EventLog;
use crate::log::read::EventFilter;

/// Prints events of the log.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only events of this scan, batch, webhook, monitor or tenant (its keys and quotas)
    #[arg(long, value_name = "ID")]
    stream: Option<String>,
    /// Only events after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: i64,
    /// Keeps running and prints new events as they are recorded
    #[arg(long)]
    follow: bool,
    /// Prints one JSON object per event
    #[arg(long)]
    json: bool,
}

/// Events per read.
const PAGE: i64 = 1000;

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::open(config).await?;
    let log = EventLog::open(database.pools.work.clone());
    let mut news = log.watch();
    let mut after = args.after;
    let mut is_empty = true;
    loop {
        let stream = args.stream.clone().map(|id| (STREAM_TYPES, id));
        let events = log
            .events(&EventFilter {
                tenant: None,
                stream,
                after,
                limit: PAGE,
            })
            .await?;
        let full = i64::try_from(events.len()).is_ok_and(|count| count == PAGE);
        for event in events {
            after = event.position;
            is_empty = false;
            print(&Event::from(event), args.json)?;
        }
        if full {
            continue;
        }
        if !args.follow {
            break;
        }
        tokio::select! {
            _ = news.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    drop((log, news));
    database.close().await;
    if let Some(stream) = args.stream.as_ref().filter(|_| is_empty && !args.follow) {
        note_line(&format!(
            "sitelog: no events: no stream has the ID {stream}, or none of its events is after {}",
            args.after
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn print(event: &Event, json: bool) -> anyhow::Result<()> {
    if json {
        print_line(&serde_json::to_string(event)?)?;
    } else {
        let time = event.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f");
        let about = event
            .data
            .get("domain")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let (position, kind, id, sequence) = (
            event.position,
            style::event_type(&format!("{:<18}", event.kind)),
            &event.stream.id,
            event.stream.sequence,
        );
        let actor = event.actor.as_deref().unwrap_or("-");
        print_line([
            format!("{position:>8}  {time}  ").into(),
            kind,
            format!(" {id}/{sequence:<3} {actor:<24} {about}").into(),
        ])?;
    }
    Ok(())
}
