//! `sitelog log verify`.

use std::process::ExitCode;

use serde_json::json;

use crate::aggregates;
use crate::cli::input::BadArgument;
use crate::cli::print_line;
use crate::log::EventLog;
use crate::log::head::TreeHead;
use crate::log::verify::{Finding, VerifyOptions};
use crate::values::amount::counted;

/// Checks that no event is missing and that no event or body was changed; exit code 1 otherwise.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An earlier head: a file with the output of 'log head', or SIZE:ROOT. Fails if an event before it was changed
    #[arg(long, value_name = "FILE|SIZE:ROOT")]
    head: Option<String>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, log: &EventLog) -> anyhow::Result<ExitCode> {
    let head = args.head.as_deref().map(read_head).transpose()?;
    Ok(if check(log, head, args.json).await? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Verifies a log, against a head if one is given, and prints the result; true if there are no errors.
pub(in crate::cli) async fn check(
    log: &EventLog,
    head: Option<TreeHead>,
    json: bool,
) -> anyhow::Result<bool> {
    let options = VerifyOptions {
        head,
        readable: Some(aggregates::can_read),
    };
    let found = log.verify_with(&options).await?;
    if json {
        let finding_json = |finding: &Finding| {
            let mut fields = json!(finding);
            fields["text"] = finding.to_string().into();
            fields
        };
        let report = json!({
            "holds": found.holds(),
            "events": found.events,
            "bodies": found.bodies,
            "erased": found.erased,
            "root": hex::encode(found.root),
            "wrong": found.wrong,
            "findings": found.findings.iter().map(finding_json).collect::<Vec<_>>(),
        });
        print_line(&report.to_string())?;
        return Ok(found.holds());
    }
    for finding in &found.findings {
        print_line(&finding.to_string())?;
    }
    if found.holds() {
        print_line(&format!(
            "{} and {} are unchanged; {} erased",
            counted(found.events, "event"),
            counted(found.bodies, "body"),
            counted(found.erased, "body")
        ))?;
    } else {
        print_line(&format!(
            "{} in {} and {}; {} erased",
            counted(found.wrong, "finding"),
            counted(found.events, "event"),
            counted(found.bodies, "body"),
            counted(found.erased, "body")
        ))?;
    }
    if let Some(head) = options.head.filter(|_| found.holds()) {
        print_line(&format!(
            "the given head matches the first {}",
            counted(head.size, "event")
        ))?;
    }
    print_line(&format!(
        "tree head {} over {} leaves",
        hex::encode(found.root),
        found.events
    ))?;
    Ok(found.holds())
}

/// A head that was kept, in a file or right here.
pub(super) fn read_head(given: &str) -> Result<TreeHead, BadArgument> {
    let text = match std::fs::read_to_string(given) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => given.to_owned(),
        Err(error) => return Err(BadArgument(format!("cannot read {given}: {error}"))),
    };
    text.parse()
        .map_err(|error| BadArgument(format!("{given}: {error}")))
}
