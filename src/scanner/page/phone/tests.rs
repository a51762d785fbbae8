//! Phone numbers of whole pages.

use url::Url;

use super::super::json_ld::graph;
use super::super::outline::outline;
use super::*;

fn found(url: &str, language: Option<&str>, html: &str) -> Vec<(String, String)> {
    let page = outline(html, &Url::parse(url).unwrap());
    phones(&page, &graph(&page.json_ld), language)
        .into_iter()
        .map(|phone| (phone.value, phone.source))
        .collect()
}

fn one(value: &str, source: &str) -> Vec<(String, String)> {
    vec![(value.to_owned(), source.to_owned())]
}

#[test]
fn a_link_and_what_it_shows_are_one_number() {
    let html = "<a href='tel:+49301234567'>030 / 12 34 5 - 678</a>";
    assert_eq!(found("https://a.de/", None, html), one("+49301234567", "tel"));
    // A number with other digits than the link's is another number.
    let html = "<a href='tel:+49301234567'>089 7654321</a>";
    assert_eq!(found("https://a.de/", None, html).len(), 2);
    // A number with an extension beside the link is another number too.
    let html = "<a href='tel:+49301234567'>call</a> 030 12345-678";
    assert_eq!(found("https://a.de/", None, html).len(), 2);
}

#[test]
fn the_code_of_a_place_may_stand_in_brackets_without_what_dials_it() {
    assert_eq!(
        found("https://a.hu/", None, "<p>Telefonszám: (62) 541-783"),
        one("+3662541783", "text")
    );
    assert_eq!(
        found("https://a.com.tr/", None, "<p>(212) 293 18 27"),
        one("+902122931827", "text")
    );
    assert_eq!(found("https://a.hu/", None, "<p>62 541-783"), []);
    assert_eq!(found("https://a.hu/", None, "<p>(62) 54"), []);
}

#[test]
fn marked_numbers_come_first_and_count_once() {
    let html = "<p>Call (415) 555-0132</p><a href='tel:+1-415-555-0132'>call</a>";
    assert_eq!(
        found("https://a.com/", Some("en"), html),
        one("+14155550132", "tel")
    );
}

#[test]
fn the_country_is_taken_from_address_language_or_domain() {
    assert_eq!(
        found("https://a.fr/", None, "<p>01 42 68 53 00"),
        one("+33142685300", "text")
    );
    assert_eq!(
        found("https://a.com/", Some("de-AT"), "<p>Tel. 0316 8720 5555"),
        one("+4331687205555", "text")
    );
    let html = "<script type='application/ld+json'>{\"telephone\":\"030 901820\",\"address\":{\"addressCountry\":\"DE\"}}</script>";
    assert_eq!(
        found("https://a.com/", Some("en"), html),
        one("+4930901820", "json_ld")
    );
    assert_eq!(
        found("https://a.com/", None, "<p>+49 (0)30 901820"),
        one("+4930901820", "text")
    );
}

#[test]
fn a_number_that_is_none_at_home_is_one_of_the_only_country_with_the_language() {
    let page = |html: &str| found("https://a.com/", Some("it"), html);
    assert_eq!(page("<p>Telefono: 076 816 38 38"), one("+41768163838", "text"));
    assert_eq!(page("<p>076 816 38 38"), []);
    assert_eq!(page("<p>Tel. 02 48714236"), one("+390248714236", "text"));
    // The United States is the default of many systems.
    let html = "<a href=tel:0879144445></a>";
    assert_eq!(
        found("https://a.com/", Some("en-US"), html),
        one("0879144445", "tel")
    );
}

#[test]
fn an_extension_after_a_spaced_dash_belongs_to_the_number() {
    for (text, wanted) in [
        ("089 / 45 67 89 - 0", "+49894567890"),
        ("0651 / 98 76 54 - 21", "+4965198765421"),
        ("089/456789-0", "+49894567890"),
        // The end of a second number.
        ("030 901820/21", "+4930901820"),
        ("030 / 90 18 20 / 21", "+4930901820"),
    ] {
        let html = format!("<p>Tel. {text}");
        assert_eq!(found("https://a.de/", None, &html), one(wanted, "text"), "{text}");
    }
}

