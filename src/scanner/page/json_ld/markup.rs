//! Converts what microdata and `RDFa` state about the site's operator to JSON-LD blocks.
//!
//! Only organizations that are not part of something else are read, and only if all have the same name: a page with
//! several is a list of others.

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{Html, Node};
use serde_json::{Map, Value};

use super::types::is_organization;
use crate::scanner::page::tree::{attribute, raw};

/// Properties that are read from an organization and from its address.
const PROPERTIES: &[&str] = &[
    "name",
    "legalName",
    "email",
    "telephone",
    "faxNumber",
    "vatID",
    "taxID",
];
const OF_ADDRESS: &[&str] = &[
    "streetAddress",
    "postalCode",
    "addressLocality",
    "addressRegion",
    "addressCountry",
];

/// Maximum number of organizations of one page, and of bytes of one text.
const MAX_ORGANIZATIONS: usize = 20;
const MAX_TEXT: usize = 500;

/// Builds the blocks of a page.
pub(in crate::scanner::page) fn blocks(page: &Html) -> Vec<String> {
    let mut reader = Reader::default();
    for edge in page.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => reader.open(node.id(), element),
                Node::Text(text) => reader.text(text),
                _ => {}
            },
            Edge::Close(node) => reader.close(node.id()),
        }
    }
    let mut names = reader.found.iter().filter_map(|found| found.get("name"));
    let first = names.next();
    if names.any(|name| Some(name) != first) {
        return Vec::new();
    }
    let blocks = reader
        .found
        .into_iter()
        .map(|found| Value::Object(found).to_string());
    blocks.collect()
}

/// The kind of thing that an open element with a type describes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Organization,
    Address,
    Other,
}

#[derive(Default)]
struct Reader {
    found: Vec<Map<String, Value>>,
    items: Vec<(NodeId, Kind)>,
    /// The current property: its element, its name and its text so far.
    property: Option<(NodeId, String, String)>,
}

impl Reader {
    fn open(&mut self, node: NodeId, element: &Element) {
        let name = ["itemprop", "property"]
            .into_iter()
            .find_map(|name| attribute(element, name));
        let name = name.map(local).unwrap_or_default();
        let is_item = ["itemscope", "itemtype", "typeof"]
            .into_iter()
            .any(|name| raw(element, name).is_some());
        if is_item {
            let kind = self.kind(element, name);
            if kind == Kind::Organization {
                let kind_of = type_of(element).unwrap_or_default();
                self.found
                    .push(Map::from_iter([("@type".to_owned(), Value::from(kind_of))]));
            }
            self.items.push((node, kind));
            return;
        }
        let known = match self.items.last() {
            Some((_, Kind::Organization)) => PROPERTIES,
            Some((_, Kind::Address)) => OF_ADDRESS,
            _ => return,
        };
        if self.property.is_some() || !known.contains(&name) {
            return;
        }
        let link = || {
            attribute(element, "href")
                .filter(|url| ["mailto:", "tel:"].iter().any(|start| url.starts_with(start)))
        };
        match attribute(element, "content").or_else(link) {
            Some(value) => self.keep(name, value),
            None => self.property = Some((node, name.to_owned(), String::new())),
        }
    }

