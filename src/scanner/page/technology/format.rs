//! The community's file format for fingerprints (Wappalyzer and its successors), and a few fields of our own.
//!
//! A file is an object of technologies by name, or an object with such an object under `technologies` or `apps`, and
//! categories under `categories`. Fields that need a browser or further requests (`js`, `xhr`, `robots`, `probe`) are
//! counted but not evaluated. Our own fields: `assets` (URLs of scripts, styles and frames), `files` (paths of files
//! that the page loads from its own site), `attributes` (names of attributes), `comments`, `links` (targets of
//! `<link>`), `jsonld`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A technology as a file describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Description {
    pub(super) cats: Vec<Category>,
    pub(super) website: Option<String>,
    pub(super) headers: BTreeMap<String, Texts>,
    pub(super) cookies: BTreeMap<String, Texts>,
    pub(super) meta: BTreeMap<String, Texts>,
    pub(super) script_src: Texts,
    pub(super) scripts: Texts,
    pub(super) css: Texts,
    pub(super) html: Texts,
    pub(super) text: Texts,
    pub(super) url: Texts,
    pub(super) dom: Value,
    pub(super) assets: Texts,
    pub(super) files: Texts,
    pub(super) attributes: Texts,
    pub(super) comments: Texts,
    pub(super) links: Texts,
    pub(super) jsonld: Texts,
    pub(super) implies: Texts,
    pub(super) excludes: Texts,
    pub(super) requires: Texts,
    pub(super) requires_category: Categories,
    /// Only browsers can evaluate these.
    pub(super) js: Value,
    pub(super) xhr: Value,
    pub(super) robots: Value,
    pub(super) probe: Value,
    /// By record type.
    pub(super) dns: BTreeMap<String, Texts>,
    pub(super) cert_issuer: Texts,
}

/// A category by its number in the community's list, or by name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Category {
    Number(u32),
    Name(String),
}

/// One category or a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Categories {
    #[default]
    None,
    One(Category),
    Many(Vec<Category>),
}

/// One text or a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Texts {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

/// The content of a file.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) technologies: BTreeMap<String, Description>,
    /// Names of categories by number.
    pub(super) categories: BTreeMap<u32, String>,
}

/// Why a file is not a fingerprint file.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It is not JSON, or a technology's fields have unexpected types.
    #[error("{place} does not match the Wappalyzer format")]
    Json {
        /// The technology, or `the file`.
        place: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It contains neither technologies nor categories.
    #[error("it contains neither technologies nor categories")]
    Nothing,
}

impl Texts {
    pub(super) fn list(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Categories {
    pub(super) fn list(&self) -> &[Category] {
        match self {
            Self::None => &[],
            Self::One(category) => std::slice::from_ref(category),
            Self::Many(categories) => categories,
        }
    }
}

/// A file before its fields are examined.
#[derive(Debug, Default)]
struct Raw {
    technologies: Map<String, Value>,
    categories: Map<String, Value>,
}

/// Parses the text of a file.
pub(super) fn parse(text: &str) -> Result<File, FormatError> {
    let raw = raw(text)?;
    let mut file = File::default();
    for (number, category) in &raw.categories {
        let name = category
            .get("name")
            .and_then(Value::as_str)
            .or_else(|| category.as_str());
        if let (Ok(number), Some(name)) = (number.parse(), name) {
            file.categories.insert(number, name.to_owned());
        }
    }
    for (name, entry) in raw.technologies {
        let description = serde_json::from_value(entry).map_err(json(&name))?;
        file.technologies.insert(name, description);
    }
    Ok(file)
}

/// Merges several texts into one. If several contain the same technology, the last one wins.
pub(super) fn combine(texts: &[String]) -> Result<String, FormatError> {
    let mut all = Raw::default();
    for text in texts {
        let Raw {
            technologies,
            categories,
        } = raw(text)?;
        all.technologies.extend(technologies);
        all.categories.extend(categories);
    }
    Ok(serde_json::json!({ "technologies": all.technologies, "categories": all.categories }).to_string())
}

fn json(place: &str) -> impl FnOnce(serde_json::Error) -> FormatError + use<> {
    let place = place.to_owned();
    move |source| FormatError::Json { place, source }
}

fn raw(text: &str) -> Result<Raw, FormatError> {
    let mut whole: Map<String, Value> = serde_json::from_str(text).map_err(json("the file"))?;
    let mut raw = Raw::default();
    if let Some(Value::Object(listed)) = whole.remove("categories").filter(Value::is_object) {
        raw.categories = listed;
    }
    let wrapped = ["technologies", "apps"]
        .iter()
        .find_map(|key| whole.remove(*key).filter(Value::is_object));
    let entries = match wrapped {
        Some(Value::Object(entries)) => entries,
        _ => whole,
    };
    for (name, entry) in entries {
        // Groups of categories also have numbers, but no priority.
        let is_category = name.parse::<u32>().is_ok() && entry.get("priority").is_some();
        if is_category {
            raw.categories.insert(name, entry);
        } else if looks_like_a_technology(&entry) {
            raw.technologies.insert(name, entry);
        }
    }
    if raw.technologies.is_empty() && raw.categories.is_empty() {
        return Err(FormatError::Nothing);
    }
    Ok(raw)
}

fn looks_like_a_technology(entry: &Value) -> bool {
    const ANY_OF: &[&str] = &[
        "cats",
        "headers",
        "cookies",
        "meta",
        "scriptSrc",
        "scripts",
        "css",
        "html",
        "text",
        "url",
        "dom",
        "js",
        "implies",
        "assets",
        "files",
        "attributes",
        "comments",
        "links",
        "jsonld",
        "dns",
        "xhr",
        "robots",
        "probe",
        "certIssuer",
    ];
    entry
        .as_object()
        .is_some_and(|fields| ANY_OF.iter().any(|field| fields.contains_key(*field)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn technologies_are_read_bare_and_wrapped_with_one_text_or_many() {
        let bare = r#"{"A":{"cats":[1,"Mine"],"scriptSrc":"a","implies":["B","C"],"requiresCategory":6}}"#;
        let wrapped =
            format!(r#"{{"$schema":"x","technologies":{bare},"categories":{{"1":{{"name":"CMS"}}}}}}"#);
        for text in [bare, &wrapped] {
            let file = parse(text).unwrap();
            let found = &file.technologies["A"];
            assert_eq!(found.script_src.list(), ["a"]);
            assert_eq!(found.implies.list(), ["B", "C"]);
            assert_eq!(found.requires_category.list(), [Category::Number(6)]);
            assert_eq!(
                found.cats,
                [Category::Number(1), Category::Name("Mine".to_owned())]
            );
        }
        assert_eq!(parse(&wrapped).unwrap().categories[&1], "CMS");
        assert_eq!(
            parse(r#"{"6":{"name":"Ecommerce","priority":1}}"#)
                .unwrap()
                .categories[&6],
            "Ecommerce"
        );
    }

    #[test]
    fn what_is_no_fingerprint_file_is_refused_with_the_place() {
        assert!(matches!(parse("[]"), Err(FormatError::Json { .. })));
        assert!(matches!(parse(r#"{"a":1}"#), Err(FormatError::Nothing)));
        let error = parse(r#"{"A":{"cats":"x"}}"#).unwrap_err();
        assert!(error.to_string().starts_with("A does not match"), "{error}");
    }
}
