//! The entities that a sitemap's DOCTYPE declares. None is ever expanded.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::scanner::references::{html_entity, resolve};

/// Maximum declarations that are kept.
const MAX_DECLARED: usize = 1000;

/// How a text relates to the declared entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// It uses none.
    None,
    /// It uses an entity with plain text. The text is unknown, because entities are not expanded.
    Plain,
    /// It uses one that is external or nested. The document is refused: it may be an attack.
    Refused,
}

/// Name to kind of entity.
#[derive(Debug, Default)]
pub(super) struct Declared(HashMap<String, Use>);

impl Declared {
    /// Reads the `<!ENTITY …>` declarations of a DOCTYPE.
    pub(super) fn read(doctype: &str) -> Self {
        let declarations = doctype.split("<!ENTITY").skip(1).take(MAX_DECLARED);
        Self(declarations.filter_map(declaration).collect())
    }

    /// Resolves references to characters and says whether a declared entity is used.
    pub(super) fn resolve<'a>(&self, text: &'a str) -> (Cow<'a, str>, Use) {
        let mut used = Use::None;
        let resolved = resolve(text, &mut |name| match self.0.get(name) {
            Some(kind) => {
                used = used.max(*kind);
                None
            }
            None => html_entity(name),
        });
        (resolved, used)
    }
}

fn declaration(text: &str) -> Option<(String, Use)> {
    let text = text.trim_start();
    let (name, value) = text.split_once(char::is_whitespace)?;
    let value = value.trim_start();
    let kind = match value.chars().next()? {
        quote @ ('"' | '\'') => {
            let literal = value[1..].split(quote).next().unwrap_or_default();
            if literal.contains(['&', '%', '<']) {
                Use::Refused
            } else {
                Use::Plain
            }
        }
        _ => Use::Refused,
    };
    // Only other declarations can use a parameter entity (`% name`).
    (name != "%").then(|| (name.to_owned(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_entities_are_told_apart_and_never_expanded() {
        let declared = Declared::read(
            "urlset [<!ENTITY a \"x\"> <!ENTITY b '&a;&a;'><!ENTITY c SYSTEM \"file:///etc/passwd\">]",
        );
        assert_eq!(declared.resolve("&a;/1"), ("&a;/1".into(), Use::Plain));
        assert_eq!(declared.resolve("&b;").1, Use::Refused);
        assert_eq!(declared.resolve("&c;").1, Use::Refused);
        assert_eq!(declared.resolve("&d;&amp;").0, "&d;&");
    }
}
