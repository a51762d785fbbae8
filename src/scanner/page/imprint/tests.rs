use url::Url;

use super::super::outline::outline;
use super::*;

fn found(url: &str, html: &str) -> Organization {
    imprint(&outline(html, &Url::parse(url).unwrap())).unwrap_or_default()
}

#[test]
fn an_imprint_tells_name_address_and_numbers() {
    let html =
        "<h1>Impressum</h1><p>Angaben gemäß § 5 TMG:</p><p>Acme Bau GmbH &amp; Co. KG<br>Hauptstraße 5<br>
            80331 München</p><p>Registergericht: Amtsgericht München, HRA 12345<br>
            USt-IdNr. gemäß § 27a UStG: DE 123 456 789</p>";
    let organization = found("https://acme.test/impressum/", html);
    assert_eq!(organization.legal_name.as_deref(), Some("Acme Bau GmbH & Co. KG"));
    assert_eq!(
        organization.address.as_deref(),
        Some("Hauptstraße 5, 80331 München")
    );
    assert_eq!(
        organization.identifiers,
        ["Register: HRA 12345", "VAT: DE 123 456 789"]
    );
}

#[test]
fn a_place_may_be_told_in_a_sentence_about_us() {
    for (html, wanted) in [
        (
            "<p>Sie finden uns mitten in der Altstadt, in der Bindstraße 31, 88239 Wangen. Rufen Sie uns an: Tel. 07522 914480",
            "Bindstraße 31, 88239 Wangen",
        ),
        (
            "<p>Vores kontor ligger på Ringstedvej 20, 4000 Roskilde, få minutters gang fra stationen.<p>Telefon: 46 38 17 42",
            "Ringstedvej 20, 4000 Roskilde",
        ),
        (
            "<p>Ens trobem al nostre local, al carrer Major, 46, 08470 Sant Celoni. Telèfon 938 674 152",
            "carrer Major, 46, 08470 Sant Celoni",
        ),
        (
            "<p>Place de la République<br>35510 Saint-Aubin<br>Tél. 02 99 04 76 12",
            "Place de la République, 35510 Saint-Aubin",
        ),
        (
            "<p>Av. Colón 1482, piso 3 of. \"B\", X5000EPS Córdoba<br>Tel. 0351 4221827",
            "Av. Colón 1482, piso 3 of. \"B\", X5000EPS Córdoba",
        ),
        (
            "<p>Place de la République<br>35510 visiteurs<br>Tél. 02 99 04 76 12",
            "",
        ),
    ] {
        let address = found("https://acme.test/", html).address.unwrap_or_default();
        assert_eq!(address, wanted, "{html}");
    }
}

