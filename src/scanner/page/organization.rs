//! Who runs the site, as its JSON-LD says, and where that is silent its imprint.

use serde_json::Value;

use super::imprint::{imprint, is_legal_name};
use super::json_ld::{Node, is_organization, texts};
use super::outline::Outline;
use crate::values::findings::Organization;

/// Properties that identify a company, and their labels.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("vatID", "VAT"),
    ("taxID", "Tax"),
    ("leiCode", "LEI"),
    ("duns", "DUNS"),
    ("iso6523Code", "ISO 6523"),
    ("naics", "NAICS"),
];

/// What a page tells about who runs the site: what it states for readers like this one before what it says in words.
pub(super) fn organization(
    page: &Outline,
    nodes: &[Node],
    site_name: Option<&String>,
) -> Option<Organization> {
    let mut found = join(stated(nodes), imprint(page))?;
    found.name = found.name.or_else(|| site_name.cloned());
    let is_legal = found.name.as_deref().is_some_and(is_legal_name);
    found.legal_name = found
        .legal_name
        .or_else(|| found.name.clone().filter(|_| is_legal));
    Some(found)
}

/// Both, and where both speak the first.
pub(super) fn join(first: Option<Organization>, second: Option<Organization>) -> Option<Organization> {
    let (first, second) = match (first, second) {
        (Some(first), Some(second)) => (first, second),
        (first, second) => return first.or(second),
    };
    let mut identifiers = first.identifiers;
    for identifier in second.identifiers {
        if !identifiers.contains(&identifier) {
            identifiers.push(identifier);
        }
    }
    Some(Organization {
        name: first.name.or(second.name),
        legal_name: first.legal_name.or(second.legal_name),
        address: first.address.or(second.address),
        identifiers,
    })
}

/// The first organization with a name, if it can be one that is not just its host's.
fn stated(nodes: &[Node]) -> Option<Organization> {
    let is_named = |node: &&Node| is_organization(node) && !texts(node, "name").is_empty();
    let is_host = |node: &&Node| {
        texts(node, "name")
            .first()
            .is_some_and(|name| name.contains('.') && !name.contains(' '))
    };
    let mut named = nodes.iter().filter(is_named);
    let node = named
        .clone()
        .find(|node| !is_host(node))
        .or_else(|| named.next())?;
    let identifiers = IDENTIFIERS.iter().flat_map(|(property, label)| {
        texts(node, property)
            .into_iter()
            .map(move |number| format!("{label}: {number}"))
    });
    let mut found = Organization {
        name: texts(node, "name").into_iter().next(),
        legal_name: texts(node, "legalName").into_iter().next(),
        address: address(node),
        identifiers: identifiers.collect(),
    };
    for other in nodes.iter().filter(|node| is_organization(node)) {
        found.legal_name = found
            .legal_name
            .or_else(|| texts(other, "legalName").into_iter().next());
        found.address = found.address.or_else(|| address(other));
    }
    Some(found)
}

/// The country of the first address, as two letters, if it is so given.
pub(super) fn country(nodes: &[Node]) -> Option<String> {
    let countries = nodes.iter().flat_map(|node| texts(node, "addressCountry"));
    countries
        .map(|country| country.to_ascii_uppercase())
        .find(|country| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
}

fn address(node: &Node) -> Option<String> {
    let address = match node.get("address")? {
        Value::Array(list) => list.first()?,
        one => one,
    };
    let line = match address {
        Value::String(line) => line.clone(),
        Value::Object(parts) => {
            let place = [texts(parts, "postalCode"), texts(parts, "addressLocality")]
                .concat()
                .join(" ");
            let parts = [
                texts(parts, "streetAddress").join(", "),
                place,
                texts(parts, "addressRegion").join(", "),
                texts(parts, "addressCountry").join(", "),
            ];
            parts
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ")
        }
        _ => return None,
    };
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::super::json_ld::nodes;
    use super::*;

    #[test]
    fn an_organization_is_told_in_one_line_each() {
        let nodes = nodes(&[r#"{"@type":"Organization","name":"Acme","legalName":"Acme GmbH","vatID":"ATU1",
            "address":{"streetAddress":"Hauptplatz 1","postalCode":8010,"addressLocality":"Graz","addressCountry":"AT"}}"#
            .to_owned()]);
        let found = stated(&nodes).unwrap();
        assert_eq!(found.address.as_deref(), Some("Hauptplatz 1, 8010 Graz, AT"));
        assert_eq!(
            (found.legal_name.as_deref(), found.identifiers),
            (Some("Acme GmbH"), vec!["VAT: ATU1".to_owned()])
        );
        assert_eq!(country(&nodes).as_deref(), Some("AT"));
    }
}
