//! Settings of NATS: its address and the credentials.

use super::error::Faults;
use super::raw::RawNats;
use super::{ConfigError, value};
use crate::fleet::{Cell, NatsSettings};

/// The broker; `None` if there is none, or if something is wrong with the settings.
pub(super) fn nats_settings(raw: RawNats, faults: &mut Faults) -> Option<NatsSettings> {
    const URL: &str = "SITELOG_NATS__URL";
    let Some(url) = raw.url.filter(|url| !url.is_empty()) else {
        for (name, is_set) in [
            ("SITELOG_NATS__CREDENTIALS", raw.credentials.is_some()),
            ("SITELOG_NATS__CA", raw.ca.is_some()),
            ("SITELOG_NATS__CELL", raw.cell.is_some()),
        ] {
            if is_set {
                let other = "SITELOG_NATS__URL, the address of NATS";
                faults.push(ConfigError::Needs { name, other });
            }
        }
        return None;
    };
    let name = raw.cell.as_deref().unwrap_or(Cell::DEFAULT);
    let expected = "a name of up to 32 letters, digits and hyphens";
    let cell = Cell::parse(name).ok_or_else(|| value("SITELOG_NATS__CELL", name, expected));
    let settings = NatsSettings {
        url,
        credentials: raw.credentials,
        ca: raw.ca,
        cell: faults.take(cell)?,
    };
    if !settings.has_addresses() {
        let expected = "one or more addresses such as nats://127.0.0.1:4222, separated by commas";
        faults.push(value(URL, &settings.shown(), expected));
        return None;
    }
    Some(settings)
}
