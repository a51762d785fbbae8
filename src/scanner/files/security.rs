//! security.txt (RFC 9116).

use chrono::{DateTime, Utc};

use super::text::kept;
use super::{MAX_VALUE, MAX_VALUES};
use crate::values::site_files::SecurityTxt;

/// The first lines of a signed text and of the signature after it (cleartext signatures: RFC 9580, 7).
const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";

/// Reads a file; `None` if it has no field that RFC 9116 knows.
pub(super) fn security_txt(text: &str, url: String, now: DateTime<Utc>) -> Option<SecurityTxt> {
    let mut found = SecurityTxt {
        url,
        is_signed: text.trim_start().starts_with(SIGNED),
        ..SecurityTxt::default()
    };
    let mut expires: Vec<&str> = Vec::new();
    let mut has_languages = 0;
    let mut knows_any = false;
    for line in text.lines().take_while(|line| line.trim_end() != SIGNATURE) {
        // In a signed text, `- ` is put in front of each line that begins with a dash (RFC 9580, 7.2).
        let line = line
            .strip_prefix("- ")
            .filter(|_| found.is_signed)
            .unwrap_or(line);
        let Some((name, value)) = line.trim().split_once(':') else {
            continue;
        };
        let value = value.trim();
        let list = match name.trim_end().to_ascii_lowercase().as_str() {
            "contact" => &mut found.contact,
            "encryption" => &mut found.encryption,
            "policy" => &mut found.policy,
            "canonical" => &mut found.canonical,
            "hiring" => &mut found.hiring,
            "acknowledgments" | "acknowledgements" => &mut found.acknowledgments,
            "csaf" => &mut found.csaf,
            "expires" => {
                knows_any = true;
                expires.push(value);
                continue;
            }
            "preferred-languages" => {
                knows_any = true;
                has_languages += 1;
                let tags = value.split(',').map(str::trim).filter(|tag| !tag.is_empty());
                found.preferred_languages.extend(tags.map(kept));
                found.preferred_languages.truncate(MAX_VALUES);
                continue;
            }
            _ => continue,
        };
        knows_any = true;
        if !value.is_empty() && list.len() < MAX_VALUES {
            list.push(value.chars().take(MAX_VALUE).collect::<String>());
        }
    }
    if !knows_any {
        return None;
    }
    for list in lists(&mut found) {
        for value in list {
            *value = kept(value);
        }
    }
    found.expires = expires
        .first()
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        .map(|time| time.to_utc());
    found.is_expired = found.expires.map(|time| time < now);
    found.problems = problems(&found, &expires, has_languages);
    Some(found)
}

fn lists(found: &mut SecurityTxt) -> [&mut Vec<String>; 7] {
    [
        &mut found.contact,
        &mut found.encryption,
        &mut found.policy,
        &mut found.canonical,
        &mut found.hiring,
        &mut found.acknowledgments,
        &mut found.csaf,
    ]
}

