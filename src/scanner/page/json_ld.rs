//! JSON-LD blocks as a graph of nodes. Blocks of slightly invalid JSON are read as well.

mod arena;
mod lenient;
mod markup;
mod types;

use std::collections::HashMap;

use self::arena::{Arena, Json, Object};
pub(super) use self::markup::blocks as blocks_of_markup;

/// Limit for the bytes of JSON-LD read of one page; a block that exceeds it is not read.
pub(super) const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Longer texts are cut: nothing that we search for is longer.
const MAX_TEXT: usize = 20_000;

/// Maximum number of texts of one property.
const MAX_TEXTS: usize = 100;

/// The structured data that a page contains for programs.
#[derive(Debug, Default)]
pub(super) struct Graph {
    arena: Arena,
    /// The nodes from the outermost to the innermost, in document order within one depth.
    order: Vec<usize>,
    /// Index of the node that describes the thing with an `@id`.
    named: HashMap<String, usize>,
    /// Bytes of the blocks that were not read.
    pub(super) unread: usize,
}

/// One object of the graph. A mere reference to another node (`{"@id": …}`) stands for that node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    graph: &'a Graph,
    at: usize,
}

/// Reads the blocks of a page.
pub(super) fn graph<T: AsRef<str>>(blocks: &[T]) -> Graph {
    let mut arena = Arena::default();
    let mut order = Vec::new();
    let mut room = MAX_BYTES;
    let mut unread = 0;
    for block in blocks.iter().map(AsRef::as_ref) {
        let Some(left) = room.checked_sub(block.len()) else {
            unread += block.len();
            continue;
        };
        room = left;
        let first = arena.0.len();
        read(block, &mut arena);
        let mut read: Vec<usize> = (first..arena.0.len()).collect();
        read.sort_by_key(|at| arena.0[*at].depth);
        order.extend(read);
    }
    let mut named = HashMap::new();
    for (at, object) in arena
        .0
        .iter()
        .enumerate()
        .filter(|(_, object)| object.fields.len() > 1)
    {
        if let Some(Json::Text(id)) = field(object, "@id") {
            named.entry(id.clone()).or_insert(at);
        }
    }
    Graph {
        arena,
        order,
        named,
        unread,
    }
}

/// Adds the values of a block: as JSON, or, if it is invalid, whatever can be repaired.
fn read(block: &str, arena: &mut Arena) {
    let read = |block: &str, arena: &mut Arena| -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(block);
        // Some pages put two objects into one block.
        while !block[..].trim().is_empty() && deserializer.end().is_err() {
            arena.add(&mut deserializer)?;
        }
        Ok(())
    };
    let before = arena.0.len();
    if read(block, arena).is_err() {
        arena.0.truncate(before);
        // Values before the error count.
        let _ = read(&lenient::cleaned(block), arena);
    }
}

fn field<'a>(object: &'a Object, name: &str) -> Option<&'a Json> {
    let found = object.fields.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value)
}

impl Graph {
    /// All nodes, outer before inner.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node<'_>> + Clone {
        self.order.iter().map(|at| Node { graph: self, at: *at })
    }

    /// The nodes that stand for the site's operator: organizations, then places, then nodes of an unknown type with an
    /// address and a telephone.
    pub(super) fn owners(&self) -> Vec<Node<'_>> {
        let all = || self.nodes().filter(|node| !node.is_of_another());
        let organizations = all().filter(|node| node.is_any(types::is_organization));
        let places =
            all().filter(|node| node.is_any(types::is_place) && !node.is_any(types::is_organization));
        let unknown = all().filter(Node::is_like_an_owner);
        organizations.chain(places).chain(unknown).collect()
    }

    /// The texts of a property from all nodes.
    pub(super) fn texts(&self, property: &str) -> impl Iterator<Item = String> {
        self.nodes().flat_map(move |node| node.texts(property))
    }

    /// The same from the nodes that state how to contact the site's operator: a directory lists other companies,
    /// reviews have authors, and so have pages.
    pub(super) fn texts_of_site(&self, property: &str) -> impl Iterator<Item = String> {
        let has_owner = self
            .nodes()
            .any(|node| node.is_any(types::is_organization) && !node.is_of_another());
        let own = self
            .nodes()
            .filter(move |node| !node.is_listed() && !node.is_fax() && !node.is_stranger(has_owner));
        own.flat_map(move |node| node.texts(property))
    }

    /// The texts of a property from nodes that do not belong to the site, or that are persons next to an organization.
    pub(super) fn texts_of_strangers(&self, property: &str) -> impl Iterator<Item = String> {
        let strangers = self.nodes().filter(|node| node.is_stranger(true));
        strangers.flat_map(move |node| node.texts(property))
    }

    /// The jobs that a page offers, each with the employer.
    pub(super) fn jobs(&self) -> impl Iterator<Item = (Node<'_>, Node<'_>)> {
        let jobs = self.nodes().filter(|node| node.has_type("JobPosting"));
        jobs.filter_map(|job| Some((job, job.object("hiringOrganization")?)))
    }

    /// The publishers of the site's pages.
    pub(super) fn publishers(&self) -> impl Iterator<Item = Node<'_>> {
        self.nodes().filter_map(|node| node.object("publisher"))
    }

    fn resolved(&self, at: usize) -> usize {
        let object = &self.arena.0[at];
        match (object.fields.len(), field(object, "@id")) {
            (1, Some(Json::Text(id))) => self.named.get(id).copied().unwrap_or(at),
            _ => at,
        }
    }
}

