//! Findings that are not from pages: the certificate, and the technologies that the certificate and DNS show.

use std::sync::Arc;

use url::Url;

use super::ScanContext;
use super::page::{OffPageSignals, add_technologies};
use crate::values::Findings;
use crate::values::dns::mail_host;
use crate::values::hosting::{CDN, HOSTING};

/// Adds the certificate of the home page's host.
pub(super) fn tell_certificate(context: &ScanContext, findings: &mut Findings) {
    let home = findings.final_url.as_deref().and_then(|url| Url::parse(url).ok());
    let host = home.as_ref().and_then(Url::host_str);
    findings.certificate = host.and_then(|host| context.fetcher.certificate(host));
}

/// Adds the CDN and the hosting provider if the headers of the site did not show them.
pub(super) fn tell_hosting(findings: &mut Findings) {
    let Some(dns) = &findings.dns else { return };
    findings.cdn = findings.cdn.take().or_else(|| CDN.of_dns(dns));
    findings.hosting = findings.hosting.take().or_else(|| HOSTING.of_dns(dns));
}

/// Adds technologies that DNS records and the certificate show.
pub(super) async fn add_signs(context: &ScanContext, findings: &mut Findings) {
    let known = Arc::clone(&context.settings.technologies);
    if !known.has_signs_beside() {
        return;
    }
    let dns = findings.dns.clone().unwrap_or_default();
    let issuer = findings.certificate.iter();
    let issuer: Vec<&str> = issuer
        .flat_map(|found| [&found.issuer_organization, &found.issuer])
        .flatten()
        .map(String::as_str)
        .collect();
    let off_page = OffPageSignals {
        cert_issuer: (!issuer.is_empty()).then(|| issuer.join(" ")),
        dns: vec![
            (
                "mx".to_owned(),
                dns.mx.iter().map(|mx| mail_host(mx).to_owned()).collect(),
            ),
            ("ns".to_owned(), dns.ns),
            ("txt".to_owned(), dns.txt),
            ("cname".to_owned(), dns.www_cname),
            ("a".to_owned(), dns.a),
            ("aaaa".to_owned(), dns.aaaa),
            ("caa".to_owned(), dns.caa),
        ],
    };
    let mut found = findings.clone();
    let add = move || {
        add_technologies(&mut found, &off_page, &known);
        found
    };
    if let Ok(found) = context.compute(add).await {
        *findings = found;
    }
}
