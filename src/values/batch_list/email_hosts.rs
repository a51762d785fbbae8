//! Email addresses instead of domains: the domain after the `@`.

use crate::values::domain_name::DomainName;

/// The domain of an email address: alone, in `mailto:`, or after a name (`Anna <anna@example.com>`).
pub(super) fn host_of_address(text: &str) -> Option<DomainName> {
    let text = text.trim();
    let inner = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let text = inner.map_or(text, |(_, address)| address);
    let is_mailto = text
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
    let address = if is_mailto { &text[7..] } else { text };
    let (user, host) = address.split_once('@')?;
    let is_user = !user.is_empty()
        && user.len() <= 64
        && !user.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ':' | ',' | ';' | '<' | '>'));
    let is_host = !host.contains(['/', ':', '@', '?', '#', '\\']);
    if is_user && is_host {
        DomainName::parse(host).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_found_in_each_form() {
        for text in [
            "anna@a.com",
            " Anna@A.com ",
            "mailto:anna@a.com",
            "Anna Smith <anna@a.com>",
        ] {
            let host = host_of_address(text).map(String::from);
            assert_eq!(host.as_deref(), Some("a.com"), "{text}");
        }
        for text in [
            "a.com",
            "@a.com",
            "anna@",
            "anna@localhost",
            "https://anna@a.com/",
            "an na@a.com",
            "a@b@c.com",
        ] {
            assert_eq!(host_of_address(text), None, "{text}");
        }
    }
}
