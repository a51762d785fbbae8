//! Small pages, each with its expected findings (`tests/fixtures/reader_cases.json`).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::*;

#[derive(Deserialize)]
struct Case {
    id: String,
    kind: String,
    url: Url,
    html: String,
    expect: Map<String, Value>,
}

fn read(case: &Case) -> Findings {
    read_page(&RawPage {
        url: case.url.clone(),
        headers: Headers::default(),
        bytes: case.html.clone().into_bytes(),
    })
    .findings
}

/// The result of a page in the terms of a case, and whether it is what was expected.
fn compare(expected: &str, wanted: &Value, found: &Findings) -> (Value, bool) {
    let organization = found.organization.clone().unwrap_or_default();
    let texts = || -> Vec<&str> {
        wanted
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    let text = wanted.as_str().unwrap_or_default();
    let set = |mut given: Vec<String>| {
        let mut wanted = texts();
        given.sort();
        wanted.sort_unstable();
        (given.clone().into(), given == wanted)
    };
    let holds = |given: Option<String>, part: &str| {
        let given = given.unwrap_or_default();
        let holds = given.contains(part);
        (given.into(), holds)
    };
    let technologies = || -> Vec<String> {
        found
            .technologies
            .iter()
            .map(|known| known.name.clone())
            .collect()
    };
    match expected {
        "emails" => set(found.emails.iter().map(|email| email.value.clone()).collect()),
        "phones" => set(found.phones.iter().map(|phone| phone.value.clone()).collect()),
        "socials" => {
            let given = serde_json::to_value(&found.social_links).unwrap();
            let wanted = wanted.as_object().unwrap();
            let is_same = wanted.iter().all(|(network, url)| given[network] == *url);
            (given, is_same)
        }
        "language" => {
            let given = found
                .language
                .as_deref()
                .and_then(|tag| tag.split('-').next())
                .unwrap_or_default();
            (given.into(), given == text)
        }
        "title" => (
            found.title.clone().into(),
            found.title.as_deref() == wanted.as_str(),
        ),
        "logo" => (
            found.logo_url.clone().into(),
            found.logo_url.as_deref() == wanted.as_str(),
        ),
        "description" => (
            found.description.clone().into(),
            found.description.as_deref() == wanted.as_str(),
        ),
        "headline" => (
            found.headline.clone().into(),
            found.headline.as_deref() == wanted.as_str(),
        ),
        "site_name" => (
            found.site_name.clone().into(),
            found.site_name.as_deref() == wanted.as_str(),
        ),
        "legal" => holds(organization.legal_name, text),
        "name" => holds(organization.name, text),
        "address" => holds(organization.address, text),
        "no_legal" => {
            let given = [organization.legal_name, organization.name]
                .map(Option::unwrap_or_default)
                .join(" ");
            let is_free = !given.contains(text);
            (given.into(), is_free)
        }
        "no_address" => {
            let given = organization.address.unwrap_or_default();
            let is_free = texts().iter().all(|part| !given.contains(part));
            (given.into(), is_free)
        }
        "tech" => {
            let given = technologies();
            let has_all = texts().iter().all(|name| given.iter().any(|known| known == name));
            (given.into(), has_all)
        }
        "no_tech" => {
            let given = technologies();
            let has_none = texts().iter().all(|name| given.iter().all(|known| known != name));
            (given.into(), has_none)
        }
        other => panic!("{other} is not known"),
    }
}

/// The cases of a file that are not read as they should be.
fn wrong(cases: &str) -> Vec<String> {
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in &cases {
        let found = read(case);
        for (expected, wanted) in &case.expect {
            let (given, is_right) = compare(expected, wanted, &found);
            if !is_right {
                wrong.push(format!(
                    "{} ({}): {expected} is {given}, not {wanted}",
                    case.id, case.kind
                ));
            }
        }
    }
    wrong
}

#[test]
fn pages_of_all_kinds_are_read_rightly() {
    let wrong = wrong(include_str!("../../../tests/fixtures/reader_cases.json"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn their_neighbours_are_read_rightly() {
    let wrong = wrong(include_str!("../../../tests/fixtures/reader_neighbours.json"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
