//! The types of the domain that all other modules use.
//!
//! A value that exists is valid: the only way to create it is `parse`. Nothing here does IO, reads the clock or uses
//! another module of this crate.

pub mod amount;
pub mod batch_list;
pub mod body_ref;
pub mod carried;
pub mod certificate;
pub mod change_words;
pub mod disposable;
pub mod dns;
pub mod domain_change;
pub mod domain_fields;
pub mod domain_name;
pub mod event_type;
pub mod failure;
pub mod findings;
pub mod hosting;
pub mod ids;
pub mod mail_providers;
pub mod merge_findings;
pub mod monitor;
pub mod nearest;
pub mod options;
pub mod picture;
pub mod printable;
pub mod report;
pub mod revisit;
pub mod rhythm;
pub mod site_files;
pub mod site_state;
pub mod sitemap;
pub mod sitemap_audit;
pub mod spreadsheet;
pub mod tenant_settings;
pub mod versioned;
pub mod webhook;

pub use batch_list::{BatchList, RejectedLine};
pub use body_ref::BodyRef;
pub use domain_name::{DomainName, InvalidDomain};
pub use event_type::EventType;
pub use failure::{FailureReason, Problem};
pub use findings::Findings;
pub use ids::{BatchId, MonitorId, ScanId, TenantId, WebhookId};
pub use options::{BatchOptions, ScanOptions, WantedScan};
pub use revisit::Revisit;
pub use tenant_settings::TenantSettings;
pub use versioned::VersionedEvent;
