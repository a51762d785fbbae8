//! Which settings there are: a name that nobody reads is refused with the nearest one, not ignored.

use std::collections::HashMap;
use std::ffi::OsString;

use super::{ConfigError, Raw};
use crate::values::nearest::nearest;

/// Names of the environment that begin like settings and are none: what programs that use the API read, and what the
/// project's own tests and benches do.
const OF_OTHERS: [&str; 10] = [
    "SITELOG_URL",
    "SITELOG_KEY",
    "SITELOG_TEST_DATABASE_URL",
    "SITELOG_BENCH_DATABASE_URL",
    "SITELOG_CRASH_KILLS",
    "SITELOG_CRASH_SEED",
    "SITELOG_CORPUS",
    "SITELOG_LEGACY_ROWS",
    "SITELOG_PEERS_PYTHON",
    "SITELOG_BINARY",
];

/// What of the environment is meant for us.
pub(super) fn settings_in(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> HashMap<String, String> {
    environment
        .filter_map(|(name, value)| {
            Some((
                name.to_str()?.to_uppercase(),
                value.to_string_lossy().into_owned(),
            ))
        })
        .filter(|(name, _)| name.starts_with("SITELOG_") && !OF_OTHERS.contains(&name.as_str()))
        .collect()
}

/// Refuses a name of the environment that begins like a setting and is none.
pub(super) fn require_known_in_environment<'a>(
    names: impl Iterator<Item = &'a str>,
) -> Result<(), ConfigError> {
    let known: Vec<String> = known_paths()
        .iter()
        .map(|path| format!("SITELOG_{}", path.to_uppercase().replace('.', "__")))
        .chain(["DATABASE_URL".to_owned()])
        .collect();
    require_known(names, &known)
}

/// Refuses a setting of the file that there is not.
pub(super) fn require_known_in_file(file: &impl config::Source) -> Result<(), ConfigError> {
    let values = file.collect()?;
    let known = known_paths();
    let mut given = Vec::new();
    for (section, value) in values {
        match value.into_table() {
            Ok(table) => given.extend(table.into_keys().map(|name| format!("{section}.{name}"))),
            Err(_) => given.push(section),
        }
    }
    // It may hold a password, and other programs read it from the environment too.
    if let Some(name) = given.iter().find(|name| name.as_str() == "database_url") {
        return Err(ConfigError::Unknown {
            name: format!("{name} in sitelog.toml"),
            nearest: "DATABASE_URL in the environment".to_owned(),
        });
    }
    require_known(given.iter().map(String::as_str), &known).map_err(|error| match error {
        ConfigError::Unknown { name, nearest } => ConfigError::Unknown {
            name: format!("{name} in sitelog.toml"),
            nearest,
        },
        other => other,
    })
}

fn require_known<'a>(given: impl Iterator<Item = &'a str>, known: &[String]) -> Result<(), ConfigError> {
    let Some(name) = given
        .filter(|name| !known.iter().any(|known| known == name))
        .min()
    else {
        return Ok(());
    };
    let nearest = nearest(bare(name), known.iter().map(|name| bare(name)));
    let nearest = known.iter().find(|name| nearest == Some(bare(name)));
    Err(ConfigError::Unknown {
        name: name.to_owned(),
        nearest: nearest.cloned().unwrap_or_default(),
    })
}

/// A name without the prefix, which makes each like every other.
fn bare(name: &str) -> &str {
    name.strip_prefix("SITELOG_").unwrap_or(name)
}

/// All settings by their place in the file, such as `worker.concurrency`: those that `Raw` has.
fn known_paths() -> Vec<String> {
    let raw = serde_json::to_value(Raw::default()).expect("plain data");
    let sections = raw.as_object().into_iter().flatten();
    sections
        .flat_map(|(section, value)| match value.as_object() {
            Some(names) => names.keys().map(|name| format!("{section}.{name}")).collect(),
            None => vec![section.clone()],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_nobody_reads_is_refused_with_the_nearest_one() {
        let refused = |name: &str| {
            require_known_in_environment([name].into_iter())
                .unwrap_err()
                .to_string()
        };
        for (name, nearest) in [
            ("SITELOG_WORKER_CONCURRENCY", "SITELOG_WORKER__CONCURRENCY"),
            ("SITELOG_WORKER__CONCURENCY", "SITELOG_WORKER__CONCURRENCY"),
            ("SITELOG_DATADIR", "SITELOG_DATA_DIR"),
            ("SITELOG_DATABASE_URL", "DATABASE_URL"),
            ("SITELOG_FETCH__USERAGENT", "SITELOG_FETCH__USER_AGENT"),
            ("SITELOG_AUTH_MODE", "SITELOG_AUTH__MODE"),
        ] {
            let error = refused(name);
            assert!(
                error.contains(name) && error.contains(&format!("is {nearest}.")),
                "{error}"
            );
        }
        let known = known_paths();
        assert!(
            ["bind", "data_dir", "fetch.proxy", "legacy.sunset"]
                .iter()
                .all(|path| known.iter().any(|known| known == path))
        );
        let names = known
            .iter()
            .map(|path| format!("SITELOG_{}", path.to_uppercase().replace('.', "__")));
        let names: Vec<String> = names.collect();
        assert!(require_known_in_environment(names.iter().map(String::as_str)).is_ok());
        let environment = [("SITELOG_KEY", "k"), ("SITELOG_BIND", "b"), ("PATH", "/")];
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(
            settings_in(environment.into_iter())
                .into_keys()
                .collect::<Vec<_>>(),
            ["SITELOG_BIND"]
        );
        let file = |text: &str| {
            let file = config::File::from_str(text, config::FileFormat::Toml);
            require_known_in_file(&file).map_err(|error| error.to_string())
        };
        assert_eq!(file("bind = 'x'\n[worker]\nconcurrency = 5\n"), Ok(()));
        let error = file("[worker]\nconcurency = 5\n").unwrap_err();
        assert!(
            error.contains("worker.concurency in sitelog.toml") && error.contains("is worker.concurrency."),
            "{error}"
        );
        assert!(file("[wroker]\nconcurrency = 5\n").is_err());
        assert!(file("database_url = 'x'\n").unwrap_err().contains("DATABASE_URL"));
    }
}
