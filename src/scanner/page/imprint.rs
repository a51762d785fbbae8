//! Who runs the site, as its imprint or the line at the foot of its pages says in words.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::contact_links::names_imprint;
use super::outline::Outline;
use crate::values::findings::Organization;

/// Numbers kept of one page.
const MAX_IDENTIFIERS: usize = 20;

/// Fewer digits are in no such number; longer lines are no imprint's; a label is short.
const FEWEST_DIGITS: usize = 2;
const MAX_LINE: usize = 1_000;
const MAX_LABEL: usize = 60;

/// Lines between the name of a company and its postal code.
const MAX_ADDRESS_LINES: usize = 5;

/// Numbers by which registers and tax offices know a company: the label they are given, how pages introduce them,
/// and how they are formed. The words in front make them safe to take from running text.
const NUMBERS: &[(&str, &str)] = &[
    (
        "VAT",
        r"(?i:VAT|USt\.?|Umsatzsteuer|UID|MwSt|TVA|P\.? ?IVA|partita iva|IVA|BTW|moms|NIP|DIČ|DPH|CIF|NIF|Y-tunnus)[^\n]{0,60}?(?-u:\b)((?:ATU[0-9]{8}|(?:DE|EE|EL|PT) ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}|BE ?[01]?[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}|(?:CZ|LT|LV|BG|RO|HR|PL|SE|DK|FI|HU|LU|MT|SI|SK|IT) ?[0-9]{7,12}|(?:FR|CY|IE|ES|GB|NL) ?[0-9A-Z][0-9A-Z ]{7,13}[0-9A-Z]|CHE-?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}))(?-u:\b)",
    ),
    (
        "Register",
        r"(?-u:\b)(HR ?[AB] ?(?:Nr\.? ?)?[0-9]{1,6}(?: ?[A-Z](?-u:\b))?)",
    ),
    (
        "Register",
        r"(?-u:\b)(?i:Firmenbuch(?:nummer)?|FN)(?-u:\b)[^\n0-9]{0,20}([0-9]{5,6} ?[a-z])(?-u:\b)",
    ),
    ("Register", r"(?-u:\b)(CHE-?[0-9]{3}\.[0-9]{3}\.[0-9]{3})(?-u:\b)"),
    (
        "SIRET",
        r"(?i:siret)[^\n0-9]{0,20}([0-9]{3} ?[0-9]{3} ?[0-9]{3} ?[0-9]{5})(?-u:\b)",
    ),
    (
        "SIREN",
        r"(?i:siren|(?-u:\b)RCS(?-u:\b))[^\n0-9]{0,25}([0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    (
        "P.IVA",
        r"(?i:p\.? ?iva|partita iva)[^\n0-9]{0,15}([0-9]{11})(?-u:\b)",
    ),
    (
        "KvK",
        r"(?i:kvk|kamer van koophandel)[^\n0-9]{0,20}([0-9]{8})(?-u:\b)",
    ),
    (
        "CIF",
        r"(?-u:\b)(?:CIF|NIF)(?-u:\b)[^\n0-9A-Z]{0,6}([A-Z]-?[0-9]{7}[0-9A-Z])(?-u:\b)",
    ),
    (
        "Company number",
        r"(?i:company (?:registration )?(?:number|no\.?|nr\.?)|registered (?:in [A-Za-z &]{3,30})?(?:number|no\.?|nr\.?))[^\n0-9A-Z]{0,6}((?:SC|NI|OC)?[0-9]{6,8})(?-u:\b)",
    ),
    (
        "NIP",
        r"(?-u:\b)NIP(?-u:\b)[^\n0-9]{0,6}([0-9]{3}-?[0-9]{3}-?[0-9]{2}-?[0-9]{2})(?-u:\b)",
    ),
    ("KRS", r"(?-u:\b)KRS(?-u:\b)[^\n0-9]{0,10}([0-9]{10})(?-u:\b)"),
    ("IČO", r"(?:IČO?|ICO)(?-u:\b)[^\n0-9]{0,6}([0-9]{8})(?-u:\b)"),
    (
        "CVR",
        r"(?-u:\b)CVR(?-u:\b)[^\n0-9]{0,12}([0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2})(?-u:\b)",
    ),
    (
        "Organisation number",
        r"(?i:org(?:anisations)?\.? ?-?(?:nr|nummer)\.?)[^\n0-9]{0,6}([0-9]{6}-[0-9]{4}|[0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    (
        "ABN",
        r"(?-u:\b)ABN(?-u:\b)[^\n0-9]{0,6}([0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
];

/// How the names of companies end, the longer before what they begin with.
const FORMS: &str = r"(?:gGmbH|GmbH\s?&\s?Co\.?\s?(?:KGaA|KG|OHG)|Ges\.?m\.?b\.?H\.?|GmbH|mbH|UG(?:\s\(haftungsbeschränkt\))?(?:\s?&\s?Co\.?\s?KG)?|AG(?:\s?&\s?Co\.?\s?KG(?:aA)?)?|KGaA|KG|OHG|GbR|PartG(?:\smbB)?|e\.\s?V\.|e\.\s?K\.|e\.\s?U\.|eG|SE|Pty\.?\sLtd\.?|Pte\.?\sLtd\.?|Ltd\.?|Limited|LLP|LLC|L\.L\.C\.|Inc\.?|Corp\.?|Corporation|PLC|plc|S\.à\s?r\.l\.|Sàrl|SARL|S\.A\.R\.L\.|SASU?|S\.A\.S\.|EURL|S\.?p\.?A\.?|S\.?r\.?l\.?s?|S\.L\.U?\.?|SLU?|S\.A\.|SA|B\.V\.|BV|N\.V\.|NV|VOF|s\.r\.o\.|a\.s\.|[Ss]p\.\sz\s?o\.\s?o\.|ApS|A/S|AS|AB|Oyj?|Kft\.?|Zrt\.?|d\.o\.o\.|Lda\.?|Ltda\.?|OÜ|UAB|SIA)";

/// What a page says in words about who runs it; `None` if nothing.
pub(super) fn imprint(page: &Outline<'_>) -> Option<Organization> {
    let mut found = Organization {
        identifiers: identifiers(&page.text),
        ..Organization::default()
    };
    if is_imprint(page) {
        (found.legal_name, found.address) = name_and_address(&page.text);
    }
    found.legal_name = found.legal_name.or_else(|| copyright_holder(&page.text));
    (found != Organization::default()).then_some(found)
}

fn is_imprint(page: &Outline<'_>) -> bool {
    let title = page
        .title
        .iter()
        .chain(&page.headings)
        .map(|text| text.to_lowercase());
    let path = page.url.path().to_lowercase();
    title.chain([path]).any(|text| names_imprint(&text))
}

/// Numbers with the words that introduce them, which stand on their line or, as a label does, on the one before.
fn identifiers(text: &str) -> Vec<String> {
    static ANY: LazyLock<RegexSet> = LazyLock::new(|| {
        RegexSet::new(NUMBERS.iter().map(|(_, pattern)| pattern)).expect("the patterns are constant")
    });
    static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let patterns = NUMBERS.iter().map(|(_, pattern)| pattern);
        patterns
            .map(|pattern| Regex::new(pattern).expect("the pattern is constant"))
            .collect()
    });
    let mut found: Vec<String> = Vec::new();
    let mut label = "";
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let digits = line.bytes().filter(u8::is_ascii_digit).count();
        if digits >= FEWEST_DIGITS && line.len() <= MAX_LINE {
            let said = format!("{label} {line}");
            for number in ANY.matches(&said) {
                for hit in EACH[number].captures_iter(&said).take(MAX_IDENTIFIERS) {
                    let written = hit[1].split_whitespace().collect::<Vec<_>>().join(" ");
                    let is_known = found.iter().any(|known| known.ends_with(&written));
                    if !is_known && found.len() < MAX_IDENTIFIERS {
                        found.push(format!("{}: {written}", NUMBERS[number].0));
                    }
                }
            }
        }
        label = if line.len() <= MAX_LABEL && digits == 0 {
            line
        } else {
            ""
        };
    }
    found
}

