//! Settings of fetching: which hosts may be reached, through which proxy, and the limits of a scan.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::Faults;
use super::{ConfigError, list, value};
use crate::fetch::InvalidProxy;
use crate::fetch::settings::{ConnectTo, FetchSettings};

// No `Debug`: it may hold a proxy's password.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawFetch {
    pub(super) connect_to: Option<String>,
    extra_ca: Option<PathBuf>,
    allow_private: Option<String>,
    user_agent: Option<String>,
    contact: Option<String>,
    per_host_delay_ms: Option<u64>,
    proxy: Option<String>,
    proxy_resolves: Option<bool>,
    name_servers: Option<String>,
    dns_records: Option<bool>,
    files: Option<String>,
    max_requests: Option<u64>,
    max_bytes: Option<u64>,
    max_seconds: Option<u64>,
}

/// What may be fetched, and how.
pub(super) fn fetch_settings(raw: RawFetch, faults: &mut Faults) -> FetchSettings {
    let mut settings = FetchSettings {
        extra_ca: raw.extra_ca,
        per_host_delay: Duration::from_millis(raw.per_host_delay_ms.unwrap_or(0)),
        dns_records: raw.dns_records.unwrap_or(true),
        ..FetchSettings::default()
    };
    settings.connect_to = entries(raw.connect_to.as_deref(), faults, |entry| {
        let parsed: Result<ConnectTo, _> = entry.parse();
        let expected = "PATTERN=ADDR:PORT, such as *.farm.test=127.0.0.1:18443";
        parsed.map_err(|_| value("SITELOG_FETCH__CONNECT_TO", entry, expected))
    });
    settings.allow_private = entries(raw.allow_private.as_deref(), faults, |entry| {
        let network = entry
            .parse()
            .or_else(|_| entry.parse::<IpAddr>().map(ipnet::IpNet::from));
        let expected = "a network such as 10.0.0.0/8";
        network.map_err(|_| value("SITELOG_FETCH__ALLOW_PRIVATE", entry, expected))
    });
    if let Some(agent) = raw.user_agent {
        settings.user_agent = agent;
    }
    if let Some(contact) = raw.contact {
        if !is_contact(&contact) {
            let expected = "an address where site owners can reach you: https://… or name@host";
            faults.push(value("SITELOG_FETCH__CONTACT", &contact, expected));
        }
        settings.user_agent = format!("{} (+{contact})", settings.user_agent);
    }
    proxy(&mut settings, raw.proxy, raw.proxy_resolves, faults);
    settings.name_servers = entries(raw.name_servers.as_deref(), faults, |entry| {
        let server = entry.parse().or_else(|_| {
            let address = entry.parse::<IpAddr>();
            address.map(|address| SocketAddr::new(address, 53))
        });
        let expected = "an address such as 192.0.2.53 or [2001:db8::53]:53";
        server.map_err(|_| value("SITELOG_FETCH__NAME_SERVERS", entry, expected))
    });
    settings.files = match raw.files.as_deref().map(str::trim) {
        None => settings.files,
        Some("never") => None,
        Some(codes) => faults
            .take(codes.parse().map(Some).map_err(|_| {
                let expected =
                    "a list of security_txt, ads_txt, humans_txt, llms_txt, icon and logo, or never";
                value("SITELOG_FETCH__FILES", codes, expected)
            }))
            .flatten(),
    };
    budget(
        &mut settings,
        raw.max_requests,
        raw.max_bytes,
        raw.max_seconds,
        faults,
    );
    settings
}

/// Parses the entries of a list; each invalid one is a separate error.
fn entries<T>(
    given: Option<&str>,
    faults: &mut Faults,
    parse: impl Fn(&str) -> Result<T, ConfigError>,
) -> Vec<T> {
    list(given)
        .filter_map(|entry| faults.take(parse(entry)))
        .collect()
}

fn proxy(settings: &mut FetchSettings, given: Option<String>, resolves: Option<bool>, faults: &mut Faults) {
    let given = given.filter(|proxy| !proxy.is_empty());
    let is_given = given.is_some();
    let parsed = given.map(|proxy| {
        proxy.parse().map_err(|_: InvalidProxy| ConfigError::Secret {
            name: "SITELOG_FETCH__PROXY",
            expected: "a proxy such as http://proxy.example:3128 or socks5://127.0.0.1:1080",
        })
    });
    settings.proxy = parsed.and_then(|proxy| faults.take(proxy));
    settings.proxy_resolves = resolves.unwrap_or(false);
    if settings.proxy_resolves && !is_given {
        faults.push(ConfigError::Needs {
            name: "SITELOG_FETCH__PROXY_RESOLVES",
            other: "SITELOG_FETCH__PROXY, the proxy that resolves names",
        });
    }
}

/// A home page needs at least this many: robots.txt, the page, and the redirects of both.
const MIN_REQUESTS: u64 = 10;
const MIN_BYTES: u64 = 64 * 1024;
/// The time that a scan with all its attempts has.
const MAX_SECONDS: u64 = 240;