#[test]
fn a_company_that_the_host_is_called_after_is_the_owner() {
    for (html, wanted) in [
        (
            "<p>Panificadora Acme Ltda. - CNPJ 76.418.273/0001-64 - I.E. 90418273",
            "Panificadora Acme Ltda.",
        ),
        (
            "<p>Acme Animales S.A.S. NIT 901.418.273-6",
            "Acme Animales S.A.S.",
        ),
        ("<p>Turismo Acme SpA — RUT 76.418.273-6", "Turismo Acme SpA"),
        (
            "<p>SC Acme Med SRL, CUI RO28417365, J12/1284/2011",
            "SC Acme Med SRL",
        ),
        (
            "<p>Acme Harbour CLG is a company limited by guarantee, registered charity: CHY 17428",
            "Acme Harbour CLG",
        ),
        ("<p>山韻 Foo Ltd（No. 54182736）", ""),
        (
            "<title>Крепёж | СтройБаза</title><p>ТОО «СтройБаза-Астана», ИИК KZ46 в АО «Банк»",
            "ТОО «СтройБаза-Астана»",
        ),
    ] {
        let name = found("https://www.acme-shop.test/", html)
            .legal_name
            .unwrap_or_default();
        assert_eq!(name, wanted, "{html}");
    }
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
        ("Umsatzsteuer-ID: DE21 337 1503", "VAT: DE21 337 1503"),
        ("CNPJ 14.133.092/0001-92", "CNPJ: 14.133.092/0001-92"),
        ("C.U.I.T.: 30-12345678-9", "CUIT: 30-12345678-9"),
        ("RUC: 20123456789", "RUC: 20123456789"),
        ("NIT. 900.123.456-7", "NIT: 900.123.456-7"),
        ("ИНН 7701234567, ОГРН 1027700132195", "INN: 7701234567"),
        ("ЄДРПОУ: 12345678", "EDRPOU: 12345678"),
        ("CUI: RO12345678", "CUI: RO12345678"),
        ("OIB: 12345678901", "OIB: 12345678901"),
        ("ЕИК 123456789", "EIK: 123456789"),
        ("GSTIN: 27AAPFU0939F1ZV", "GSTIN: 27AAPFU0939F1ZV"),
        ("法人番号 1234567890123", "Corporate number: 1234567890123"),
        ("사업자등록번호: 123-45-67890", "Business number: 123-45-67890"),
        ("統一編號：12345678", "Business number: 12345678"),
        ("FN 123456a, Handelsgericht Wien", "Register: 123456a"),
        ("Company No. 01234567", "Company number: 01234567"),
        ("Org.nr: 556677-8899", "Organisation number: 556677-8899"),
        ("NIP: 123-456-78-90", "NIP: 123-456-78-90"),
        ("ZVR-Zahl: 329 350 352", "ZVR: 329 350 352"),
        ("Amtsgericht München, VR 12345", "Register: VR 12345"),
        ("N.I.F.: B-12345674", "CIF: B-12345674"),
        ("C.I.F. B12345674", "CIF: B12345674"),
        ("NIF: 501 234 567", "NIF: 501 234 567"),
        (
            "Ondernemingsnr. BE 0123.456.789",
            "Enterprise number: BE 0123.456.789",
        ),
        (
            "N° d'entreprise : 0123.456.789",
            "Enterprise number: 0123.456.789",
        ),
        ("Y-tunnus: 1234567-8", "Y-tunnus: 1234567-8"),
        ("Reg No: 2015/123456/07", "Company number: 2015/123456/07"),
        ("Adószám: 12345678-2-41", "Adószám: 12345678-2-41"),
        ("REGON 123456785", "REGON: 123456785"),
        ("IČ: 12345678", "IČO: 12345678"),
        ("ACN 123 456 789", "ACN: 123 456 789"),
        ("UEN: 201912345D", "UEN: 201912345D"),
    ] {
        let organization = found("https://acme.test/", &format!("<p>{text}")).identifiers;
        assert_eq!(organization.first().map(String::as_str), Some(wanted), "{text}");
    }
    assert_eq!(
        found("https://acme.test/", "<p>Order DE123456789, tel. 01234567890"),
        Organization::default()
    );
    for text in [
        "IČ DPH: 20123456",
        "MEXICO 12345678",
        "UEN route 123456789",
        "Reg. No. 2015/12/07",
    ] {
        let found = found("https://acme.test/", &format!("<p>{text}"));
        assert_eq!(found.identifiers, [""; 0], "{text}");
    }
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
            "4 rue Guyton-de-Morveau, 75013 Paris",
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
fn an_address_is_only_what_is_one() {
    let address = |html: &str| found("https://acme.test/", html).address;
    for (html, wanted) in [
        (
            "<p>La nostra sede si trova in Piazza San Paolo 5, 41049 Sassuolo (MO)<p>a@acme.test",
            "Piazza San Paolo 5, 41049 Sassuolo (MO)",
        ),
        ("<p>Location<p>Open 24/7<p>a@acme.test<p>x", ""),
        ("<p>Адрес:<p>Время работы: с 9:00 до 21:00 каждый день<p>Acme", ""),
        (
            "<table><tr><td>所在地<td>東京都<tr><td>開業<td>2025年</table>",
            "",
        ),
        (
            "<p>Rua XV de Novembro, 123, Sala 4<br>Centro - Curitiba/PR<br>CEP: 80020-310<p>(41) 3333-4444",
            "Rua XV de Novembro, 123, Sala 4, Centro - Curitiba/PR, CEP: 80020-310",
        ),
        (
            "<p>Adresa<p>Janka Veselinovića 30 Kragujevac 34 000<p>Pošaljite nam poruku",
            "Janka Veselinovića 30 Kragujevac 34 000",
        ),
        (
            "<p>Angaben gemäß § 5 DDG<p>Max Muster<p>Musterweg<p>12345 Musterstadt<p>Telefon: 1",
            "",
        ),
        (
            "<p>公司地址<p>联系我们<p>110-120<p>公司地址<p>广东省广州市海珠区<p>瑞宝南路129号",
            "广东省广州市海珠区, 瑞宝南路129号",
        ),
        // Text between a name and an address, or on the address's line, is not part of the address.
        (
            "<p>Acme AS</p><p>Leading importer</p><p>Home Shop</p><p>© 2026 Acme AS · Storvegen 23, 4360 Varhaug · Org.nr 934 145 038",
            "Storvegen 23, 4360 Varhaug",
        ),
        (
            "<p>Acme s.r.l.<p>Home<p>Contatti<p>20148 Milano Via Monreale 14<p>Tel: 1",
            "20148 Milano Via Monreale 14",
        ),
        (
            "<table><tr><td>会社名<td>株式会社アクメ<tr><td>代表<td>山田太郎<tr><td>所在地<td>〒167-0052<br>東京都杉並区南荻窪2-32-13</table>",
            "〒167-0052 東京都杉並区南荻窪2-32-13",
        ),
        (
            "<p>Acme Ltd<br>Unit 5<br>Mill Lane<br>Leeds<br>LS1 4AB",
            "Unit 5, Mill Lane, Leeds, LS1 4AB",
        ),
        // The contact details may be above the address.
        (
            "<p>📞 050 1<p>✉️ a@acme.test<p>📍Saarentie 5, 35820 Mänttä",
            "Saarentie 5, 35820 Mänttä",
        ),
        (
            "<p>a@acme.test<p>Koste Abraševića 39/L3, Belgrade, Serbia 11050",
            "Koste Abraševića 39/L3, Belgrade, Serbia 11050",
        ),
        // The street or the code is below the place.
        (
            "<p>Cím<p>8500 Pápa<br>Harangöntő utca 26.<p>Telefon: 1",
            "8500 Pápa, Harangöntő utca 26.",
        ),
        (
            "<p>Adresa<p>Dlouhá 37<br>Brno - Jundrov<br>637 00<p>Copyright © 2024 ACME. Všechna",
            "Dlouhá 37, Brno - Jundrov, 637 00",
        ),
        // Without a code.
        (
            "<p>Adres<p>ARİFBEY MAH. DUMAN SK.<br>NO:20A<br>ARİFİYE / SAKARYA<p>Telefon",
            "ARİFBEY MAH. DUMAN SK., NO:20A, ARİFİYE / SAKARYA",
        ),
        (
            "<p>Челябинск ул. Федорова 1а. к1.<p>Тел. 1",
            "Челябинск ул. Федорова 1а. к1",
        ),
        (
            "<p>Rua Augusta, 123<br>Guarapuava / PR<p>contato@acme.test",
            "Rua Augusta, 123, Guarapuava / PR",
        ),
        // All on one line: the elements are inline.
        (
            "<address><span>Wundtstraße 40</span> <span>14057 Berlin</span> <span>Telefon: +49 30 1</span></address>",
            "Wundtstraße 40 14057 Berlin",
        ),
    ] {
        assert_eq!(address(html).unwrap_or_default(), wanted, "{html}");
    }
    let text =
        "<p>Ubicación<p>Este es el segundo párrafo con contenido de ejemplo para la sección 2.<p>a@acme.test";
    assert_eq!(address(text), None);
}

