//! The types of events, each with the version in which it is written now.
//!
//! The table says of each type who follows it, and the functions below it what the type means. Code that treats events
//! differently by their type asks these functions, or matches on [`EventType`] without `_`. So a new type does not compile
//! before it has a place everywhere.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// The type of a stream: the aggregate whose events it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamType {
    /// A scan.
    Scan,
    /// A batch.
    Batch,
    /// A webhook.
    Webhook,
    /// A monitor.
    Monitor,
    /// What a tenant may do: its keys, quotas and sessions.
    Tenant,
}

impl StreamType {
    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "domain_scan",
            Self::Batch => "batch_scan",
            Self::Webhook => "webhook",
            Self::Monitor => "monitor",
            Self::Tenant => "tenant",
        }
    }
}

/// A read model or policy, which follows some types of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the read models and policies")]
pub enum Follower {
    Domains,
    Jobs,
    BatchJobs,
    Sitemaps,
    ExpandBatches,
    ScheduleScans,
    CompleteBatches,
    FollowMonitors,
    FollowWebhooks,
    QueueMails,
}

impl Follower {
    /// All of them.
    const ALL: [Self; 10] = [
        Self::Domains,
        Self::Jobs,
        Self::BatchJobs,
        Self::Sitemaps,
        Self::ExpandBatches,
        Self::ScheduleScans,
        Self::CompleteBatches,
        Self::FollowMonitors,
        Self::FollowWebhooks,
        Self::QueueMails,
    ];

    /// The names of the types that it follows.
    pub fn event_types(self) -> &'static [&'static str] {
        static NAMES: LazyLock<Vec<(Follower, Vec<&'static str>)>> = LazyLock::new(|| {
            let names = |follower| EventType::names(|one| one.followers().contains(&follower));
            Follower::ALL.map(|follower| (follower, names(follower))).into()
        });
        let own = NAMES.iter().find(|(follower, _)| *follower == self);
        own.map_or(&[], |(_, names)| names)
    }
}

/// What an event means to a user who waits for the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The work succeeded.
    Good,
    /// The work failed.
    Bad,
    /// Something went wrong or was stopped, and the work may go on.
    Doubtful,
    /// The work began.
    UnderWay,
    /// Nothing of that.
    Neutral,
}

/// What an event means for the status of its scan or batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another status; more events follow.
    GoesOn,
    /// Another status, which may be the last one.
    MayEnd,
    /// The same status.
    Same,
}

macro_rules! event_types {
    ($($name:ident $stream:ident $version:literal [$($follower:ident)*])+) => {
        /// A type of event. Names are never changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the variants of the events of the same names say it")]
        pub enum EventType { $($name,)+ }

        impl EventType {
            /// All types, by stream.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The version in which it is written now, starting at 1.
            pub const fn version(self) -> u32 {
                match self { $(Self::$name => $version,)+ }
            }

            /// The streams that have it.
            pub const fn stream(self) -> StreamType {
                match self { $(Self::$name => StreamType::$stream,)+ }
            }

            /// Who follows it.
            pub const fn followers(self) -> &'static [Follower] {
                match self { $(Self::$name => &[$(Follower::$follower,)*],)+ }
            }
        }
    };
}

// Type, stream, version, and who follows it.
event_types! {
    ScanRequested Scan 2 [Domains Jobs ScheduleScans CompleteBatches]
    ScanStarted Scan 1 [Domains Jobs BatchJobs Sitemaps]
    ScanAbandoned Scan 1 [Jobs]
    RobotsRead Scan 2 []
    SitemapParsed Scan 2 [Sitemaps]
    PageRead Scan 2 []
    PictureRead Scan 1 []
    DomainChanged Scan 1 [FollowWebhooks]
    ScanAttemptFailed Scan 1 [Jobs]
    ScanCompleted Scan 2 [Domains Jobs BatchJobs Sitemaps ScheduleScans CompleteBatches FollowWebhooks]
    ScanFailed Scan 1 [Domains Jobs BatchJobs ScheduleScans CompleteBatches FollowWebhooks]
    ScanCancelled Scan 1 [Domains Jobs BatchJobs ScheduleScans CompleteBatches]
    ScanRetried Scan 1 [Domains Jobs BatchJobs ScheduleScans CompleteBatches]
    ScanImported Scan 1 [Jobs]
    ScanErased Scan 1 [Domains Jobs Sitemaps]
    BatchRequested Batch 3 [BatchJobs ExpandBatches CompleteBatches]
    BatchCancelled Batch 1 [BatchJobs ExpandBatches CompleteBatches]
    BatchReopened Batch 1 [BatchJobs ExpandBatches CompleteBatches]
    BatchExpanded Batch 1 [CompleteBatches]
    BatchImported Batch 1 [BatchJobs]
    BatchCompleted Batch 1 [BatchJobs CompleteBatches FollowWebhooks QueueMails]
    WebhookCreated Webhook 1 [FollowWebhooks]
    WebhookChanged Webhook 1 [FollowWebhooks]
    WebhookSecretRotated Webhook 1 []
    WebhookDisabled Webhook 1 [FollowWebhooks]
    WebhookEnabled Webhook 1 [FollowWebhooks]
    WebhookReplayRequested Webhook 1 [FollowWebhooks]
    WebhookResendRequested Webhook 1 [FollowWebhooks]
    WebhookTested Webhook 1 [FollowWebhooks]
    WebhookDeleted Webhook 1 [FollowWebhooks]
    MonitorCreated Monitor 1 [FollowMonitors]
    MonitorChanged Monitor 1 [FollowMonitors]
    MonitorPaused Monitor 1 [FollowMonitors]
    MonitorResumed Monitor 1 [FollowMonitors]
    MonitorRan Monitor 1 [FollowMonitors FollowWebhooks]
    MonitorSkipped Monitor 1 [FollowMonitors FollowWebhooks]
    MonitorDeleted Monitor 1 [FollowMonitors]
    KeyCreated Tenant 1 []
    KeyRevoked Tenant 1 []
    TenantSettingsChanged Tenant 1 []
    PersonSignedOut Tenant 1 []
}