/// Where the file differs from RFC 9116 (sections 2.3 to 2.5, and 3).
fn problems(found: &SecurityTxt, expires: &[&str], languages: usize) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |is_so: bool, problem: &str| {
        if is_so {
            problems.push(problem.to_owned());
        }
    };
    note(found.contact.is_empty(), "no Contact");
    let is_address = |contact: &String| {
        contact
            .split_once(':')
            .is_some_and(|(scheme, rest)| !rest.is_empty() && !scheme.contains(['@', ' ', '.', '/']))
    };
    note(
        !found.contact.iter().all(is_address),
        "a Contact is not a URI (mailto:, https: or tel:)",
    );
    note(expires.is_empty(), "no Expires");
    note(expires.len() > 1, "several Expires; the first one counts");
    note(
        !expires.is_empty() && found.expires.is_none(),
        "Expires is not a date and time (RFC 3339)",
    );
    note(found.is_expired == Some(true), "expired");
    note(languages > 1, "several Preferred-Languages");
    note(
        !found.canonical.is_empty() && !found.canonical.contains(&found.url),
        "Canonical does not list the URL of the file",
    );
    let is_at_proper_place = found.url.contains("/.well-known/security.txt");
    note(!is_at_proper_place, "not at /.well-known/security.txt");
    note(found.url.starts_with("http:"), "not over HTTPS");
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://a.test/.well-known/security.txt";

    fn read(text: &str) -> Option<SecurityTxt> {
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        security_txt(text, URL.to_owned(), now)
    }

    #[test]
    fn each_field_is_read_and_the_date_is_judged_by_the_time_of_the_scan() {
        let found = read(
            "# Our policy\r\ncontact: mailto:s@a.test\r\nContact: https://a.test/report\r\nExpires: 2026-06-01T02:00:00+01:00\r\n\
             Encryption: https://a.test/key\r\nAcknowledgments: https://a.test/thanks\r\nPreferred-Languages: en, de\r\n\
             Canonical: https://a.test/.well-known/security.txt\r\nPolicy: https://a.test/policy\r\nHiring: https://a.test/jobs\r\n\
             CSAF: https://a.test/provider-metadata.json\r\nX-Other: 1\r\n",
        )
        .unwrap();
        assert_eq!(found.contact, ["mailto:s@a.test", "https://a.test/report"]);
        assert_eq!(found.is_expired, Some(false));
        assert_eq!(found.expires.unwrap().to_rfc3339(), "2026-06-01T01:00:00+00:00");
        assert_eq!(found.preferred_languages, ["en", "de"]);
        let rest = [
            &found.encryption,
            &found.acknowledgments,
            &found.canonical,
            &found.policy,
            &found.hiring,
            &found.csaf,
        ];
        assert!(rest.iter().all(|list| list.len() == 1), "{found:?}");
        assert!(found.problems.is_empty() && !found.is_signed, "{found:?}");
    }

    #[test]
    fn a_signed_file_is_read_without_its_signature() {
        let found = read(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n- Contact: mailto:s@a.test\nExpires: 2020-01-01T00:00:00Z\n\
             -----BEGIN PGP SIGNATURE-----\nContact: mailto:not@a.test\n-----END PGP SIGNATURE-----\n",
        )
        .unwrap();
        assert!(found.is_signed);
        assert_eq!(found.contact, ["mailto:s@a.test"]);
        assert_eq!(
            (found.is_expired, found.problems),
            (Some(true), vec!["expired".to_owned()])
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        for (text, wanted) in [
            ("Expires: 2027-01-01T00:00:00Z", vec!["no Contact"]),
            ("Contact: mailto:a@a.test", vec!["no Expires"]),
            (
                "Contact: a@a.test\nExpires: soon",
                vec![
                    "a Contact is not a URI (mailto:, https: or tel:)",
                    "Expires is not a date and time (RFC 3339)",
                ],
            ),
            (
                "Contact: mailto:a@a.test\nExpires: 2027-01-01T00:00:00Z\nExpires: 2028-01-01T00:00:00Z\nCanonical: https://b.test/x",
                vec![
                    "several Expires; the first one counts",
                    "Canonical does not list the URL of the file",
                ],
            ),
        ] {
            assert_eq!(read(text).unwrap().problems, wanted, "{text}");
        }
        let elsewhere = security_txt(
            "Contact: mailto:a@a.test",
            "http://a.test/security.txt".into(),
            Utc::now(),
        );
        assert_eq!(
            elsewhere.unwrap().problems,
            ["no Expires", "not at /.well-known/security.txt", "not over HTTPS"]
        );
    }

    #[test]
    fn a_text_without_a_known_field_is_no_such_file() {
        for text in ["", "Not found", "Error: no such file\nCode: 5", "# Contact us"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_of_any_length_costs_little() {
        let many = "Contact: mailto:a@a.test\n".repeat(2_000) + "Policy: " + &"x".repeat(60_000);
        let found = read(&many).unwrap();
        assert_eq!(
            (found.contact.len(), found.policy[0].len()),
            (MAX_VALUES, MAX_VALUE)
        );
    }
}