#[test]
fn a_house_number_as_long_as_a_postal_code_is_none() {
    let address = |html: &str| found("https://acme.test/", html).address;
    for (html, wanted) in [
        (
            "<p>Acme Inc<br>1515 Gulf Blvd.,<br>Indian Rocks Beach, Florida 33785",
            "1515 Gulf Blvd., Indian Rocks Beach, Florida 33785",
        ),
        (
            "<p>Acme Inc<br>10250 Main Street NW<br>Austin, TX 78701",
            "10250 Main Street NW, Austin, TX 78701",
        ),
        (
            "<p>1515 High Street<br>Richmond VIC 3121<p>a@acme.test",
            "1515 High Street, Richmond VIC 3121",
        ),
        (
            "<p>500 Main Street<br>Suite 400<br>Austin, TX 78701<p>a@acme.test",
            "500 Main Street, Suite 400, Austin, TX 78701",
        ),
        (
            "<p>Acme Inc<br>1515 Broadway<br>Unit 4<br>New York, NY 10036",
            "1515 Broadway, Unit 4, New York, NY 10036",
        ),
        ("<p>Acme GmbH<br>Weg 1<br>1515 Roadtown", "Weg 1, 1515 Roadtown"),
        (
            "<p><i class='far fa-copyright'></i> 2020 - Acme Detailing<p>Laguna, CA 92677<p>a@acme.test",
            "",
        ),
        ("<p>2020 - Acme Detailing<p>Laguna, CA 92677<p>a@acme.test", ""),
    ] {
        assert_eq!(address(html).unwrap_or_default(), wanted, "{html}");
    }
}

