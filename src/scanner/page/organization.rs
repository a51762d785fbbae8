//! The organization that runs the site: from its JSON-LD, otherwise from its imprint.

use super::country::country;
use super::head::{is_of_another_site, own_jobs};
use super::imprint::{called, imprint, is_legal_name};
use super::json_ld::{Graph, Node};
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

/// What a page says about the operator of the site: structured data take precedence over text. If the page has contacts
/// but no name for the operator, the operator gets the name of the site.
pub(super) fn organization(
    page: &Outline,
    graph: &Graph,
    site_name: Option<&String>,
    is_reached: bool,
) -> Option<Organization> {
    // The site's name may be the legal name of its company.
    let is_company = site_name.is_some_and(|name| is_legal_name(name));
    let stated = stated(page, graph, site_name).or_else(|| employer(page, graph));
    let found = join(stated, imprint(page));
    let is_named = is_company || site_name.is_some() && is_reached;
    let mut found = found.or_else(|| is_named.then(Organization::default))?;
    found.name = found.name.or_else(|| site_name.cloned()).or_else(|| called(page));
    let is_legal = found.name.as_deref().is_some_and(is_legal_name);
    found.legal_name = found
        .legal_name
        .or_else(|| found.name.clone().filter(|_| is_legal));
    found.name = found.name.or_else(|| found.legal_name.clone());
    Some(found)
}

/// Merges two organizations; the first one takes precedence.
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
    // A place alone says less than a street with its number.
    let is_vague = |address: &String| !address.contains(char::is_numeric);
    let address = match (first.address, second.address) {
        (Some(vague), Some(address)) if is_vague(&vague) => Some(address),
        (address, other) => address.or(other),
    };
    Some(Organization {
        name: first.name.or(second.name),
        legal_name: first.legal_name.or(second.legal_name),
        address,
        identifiers,
    })
}

/// The first owner in the JSON-LD with a name, preferably with one that is not just a host.
fn stated(page: &Outline, graph: &Graph, site_name: Option<&String>) -> Option<Organization> {
    let mut owners = graph.owners();
    owners.retain(|node| !is_of_another_site(*node, page));
    // Some systems name the author of an article as its publisher too.
    let authors: Vec<String> = graph
        .nodes()
        .filter(|node| node.has_type("Person"))
        .filter_map(|node| node.text("name"))
        .collect();
    let is_publisher = |name: &String| {
        graph
            .publishers()
            .any(|node| node.text("name").as_ref() == Some(name))
    };
    owners.retain(|node| {
        let is_author = |name: &String| {
            site_name.is_some_and(|site| site != name) && authors.contains(name) && is_publisher(name)
        };
        node.has_type("Person") || !node.text("name").as_ref().is_some_and(is_author)
    });
    // Some systems state only the legal name.
    let name = |node: &Node<'_>| node.text("name").or_else(|| node.text("legalName"));
    let mut named = owners.iter().filter_map(|node| Some((node, name(node)?)));
    let is_host = |name: &str| name.contains('.') && !name.contains(' ') || name.contains("://");
    let (node, name) = named
        .clone()
        .find(|(_, name)| !is_host(name))
        .or_else(|| named.next())?;
    let identifiers = IDENTIFIERS.iter().flat_map(|(property, label)| {
        let numbers = node.texts(property).into_iter();
        numbers.map(move |number| format!("{label}: {number}"))
    });
    let all = || std::iter::once(node).chain(&owners);
    Some(Organization {
        name: Some(name),
        legal_name: all().find_map(|node| node.text("legalName")),
        address: all().find_map(|node| address(*node)),
        identifiers: identifiers.collect(),
    })
}

/// The site's operator as the employer of a job on the page. An employer without an address gets the job's location, if
/// it is the only job.
fn employer(page: &Outline, graph: &Graph) -> Option<Organization> {
    let mut jobs = own_jobs(page, graph);
    let (job, employer) = jobs.next()?;
    let place = job.object("jobLocation").filter(|_| jobs.next().is_none());
    Some(Organization {
        name: Some(employer.text("name")?),
        legal_name: employer.text("legalName"),
        address: address(employer).or_else(|| address(place?)),
        identifiers: Vec::new(),
    })
}