impl<'a> Node<'a> {
    fn get(self, property: &str) -> Option<&'a Json> {
        field(&self.graph.arena.0[self.at], property)
    }

    /// The object of a property, or the first of its list.
    pub(super) fn object(self, property: &str) -> Option<Self> {
        let value = match self.get(property)? {
            Json::List(items) => items.first()?,
            value => value,
        };
        let Json::Object(at) = value else {
            return None;
        };
        let at = self.graph.resolved(*at);
        Some(Self { at, ..self })
    }

    /// The texts of a property: one text, a list, or an object with `url`, `contentUrl` or `name`.
    pub(super) fn texts(self, property: &str) -> Vec<String> {
        match self.get(property) {
            Some(Json::List(items)) => items
                .iter()
                .take(MAX_TEXTS)
                .filter_map(|item| self.text_of(item))
                .collect(),
            Some(value) => self.text_of(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The first text of a property.
    pub(super) fn text(self, property: &str) -> Option<String> {
        self.texts(property).into_iter().next()
    }

    fn text_of(self, value: &Json) -> Option<String> {
        let text = match value {
            Json::Text(text) => text,
            Json::Object(at) => {
                let object = &self.graph.arena.0[self.graph.resolved(*at)];
                ["url", "contentUrl", "@value", "name"]
                    .iter()
                    .find_map(|key| match field(object, key)? {
                        Json::Text(text) => Some(text),
                        _ => None,
                    })?
            }
            _ => return None,
        };
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        let text = crate::scanner::references::resolve_html(text.trim());
        (!text.is_empty()).then(|| text.into_owned())
    }

    /// Whether it has this schema.org type.
    pub(super) fn has_type(self, wanted: &str) -> bool {
        self.is_any(|kind| kind.eq_ignore_ascii_case(wanted))
    }

    fn is_any(self, is_it: impl Fn(&str) -> bool) -> bool {
        self.types().any(|kind| {
            // `https://schema.org/Plumber`, `schema:Plumber`.
            let kind = kind.trim().trim_end_matches('/');
            is_it(kind.rsplit(['/', ':', '#']).next().unwrap_or_default())
        })
    }

    fn types(self) -> impl Iterator<Item = &'a str> {
        let (one, many) = match self.get("@type") {
            Some(Json::List(items)) => (None, items.as_slice()),
            one => (one, [].as_slice()),
        };
        one.into_iter().chain(many).filter_map(|kind| match kind {
            Json::Text(kind) => Some(kind.as_str()),
            _ => None,
        })
    }

    /// Whether a property that leads here shows that this is not the site's operator: the author of a review, a brand
    /// on sale, an employer elsewhere.
    fn is_of_another(self) -> bool {
        const LEADS_TO_OWNER: &[&str] = &[
            "publisher",
            "mainEntity",
            "mainEntityOfPage",
            "about",
            "isPartOf",
            "copyrightHolder",
            "sourceOrganization",
            "provider",
        ];
        let mut at = self.at;
        while let Some((parent, property)) = &self.graph.arena.0[at].parent {
            let outer = Self { at: *parent, ..self };
            let is_judgement =
                outer.is_any(|kind| kind.to_ascii_lowercase().ends_with("review") || kind == "Comment");
            if is_judgement || !LEADS_TO_OWNER.contains(&property.as_str()) {
                return true;
            }
            at = *parent;
        }
        false
    }

    /// Whether it is a reviewer or author, or a person on the page of an organization that does not name the person as
    /// one of its own.
    fn is_stranger(&self, has_owner: bool) -> bool {
        const OWN: &[&str] = &[
            "contactPoint",
            "contactPoints",
            "employee",
            "employees",
            "founder",
            "founders",
            "member",
        ];
        let mut properties = Vec::new();
        let mut at = self.at;
        while let Some((parent, property)) = &self.graph.arena.0[at].parent {
            let outer = Self { at: *parent, ..*self };
            if outer.is_any(|kind| kind.to_ascii_lowercase().ends_with("review") || kind == "Comment") {
                return true;
            }
            properties.push(property.as_str());
            at = *parent;
        }
        let is_own = properties.iter().any(|property| OWN.contains(property));
        self.has_type("Person") && has_owner && !is_own
    }

    /// Whether it is the contact of a fax machine.
    fn is_fax(&self) -> bool {
        let kinds = self.texts("contactType");
        kinds.iter().any(|kind| kind.to_ascii_lowercase().contains("fax"))
    }

    fn is_listed(&self) -> bool {
        let mut at = self.at;
        while let Some((parent, property)) = &self.graph.arena.0[at].parent {
            if property == "itemListElement" {
                return true;
            }
            at = *parent;
        }
        false
    }

    /// Whether it has the properties that a company states about itself, under an unknown type.
    fn is_like_an_owner(&self) -> bool {
        let has = |property: &str| self.get(property).is_some();
        self.types().next().is_some()
            && !self.is_any(|kind| {
                types::is_organization(kind) || types::is_place(kind) || types::is_something_else(kind)
            })
            && has("name")
            && has("address")
            && (has("telephone") || has("openingHours") || has("openingHoursSpecification"))
    }
}

#[cfg(test)]
mod tests;
