//! The names of all settings. An unknown name is an error, which suggests the nearest known name.

use std::collections::HashMap;
use std::ffi::OsString;

use super::ConfigError;
use super::raw::Raw;
use crate::values::nearest::nearest;

/// Environment variables that begin like settings but are not settings: which file has the settings, what programs that
/// use the API read, and what the project's own tests and benches do.
const OF_OTHERS: [&str; 11] = [
    "SITELOG_CONFIG",
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

/// The environment variables that are for sitelog.
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

/// Names in the environment that begin like settings but are not settings.
pub(super) fn unknown_in_environment<'a>(names: impl Iterator<Item = &'a str>) -> Vec<ConfigError> {
    let known: Vec<String> = known_paths()
        .iter()
        .map(|path| name_in_environment(path))
        .chain(["DATABASE_URL".to_owned()])
        .collect();
    unknown(names, &known, None)
}

/// Names in a file, or on the command line, that are not settings.
pub(super) fn unknown_in_file<'a>(paths: impl Iterator<Item = &'a str>, place: &str) -> Vec<ConfigError> {
    unknown(paths, &known_paths(), Some(place))
}

/// The settings of a file by path: `worker.concurrency`.
pub(super) fn paths_in(values: config::Map<String, config::Value>) -> Vec<(String, config::Value)> {
    let mut given = Vec::new();
    for (section, value) in values {
        match value.clone().into_table() {
            Ok(table) => {
                let named = |(name, value)| (format!("{section}.{name}"), value);
                given.extend(table.into_iter().map(named));
            }
            Err(_) => given.push((section, value)),
        }
    }
    given
}

/// `SITELOG_WORKER__CONCURRENCY` for `worker.concurrency`.
pub(super) fn name_in_environment(path: &str) -> String {
    format!("SITELOG_{}", path.to_uppercase().replace('.', "__"))
}

/// `worker.concurrency` for `SITELOG_WORKER__CONCURRENCY`.
pub(super) fn path_of_name(name: &str) -> String {
    bare(name).to_lowercase().replace("__", ".")
}

fn unknown<'a>(
    given: impl Iterator<Item = &'a str>,
    known: &[String],
    place: Option<&str>,
) -> Vec<ConfigError> {
    let mut names: Vec<&str> = given
        .filter(|name| !known.iter().any(|known| known == name))
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| refused(name, known, place))
        .collect()
}

fn refused(name: &str, known: &[String], place: Option<&str>) -> ConfigError {
    // It may hold a password, and other programs read it from the environment too.
    let nearest = if place.is_some() && name == "database_url" {
        Some("DATABASE_URL in the environment".to_owned())
    } else {
        let nearest = nearest(bare(name), known.iter().map(|name| bare(name)));
        known.iter().find(|name| nearest == Some(bare(name))).cloned()
    };
    let name = place.map_or_else(|| name.to_owned(), |place| format!("{name} in {place}"));
    ConfigError::Unknown { name, nearest }
}

/// A name without the prefix that all names share.
fn bare(name: &str) -> &str {
    name.strip_prefix("SITELOG_").unwrap_or(name)
}

/// All settings by their place in the file, such as `worker.concurrency`: those that `Raw` has.
pub(super) fn known_paths() -> Vec<String> {
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
        let refused = |name: &str| unknown_in_environment([name].into_iter())[0].to_string();
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
                error.contains(name) && error.contains(&format!("did you mean '{nearest}'?")),
                "{error}"
            );
        }
        assert!(!refused("SITELOG_FOO").contains("did you mean"));
        let known = known_paths();
        assert!(
            ["bind", "data_dir", "fetch.proxy", "legacy.sunset"]
                .iter()
                .all(|path| known.iter().any(|known| known == path))
        );
        let names: Vec<String> = known.iter().map(|path| name_in_environment(path)).collect();
        assert!(unknown_in_environment(names.iter().map(String::as_str)).is_empty());
        assert!(names.iter().map(|name| path_of_name(name)).eq(known));
        let environment = [
            ("SITELOG_KEY", "k"),
            ("SITELOG_CONFIG", "f"),
            ("SITELOG_BIND", "b"),
            ("PATH", "/"),
        ];
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(
            settings_in(environment.into_iter())
                .into_keys()
                .collect::<Vec<_>>(),
            ["SITELOG_BIND"]
        );
        let file = |text: &str| {
            let file = config::File::from_str(text, config::FileFormat::Toml);
            let paths = paths_in(config::Source::collect(&file).unwrap());
            let unknown = unknown_in_file(paths.iter().map(|(path, _)| path.as_str()), "s.toml");
            unknown.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(file("bind = 'x'\n[worker]\nconcurrency = 5\n").is_empty());
        let errors = file("bnid = 'x'\n[worker]\nconcurency = 5\n");
        assert_eq!(errors.len(), 2);
        assert!(
            errors[1].contains("worker.concurency in s.toml")
                && errors[1].contains("did you mean 'worker.concurrency'?"),
            "{errors:?}"
        );
        assert_eq!(file("[wroker]\nconcurrency = 5\n").len(), 1);
        assert!(file("database_url = 'x'\n")[0].contains("DATABASE_URL"));
    }
}