#[test]
fn prose_and_services_of_cookie_banners_are_not_the_owner() {
    for html in [
        "<p>March 18, 2015 Tunisian forces secure the area, 1 Bardo Street, Tunis 2000, the capital</p>",
        "<p>Georg Bain 2006, pp. 44, 12 High Street, London SW1A 1AA, p. 6</p>",
        "<p>Anbieter: Vimeo Inc., 555 West 18th Street, New York, New York 10011, USA</p>",
        "<p>Google Ireland Limited, Gordon House, Barrow Street, Dublin 4, D04 E5W5</p>",
    ] {
        let organization = found("https://acme.test/", html);
        assert_eq!(
            (organization.legal_name, organization.address),
            (None, None),
            "{html}"
        );
    }
}

#[test]
fn a_company_and_its_address_may_be_on_one_line() {
    for (html, name, address) in [
            (
                "<p>Weber Bau GmbH, Hauptstraße 7, 97616 Bad Neustadt, Tel. 09771 123",
                "Weber Bau GmbH",
                "Hauptstraße 7, 97616 Bad Neustadt",
            ),
            (
                "<p>Verantwortlich: Weber Bau GmbH · Am Hang 7 · 97616 Bad Neustadt",
                "Weber Bau GmbH",
                "Am Hang 7, 97616 Bad Neustadt",
            ),
            (
                "<p>© 2024 Rossi S.n.c. di Rossi Mario &amp; C. – Via Roma 12 – 33100 Udine (UD) – P. IVA e C.F. 01234567897 – R.E.A.
                 UD 123456 – Tel. 0432 123456 – Cell. 333 1234567 and some more words, so that it is a long line",
                "Rossi S.n.c.",
                "Via Roma 12, 33100 Udine (UD)",
            ),
            (
                "<p>NW is a trading style of Widgets Limited, a company in England under number 01234567. Registered office:
                 12 King Street, Leeds, LS1 2HL. VAT registration number GB 123 4567 89.",
                "Widgets Limited",
                "12 King Street, Leeds, LS1 2HL",
            ),
            (
                "<p>Registered office: 12 King Street, Leeds, LS1 2HL. Company No. 01234567",
                "",
                "12 King Street, Leeds, LS1 2HL",
            ),
            // An address that the page marks as a place needs no phone number nearby.
            ("<address>Marktplatz 1, 88662 Überlingen</address>", "", "Marktplatz 1, 88662 Überlingen"),
            (
                "<ul><li><i class='fas fa-map-marker-alt'></i><span>Marktplatz 1, 88662 Überlingen</span></ul>",
                "",
                "Marktplatz 1, 88662 Überlingen",
            ),
            (
                "<p>Visit <a href='https://www.google.com/maps/place/x'>Marktplatz 1<br>88662 Überlingen</a>",
                "",
                "Marktplatz 1, 88662 Überlingen",
            ),
            ("<p>Marktplatz 1, 88662 Überlingen", "", ""),
            ("<p>We met Other GmbH in Weg 7, 97616 Bad Neustadt and were happy", "", ""),
        ] {
            let organization = found("https://acme.test/", html);
            let given = (organization.legal_name, organization.address);
            let given = (given.0.unwrap_or_default(), given.1.unwrap_or_default());
            assert_eq!(given, (name.to_owned(), address.to_owned()), "{html}");
        }
}