impl EventType {
    /// What it means to a user who waits.
    pub fn tone(self) -> Tone {
        match self {
            Self::ScanCompleted | Self::BatchCompleted => Tone::Good,
            Self::ScanFailed => Tone::Bad,
            Self::ScanAttemptFailed
            | Self::ScanAbandoned
            | Self::ScanCancelled
            | Self::ScanErased
            | Self::BatchCancelled => Tone::Doubtful,
            Self::ScanStarted | Self::ScanRetried => Tone::UnderWay,
            Self::ScanRequested
            | Self::RobotsRead
            | Self::SitemapParsed
            | Self::PageRead
            | Self::PictureRead
            | Self::DomainChanged
            | Self::ScanImported
            | Self::BatchRequested
            | Self::BatchReopened
            | Self::BatchExpanded
            | Self::BatchImported
            | Self::WebhookCreated
            | Self::WebhookChanged
            | Self::WebhookSecretRotated
            | Self::WebhookDisabled
            | Self::WebhookEnabled
            | Self::WebhookReplayRequested
            | Self::WebhookResendRequested
            | Self::WebhookTested
            | Self::WebhookDeleted
            | Self::MonitorCreated
            | Self::MonitorChanged
            | Self::MonitorPaused
            | Self::MonitorResumed
            | Self::MonitorRan
            | Self::MonitorSkipped
            | Self::MonitorDeleted
            | Self::KeyCreated
            | Self::KeyRevoked
            | Self::TenantSettingsChanged
            | Self::PersonSignedOut => Tone::Neutral,
        }
    }

    /// What it means for the status of its scan or batch.
    pub fn progress(self) -> Progress {
        match self {
            Self::ScanRequested
            | Self::ScanStarted
            | Self::ScanAbandoned
            | Self::ScanAttemptFailed
            | Self::ScanRetried
            | Self::ScanImported
            | Self::BatchRequested
            | Self::BatchReopened => Progress::GoesOn,
            Self::ScanCompleted
            | Self::ScanFailed
            | Self::ScanCancelled
            | Self::BatchCompleted
            | Self::BatchImported
            | Self::BatchCancelled => Progress::MayEnd,
            Self::RobotsRead
            | Self::SitemapParsed
            | Self::PageRead
            | Self::PictureRead
            | Self::DomainChanged
            | Self::ScanErased
            | Self::BatchExpanded
            | Self::WebhookCreated
            | Self::WebhookChanged
            | Self::WebhookSecretRotated
            | Self::WebhookDisabled
            | Self::WebhookEnabled
            | Self::WebhookReplayRequested
            | Self::WebhookResendRequested
            | Self::WebhookTested
            | Self::WebhookDeleted
            | Self::MonitorCreated
            | Self::MonitorChanged
            | Self::MonitorPaused
            | Self::MonitorResumed
            | Self::MonitorRan
            | Self::MonitorSkipped
            | Self::MonitorDeleted
            | Self::KeyCreated
            | Self::KeyRevoked
            | Self::TenantSettingsChanged
            | Self::PersonSignedOut => Progress::Same,
        }
    }

    /// The type of this name, if an event of such a stream can have it.
    pub fn of_stream(stream: StreamType, name: &str) -> Option<Self> {
        name.parse()
            .ok()
            .filter(|event_type: &Self| event_type.stream() == stream)
    }

    /// The names of the types that are wanted.
    pub fn names(is_wanted: impl Fn(Self) -> bool) -> Vec<&'static str> {
        let wanted = Self::ALL
            .iter()
            .copied()
            .filter(|event_type| is_wanted(*event_type));
        wanted.map(Self::as_str).collect()
    }
}

/// A name that this release does not know: a later release wrote the event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a known type of event")]
pub struct UnknownEventType(pub String);

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.iter().copied();
        all.find(|event_type| event_type.as_str() == name)
            .ok_or_else(|| UnknownEventType(name.to_owned()))
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_types_and_each_follower_follows_something() {
        for event_type in EventType::ALL {
            assert_eq!(event_type.as_str().parse(), Ok(*event_type));
        }
        assert!("ScanVanished".parse::<EventType>().is_err());
        assert_eq!(EventType::of_stream(StreamType::Batch, "ScanFailed"), None);
        for follower in Follower::ALL {
            assert!(!follower.event_types().is_empty(), "{follower:?}");
        }
    }
}
