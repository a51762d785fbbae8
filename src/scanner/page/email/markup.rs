//! Addresses that scripts assemble, from attributes or from texts in the scripts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use regex::{Captures, Regex};
use scraper::StrTendril;
use scraper::node::Element;

use super::cipher::{rotated, unshifted};
use super::links::address_list;
use crate::scanner::page::tree::attribute;
use crate::scanner::references::resolve_html;

/// Maximum bytes of a script that is read: scripts that write an address are small, bundles are not.
const MAX_SCRIPT: usize = 20_000;

/// Attributes with the local part, the domain, and the domain's suffix if it is separate.
const LOCALS: &[&str] = &[
    "data-user",
    "data-name",
    "data-local",
    "data-u",
    "data-id",
    "data-mailbox",
];
const DOMAINS: &[&str] = &["data-domain", "data-host", "data-website", "data-d"];
const SUFFIXES: &[&str] = &["data-tld", "data-suffix", "data-ext"];

/// Finds addresses in attributes that scripts turn into links.
pub(super) fn in_attributes<'e>(
    elements: impl Iterator<Item = &'e Element>,
    mut sink: impl FnMut(&str, &'static str),
) {
    for element in elements {
        if element.name() == "joomla-hidden-mail" {
            joomla_parts(element, |address| sink(address, "attribute"));
        } else if element.attrs().any(|(name, _)| name.starts_with("data-")) {
            in_data(element, |address| sink(address, "attribute"));
        }
    }
}

fn in_data(element: &Element, mut sink: impl FnMut(&str)) {
    for (name, value) in element.attrs() {
        if !name.starts_with("data-") || value.len() > 500 {
            continue;
        }
        if name == "data-mailto-token" {
            // TYPO3 since version 11.
            if let Some(target) = unshifted(value) {
                address_list(&target, &mut sink);
            }
        } else if name.contains("mail") {
            let value = value.replace("[at]", "@").replace("(at)", "@");
            match rotated(&value) {
                Some(address) => sink(&address),
                None => address_list(&value, &mut sink),
            }
        }
    }
    let first = |names: &[&str]| names.iter().find_map(|name| attribute(element, name));
    if let (Some(local), Some(domain)) = (first(LOCALS), first(DOMAINS)) {
        let domain = match first(SUFFIXES) {
            Some(suffix) => format!("{domain}.{}", suffix.trim_start_matches('.')),
            None => domain.to_owned(),
        };
        sink(&format!("{local}@{domain}"));
    }
}

/// Joomla since version 4: both parts are in base64.
fn joomla_parts(element: &Element, mut sink: impl FnMut(&str)) {
    let part = |name: &str| String::from_utf8(BASE64_STANDARD.decode(attribute(element, name)?).ok()?).ok();
    if let (Some(local), Some(domain)) = (part("first"), part("last")) {
        sink(&format!("{local}@{domain}"));
    }
}

/// A script with variables replaced by their texts, where the script joins texts: `'mailto:' + user + '@'`.
fn with_variables(script: &str) -> Cow<'_, str> {
    const MAX_VARIABLES: usize = 50;
    static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"([A-Za-z_$][\w$]{0,40})\s*=\s*(?:'([^'"\\\n]{1,100})'|"([^'"\\\n]{1,100})")"#)
            .expect("the pattern is constant")
    });
    static JOINED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"['"]\s*\+\s*([A-Za-z_$][\w$]{0,40})\s*\+\s*['"]"#).expect("the pattern is constant")
    });
    if !JOINED.is_match(script) {
        return Cow::Borrowed(script);
    }
    let defined = DEFINED.captures_iter(script).take(MAX_VARIABLES);
    let texts: HashMap<&str, &str> = defined
        .filter_map(|found| Some((found.get(1)?.as_str(), found.get(2).or(found.get(3))?.as_str())))
        .collect();
    JOINED.replace_all(script, |found: &Captures<'_>| {
        let text = texts.get(&found[1]).copied();
        text.map_or_else(|| found[0].to_owned(), str::to_owned)
    })
}

/// Finds addresses that a small inline script joins from literals: after `mailto:`, or in the variables that Joomla
/// before version 4 used.
pub(super) fn in_scripts(scripts: &[StrTendril], mut sink: impl FnMut(&str)) {
    static GLUE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"['"]\s*\+\s*['"]"#).expect("the pattern is constant"));
    static MAILTO: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)mailto:([^'"<>\s\\]{3,300})"#).expect("the pattern is constant"));
    static JOOMLA: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"addy\w*\s*=\s*'([^']{1,100})';\s*addy\w*\s*=\s*addy\w*\s*\+\s*'([^']{1,200})'")
            .expect("the pattern is constant")
    });
    for script in scripts.iter().filter(|script| script.len() <= MAX_SCRIPT) {
        let is_promising = ["mailto", "lto:", "addy"]
            .iter()
            .any(|word| script.contains(word));
        if !is_promising {
            continue;
        }
        let filled = with_variables(script);
        let glued = GLUE.replace_all(&filled, "");
        let glued = resolve_html(&glued);
        for found in MAILTO.captures_iter(&glued).take(20) {
            address_list(&found[1], &mut sink);
        }
        for found in JOOMLA.captures_iter(&glued).take(20) {
            sink(&format!("{}{}", &found[1], &found[2]));
        }
    }
}
