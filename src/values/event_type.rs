//! The types of events, each with its current version.
//!
//! The table has one row per type: its meaning and its followers. Code that treats events differently by type reads
//! this table, or matches on the events of a stream without `_`. So a new type does not compile until all these places
//! handle it.

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

macro_rules! followers {
    ($($name:ident)+) => {
        /// A read model or policy, which follows some types of events.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are those of the read models and policies")]
        pub enum Follower { $($name,)+ }

        impl Follower {
            /// All of them.
            const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

// Read models, then policies.
followers! {
    Domains Jobs BatchJobs Sitemaps
    ExpandBatches ScheduleScans CompleteBatches FollowMonitors FollowWebhooks QueueMails
}

impl Follower {
    /// The names of the types that it follows.
    pub fn event_types(self) -> &'static [&'static str] {
        static NAMES: LazyLock<Vec<(Follower, Vec<&'static str>)>> = LazyLock::new(|| {
            let names = |follower| EventType::names(|one| one.followers().contains(&follower));
            Follower::ALL
                .iter()
                .map(|follower| (*follower, names(*follower)))
                .collect()
        });
        let own = NAMES.iter().find(|(follower, _)| *follower == self);
        own.map_or(&[], |(_, names)| names)
    }
}

/// The meaning of an event for a user who waits for the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The work succeeded.
    Good,
    /// The work failed.
    Bad,
    /// Something went wrong or was stopped, and the work may continue.
    Warning,
    /// The work began.
    UnderWay,
    /// None of these.
    Neutral,
}

/// What an event means for the status of its scan or batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another status; more events follow.
    Continues,
    /// Another status, which may be the last one.
    MayEnd,
    /// The same status.
    Same,
}

macro_rules! event_types {
    ($($name:ident $stream:ident $version:literal $tone:ident $progress:ident [$($follower:ident)*])+) => {
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

            /// Its meaning for a user who waits for the result.
            pub const fn tone(self) -> Tone {
                match self { $(Self::$name => Tone::$tone,)+ }
            }

            /// Its meaning for the status of its scan or batch.
            pub const fn progress(self) -> Progress {
                match self { $(Self::$name => Progress::$progress,)+ }
            }

            /// Its followers.
            pub const fn followers(self) -> &'static [Follower] {
                match self { $(Self::$name => &[$(Follower::$follower,)*],)+ }
            }
        }
    };
}

// Type, stream, version, meaning for a user who waits, meaning for the status, and followers.
event_types! {
    ScanRequested Scan 2 Neutral Continues [Domains Jobs ScheduleScans CompleteBatches]
    ScanStarted Scan 1 UnderWay Continues [Domains Jobs BatchJobs Sitemaps]
    ScanAbandoned Scan 1 Warning Continues [Jobs]
    RobotsRead Scan 2 Neutral Same []
    SitemapParsed Scan 2 Neutral Same [Sitemaps]
    PageRead Scan 2 Neutral Same []
    PictureRead Scan 1 Neutral Same []
    DomainChanged Scan 1 Neutral Same [FollowWebhooks]
    ScanAttemptFailed Scan 1 Warning Continues [Jobs]
    ScanCompleted Scan 2 Good MayEnd [Domains Jobs BatchJobs Sitemaps ScheduleScans CompleteBatches FollowWebhooks]
    ScanFailed Scan 1 Bad MayEnd [Domains Jobs BatchJobs ScheduleScans CompleteBatches FollowWebhooks]
    ScanCancelled Scan 1 Warning MayEnd [Domains Jobs BatchJobs ScheduleScans CompleteBatches]
    ScanRetried Scan 1 UnderWay Continues [Domains Jobs BatchJobs ScheduleScans CompleteBatches]
    ScanImported Scan 1 Neutral Continues [Jobs]
    ScanErased Scan 1 Warning Same [Domains Jobs Sitemaps]
    BatchRequested Batch 3 Neutral Continues [BatchJobs ExpandBatches CompleteBatches]
    BatchCancelled Batch 1 Warning MayEnd [BatchJobs ExpandBatches CompleteBatches]
    BatchReopened Batch 1 Neutral Continues [BatchJobs ExpandBatches CompleteBatches]
    BatchExpanded Batch 1 Neutral Same [CompleteBatches]
    BatchImported Batch 1 Neutral MayEnd [BatchJobs]
    BatchCompleted Batch 1 Good MayEnd [BatchJobs CompleteBatches FollowWebhooks QueueMails]
    WebhookCreated Webhook 1 Neutral Same [FollowWebhooks]
    WebhookChanged Webhook 1 Neutral Same [FollowWebhooks]
    WebhookSecretRotated Webhook 1 Neutral Same []
    WebhookDisabled Webhook 1 Neutral Same [FollowWebhooks]
    WebhookEnabled Webhook 1 Neutral Same [FollowWebhooks]
    WebhookReplayRequested Webhook 1 Neutral Same [FollowWebhooks]
    WebhookResendRequested Webhook 1 Neutral Same [FollowWebhooks]
    WebhookTested Webhook 1 Neutral Same [FollowWebhooks]
    WebhookDeleted Webhook 1 Neutral Same [FollowWebhooks]
    MonitorCreated Monitor 1 Neutral Same [FollowMonitors]
    MonitorChanged Monitor 1 Neutral Same [FollowMonitors]
    MonitorPaused Monitor 1 Neutral Same [FollowMonitors]
    MonitorResumed Monitor 1 Neutral Same [FollowMonitors]
    MonitorRan Monitor 1 Neutral Same [FollowMonitors FollowWebhooks]
    MonitorSkipped Monitor 1 Neutral Same [FollowMonitors FollowWebhooks]
    MonitorDeleted Monitor 1 Neutral Same [FollowMonitors]
    KeyCreated Tenant 1 Neutral Same []
    KeyRevoked Tenant 1 Neutral Same []
    TenantSettingsChanged Tenant 1 Neutral Same []
    PersonSignedOut Tenant 1 Neutral Same []
}

impl EventType {
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
