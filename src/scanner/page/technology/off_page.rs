//! Signs that are not on a page: DNS records, and the issuer of the certificate.

use super::resolve::Found;
use super::set::{PatternTarget, Technologies};
use super::version::Claim;
use crate::values::findings::Technology;

/// What was seen outside the page.
#[derive(Clone, Debug, Default)]
pub struct OffPageSignals {
    /// Records by type, lower case.
    pub dns: Vec<(String, Vec<String>)>,
    /// The issuer of the certificate.
    pub cert_issuer: Option<String>,
}

/// The technologies of a site, including those that are detected outside its pages.
pub(super) fn technologies(
    set: &Technologies,
    found: &[Technology],
    off_page: &OffPageSignals,
) -> Vec<Technology> {
    let mut all = Found::new(set);
    for technology in found {
        all.add_known(technology);
    }
    for sign in &set.off_page {
        let texts: Vec<&String> = match &sign.place {
            PatternTarget::Dns(kind) => {
                let of_kind = off_page.dns.iter().filter(|(known, _)| known == kind);
                of_kind.flat_map(|(_, records)| records).collect()
            }
            PatternTarget::CertIssuer => off_page.cert_issuer.iter().collect(),
            _ => continue,
        };
        let Some((text, hit)) = texts
            .into_iter()
            .find_map(|text| Some((text, sign.pattern.find(text)?)))
        else {
            continue;
        };
        let place = match &sign.place {
            PatternTarget::Dns(kind) => format!("dns {kind}"),
            _ => "certificate issuer".to_owned(),
        };
        let evidence: String = format!("{place}: {text}").chars().take(200).collect();
        let claimed = hit
            .version
            .map(|version| Claim::stated(version, sign.pattern.confidence));
        all.add(sign.technology, sign.pattern.confidence, evidence, claimed);
    }
    // Findings from the pages are not changed.
    let mut technologies = found.to_vec();
    let is_new = |technology: &Technology| found.iter().all(|known| known.name != technology.name);
    technologies.extend(all.resolve().into_iter().filter(is_new));
    technologies
}
