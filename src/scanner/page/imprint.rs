//! Who runs the site, as its imprint or the foot of its pages says in words.

mod address;
mod forms;
mod labels;
mod registers;

use std::sync::LazyLock;

use regex::Regex;

pub(super) use self::forms::is_legal_name;
use self::forms::{name_pattern, without_rest};
use super::contact_links::names_imprint;
use super::outline::Outline;
use crate::values::findings::Organization;

/// What a page says in words about who runs it; `None` if nothing.
pub(super) fn imprint(page: &Outline) -> Option<Organization> {
    let lines = address::lines(&page.text);
    let name = address::name(&lines, is_imprint(page));
    let below = name.as_ref().and_then(|(at, _)| address::below(&lines, *at));
    let address = below
        .or_else(|| address::standing_alone(&lines))
        .or_else(|| address::labelled(&lines));
    let found = Organization {
        name: None,
        legal_name: name
            .map(|(_, name)| name)
            .or_else(|| copyright_holder(&page.text)),
        address,
        identifiers: registers::identifiers(&page.text),
    };
    (found != Organization::default()).then_some(found)
}

fn is_imprint(page: &Outline) -> bool {
    let titles = page.title.iter().chain(&page.headings).map(String::as_str);
    titles.chain([page.url.path()]).any(names_imprint)
}

/// `© 2024 Acme GmbH`.
fn copyright_holder(text: &str) -> Option<String> {
    static HOLDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(
            r"(?:©|\(c\)|\(C\)|[Cc]opyright)(?:[\s©,:–-]|\(c\)|[Cc]opyright|by\s|[0-9]{{4}}(?:\s?[-–/]\s?[0-9]{{2,4}})?)*({})(?:[\s,.|–-]|$)",
            name_pattern(r"[\p{L}0-9]", 80)
        ))
        .expect("the pattern is constant")
    });
    static GIVEN_BACK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:[0-9]{2,4}[\s,–-]|(?i:copyright))").expect("the pattern is constant")
    });
    let holders = HOLDER
        .captures_iter(text)
        .take(10)
        .map(|found| without_rest(found[1].trim()).to_owned());
    let mut holders = holders;
    holders.find(|name| !GIVEN_BACK.is_match(name))
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
            ("ZVR-Zahl: 329 350 352", "ZVR: 329 350 352"),
            ("Amtsgericht München, VR 12345", "Register: VR 12345"),
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
    fn addresses_stand_in_many_forms() {
        let address = |html: &str| found("https://acme.test/", html).address;
        for (html, wanted) in [
            (
                "<p>Acme GmbH<br>Am Delft 24, 26721 Emden",
                "Am Delft 24, 26721 Emden",
            ),
            ("<p>Acme GmbH<br>Weg 1<br>A - 1210 Wien", "Weg 1, A - 1210 Wien"),
            (
                "<p>Acme AG<br>Talhofstraße 32<br>82205<br>Gilching",
                "Talhofstraße 32, 82205 Gilching",
            ),
            (
                "<p>Scheydgasse 40<br>1210 Wien<br>Tel. 1",
                "Scheydgasse 40, 1210 Wien",
            ),
            (
                "<p>4 rue Guyton-de-Morveau • 75013 Paris<br>Tél. 1",
                "4 rue Guyton-de-Morveau • 75013 Paris",
            ),
            (
                "<p>ul. Koszykowa 6a, 00-564 Warszawa<br>tel. 1",
                "ul. Koszykowa 6a, 00-564 Warszawa",
            ),
            (
                "<p>101 15th Street<br>San Francisco, CA 94010<br>mail@acme.test",
                "101 15th Street, San Francisco, CA 94010",
            ),
        ] {
            assert_eq!(address(html).unwrap_or_default(), wanted, "{html}");
        }
        for html in [
            "<p>Published in 2024 Berlin<br>by someone",
            "<p>From page 12 of 1999 Edition",
            "<p>Route 66<br>1234 Things to do<br>Read more",
        ] {
            assert_eq!(address(html), None, "{html}");
        }
    }

    #[test]
    fn the_foot_of_a_page_names_its_company() {
        let name = |html: &str| found("https://acme.test/", html).legal_name;
        assert_eq!(
            name("<p>© 2019–2024 Acme Tools Ltd. All rights reserved").as_deref(),
            Some("Acme Tools Ltd.")
        );
        assert_eq!(name("<p>Copyright Acme GmbH").as_deref(), Some("Acme GmbH"));
        assert_eq!(
            name("<p>© Copyright 2011, Onion, Inc. All rights").as_deref(),
            Some("Onion, Inc.")
        );
        assert_eq!(
            name("<p>© 2020 e-Mídia Informações Ltda").as_deref(),
            Some("e-Mídia Informações Ltda")
        );
        assert_eq!(name("<p>© 2024 All rights reserved").as_deref(), None);
    }
}
