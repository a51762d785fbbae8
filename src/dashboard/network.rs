//! The parts of a domain's card about DNS, email and the certificate, each with its evidence.

use maud::{Markup, html};

use super::parts::{outward, time};
use crate::values::Findings;
use crate::values::certificate::Certificate;
use crate::values::dns::MailPolicy;
use crate::values::findings::{Crawlers, Deliverable, Email};

/// Texts of a zone that are shown; the rest is in the findings as JSON.
const MAX_TEXTS: usize = 12;

pub(super) fn show(found: &Findings) -> Markup {
    html! {
        @if let Some(dns) = &found.dns {
            h2 { "DNS and email" }
            dl.facts {
                @for (name, provider) in [("Email provider", &found.email_provider), ("DNS host", &found.dns_host)] {
                    @if let Some(provider) = provider { dt { (name) } dd { (provider.name) (evidence(&provider.evidence)) } }
                }
                (policy("SPF", found.spf.as_ref(), dns.knows("txt")))
                (policy("DMARC", found.dmarc.as_ref(), dns.knows("dmarc")))
                (records("Addresses", dns.a.iter().chain(&dns.aaaa)))
                (records("Name servers", dns.ns.iter()))
                (records("Mail servers", dns.mx.iter()))
                (records("CNAME of www", dns.www_cname.iter()))
                (records("Allowed certificate authorities (CAA)", dns.caa.iter()))
                (records("TXT records", dns.txt.iter()))
                @for (kind, why) in &dns.failures { dt { (kind) } dd { span.muted { "unknown: " (why) } } }
            }
        }
        @if found.cdn.is_some() || found.hosting.is_some() {
            h2 { "Hosting" }
            dl.facts {
                @for (name, service) in [("CDN", &found.cdn), ("Hosting", &found.hosting)] {
                    @if let Some(service) = service { dt { (name) } dd { (service.name) (evidence(&service.evidence)) } }
                }
            }
        }
        @if let Some(found) = &found.certificate { (certificate(found)) }
        @if let Some(table) = &found.crawlers { (crawlers(table)) }
    }
}

/// What [`show`] has about a domain, in words: `DNS, certificate`.
pub(super) fn parts(found: &Findings) -> String {
    let files = [
        found.security_txt.is_some(),
        found.ads_txt.is_some(),
        found.humans_txt.is_some(),
        found.llms_txt.is_some(),
        found.files.iter().any(|file| file.is_there != Some(true)),
    ];
    let parts = [
        ("DNS and email", found.dns.is_some()),
        ("Hosting", found.cdn.is_some() || found.hosting.is_some()),
        ("Certificate", found.certificate.is_some()),
        ("Crawlers", found.crawlers.is_some()),
        ("Files", files.contains(&true)),
    ];
    let shown: Vec<&str> = parts
        .iter()
        .filter(|(_, is_there)| *is_there)
        .map(|(name, _)| *name)
        .collect();
    shown.join(", ")
}

fn certificate(found: &Certificate) -> Markup {
    let issuer = [&found.issuer_organization, &found.issuer];
    let issuer: Vec<&str> = issuer.into_iter().flatten().map(String::as_str).collect();
    html! {
        h2 { "Certificate" }
        @if let Some(fault) = &found.fault {
            p { strong { "Not trusted: " (fault.replace('_', " ")) "." } " The site was read over plain HTTP." }
        }
        dl.facts {
            dt { "Host" } dd { (found.host) @if let Some(version) = &found.version { ", " (version) } }
            @if !issuer.is_empty() { dt { "Issuer" } dd { (issuer.join(", ")) } }
            dt { "Valid" } dd { (time(found.valid_from)) " to " (time(found.valid_to)) }
            (records("Subject alternative names", found.names.iter()))
        }
    }
}

fn crawlers(table: &Crawlers) -> Markup {
    html! {
        h2 { "Crawlers" }
        dl.facts {
            @if !table.allowed.is_empty() { dt { "Allowed" } dd { (table.allowed.join(", ")) } }
            @for crawler in &table.refused {
                dt { (crawler.name) } dd { "disallowed by " code { (crawler.rule) } }
            }
        }
        p.small.muted { "Source: " (outward(&table.file)) }
    }
}

/// The checks of an email address.
pub(super) fn mail(email: &Email) -> Markup {
    let Some(check) = &email.check else {
        return html! {};
    };
    let word = match check.deliverable {
        Deliverable::Yes => "can receive email",
        Deliverable::No => "cannot receive email",
        Deliverable::Unknown => "not known whether it can receive email",
    };
    html! {
        div.small.muted { (word) ": " (check.why)
            @if let Some(provider) = &check.provider { " (" (provider.name) ")" }
            @if check.is_role { ", role address" }
            @if check.is_disposable { ", disposable" } }
    }
}

fn policy(name: &str, policy: Option<&MailPolicy>, is_known: bool) -> Markup {
    html! {
        @if let Some(policy) = policy {
            dt { (name) } dd { (policy.policy) @if policy.is_strict { ", strict" } @else { ", not strict" } (evidence(&policy.evidence)) }
        } @else if is_known { dt { (name) } dd { span.muted { "none" } } }
    }
}

fn records<'a>(name: &str, records: impl Iterator<Item = &'a String>) -> Markup {
    let all: Vec<&String> = records.collect();
    html! {
        @if !all.is_empty() {
            dt { (name) }
            dd { @for record in all.iter().take(MAX_TEXTS) { div.mono { (record) } }
                @if all.len() > MAX_TEXTS { div.muted { "and " (all.len() - MAX_TEXTS) " more" } } }
        }
    }
}

fn evidence(text: &str) -> Markup {
    html! { div.small.muted { "evidence: " code { (text) } } }
}
