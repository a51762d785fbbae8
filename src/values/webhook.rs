//! The settings of a webhook: its URL and its events.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::domain_change::{UnknownField, require_fields};
use super::failure::{UnknownCode, codes};
use super::{DomainName, EventType};

use std::fmt;
use std::str::FromStr;

codes! {
    /// A type of events for webhooks. Codes are never renamed; new ones may be added.
    WebhookTopic {
        /// A batch ended.
        BatchCompleted => "batch.completed",
        /// A scan completed.
        ScanCompleted => "scan.completed",
        /// A scan failed.
        ScanFailed => "scan.failed",
        /// A scan found something else than was known of the domain.
        DomainChanged => "domain.changed",
        /// A run of a monitor began.
        MonitorRan => "monitor.ran",
        /// A run of a monitor did not take place.
        MonitorSkipped => "monitor.skipped",
        /// A test that was requested. Every endpoint gets its own.
        WebhookTest => "webhook.test",
    }
}

codes! {
    /// How a message is written. Codes are never renamed; new ones may be added.
    WebhookFormat {
        /// Standard Webhooks: JSON for programs.
        Standard => "standard",
        /// A text for an incoming webhook of Slack.
        Slack => "slack",
        /// A card for a workflow of Microsoft Teams.
        Teams => "teams",
        /// A text for a webhook of Discord.
        Discord => "discord",
    }
}

impl WebhookFormat {
    /// The default of a webhook.
    fn standard() -> Self {
        Self::Standard
    }
}

/// Names of domains that a filter may list.
const MAX_DOMAINS: usize = 1000;
/// Bytes of a URL.
const MAX_URL: usize = 2000;
/// Characters of a description.
const MAX_DESCRIPTION: usize = 200;

/// Their names in the API.
mod topics {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::WebhookTopic;

    pub(super) fn serialize<S: Serializer>(
        topics: &[WebhookTopic],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let words: Vec<&str> = topics.iter().map(|topic| topic.as_str()).collect();
        words.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<WebhookTopic>, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        let known = words.iter().map(|word| word.parse());
        known.collect::<Result<_, _>>().map_err(serde::de::Error::custom)
    }
}

impl WebhookTopic {
    /// The events that an endpoint can subscribe to.
    pub const CHOICES: &'static [Self] = &[
        Self::BatchCompleted,
        Self::ScanCompleted,
        Self::ScanFailed,
        Self::DomainChanged,
        Self::MonitorRan,
        Self::MonitorSkipped,
    ];

    /// The event of the log that it is about.
    pub fn event_type(self) -> EventType {
        match self {
            Self::BatchCompleted => EventType::BatchCompleted,
            Self::ScanCompleted => EventType::ScanCompleted,
            Self::ScanFailed => EventType::ScanFailed,
            Self::DomainChanged => EventType::DomainChanged,
            Self::MonitorRan => EventType::MonitorRan,
            Self::MonitorSkipped => EventType::MonitorSkipped,
            Self::WebhookTest => EventType::WebhookTested,
        }
    }

    /// The message about an event of the log.
    pub fn of_event(event_type: &str) -> Option<Self> {
        let event_type = event_type.parse::<EventType>().ok()?;
        let mut all = Self::ALL.iter().copied();
        all.find(|topic| topic.event_type() == event_type)
    }
}

/// The URL of an endpoint and the events that it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookSettings {
    /// Where events are sent (POST).
    pub url: String,
    /// The types of events: `batch.completed`, `scan.completed`, `scan.failed`, `domain.changed`, `monitor.ran`,
    /// `monitor.skipped`.
    #[serde(with = "topics")]
    #[schema(value_type = Vec<String>)]
    pub events: Vec<WebhookTopic>,
    /// Only events of these domains; all if empty. Does not affect events of batches and monitors.
    pub domains: Vec<String>,
    /// Only changes of one of these fields; all if empty. Does not affect other events.
    pub fields: Vec<String>,
    /// What the webhook is for, or null.
    pub description: Option<String>,
    /// The format of messages: `standard`, or human-readable for `slack`, `teams` or `discord`.
    #[serde(default = "WebhookFormat::standard")]
    #[schema(value_type = String)]
    pub format: WebhookFormat,
    /// Whether an event waits until the previous one was delivered.
    #[serde(default = "ordered")]
    pub ordered: bool,
}

impl Default for WebhookSettings {
    /// The defaults of a new endpoint.
    fn default() -> Self {
        Self {
            url: String::new(),
            events: Vec::new(),
            domains: Vec::new(),
            fields: Vec::new(),
            description: None,
            format: WebhookFormat::Standard,
            ordered: ordered(),
        }
    }
}

fn ordered() -> bool {
    true
}