#[test]
fn numbers_of_taxes_and_licenses_are_not_phone_numbers() {
    for (url, html) in [
        ("https://a.be/", "<p>BTW BE 0472.816.935 – RPR Gent"),
        ("https://a.be/", "<p>TVA BE 0472 816 935"),
        (
            "https://a.ca/",
            "<p>Québec (Québec) G1P 2J1<p>Licence RBQ : 5748-2163-01",
        ),
        ("https://a.ca/", "<p>Québec (Québec) G1P 2J1<p>5748-2163-01"),
    ] {
        assert_eq!(found(url, None, html), [], "{html}");
    }
    let html = "<p>Québec (Québec) G1P 2J1<p>418 692-4173, 1 866 692-4173, 1-418-692-4174";
    assert_eq!(found("https://a.ca/", None, html).len(), 3);
}

#[test]
fn a_number_on_an_english_page_needs_to_be_of_a_known_country() {
    let page = |html: &str| found("https://a.com/", Some("en"), html);
    for text in [
        "01 / 512 34 56",
        "01 42 68 53 00",
        "020 7946 0958",
        "02 8942 1234",
    ] {
        assert_eq!(page(&format!("<p>Phone: {text}")), [], "{text}");
    }
    assert_eq!(page("<p>Phone: 415-555-0132"), one("+14155550132", "text"));
    let html = "<p>1060 Vienna, Austria<p>Phone: 01 / 512 34 56";
    assert_eq!(page(html), one("+4315123456", "text"));
    let html = "<p>London SW1A 1AA<p>Phone: 020 7946 0958";
    assert_eq!(page(html), one("+442079460958", "text"));
    let html = "<p>Kolkata – 700017 (W.B.)<p>0771 - 2443238 / 28<p>033 - 40088168";
    assert_eq!(
        page(html),
        [one("+917712443238", "text"), one("+913340088168", "text")].concat()
    );
}

#[test]
fn the_numbers_of_others_in_an_imprint_are_not_the_sites() {
    let html = "<h1>Impressum</h1><p>Telefon: 030 901820<h2>Konzept und Umsetzung</h2>
        <p>Agentur Blau<br>Tel. 089 7654321<br><a href='tel:+49897654322'>call</a>";
    assert_eq!(
        found("https://a.de/impressum", None, html),
        one("+4930901820", "text")
    );
    assert_eq!(
        found("https://a.de/", None, &html.replace("Impressum", "Acme")).len(),
        3
    );
}

#[test]
fn harmonised_helplines_are_nobodys_own() {
    let html =
        "<p>Ärztlicher Dienst Tel. 116 117 oder <a href='tel:116117'>116117</a>, Praxis Tel. 030 1234567";
    assert_eq!(found("https://a.de/", None, html), one("+49301234567", "text"));
    assert_eq!(
        found("https://a.fr/", None, "<a href='tel:+33116006'>116 006</a>"),
        []
    );
    // Elsewhere such digits may be a number, or its beginning.
    let html = "<p>Tel. 0116 117 1234<p>Tel. 0116 2345678";
    assert_eq!(found("https://a.co.uk/", None, html).len(), 2);
}

#[test]
fn numbers_of_buttons_that_open_a_chat_are_read() {
    for html in [
        r#"<div class="joinchat joinchat--right" data-settings='{"telephone":"34612345678","x":false}'></div>"#,
        r#"<span class="ht_ctc_chat_data" data-settings='{"number":"34612345678"}'></span>"#,
        r#"<script>var ht_ctc_chat_var = {"number":"34612345678","pre_filled":""};</script>"#,
        "<div class='nta_wa_button' data-phone='+34 612 345 678'></div>",
        "<a class='qlwapp-toggle' data-phone=34612345678></a>",
        "<button onclick=\"window.open('https://wa.me/34612345678?text=x')\">",
        "<div data-href='https://api.whatsapp.com/send?phone=34612345678'></div>",
    ] {
        assert_eq!(
            found("https://a.com/", None, html),
            one("+34612345678", "whatsapp"),
            "{html}"
        );
    }
    for html in [
        r#"<div class="player" data-settings='{"telephone":"34612345678"}'></div>"#,
        "<div class=x data-phone=34612345678></div>",
        "<button onclick=\"window.open('https://wa.me/?text=34612345678')\">",
    ] {
        assert_eq!(found("https://a.com/", None, html), [], "{html}");
    }
}

