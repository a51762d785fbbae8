//! Domains that hand out mailboxes for some minutes. An address there is not a contact. The list is public and dated;
//! `domains.txt` names its source, and `script/update-disposable` updates it.

use std::collections::HashSet;
use std::sync::LazyLock;

static DOMAINS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("domains.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// Whether the list has a domain (lower case, as in DNS) or one above it.
pub fn is_disposable(domain: &str) -> bool {
    let mut name = domain;
    loop {
        if DOMAINS.contains(name) {
            return true;
        }
        match name.split_once('.') {
            Some((_, above)) => name = above,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_and_all_below_it_are_disposable() {
        for (domain, wanted) in [
            ("mailinator.com", true),
            ("team.mailinator.com", true),
            ("nomailinator.com", false),
            ("mailinator.com.example", false),
            ("gmail.com", false),
            ("example.com", false),
            ("com", false),
            ("", false),
        ] {
            assert_eq!(is_disposable(domain), wanted, "{domain}");
        }
    }

    #[test]
    fn every_line_of_the_list_is_a_domain_in_lower_case() {
        assert!(DOMAINS.len() > 5_000, "{}", DOMAINS.len());
        for domain in DOMAINS.iter() {
            let is_name = domain.contains('.')
                && domain
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte));
            assert!(is_name, "{domain:?}");
        }
    }

    #[test]
    fn the_list_says_where_it_is_from_and_when() {
        let first = include_str!("domains.txt").lines().next().unwrap();
        let (_, date) = first.split_once(" of ").unwrap();
        let date = date.split(',').next().unwrap();
        assert!(
            chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok(),
            "{first}"
        );
    }
}