/// The country of the owner's address, otherwise of the first address with a known country.
pub(super) fn stated_country(graph: &Graph) -> Option<&'static str> {
    let owners = graph.owners();
    let own = owners
        .into_iter()
        .filter_map(|node| node.object("address"))
        .flat_map(|address| address.texts("addressCountry"));
    let mut countries = own.chain(graph.texts("addressCountry"));
    countries.find_map(|text| Some(country(&text)?.code))
}

fn address(node: Node<'_>) -> Option<String> {
    let line = if let Some(address) = node.object("address") {
        let place = [address.texts("postalCode"), address.texts("addressLocality")];
        let parts = [
            address.texts("streetAddress").join(", "),
            place.concat().join(" "),
            address.texts("addressRegion").join(", "),
            address.texts("addressCountry").join(", "),
        ];
        let filled = parts.into_iter().filter(|part| !part.is_empty());
        filled.collect::<Vec<_>>().join(", ")
    } else {
        let lines = node.text("address")?;
        let lines = lines.lines().map(|line| line.trim().trim_end_matches(','));
        lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::json_ld::graph;
    use super::super::outline::outline;
    use super::*;

    fn page(html: &str) -> Outline {
        outline(html, &Url::parse("https://acme.test/").unwrap())
    }

    #[test]
    fn an_author_is_not_the_owner() {
        let graph = graph(&[r#"{"@type":"Article","author":{"@type":"Person","name":"GSL"},
            "publisher":{"@type":"Organization","name":"GSL"}}"#
            .to_owned()]);
        let site = "Scout Group".to_owned();
        let name = |site| stated(&page(""), &graph, site).and_then(|found| found.name);
        assert_eq!(name(Some(&site)), None);
        assert_eq!(name(None).as_deref(), Some("GSL"));
    }

    #[test]
    fn a_registered_name_and_an_address_in_lines_are_enough() {
        let graph = graph(&[r#"{"@type":"Organization","legalName":"Acme & Sons",
            "address":"1 Mill Lane,\nPortland, OR 97202\n"}"#
            .to_owned()]);
        let found = stated(&page(""), &graph, None).unwrap();
        assert_eq!(found.name.as_deref(), Some("Acme & Sons"));
        assert_eq!(found.legal_name.as_deref(), Some("Acme & Sons"));
        assert_eq!(found.address.as_deref(), Some("1 Mill Lane, Portland, OR 97202"));
    }

    #[test]
    fn who_offers_a_job_on_its_own_site_runs_it() {
        let job = |url: &str, name: &str| {
            graph(&[format!(
                r#"{{"@type":"JobPosting","hiringOrganization":{{"@type":"Organization","name":"{name}","sameAs":"{url}"}},
                "jobLocation":{{"@type":"Place","address":{{"streetAddress":"Weg 1","addressLocality":"Graz"}}}}}}"#
            )])
        };
        let found = |graph: &Graph| organization(&page(""), graph, None, false);
        let own = found(&job("https://www.acme.test/", "Foo GmbH")).unwrap();
        assert_eq!(own.name.as_deref(), Some("Foo GmbH"));
        assert_eq!(own.address.as_deref(), Some("Weg 1, Graz"));
        assert_eq!(found(&job("https://other.test/", "Foo GmbH")), None);
    }

    #[test]
    fn who_is_reached_is_called_as_the_site_is() {
        let name = |is_reached| {
            let site = "Acme".to_owned();
            organization(&page(""), &Graph::default(), Some(&site), is_reached).and_then(|found| found.name)
        };
        assert_eq!(name(true).as_deref(), Some("Acme"));
        assert_eq!(name(false), None);
    }

    #[test]
    fn an_organization_is_told_in_one_line_each() {
        let graph = graph(&[r#"{"@type":"Organization","name":"Acme","legalName":"Acme GmbH","vatID":"ATU1",
            "address":{"streetAddress":"Hauptplatz 1","postalCode":8010,"addressLocality":"Graz","addressCountry":"AT"}}"#
            .to_owned()]);
        let found = stated(&page(""), &graph, None).unwrap();
        assert_eq!(found.address.as_deref(), Some("Hauptplatz 1, 8010 Graz, AT"));
        assert_eq!(
            (found.legal_name.as_deref(), found.identifiers),
            (Some("Acme GmbH"), vec!["VAT: ATU1".to_owned()])
        );
        assert_eq!(stated_country(&graph), Some("AT"));
    }
}