#[test]
fn the_numbers_of_the_firms_in_a_list_are_not_the_sites() {
    let html = r#"<script type="application/ld+json">{"@type":"ItemList","telephone":"+4930901820","itemListElement":
        [{"@type":"ListItem","item":{"@type":"LocalBusiness","telephone":"+49221123450"}}]}</script>"#;
    assert_eq!(found("https://a.de/", None, html), one("+4930901820", "json_ld"));
}

#[test]
fn a_blank_link_right_behind_another_is_a_leftover() {
    let html =
        "<a href=tel:+49301234567>030</a><a href=tel:+49307654321> </a><a href=tel:+49301234567>1234567</a>";
    assert_eq!(found("https://a.de/", None, html), one("+49301234567", "tel"));
    let html = "<a href=tel:+49301234567><i></i></a><a href=tel:+49307654321><i></i></a>";
    assert_eq!(found("https://a.de/", None, html).len(), 2);
}

#[test]
fn a_chat_link_holds_a_number_and_a_fax_is_no_phone() {
    assert_eq!(
        found(
            "https://a.com/",
            None,
            "<a href='https://wa.me/491701234567?text=hi'>"
        ),
        one("+491701234567", "whatsapp")
    );
    let html = "<p>Tel. 030 901820, Fax: 030 901821</p><p>Telefax +49 30 901822";
    assert_eq!(
        found("https://a.de/", Some("de"), html),
        one("+4930901820", "text")
    );
    assert_eq!(
        found(
            "https://a.com/",
            Some("en"),
            "<p>T 919-951-0052<br>F 919-928-5516"
        ),
        one("+19199510052", "text")
    );
    assert_eq!(
        found("https://a.de/", Some("de"), "<p>Tel/Fax: 030 901820"),
        one("+4930901820", "text")
    );
}

#[test]
fn numbers_of_things_and_parts_of_codes_are_no_phones() {
    let page = |text: &str| found("https://a.de/", Some("de"), &format!("<p>{text}"));
    for text in [
        "Artikel-Nr. 0711-2024-02",
        "Aktenzeichen 0180/2023-4455",
        "PLZ-Gebiete 04103 04105 04107",
        "Ref. 0711 202402",
        "Vorgang INV-030-901820",
        "Tracking 9400 1118 9922 3829 3174 65",
        "Preis 01 582 93 EUR",
    ] {
        assert_eq!(page(text), [], "{text}");
    }
    let address = "<p>Seattle, WA 98101 206-555-0147";
    assert_eq!(
        found("https://a.com/", Some("en-US"), address),
        one("+12065550147", "text")
    );
    for text in [
        "Kunden: 030 901820",
        "Tel-030 901820",
        "Kundennr 4711, Tel. 030 901820",
    ] {
        assert_eq!(page(text), one("+4930901820", "text"), "{text}");
    }
}

#[test]
fn numbers_are_read_as_their_country_writes_them() {
    for (url, language, text, wanted) in [
        ("https://a.hu/", "hu", "Telefon: 62/829-317", "+3662829317"),
        ("https://a.hu/", "hu", "Telefon: 06/20/829-3174", "+36208293174"),
        ("https://a.hu/", "hu", "Telefon: +36/20/829-3174", "+36208293174"),
        ("https://a.pl/", "pl", "tel. (0-12) 411 22 33", "+48124112233"),
        ("https://a.kr/", "ko", "전화 02)829-3174", "+8228293174"),
        ("https://a.com.au/", "en-AU", "Call 13 12 34", "+61131234"),
    ] {
        let html = format!("<p>{text}");
        assert_eq!(found(url, Some(language), &html), one(wanted, "text"), "{text}");
    }
    for (url, language, text) in [
        ("https://a.hu/", "hu", "62/829-317"),
        ("https://a.com.au/", "en-AU", "Open 13 12 34"),
    ] {
        assert_eq!(found(url, Some(language), &format!("<p>{text}")), [], "{text}");
    }
}

#[test]
fn digits_that_are_no_phones_are_passed_over() {
    for text in [
        "4155550132",
        "Order 8005551234567",
        "2023-11-23 10:20:30",
        "06.12.2022",
        "Stand: 6/12/2022 14.30",
        "ISBN 978-3-16-148410-0",
        "doi:10.1016/j.envint.2019.105078",
        "1,234,567.89",
    ] {
        assert_eq!(
            found("https://a.com/", Some("en"), &format!("<p>{text}")),
            [],
            "{text}"
        );
    }
}