fn budget(
    settings: &mut FetchSettings,
    requests: Option<u64>,
    bytes: Option<u64>,
    seconds: Option<u64>,
    faults: &mut Faults,
) {
    let mut within = |name, given: Option<u64>, range: RangeInclusive<u64>, expected| {
        let given = given?;
        if !range.contains(&given) {
            faults.push(value(name, &given.to_string(), expected));
        }
        Some(given)
    };
    let requests = within(
        "SITELOG_FETCH__MAX_REQUESTS",
        requests,
        MIN_REQUESTS..=u64::MAX,
        "10 or more",
    );
    let bytes = within(
        "SITELOG_FETCH__MAX_BYTES",
        bytes,
        MIN_BYTES..=u64::MAX,
        "65536 or more",
    );
    let seconds = within(
        "SITELOG_FETCH__MAX_SECONDS",
        seconds,
        1..=MAX_SECONDS,
        "a number from 1 to 240",
    );
    settings.max_requests = requests.unwrap_or(settings.max_requests);
    settings.max_bytes = bytes.unwrap_or(settings.max_bytes);
    settings.max_time = seconds.map_or(settings.max_time, Duration::from_secs);
}

/// Whether a text is a web or email address that may be in a comment of `User-Agent` (RFC 9110, 5.6.5).
fn is_contact(text: &str) -> bool {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"()\\\"".contains(&byte));
    let is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
        && url::Url::parse(text).is_ok();
    let is_mail = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    is_plain && (is_web || is_mail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::site_files::{SiteFile, SiteFileSet};

    fn with(change: impl FnOnce(&mut RawFetch)) -> Result<FetchSettings, ConfigError> {
        let mut raw = RawFetch::default();
        change(&mut raw);
        let mut faults = Faults::default();
        let settings = fetch_settings(raw, &mut faults);
        faults.0.pop().map_or(Ok(settings), Err)
    }

    #[test]
    fn a_contact_goes_into_the_user_agent() {
        let agent =
            |contact: &str| with(|raw| raw.contact = Some(contact.into())).map(|fetch| fetch.user_agent);
        let agent_text = agent("https://example.com/bot").unwrap();
        assert!(
            agent_text.starts_with("sitelog/") && agent_text.ends_with(" (+https://example.com/bot)"),
            "{agent_text}"
        );
        assert!(agent("bots@example.com").is_ok());
        for bad in [
            "",
            "me",
            "https://",
            "a@b",
            "https://a.test/)\r\nx: y",
            "https://a.test/ü",
        ] {
            assert!(agent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_used_if_it_is_one_and_its_password_is_never_shown() {
        let proxy = |text: &str| with(|raw| raw.proxy = Some(text.into())).map(|fetch| fetch.proxy);
        assert!(proxy("http://user:secret@proxy.test:3128").unwrap().is_some());
        assert!(proxy("").unwrap().is_none());
        for bad in ["ftp://user:secret@proxy.test", "proxy.test:3128"] {
            let error = proxy(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("SITELOG_FETCH__PROXY") && !error.contains("secret"),
                "{error}"
            );
        }
        assert!(with(|raw| raw.proxy_resolves = Some(true)).is_err());
    }

    #[test]
    fn a_budget_is_never_too_small_for_a_home_page() {
        let fetch = with(|raw| raw.max_seconds = Some(5)).unwrap();
        assert_eq!(
            (fetch.max_time, fetch.max_requests),
            (Duration::from_secs(5), 1_000)
        );
        assert!(with(|raw| raw.max_seconds = Some(0)).is_err());
        assert!(with(|raw| raw.max_requests = Some(9)).is_err());
        assert!(with(|raw| raw.max_bytes = Some(1000)).is_err());
    }

    #[test]
    fn files_are_a_list_of_codes_or_none_ever() {
        let files = |text: &str| with(|raw| raw.files = Some(text.into())).map(|fetch| fetch.files);
        assert_eq!(with(|_| ()).unwrap().files, Some(SiteFileSet::default()));
        let some = files("llms_txt, security_txt").unwrap().unwrap();
        assert!(some.contains(SiteFile::LlmsTxt) && !some.contains(SiteFile::AdsTxt));
        assert_eq!(files("").unwrap(), Some(SiteFileSet::default()));
        assert_eq!(files("never").unwrap(), None);
        let error = files("security.txt").unwrap_err().to_string();
        assert!(
            error.starts_with("SITELOG_FETCH__FILES is 'security.txt'"),
            "{error}"
        );
    }

    #[test]
    fn networks_and_single_addresses_can_be_allowed() {
        let fetch = with(|raw| raw.allow_private = Some("10.0.0.0/8, 127.0.0.1".into())).unwrap();
        assert_eq!(fetch.allow_private.len(), 2);
    }
}