#[test]
fn an_imprint_names_its_owner_in_other_ways() {
    let html = "<h1>Mentions légales</h1><h2>Hébergeur</h2><p>OVH SAS – 2 rue Kellermann – 59100 Roubaix – RCS Lille 424 761 419</p>
            <h2>Éditeur</h2><p>Le site www.acme.test est édité par la société Acme Conseil, SAS au capital de 50 000 €, immatriculée au
            RCS de Lyon sous le numéro 123 456 789, dont le siège social est situé 12 rue de la République, 69002 Lyon.";
    let organization = found("https://acme.test/mentions-legales", html);
    assert_eq!(organization.legal_name.as_deref(), Some("Acme Conseil, SAS"));
    assert_eq!(
        organization.address.as_deref(),
        Some("12 rue de la République, 69002 Lyon")
    );
    assert_eq!(organization.identifiers, ["SIREN: 123 456 789"]);
    let html = "<h2>Angaben gemäß § 5 TMG:</h2><p>Petra Béres<br>Petrafit<br>Georg-Löwenstein-Str. 34<br>10317 Berlin";
    let organization = found("https://acme.test/impressum", html);
    assert_eq!(organization.legal_name.as_deref(), Some("Petra Béres"));
    assert_eq!(
        organization.address.as_deref(),
        Some("Georg-Löwenstein-Str. 34, 10317 Berlin")
    );
    let html = "<h2>Angaben gemäß § 5 TMG:</h2><p>Please read<br>Weg 34<br>10317 Berlin";
    assert_eq!(found("https://acme.test/impressum", html).legal_name, None);
    let html = "<title>Mobila Casa</title><p>S.C. MOBILA CASA S.R.L. | CUI: RO12345678";
    let organization = found("https://mobilacasa.test/", html);
    assert_eq!(
        organization.legal_name.as_deref(),
        Some("S.C. MOBILA CASA S.R.L.")
    );
}

#[test]
fn names_are_not_taken_from_addresses_and_lists_of_links() {
    let legal = |url: &str, html: &str| found(url, html).legal_name;
    let at_imprint = "https://acme.test/impressum";
    let html = "<ul><li>Betreiber<li>Angaben zur Person</ul><h2>Betreiber</h2><p>Zahnärztin Ann Acme<br>Weg 84<br>59368 Werne";
    assert_eq!(legal(at_imprint, html).as_deref(), Some("Zahnärztin Ann Acme"));
    let html = "<p>© 2024 Acme · Borups Allé 23, 2200 København NV";
    assert_eq!(legal("https://acme.test/", html), None);
    let html =
        "<p>Éditeur du site</p><p>Le présent site est édité par le cabinet Acme, inscrit au Barreau.</p>";
    assert_eq!(legal("https://acme.test/mentions-legales", html), None);
    let html = "<p>Ce site est hébergé par Other SARL<br>7 place de la Gare, 57200 Sarreguemines";
    assert_eq!(legal("https://acme.test/mentions-legales", html), None);
    let html = "<p>Adresse : Acme, 12 rue X, 75001 Paris<h2>2. Hébergement</h2><p>Raison sociale<p>Other, Inc.<p>Adresse
            <p>101 Townsend Street<p>San Francisco, CA 94107";
    let organization = found("https://acme.test/mentions-legales", html);
    assert_eq!(
        (
            organization.legal_name.as_deref(),
            organization.address.as_deref()
        ),
        (None, Some("Acme, 12 rue X, 75001 Paris"))
    );
    let html = "<p>Éditeur du site</p><p>Nom : Ann Acme</p>";
    assert_eq!(
        legal("https://acme.test/mentions-legales", html).as_deref(),
        Some("Ann Acme")
    );
}

