//! The known name that somebody probably meant.

/// The known name that is most like the given one, whatever its case and separators are.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = plain(given);
    let difference = |name: &&str| {
        let name = plain(name);
        let is_part = given.len() >= 3 && (name.contains(&given) || given.contains(&name));
        (strsim::damerau_levenshtein(&given, &name), !is_part)
    };
    known.into_iter().min_by_key(difference)
}

/// At most this many letters, so that a long text costs no long comparison.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.take(100).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_what_it_sounds_like() {
        let known = ["dry_run", "max_pages", "max_concurrent", "batch", "sort"];
        for (given, wanted) in [
            ("dryrun", "dry_run"),
            ("maxPages", "max_pages"),
            ("max-page", "max_pages"),
            ("btach", "batch"),
            ("BATCH", "batch"),
            ("sorted", "sort"),
            ("maxConcurent", "max_concurrent"),
        ] {
            assert_eq!(nearest(given, known), Some(wanted), "{given}");
        }
        assert_eq!(nearest("x", []), None);
        assert!(nearest(&"x".repeat(1_000_000), known).is_some());
    }
}
