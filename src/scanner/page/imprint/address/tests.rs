use url::Url;

use super::is_plausible;
use crate::scanner::page::imprint::imprint;
use crate::scanner::page::outline::outline;

fn address(html: &str) -> String {
    let page = outline(html, &Url::parse("https://acme.test/").unwrap());
    imprint(&page).and_then(|found| found.address).unwrap_or_default()
}

#[test]
fn streets_are_kept_whatever_their_names_contain() {
    for (street, place) in [
        ("Carl-Bertelsmann-Str. 18", "33332 Gütersloh"),
        ("Mailänder Platz 7", "70173 Stuttgart"),
        ("Paseo de la Castellana 100", "28046 Madrid"),
        ("12 place de l’Hôtel de Ville", "76600 Le Havre"),
        ("8 rue du Mail", "75002 Paris"),
        ("1420 5th Ave, Suite 2200", "Seattle, WA 98101"),
        ("12345 Main St, Suite 2200", "Seattle, WA 98101"),
        ("120 E. 42nd St", "New York, NY 10168"),
        ("3120 County Road 220", "Seattle, WA 98101"),
        ("10430 State Highway 16", "San Antonio, TX 78254"),
        ("1200 Lincoln Plaza", "Dallas, TX 75201"),
        ("1829 West Broadway", "Vancouver, BC V6J 1Y5"),
        ("1829 King St. W.", "Toronto, ON M5V 1J2"),
        ("27 Ferry Road", "Kaiteriteri 7100"),
        ("Hólavegur 18", "560 Varmahlíð"),
    ] {
        let html = format!("<p>Acme Ltd<br>{street}<br>{place}");
        assert_eq!(address(&html), format!("{street}, {place}"), "{html}");
    }
}

#[test]
fn years_are_no_postal_codes_but_codes_may_look_like_them() {
    for html in [
        "<p>Acme<br>Apple Arcade March 2024 New Games Revealed",
        "<p>Acme<br>Malcolm X Remembered 50 Years After 1965 Assassination",
        "<p>1923 W. B. Yeats<br>1924 Władysław Reymont",
        "<p>Ski: 2021-2022 Line Outline, 186 cm",
        "<p>86 Kommentare Nicolas La Rocco<br>iPhone 2020 App",
    ] {
        assert_eq!(address(html), "", "{html}");
    }
    for (street, place) in [
        ("Hauptplatz 3", "2020 Hollabrunn"),
        ("Rue du Rhône 12", "1950 Sion"),
        ("Gammel Kongevej 10", "DK-2000 Frederiksberg"),
        ("Jernbanegata 4", "2000 Lillestrøm"),
        ("San Martín 829", "S2000 Rosario"),
    ] {
        let html = format!("<h1>Imprint</h1><p>Acme GmbH<br>{street}<br>{place}");
        assert_eq!(address(&html), format!("{street}, {place}"), "{html}");
        let html = format!("<h1>Imprint</h1><p>Acme GmbH, {street}, {place}");
        assert_eq!(address(&html), format!("{street}, {place}"), "{html}");
    }
}

#[test]
fn boxes_doors_and_buildings_do_not_replace_the_street() {
    for (html, wanted) in [
        (
            "<p>Acme GmbH<br>Am Markt 3<br>Postfach 1234<br>34125 Kassel",
            "Am Markt 3, Postfach 1234, 34125 Kassel",
        ),
        (
            "<p>Acme SARL<br>12 rue des Pins<br>BP 40182<br>44300 Nantes",
            "12 rue des Pins, BP 40182, 44300 Nantes",
        ),
        (
            "<p>Acme Pte Ltd<br>28 Kaki Bukit Crescent #05-12<br>Kaki Bukit Techpark 1<br>Singapore 417834",
            "28 Kaki Bukit Crescent #05-12, Kaki Bukit Techpark 1, Singapore 417834",
        ),
        (
            "<p>Acme Pty Ltd<br>Unit 4<br>12 Smith Street<br>Sydney NSW 2000",
            "Unit 4, 12 Smith Street, Sydney NSW 2000",
        ),
        (
            "<p>Unit 4<br>12 Smith Street<br>Sydney NSW 2000<p>a@acme.test",
            "Unit 4, 12 Smith Street, Sydney NSW 2000",
        ),
        // A post office box is better than nothing.
        (
            "<p>Acme GmbH<br>Postfach 1234<br>34125 Kassel",
            "Postfach 1234, 34125 Kassel",
        ),
    ] {
        assert_eq!(address(html), wanted, "{html}");
    }
}

