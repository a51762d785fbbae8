//! `sitelog config`: shows the effective settings, and checks a settings file.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::input::require_readable;
use super::{ENVIRONMENT, note_lines, print_line, print_lines, style};
use crate::config::{Fault, Setting, Settings, Sources};

/// Shows the effective settings, and checks a settings file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Prints each setting with its value and where that comes from; secrets are hidden
    Show(Show),
    /// Checks a settings file and prints all errors; exit code 3 if there are any
    Check(Check),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Prints only settings that differ from the default
    #[arg(long)]
    changed: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The file, in TOML like sitelog.toml
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also applies the environment, as the service does when it starts
    #[arg(long)]
    with_environment: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, sources: &Sources) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Show(args) => show(args, sources),
        Command::Check(args) => check(args, sources),
    }
}

fn show(args: &Show, sources: &Sources) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(sources);
    let mut effective = settings.effective();
    if args.changed {
        effective.retain(Setting::is_changed);
    }
    if args.json {
        let shown = json!({
            "file": settings.file,
            "settings": effective,
            "faults": texts(settings.faults()),
        });
        print_lines(&serde_json::to_string_pretty(&shown)?)?;
        return Ok(code(settings.faults()));
    }
    let names: Vec<&str> = effective
        .iter()
        .map(|setting| setting.name.as_deref().unwrap_or(&setting.environment))
        .collect();
    let values: Vec<String> = effective.iter().map(|setting| text(&setting.value)).collect();
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let name_width = width(&mut names.iter().map(|name| name.len()));
    // A long value moves only its own origin.
    let value_width = width(&mut values.iter().map(|value| value.chars().count())).min(40);
    for ((setting, name), value) in effective.iter().zip(names).zip(values) {
        print_line(&format!(
            "{name:name_width$}  {value:value_width$}  {}",
            setting.origin
        ))?;
    }
    for fault in settings.faults() {
        note_lines(&format!("sitelog: {fault}"));
    }
    Ok(code(settings.faults()))
}

fn check(args: &Check, sources: &Sources) -> anyhow::Result<ExitCode> {
    require_readable(&args.file)?;
    let settings = Settings::read(&Sources {
        file: Some(args.file.clone()),
        without_environment: !args.with_environment,
        ..sources.clone()
    });
    let faults = settings.faults();
    if args.json {
        let report = json!({ "file": args.file, "faults": texts(faults) });
        print_lines(&serde_json::to_string_pretty(&report)?)?;
        return Ok(code(faults));
    }
    for fault in faults {
        print_line([style::bad("ERROR"), format!("  {fault}").into()])?;
    }
    if faults.is_empty() {
        print_line(style::good(&format!("{} has no errors", args.file.display())))?;
    }
    Ok(code(faults))
}

fn code(faults: &[Fault]) -> ExitCode {
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ENVIRONMENT)
    }
}

fn texts(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