#[test]
fn a_company_is_named_where_the_site_is_called_after_it() {
    let legal = |html: &str| found("https://acme-tools.test/", html).legal_name;
    assert_eq!(legal("<title>Acme z.s.</title>").as_deref(), Some("Acme z.s."));
    assert_eq!(
        legal("<title>Contact - Acme Oy</title>").as_deref(),
        Some("Acme Oy")
    );
    assert_eq!(
        legal("<title>Acme Tools</title><p>Tulajdonos: Acme Tools Kft.").as_deref(),
        Some("Acme Tools Kft.")
    );
    let html = "<title>Home – Acme Tools</title><p>Partners<p>Other GmbH<p>Acme Tools GmbH<p>and more";
    assert_eq!(legal(html).as_deref(), Some("Acme Tools GmbH"));
    let html = "<title>Acme Tools</title><p>Acme Industrial de Alimentos Ltda. · CNPJ 14.133.092/0001-92";
    assert_eq!(legal(html).as_deref(), Some("Acme Industrial de Alimentos Ltda."));
    let html = "<title>Contact — AB Tools</title><p>AB Tools Oy<p>Mail";
    assert_eq!(legal(html).as_deref(), Some("AB Tools Oy"));
    assert_eq!(legal("<p>ООО «АКМЕ» / С 2004").as_deref(), Some("ООО «АКМЕ»"));
    assert_eq!(legal("<p>Our partners: ООО «АКМЕ», ООО «Рога»"), None);
    assert_eq!(legal("<p>Other GmbH<p>is our partner"), None);
    let html =
        "<title>Acme Tools</title><p>Acme &amp; Sons Ltd is registered in England and Wales. Company No. 1";
    assert_eq!(legal(html).as_deref(), Some("Acme & Sons Ltd"));
    let html = "<title>Acme Tools</title><p>Other Bank Ltd is authorised and regulated";
    assert_eq!(legal(html), None);
    let html = "<title>Acme Tools</title><p>Acme Tools Ltd, Bruce House 4th Floor, Nairobi";
    assert_eq!(legal(html).as_deref(), Some("Acme Tools Ltd"));
    let html = "<title>聯絡我們 | 綠葉茶業</title><ul><li>綠葉茶業股份有限公司<li>統一編號：1</ul>";
    assert_eq!(legal(html).as_deref(), Some("綠葉茶業股份有限公司"));
    assert_eq!(legal("<title>روابي - شركة تنظيف بالرياض</title><p>1"), None);
}

#[test]
fn a_site_is_called_as_its_address_and_its_title_say() {
    let name = |html: &str| {
        let page = outline(html, &Url::parse("https://site.test/").unwrap());
        called(&page)
    };
    for html in [
        "<title>Acme Studio in Leeds</title><p>Acme Studio, Mühlweg 5, 8010 Graz",
        "<title>Acme Studio – home</title><p>Acme Studio<br>Mühlweg 5<br>8010 Graz",
        "<title>Acme Studio – home</title><p>Acme Studio · Lindenplatz 2 · 8010 Graz",
    ] {
        assert_eq!(name(html).as_deref(), Some("Acme Studio"), "{html}");
    }
    for html in [
        "<title>Acme Studio in Leeds</title><p>Other Studio, Mühlweg 5, 8010 Graz",
        "<title>Contact – Leeds</title><p>Leeds office<br>Mühlweg 5<br>8010 Graz",
        "<title>Acme Studio in Leeds</title><p>Acme Studio<br>is nice",
        "<title>Zahnarzt Graz</title><p>Graz<br>Mühlweg 5<br>8010 Graz",
    ] {
        assert_eq!(name(html), None, "{html}");
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
    assert_eq!(
        name("<p>版权为阿克米有限公司所有@2013").as_deref(),
        Some("阿克米有限公司")
    );
    assert_eq!(
        name("<p>版权所有：阿克米有限公司 ICP备1号").as_deref(),
        Some("阿克米有限公司")
    );
    assert_eq!(name("<p>© 2024 All rights reserved").as_deref(), None);
}
