//! Seals the pictures that a scan read. Each becomes a body of the domain, so that it is erased with everything else.

use crate::aggregates::scan::ReadFact;
use crate::log::body::{Body, Salt};
use crate::values::picture::PictureKind;
use crate::values::report::SiteReport;

/// The report with the places of its pictures, if it has any; the bodies and facts are added to the others.
pub(super) fn seal_pictures(
    report: &SiteReport,
    salt: &Salt,
    bodies: &mut Vec<Body>,
    read: &mut Vec<ReadFact>,
) -> Option<SiteReport> {
    let found = report.outcome.as_ref().ok()?;
    let is_new = |kind: &PictureKind| kind.of(found).is_some_and(|picture| !picture.content.is_empty());
    if !PictureKind::ALL.iter().any(is_new) {
        return None;
    }
    let mut report = report.clone();
    let found = report.outcome.as_mut().ok()?;
    for kind in PictureKind::ALL {
        let Some(picture) = kind.of_mut(found).filter(|picture| !picture.content.is_empty()) else {
            continue;
        };
        let (reference, body) = salt.seal(&picture.content, 1);
        bodies.push(body);
        picture.body = Some(reference.clone());
        read.push(ReadFact::Picture {
            kind,
            url: picture.url.clone(),
            picture: reference,
        });
    }
    Some(report)
}