/// The first line that is the name of a company, and the lines after it down to the one with the postal code.
fn name_and_address(text: &str) -> (Option<String>, Option<String>) {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"^[\p{{Lu}}\p{{Lo}}0-9][^:;!?|]{{0,90}}\s{FORMS}$"))
            .expect("the pattern is constant")
    });
    static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
        // Of the continent before the place, of the United Kingdom and of the United States behind it.
        Regex::new(
            r"^(?:[A-Z]{1,2}[-– ])?[0-9]{4,5}\s\p{Lu}|\b[A-Z]{1,2}[0-9][0-9A-Z]?\s[0-9][A-Z]{2}\b|\b[A-Z]{2}\s[0-9]{5}(?:-[0-9]{4})?\b|\b[0-9]{4}\s?[A-Z]{2}\s+\p{Lu}|[0-9]{2}-[0-9]{3}\s\p{Lu}",
        )
        .expect("the pattern is constant")
    });
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(5_000)
        .collect();
    let Some(at) = lines
        .iter()
        .position(|line| line.len() <= 120 && NAME.is_match(line))
    else {
        return (None, None);
    };
    let after: Vec<&str> = lines
        .iter()
        .skip(at + 1)
        .take(MAX_ADDRESS_LINES)
        .copied()
        .collect();
    let end = after
        .iter()
        .position(|line| line.len() <= 80 && POSTCODE.is_match(line));
    let address = end.map(|end| after[..=end].join(", "));
    (Some(lines[at].to_owned()), address)
}

