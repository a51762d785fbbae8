//! `sitelog key`: who may use the API.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{note_line, print_line};
use crate::access::keys::{self, Expiry, KeyRow, NewKey};
use crate::access::{KeyId, Scope, Scopes};
use crate::commands::{CommandBus, CommandContext, change_access};
use crate::config::Config;
use crate::database::Database;
use crate::log::EventLog;
use crate::values::TenantId;

/// Creates, lists and revokes keys.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Creates a key and prints it once
    Create(Create),
    /// Lists keys, without their secrets
    List(List),
    /// Revokes a key permanently, effective immediately
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// A label: who uses the key, and for what
    #[arg(long, default_value = "")]
    name: String,
    /// The tenant whose data the key gives access to
    #[arg(long, value_name = "ID", default_value_t = TenantId::DEFAULT)]
    tenant: TenantId,
    /// One or more of read, write, admin and operator; each includes the ones before it
    #[arg(
        long,
        visible_alias = "scope",
        value_delimiter = ',',
        default_value = "read,write"
    )]
    scopes: Vec<Scope>,
    /// When the key expires: after a number of days (90d) or at a time (2027-01-31T00:00:00Z); by default never
    #[arg(long, value_name = "WHEN", value_parser = expiry_of)]
    expires: Option<Expiry>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only keys of this tenant
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Prints one JSON object per key
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The ID of the key, as the list shows it, or the whole key
    #[arg(value_name = "KEY", value_parser = key_of)]
    key: KeyId,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::open(config).await?;
    let code = match &args.command {
        Command::Create(create) => create_key(create, &database).await,
        Command::List(list) => list_keys(list, &database).await,
        Command::Revoke(revoke) => revoke_key(revoke, &database).await,
    };
    database.close().await;
    code
}

async fn create_key(args: &Create, database: &Database) -> anyhow::Result<ExitCode> {
    let new = NewKey {
        tenant: args.tenant,
        name: args.name.clone(),
        scopes: args.scopes.iter().copied().collect::<Scopes>(),
        expires: args.expires,
        created_by: "cli".to_owned(),
    };
    let bus = CommandBus::new(EventLog::open(database.pools.work.clone()));
    let context = CommandContext::internal(args.tenant, "cli");
    let (key, row) = change_access::create_key(&bus, &new, &context).await?;
    if args.json {
        let mut shown = json!(row);
        shown["key"] = key.reveal().into();
        print_line(&shown.to_string())?;
    } else {
        note_line(&line_of(&row));
        note_line("Key (shown only once):");
        print_line(key.reveal())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn list_keys(args: &List, database: &Database) -> anyhow::Result<ExitCode> {
    for row in keys::list(&database.pools.work, args.tenant).await? {
        if args.json {
            print_line(&serde_json::to_string(&row)?)?;
        } else {
            print_line(&line_of(&row))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke_key(args: &Revoke, database: &Database) -> anyhow::Result<ExitCode> {
    let bus = CommandBus::new(EventLog::open(database.pools.work.clone()));
    let context = CommandContext::internal(TenantId::DEFAULT, "cli");
    if let Some(row) = change_access::revoke_key(&bus, None, &args.key, &context).await? {
        print_line(&if args.json {
            serde_json::to_string(&row)?
        } else {
            line_of(&row)
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let id = &args.key;
    note_line(&format!(
        "sitelog: no key {id} found; list all keys with 'sitelog key list'"
    ));
    Ok(ExitCode::FAILURE)
}

fn line_of(row: &KeyRow) -> String {
    let day = |time: DateTime<Utc>| time.format("%Y-%m-%d").to_string();
    let state = match (row.revoked_at, row.expires_at) {
        (Some(then), _) => format!("revoked {}", day(then)),
        (None, Some(then)) if then <= Utc::now() => format!("expired {}", day(then)),
        (None, Some(then)) => format!("valid until {}", day(then)),
        (None, None) => "active".to_owned(),
    };
    let used = row.last_used_at.map_or_else(
        || "never used".to_owned(),
        |then| format!("last used {}", day(then)),
    );
    let (id, tenant, scopes, name) = (&row.key_id, row.tenant_id, row.scopes.join(","), &row.name);
    format!("{id}  {tenant}  {scopes:<14} {state}, {used}  {name}")
        .trim_end()
        .to_owned()
}

/// No key is valid for longer than a hundred years.
const MAX_DAYS: i64 = 36_500;

fn expiry_of(text: &str) -> Result<Expiry, String> {
    let in_days = || {
        let days: i64 = text.strip_suffix('d')?.parse().ok()?;
        (0..=MAX_DAYS)
            .contains(&days)
            .then(|| Expiry::After(TimeDelta::days(days)))
    };
    let then = || {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| Expiry::At(time.to_utc()))
    };
    in_days().or_else(then).ok_or_else(|| {
        "give a number of days, such as 90d, or a time, such as 2027-01-31T00:00:00Z".to_owned()
    })
}

fn key_of(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).ok_or_else(|| "give the ID of the key, such as sitelog_0123456789abcdef".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_key_is_given_in_days_or_as_a_time() {
        assert_eq!(expiry_of("10d"), Ok(Expiry::After(TimeDelta::days(10))));
        let then = "2027-01-30T23:00:00Z".parse().unwrap();
        assert_eq!(expiry_of("2027-01-31T00:00:00+01:00"), Ok(Expiry::At(then)));
        for text in ["", "d", "10", "soon", "99999999999999999999d", "9999999999d"] {
            assert!(expiry_of(text).is_err(), "{text}");
        }
    }
}