#[test]
fn addresses_of_further_countries_are_known() {
    for (html, wanted) in [
        (
            "<p>Rua Padre Anchieta, 1846 – Sala 502 – Bigorrilho, Curitiba – PR, 80730-000<p>a@acme.test",
            "Rua Padre Anchieta, 1846 – Sala 502 – Bigorrilho, Curitiba – PR, 80730-000",
        ),
        (
            "<p>주소: (13494) 경기도 성남시 분당구 판교로 182, 3층",
            "(13494) 경기도 성남시 분당구 판교로 182, 3층",
        ),
        (
            "<p>603006, г. Нижний Новгород, ул. Белинского, д. 32, ТЦ «Союз», 2 этаж<p>a@acme.test",
            "603006, г. Нижний Новгород, ул. Белинского, д. 32, ТЦ «Союз», 2 этаж",
        ),
        (
            "<p>г. Алматы, пр. Абая 82, оф. 93<p>a@acme.test",
            "г. Алматы, пр. Абая 82, оф. 93",
        ),
        (
            "<p>שדרות רוטשילד 82, תל אביב 6578402<p>a@acme.test",
            "שדרות רוטשילד 82, תל אביב 6578402",
        ),
        (
            "<p>Cra 11 # 82-93, Bogotá<p>a@acme.test",
            "Cra 11 # 82-93, Bogotá",
        ),
        (
            "<p>12 Main Street<br>Naas<br>Co. Kildare<p>a@acme.test",
            "12 Main Street, Naas, Co. Kildare",
        ),
        (
            "<p>Brīvības iela 214, Rīga, LV-1039<p>a@acme.test",
            "Brīvības iela 214, Rīga, LV-1039",
        ),
        (
            "<p>ЕТ Акме<p>гр. Пловдив 4000<br>бул. Шести септември 182, ет. 2<p>a@acme.test",
            "гр. Пловдив 4000, бул. Шести септември 182, ет. 2",
        ),
    ] {
        assert_eq!(address(html), wanted, "{html}");
    }
}

#[test]
fn what_only_looks_like_an_address_is_none() {
    for html in [
        "<table><tr><td>Dukat 1648<td>01 582 93 EUR</table><p>a@acme.test",
        "<p>Version 18<br>560 Downloads<p>a@acme.test",
        "<p>Seit 3 Generationen.<p>83024 Rosenheim<p>a@acme.test",
        "<p>Работы и пр. услуги 24 часа<p>a@acme.test",
        "<p>123 Your Street<br>Austin, TX 78701<p>a@acme.test",
    ] {
        assert_eq!(address(html), "", "{html}");
    }
}

#[test]
fn the_name_of_the_site_is_no_part_of_its_address() {
    let html = "<title>Acme Tools – Home</title><p>Acme Tools, Im Grund 8, 79677 Wembach | Tel.: 07671 8293";
    assert_eq!(address(html), "Im Grund 8, 79677 Wembach");
    let html = "<title>Other – Home</title><p>Haus Sonnental, Im Grund 8, 79677 Wembach | Tel.: 07671 8293";
    assert_eq!(address(html), "Haus Sonnental, Im Grund 8, 79677 Wembach");
}

#[test]
fn quotes_are_for_buildings_and_not_for_prose() {
    assert!(is_plausible(
        "603006, г. Город, ул. Белинского, д. 32, ТЦ «Союз», 2 этаж"
    ));
    assert!(!is_plausible("«Weg 1, 1010 Wien»"));
    assert!(!is_plausible("He said “Weg 1, 1010 Wien”"));
}