    fn kind(&self, element: &Element, property: &str) -> Kind {
        let is_within = |kind| self.items.last().is_some_and(|(_, outer)| *outer == kind);
        if property == "address" && is_within(Kind::Organization) {
            return Kind::Address;
        }
        // A page as a whole often has its title as its name.
        let is_whole =
            self.items.is_empty() && property.is_empty() && !matches!(element.name(), "html" | "body");
        let is_own = is_whole && type_of(element).is_some_and(|kind| is_organization(local(kind)));
        if is_own && self.found.len() < MAX_ORGANIZATIONS {
            Kind::Organization
        } else {
            Kind::Other
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((.., read)) = &mut self.property
            && read.len() < MAX_TEXT
        {
            read.push_str(&text[..text.floor_char_boundary(MAX_TEXT)]);
        }
    }

    fn close(&mut self, node: NodeId) {
        if let Some((_, name, read)) = self.property.take_if(|(open, ..)| *open == node) {
            self.keep(&name, &read);
        }
        self.items.pop_if(|(open, _)| *open == node);
    }

    /// Keeps the first value of a property of the current organization.
    fn keep(&mut self, name: &str, value: &str) {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some(organization) = self.found.last_mut().filter(|_| !value.is_empty()) else {
            return;
        };
        let of = if OF_ADDRESS.contains(&name) {
            let address = organization
                .entry("address")
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(address) = address else { return };
            address
        } else {
            organization
        };
        of.entry(name).or_insert_with(|| Value::from(value));
    }
}

/// The first type that an element states.
fn type_of(element: &Element) -> Option<&str> {
    let types = ["itemtype", "typeof"]
        .into_iter()
        .find_map(|name| attribute(element, name));
    types?.split_ascii_whitespace().next()
}

/// The name of a type or property without its vocabulary: `schema:name`, `https://schema.org/Plumber`.
fn local(name: &str) -> &str {
    let name = name.split_ascii_whitespace().next().unwrap_or_default();
    name.trim_end_matches('/')
        .rsplit(['/', ':', '#'])
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::page::tree::parse;

    fn of(html: &str) -> String {
        blocks(&parse(html).html).concat()
    }

    #[test]
    fn organizations_are_read_from_both_vocabularies() {
        let wanted = r#"{"@type":"T","name":"Acme Farm","telephone":"1","email":"a@acme.test",
            "address":{"streetAddress":"Weg 1"}}"#;
        let wanted: Value = serde_json::from_str(wanted).unwrap();
        for (kind, html) in [
            (
                "LocalBusiness",
                "<div vocab=https://schema.org/ typeof=LocalBusiness><h1 property=name>Acme <b>Farm</b></h1>
                 <div property=address typeof=PostalAddress><span property=streetAddress>Weg 1</span></div>
                 <span property=telephone>1</span><a property=email content=a@acme.test href=/contact>Write</a></div>",
            ),
            (
                "schema:Bakery",
                "<div typeof=schema:Bakery><h1 property=schema:name>Acme Farm</h1><span property=schema:telephone>1</span>
                 <div property=schema:address typeof=schema:PostalAddress><p property=schema:streetAddress>Weg 1</div>
                 <a property=schema:email href=mailto:a@acme.test>Write</a></div>",
            ),
            (
                "http://schema.org/Hotel",
                "<div itemscope itemtype=http://schema.org/Hotel><h1 itemprop=name>Acme Farm</h1>
                 <meta itemprop=telephone content=1><meta itemprop=email content=a@acme.test>
                 <p itemprop=address itemscope><i itemprop=streetAddress>Weg 1</i></p>
                 <div itemprop=review itemscope><b itemprop=name>Ann</b></div></div>",
            ),
        ] {
            let mut found: Value = serde_json::from_str(&of(html)).unwrap();
            assert_eq!(found["@type"], kind);
            found["@type"] = "T".into();
            let email = found["email"].as_str().unwrap().trim_start_matches("mailto:");
            found["email"] = email.into();
            assert_eq!(found, wanted, "{html}");
        }
    }

    #[test]
    fn what_is_no_operator_of_the_site_is_not_read() {
        for html in [
            "<div itemscope itemtype=http://schema.org/Person><b itemprop=name>Ann</b></div>",
            "<div itemscope itemtype=http://schema.org/Product><p itemprop=brand itemscope itemtype=http://schema.org/Organization>
             <b itemprop=name>Acme</b></div>",
            "<div typeof=Hotel><b property=name>A</b></div><div typeof=Hotel><b property=name>B</b></div>",
            "<html itemscope itemtype=http://schema.org/Hotel><meta itemprop=name content='Contact - Acme'>",
            "<meta property=name content=Acme><b itemprop=name>Acme</b>",
        ] {
            assert_eq!(of(html), "", "{html}");
        }
    }
}
