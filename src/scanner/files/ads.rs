//! ads.txt (IAB Tech Lab, version 1.1).

use std::collections::HashSet;

use super::MAX_VALUES;
use super::text::kept;
use crate::values::site_files::AdsTxt;

/// The variables that the format knows.
const VARIABLES: [&str; 5] = [
    "contact",
    "subdomain",
    "inventorypartnerdomain",
    "ownerdomain",
    "managerdomain",
];

/// Reads a file; `None` if it has neither a record nor a variable.
pub(super) fn ads_txt(text: &str, url: String, is_cut: bool) -> Option<AdsTxt> {
    let mut found = AdsTxt {
        url,
        is_cut,
        ..AdsTxt::default()
    };
    let mut seen = HashSet::new();
    let mut knows_any = false;
    for line in text.lines() {
        // `#` begins a comment, `;` an extension.
        let line = line.split(['#', ';']).next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(record) = record(line) {
            knows_any = true;
            // Sites without sellers use this record.
            if record.0 == "placeholder.example.com" || !seen.insert(record.clone()) {
                continue;
            }
            match record.2 {
                Kind::Direct => found.direct += 1,
                Kind::Reseller => found.reseller += 1,
            }
        } else if let Some((name, value)) = variable(line) {
            knows_any = true;
            match name.as_str() {
                "ownerdomain" if found.owner_domain.is_none() => found.owner_domain = Some(kept(&value)),
                "managerdomain" if found.manager_domains.len() < MAX_VALUES => {
                    found.manager_domains.push(kept(&value));
                }
                _ => {}
            }
        } else {
            found.invalid_lines += 1;
        }
    }
    knows_any.then_some(found)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Direct,
    Reseller,
}

/// The domain of an advertising system, an account there, and whether it is the site's own or a reseller's.
fn record(line: &str) -> Option<(String, String, Kind)> {
    let mut fields = line.split(',').map(str::trim);
    let (domain, account, kind) = (fields.next()?, fields.next()?, fields.next()?);
    let kind = match kind.to_ascii_lowercase().as_str() {
        "direct" => Kind::Direct,
        "reseller" => Kind::Reseller,
        _ => return None,
    };
    let is_domain = domain.contains('.') && !domain.contains(char::is_whitespace);
    (is_domain && !account.is_empty()).then(|| (domain.to_ascii_lowercase(), account.to_owned(), kind))
}

fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let is_one = VARIABLES.contains(&name.as_str()) && !value.is_empty();
    is_one.then(|| {
        // Domains in lower case; a country stays as it is written.
        let value = match value.split_once(',') {
            Some((domain, country)) => format!("{}, {}", domain.trim().to_ascii_lowercase(), country.trim()),
            None => value.to_ascii_lowercase(),
        };
        (name, value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<AdsTxt> {
        ads_txt(text, "https://a.test/ads.txt".to_owned(), false)
    }

    #[test]
    fn sellers_are_counted_once_each_and_owner_and_manager_are_named() {
        let found = read(
            "# Sellers\r\nOWNERDOMAIN=Owner.test\r\nMANAGERDOMAIN=m.test, DE\r\nMANAGERDOMAIN=n.test\r\ncontact=ads@a.test\r\n\
             google.com, pub-1, DIRECT, f08c47fec0942fa0\r\nGoogle.com,pub-1,direct # again\r\nb.test, 7, RESELLER\r\n\
             c.test, 8, Reseller; ext=1\r\nd.test, 9, OWNER\r\nnot a line\r\n",
        )
        .unwrap();
        assert_eq!((found.direct, found.reseller, found.invalid_lines), (1, 2, 2));
        assert_eq!(found.owner_domain.as_deref(), Some("owner.test"));
        assert_eq!(found.manager_domains, ["m.test, DE", "n.test"]);
    }

    #[test]
    fn a_file_that_names_nobody_is_one_and_a_text_is_none() {
        let found = read("placeholder.example.com, placeholder, DIRECT, placeholder").unwrap();
        assert_eq!((found.direct, found.reseller), (0, 0));
        for text in ["", "# nothing", "Not found", "a, b, c", "x=1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
