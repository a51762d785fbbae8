//! The sitemap audit on a domain's card: counts and examples, and the URLs that were fetched.

use maud::{Markup, html};

use super::parts::{counted, number, outward};
use crate::values::Findings;
use crate::values::sitemap_audit::{AuditExample, AuditFault, SampledUrl, SitemapAudit};

/// Examples of a check that are shown; the CSV has all that are kept.
const MAX_SHOWN: usize = 3;

pub(super) fn show(domain: &str, found: &Findings) -> Markup {
    let has_rows = found
        .sitemap_audit
        .as_ref()
        .is_some_and(|audit| !audit.faults.is_empty())
        || !found.sitemap_sample.is_empty();
    html! {
        @if let Some(audit) = &found.sitemap_audit { (checks(audit)) }
        @if !found.sitemap_sample.is_empty() { (sample(&found.sitemap_sample)) }
        @if has_rows { p.small { a href={ "/api/v4/domains/" (domain) "/sitemap-audit?format=csv" } { "Sitemap audit as CSV" } } }
    }
}

fn checks(audit: &SitemapAudit) -> Markup {
    html! {
        h3 { "Sitemap audit" }
        p.small.muted { (counted(count(audit.entries), "URL")) " compared with the home page " (outward(&audit.home))
            "; " (number(count(audit.with_lastmod))) " with a lastmod date." }
        @if audit.faults.is_empty() { p { "No problems found." } }
        @else { dl.facts { @for fault in &audit.faults { (check(fault)) } } }
    }
}

fn check(fault: &AuditFault) -> Markup {
    html! {
        dt { (fault.check.label()) }
        dd { (number(count(fault.count)))
            @for example in fault.examples.iter().take(MAX_SHOWN) { div.small.muted { (shown(example)) } } }
    }
}

fn shown(example: &AuditExample) -> Markup {
    html! {
        @if !example.url.is_empty() { (outward(&example.url)) " " }
        @if !example.value.is_empty() { code { (example.value) } " " }
        @if !example.sitemap.is_empty() && example.sitemap != example.url { "in " (outward(&example.sitemap)) }
    }
}

fn sample(urls: &[SampledUrl]) -> Markup {
    let unsound: Vec<&SampledUrl> = urls.iter().filter(|url| !url.is_sound()).collect();
    html! {
        h3 { "Checked URLs" }
        p { (counted(count(urls.len() as u64), "sitemap URL")) " checked, " (number(count(unsound.len() as u64))) " with problems." }
        @if !unsound.is_empty() {
            dl.facts { @for url in unsound {
                dt { (outward(&url.url)) }
                dd { (what_is_wrong(url)) }
            } }
        }
    }
}

fn what_is_wrong(url: &SampledUrl) -> Markup {
    html! {
        @if let Some(error) = &url.error { div { (error) } }
        @else if !(200..300).contains(&url.status) { div { "HTTP " (url.status) } }
        @if let Some(target) = &url.redirects_to { div { "redirects to " (outward(target)) } }
        @if let Some(sign) = &url.noindex { div { "noindex: " code { (sign) } } }
        @if let Some(canonical) = &url.canonical { div { "canonical is " (outward(canonical)) } }
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
