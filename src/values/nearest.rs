//! The known name that is most similar to an unknown one, and the text that suggests it.

/// Letters of a name that are compared at most, so that a long text costs no long comparison.
const MAX_LETTERS: usize = 100;
/// Shorter names resemble too many others.
const MIN_LETTERS: usize = 3;

/// How a name resembles the given one, the surest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// At most one letter differs.
    Misspelt,
    /// The given one is its beginning.
    Begins,
    /// The given one is part of it.
    Contains,
    /// It is most of the given one.
    IsPart,
    /// At most a third of the letters differ.
    Similar,
}

/// The known name that is most like the given one, whatever its case and separators are. None if no name is like it: a
/// wrong suggestion is worse than none.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = plain(given);
    let rated = known.into_iter().filter_map(|name| {
        let (likeness, difference) = likeness(&given, &plain(name))?;
        Some((likeness, difference, name))
    });
    // The first of equals, so not by the name.
    rated
        .min_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)))
        .map(|(_, _, name)| name)
}

/// ` (did you mean 'sort'?)`, or nothing.
pub fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean '{name}'?)"))
}

fn likeness(given: &str, name: &str) -> Option<(Likeness, usize)> {
    let difference = strsim::damerau_levenshtein(given, name);
    if given == name {
        return Some((Likeness::Misspelt, difference));
    }
    let letters = given.chars().count();
    if letters < MIN_LETTERS {
        return None;
    }
    let likeness = if difference <= 1 {
        Likeness::Misspelt
    } else if name.starts_with(given) {
        Likeness::Begins
    } else if name.contains(given) {
        Likeness::Contains
    } else if given.contains(name) && 2 * name.chars().count() >= letters {
        Likeness::IsPart
    } else if 3 * difference <= letters.max(name.chars().count()) {
        Likeness::Similar
    } else {
        return None;
    };
    Some((likeness, difference))
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.take(MAX_LETTERS).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 8] = [
        "dry_run",
        "max_pages",
        "max_concurrent",
        "batch",
        "sort",
        "technology",
        "phone_numbers",
        "Europe/Berlin",
    ];

    #[test]
    fn a_name_is_found_by_what_it_sounds_like() {
        for (given, wanted) in [
            ("dryrun", "dry_run"),
            ("maxPages", "max_pages"),
            ("max-page", "max_pages"),
            ("btach", "batch"),
            ("BATCH", "batch"),
            ("sorted", "sort"),
            ("maxConcurent", "max_concurrent"),
            ("tech", "technology"),
            ("phone", "phone_numbers"),
            ("Berlin", "Europe/Berlin"),
        ] {
            assert_eq!(nearest(given, KNOWN), Some(wanted), "{given}");
        }
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn a_name_like_no_other_gets_no_suggestion() {
        for given in ["wait", "foo", "x", "q", "", "zzzzzzzz"] {
            assert_eq!(nearest(given, KNOWN), None, "{given}");
        }
        assert!(nearest(&"x".repeat(1_000_000), KNOWN).is_none());
        assert_eq!(did_you_mean(Some("sort")), " (did you mean 'sort'?)");
        assert_eq!(did_you_mean(None), "");
    }
}