/// `© 2024 Acme GmbH`.
fn copyright_holder(text: &str) -> Option<String> {
    static HOLDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(
            r"(?:©|\(c\)|\(C\)|[Cc]opyright)[\s©]*(?:[0-9]{{4}}(?:\s?[-–/]\s?[0-9]{{2,4}})?)?\s*(?:by\s)?[,:]?\s*([\p{{Lu}}\p{{Lo}}0-9][^:;!?|\n©]{{0,80}}?\s{FORMS})(?:[\s,.|–-]|$)"
        ))
        .expect("the pattern is constant")
    });
    Some(HOLDER.captures(text)?[1].trim().to_owned())
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::outline::outline;
    use super::*;

    fn found(url: &str, html: &str) -> Organization {
        imprint(&outline(html, &Url::parse(url).unwrap())).unwrap_or_default()
    }

    #[test]
    fn an_imprint_tells_name_address_and_numbers() {
        let html = "<h1>Impressum</h1><p>Angaben gemäß § 5 TMG:</p><p>Acme Bau GmbH &amp; Co. KG<br>Hauptstraße 5<br>
            80331 München</p><p>Registergericht: Amtsgericht München, HRA 12345<br>
            USt-IdNr. gemäß § 27a UStG: DE 123 456 789</p>";
        let told = found("https://acme.test/impressum/", html);
        assert_eq!(told.legal_name.as_deref(), Some("Acme Bau GmbH & Co. KG"));
        assert_eq!(told.address.as_deref(), Some("Hauptstraße 5, 80331 München"));
        assert_eq!(told.identifiers, ["Register: HRA 12345", "VAT: DE 123 456 789"]);
    }

    #[test]
    fn numbers_of_many_registers_are_known_by_their_names() {
        for (text, wanted) in [
            ("VAT-ID:<br>ATU87654321", "VAT: ATU87654321"),
            ("SIRET : 552 100 554 00013", "SIRET: 552 100 554 00013"),
            ("RCS Paris B 552 100 554", "SIREN: 552 100 554"),
            ("P. IVA 01234567890", "P.IVA: 01234567890"),
            ("KvK-nummer: 12345678", "KvK: 12345678"),
            ("UID: ATU12345678", "VAT: ATU12345678"),
            ("FN 123456a, Handelsgericht Wien", "Register: 123456a"),
            ("Company No. 01234567", "Company number: 01234567"),
            ("Org.nr: 556677-8899", "Organisation number: 556677-8899"),
            ("NIP: 123-456-78-90", "NIP: 123-456-78-90"),
        ] {
            assert_eq!(
                found("https://acme.test/", &format!("<p>{text}")).identifiers,
                [wanted],
                "{text}"
            );
        }
        assert_eq!(
            found("https://acme.test/", "<p>Order DE123456789, tel. 01234567890"),
            Organization::default()
        );
    }

    #[test]
    fn the_foot_of_a_page_names_its_company() {
        let name = |html: &str| found("https://acme.test/", html).legal_name;
        assert_eq!(
            name("<p>© 2019–2024 Acme Tools Ltd. All rights reserved").as_deref(),
            Some("Acme Tools Ltd.")
        );
        assert_eq!(name("<p>Copyright Acme GmbH").as_deref(), Some("Acme GmbH"));
        assert_eq!(name("<p>© 2024 All rights reserved").as_deref(), None);
    }
}
