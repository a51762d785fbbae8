//! The part of a domain's card about files that the scan was requested to read: security.txt and others.

use maud::{Markup, html};

use super::parts::{counted, number, outward, time};
use crate::values::Findings;
use crate::values::site_files::{AdsTxt, FileAnswer, HumansTxt, LlmsTxt, SecurityTxt};

/// Values of a kind that are shown; the rest is in the findings as JSON.
const MAX_SHOWN: usize = 5;

pub(super) fn show(found: &Findings) -> Markup {
    html! {
        @if let Some(file) = &found.security_txt { (security(file)) }
        @if let Some(file) = &found.ads_txt { (ads(file)) }
        @if let Some(file) = &found.humans_txt { (humans(file)) }
        @if let Some(file) = &found.llms_txt { (llms(file)) }
        (without_content(found))
    }
}

fn security(file: &SecurityTxt) -> Markup {
    html! {
        h2 { "security.txt" }
        @if file.is_expired == Some(true) { p { strong { "Expired." } " Its contacts may be out of date." } }
        dl.facts {
            (texts("Contact", &file.contact))
            @if let Some(expires) = file.expires { dt { "Expires" } dd { (time(Some(expires))) } }
            (texts("Policy", &file.policy))
            (texts("Encryption", &file.encryption))
            (texts("Languages", &file.preferred_languages))
            (texts("Canonical", &file.canonical))
            (texts("Acknowledgments", &file.acknowledgments))
            (texts("Hiring", &file.hiring))
            (texts("CSAF", &file.csaf))
            @if file.is_signed { dt { "Signature" } dd { "OpenPGP, not checked" } }
            (texts("Problems", &file.problems))
        }
        (source(&file.url))
    }
}

fn ads(file: &AdsTxt) -> Markup {
    html! {
        h2 { "ads.txt" }
        dl.facts {
            dt { "Sellers" } dd { (number(count(file.direct))) " direct, " (counted(file.reseller, "reseller"))
                @if file.is_cut { " in the part that was read" } }
            @if let Some(owner) = &file.owner_domain { dt { "Owner" } dd { (owner) } }
            (texts("Manager", &file.manager_domains))
            @if file.invalid_lines > 0 { dt { "Invalid lines" } dd { (number(count(file.invalid_lines))) } }
        }
        (source(&file.url))
    }
}

fn humans(file: &HumansTxt) -> Markup {
    html! {
        h2 { "humans.txt" }
        @for line in &file.first_lines { div.mono { (line) } }
        (source(&file.url))
    }
}

fn llms(file: &LlmsTxt) -> Markup {
    html! {
        h2 { "llms.txt" }
        dl.facts {
            @if let Some(title) = &file.title { dt { "Title" } dd { (title) } }
            @if let Some(summary) = &file.summary { dt { "Summary" } dd { (summary) } }
            dt { "Links" } dd { (number(count(file.links))) @if file.is_cut { " in the part that was read" } }
        }
        (source(&file.url))
    }
}

/// Requested files that do not exist, or about which nothing is known.
fn without_content(found: &Findings) -> Markup {
    let others: Vec<&FileAnswer> = found
        .files
        .iter()
        .filter(|file| file.is_there != Some(true))
        .collect();
    html! {
        @if !others.is_empty() {
            h2 { "Other files" }
            dl.facts {
                @for file in others {
                    dt { (file.file.label()) }
                    dd { @if file.is_there.is_none() { "unknown" } @else { "not found" }
                        div.small.muted { (file.why) ": " (outward(&file.url)) } }
                }
            }
        }
    }
}

fn texts(name: &str, values: &[String]) -> Markup {
    html! {
        @if !values.is_empty() {
            dt { (name) }
            dd { @for value in values.iter().take(MAX_SHOWN) { div { (value) } }
                @if values.len() > MAX_SHOWN { div.muted { "and " (values.len() - MAX_SHOWN) " more" } } }
        }
    }
}

fn source(url: &str) -> Markup {
    html! { p.small.muted { "Source: " (outward(url)) } }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