/// Why settings are invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhook {
    /// Not a URL that events can be sent to.
    #[error(
        "url is '{0}'; it must be an absolute URL with http or https and a host, without user name or password, of at most {MAX_URL} bytes"
    )]
    Url(String),
    /// No event type that a webhook can subscribe to.
    #[error(
        "events must list at least one of batch.completed, scan.completed, scan.failed, domain.changed, monitor.ran, monitor.skipped"
    )]
    Events,
    /// Not a domain.
    #[error("domains: '{0}' is not a domain")]
    Domain(String),
    /// Too many domains.
    #[error("domains lists {0} names; the limit is {MAX_DOMAINS}")]
    TooManyDomains(usize),
    /// No field that can change.
    #[error(transparent)]
    Field(#[from] UnknownField),
    /// Not a known format.
    #[error("format is '{0}'; it must be standard, slack, teams or discord")]
    Format(String),
    /// Too long.
    #[error("description is longer than {MAX_DESCRIPTION} characters")]
    Description,
}

impl WebhookSettings {
    /// Settings in their stored form.
    pub fn checked(mut self) -> Result<Self, InvalidWebhook> {
        let url = Url::parse(self.url.trim()).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none()
                && url.as_str().len() <= MAX_URL
        });
        let Some(url) = url else {
            let shown = self.url.chars().take(200).collect();
            return Err(InvalidWebhook::Url(shown));
        };
        self.url = url.into();
        self.events.sort_unstable();
        self.events.dedup();
        if self.events.is_empty() || self.events.contains(&WebhookTopic::WebhookTest) {
            return Err(InvalidWebhook::Events);
        }
        if self.domains.len() > MAX_DOMAINS {
            return Err(InvalidWebhook::TooManyDomains(self.domains.len()));
        }
        let mut domains = BTreeSet::new();
        for domain in &self.domains {
            let name = DomainName::parse(domain).map_err(|_| InvalidWebhook::Domain(domain.clone()))?;
            domains.insert(String::from(name));
        }
        self.domains = domains.into_iter().collect();
        require_fields(&self.fields)?;
        self.fields.sort_unstable();
        self.fields.dedup();
        if self
            .description
            .as_ref()
            .is_some_and(|text| text.chars().count() > MAX_DESCRIPTION)
        {
            return Err(InvalidWebhook::Description);
        }
        Ok(self)
    }

    /// Whether an event is one of its: `domain` and `fields` are those of the event.
    pub fn wants(&self, topic: WebhookTopic, domain: Option<&str>, fields: &[String]) -> bool {
        let is_of_domain = self.domains.is_empty()
            || domain.is_none_or(|domain| self.domains.iter().any(|wanted| wanted == domain));
        let has_field = self.fields.is_empty()
            || topic != WebhookTopic::DomainChanged
            || fields.iter().any(|field| self.fields.contains(field));
        self.events.contains(&topic) && is_of_domain && has_field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> WebhookSettings {
        WebhookSettings {
            url: url.to_owned(),
            events: vec![WebhookTopic::DomainChanged, WebhookTopic::ScanFailed],
            domains: vec!["https://A.com/".to_owned()],
            fields: vec!["title".to_owned()],
            ..WebhookSettings::default()
        }
    }

    #[test]
    fn settings_are_stored_in_one_form_or_refused() {
        let checked = settings("https://hook.test/x").checked().unwrap();
        assert_eq!(checked.domains, ["a.com"]);
        for url in [
            "hook.test",
            "ftp://hook.test/",
            "https://me:pw@hook.test/",
            "file:///etc",
        ] {
            assert!(
                matches!(settings(url).checked(), Err(InvalidWebhook::Url(_))),
                "{url}"
            );
        }
        let nothing = WebhookSettings {
            events: Vec::new(),
            ..settings("https://hook.test/")
        };
        assert_eq!(nothing.checked(), Err(InvalidWebhook::Events));
        let colour = WebhookSettings {
            fields: vec!["colour".to_owned()],
            ..settings("https://hook.test/")
        };
        assert!(matches!(colour.checked(), Err(InvalidWebhook::Field(_))));
    }

    #[test]
    fn settings_of_an_earlier_release_are_ordered_and_standard() {
        let stored = r#"{"url":"https://hook.test/","events":["scan.failed"],"domains":[],"fields":[],"description":null}"#;
        let settings: WebhookSettings = serde_json::from_str(stored).unwrap();
        assert_eq!(
            (settings.format, settings.ordered),
            (WebhookFormat::Standard, true)
        );
    }

    #[test]
    fn filters_concern_the_events_that_they_can_concern() {
        let settings = settings("https://hook.test/").checked().unwrap();
        let fields = ["title".to_owned()];
        assert!(settings.wants(WebhookTopic::DomainChanged, Some("a.com"), &fields));
        assert!(!settings.wants(WebhookTopic::DomainChanged, Some("b.com"), &fields));
        assert!(!settings.wants(WebhookTopic::DomainChanged, Some("a.com"), &[]));
        assert!(settings.wants(WebhookTopic::ScanFailed, Some("a.com"), &[]));
        assert!(!settings.wants(WebhookTopic::ScanCompleted, Some("a.com"), &[]));
    }
}
