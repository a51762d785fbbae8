//! Digits that are not a phone number because of their form or meaning.

use std::sync::LazyLock;

use regex::Regex;

/// Whether a whole text is only dates, times, opening hours or ranges of them, written in digits.
pub(super) fn is_date_or_time(text: &str) -> bool {
    static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
        let day = "(?:0?[1-9]|[12][0-9]|3[01])";
        let month = "(?:0?[1-9]|1[0-2])";
        let year = "(?:19|20)[0-9]{2}";
        let short_year = "[0-9]{2}";
        let time = "(?:[01]?[0-9]|2[0-4])[.:][0-5][0-9]";
        let date = format!(
            "(?:{day} ?[./-] ?{month} ?[./-] ?{year}|{day}[./]{month}[./]{short_year}|{month}/{day}/{year}|{year}[./-]{month}[./-]{day}|{day}\\. ?{month}\\.?|{month}/{year}|{year})"
        );
        let to = " ?[-/] ?";
        // A range has the same kind on both sides, or only the day on the left: `12.-14.03.2024`.
        let span = format!(
            "(?:{time}{to}{time}|{date}{to}{date}|{day}\\.?{to}{date}|{year}[-/][0-9]{{2}}|{day} ?[./-] ?{month} ?[./-] ?{year}|{month}/{day}/{year}|{year}[./-]{month}[./-]{day})"
        );
        Regex::new(&format!("^{span}(?:[ ,;]+(?:{span}|{time}))*\\.?$")).expect("the pattern is constant")
    });
    WHOLE.is_match(text)
}

/// Digits grouped like a large number, which are a phone number in some countries: `71 123 456`.
pub(super) fn is_grouped_by_thousands(text: &str) -> bool {
    let mut groups = text.split(' ');
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let is_first = (1..3).contains(&first.len()) && !first.starts_with('0') && is_digits(first);
    is_first && first.len() < text.len() && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// An area code without its trunk prefix, a slash and the rest: `62/829-317`. Many other things are written like
/// this.
pub(super) fn is_domestic_with_slash(text: &str) -> bool {
    let (place, rest) = text.split_once('/').unwrap_or_default();
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (1..=2).contains(&place.len())
        && is_digits(place)
        && !place.starts_with('0')
        && !rest.contains('/')
        && rest.starts_with(|sign: char| sign.is_ascii_digit())
}

/// Numbers that count, measure or address machines: `12.345.678`, `0.3333333`, `192.168.0.1`.
pub(super) fn is_quantity(text: &str) -> bool {
    let groups: Vec<&str> = text.split(['.', ' ']).collect();
    let is_plain = groups
        .iter()
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let [first, rest @ ..] = groups.as_slice() else {
        return false;
    };
    if !is_plain || rest.is_empty() {
        return false;
    }
    let is_grouped = text.contains('.')
        && first.len() < 3
        && !first.starts_with('0')
        && rest.iter().all(|group| group.len() == 3);
    let is_decimal = rest.len() == 1
        && text.contains('.')
        && (*first == "0" || first.len() < 3 && rest[0].len() > 5 && !first.starts_with('0'));
    let is_address = groups.len() == 4
        && !text.contains(' ')
        && groups
            .iter()
            .all(|group| group.parse::<u32>().is_ok_and(|part| part < 256));
    is_grouped || is_decimal || is_address
}

/// Whether the digits are three or more postal codes: `04103 04105 04107`.
pub(super) fn are_postal_codes(text: &str) -> bool {
    let is_code = |group: &str| group.len() == 5 && group.bytes().all(|byte| byte.is_ascii_digit());
    text.split(' ').count() > 2 && text.split(' ').all(is_code)
}

/// Whether the digits are a template's sample number: `123-456-7890`, `+44 1234 567 890`, `000 000 000`.
pub(super) fn is_sample(digits: &str) -> bool {
    /// Minimum number of consecutive digits that ascend or descend, or that are the same.
    const FOLLOWING: usize = 9;
    const SAME: usize = 7;
    let longest = |follows: &dyn Fn(u8, u8) -> bool| {
        let (mut longest, mut length) = (1, 1);
        for pair in digits.as_bytes().windows(2) {
            length = if follows(pair[0], pair[1]) { length + 1 } else { 1 };
            longest = longest.max(length);
        }
        longest
    };
    // `0` follows `9`; a row that begins with `0` begins with a trunk prefix.
    let next = |digit: u8| match digit {
        b'0' => b' ',
        b'9' => b'0',
        digit => digit + 1,
    };
    longest(&|one, other| other == next(one)) >= FOLLOWING
        || longest(&|one, other| one == next(other)) >= FOLLOWING
        || longest(&|one, other| one == other) >= SAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_spans_are_known() {
        for text in [
            "06.12.2022",
            "2022-12-06",
            "6/12/2022",
            "08.00-12.00",
            "08.00-12.00 13.00-17.00",
            "8.30 - 18.00",
            "03.06-07.06.2015",
            "12.-14.03.2024",
            "01.02.2023 - 05.02.2023",
            "2019-2024",
            "2023/24",
            "03.08.15-04.08.15",
            "03/2015 - 03/2016",
            "6/12/2022 14.30",
        ] {
            assert!(is_date_or_time(text), "{text}");
        }
        for text in [
            "01.42.68.53.00",
            "06.12.34.56.78",
            "030 901820",
            "22 123 45 67",
            "0316 8720",
            "06.12",
        ] {
            assert!(!is_date_or_time(text), "{text}");
        }
    }

    #[test]
    fn quantities_and_samples_are_known() {
        for text in ["12.345.678", "0.3333333", "3.14159265", "192.168.001.001"] {
            assert!(is_quantity(text), "{text}");
        }
        assert!(are_postal_codes("04103 04105 04107"));
        assert!(!are_postal_codes("04103 04105") && !are_postal_codes("04103 04105 041078"));
        for text in [
            "600 100 200",
            "600.100.200",
            "030.901820",
            "01.42.68.53.00",
            "22 123 45 67",
        ] {
            assert!(!is_quantity(text), "{text}");
        }
        assert!(is_grouped_by_thousands("71 123 456") && is_grouped_by_thousands("1 234 567"));
        for text in ["071 123 456", "600 100 200", "22 123 45 67", "71", "71.123.456"] {
            assert!(!is_grouped_by_thousands(text), "{text}");
        }
        for digits in [
            "1234567890",
            "441234567890",
            "12345678900",
            "9876543210",
            "48000000000",
            "5555555555",
        ] {
            assert!(is_sample(digits), "{digits}");
        }
        for digits in ["4915112345679", "43658212345", "48221234567", "80000005"] {
            assert!(!is_sample(digits), "{digits}");
        }
    }
}
