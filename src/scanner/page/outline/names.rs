//! The meaning of an element's classes and ids.

use scraper::node::Element;

use super::PIN;
use crate::scanner::page::tree::raw;

/// Names of containers that hold logos of others.
const OTHERS: &[&str] = &[
    "client",
    "clients",
    "partner",
    "partners",
    "sponsor",
    "sponsors",
    "brands",
    "customer",
    "customers",
    "award",
    "awards",
    "payment",
    "payments",
    "certificates",
    "certifications",
    "references",
    "referenzen",
    "kunden",
    "clientes",
    "clienti",
    "parceiros",
    "socios",
    "partneri",
    "partnerzy",
    "trusted",
    "trustedby",
    "badges",
];

/// Beginnings of headings above logos of others, in lower case.
const HEADINGS_OF_OTHERS: &[&str] = &[
    "trusted by",
    "our clients",
    "our customers",
    "our partners",
    "our sponsors",
    "as seen in",
    "as seen on",
    "as featured in",
    "unsere kunden",
    "unsere partner",
    "unsere sponsoren",
    "nos clients",
    "nos partenaires",
    "nuestros clientes",
    "nuestros socios",
    "i nostri clienti",
    "i nostri partner",
    "onze klanten",
    "onze partners",
    "nossos clientes",
    "nossos parceiros",
];

/// Names for groups of many logos: `logo-cloud`, `logos_slider`.
const MANY: &[&str] = &[
    "cloud", "carousel", "slider", "marquee", "ticker", "wall", "grid", "strip",
];

/// Words of class and id, each still with all its parts (`header__logo`: `header`, `logo`).
fn words(element: &Element) -> impl Iterator<Item = &str> {
    ["class", "id"]
        .into_iter()
        .filter_map(|attribute| raw(element, attribute))
        .flat_map(str::split_ascii_whitespace)
}

fn parts(word: &str) -> impl DoubleEndedIterator<Item = &str> {
    word.split(['-', '_']).filter(|part| !part.is_empty())
}

fn is_any(part: &str, known: &[&str]) -> bool {
    known.iter().any(|word| part.eq_ignore_ascii_case(word))
}

/// Whether a container is the logo by class or id: `logo`, `site-logo`, `header__logo`, `logo-link`. Names that say
/// where the logo is (`logo_left` of a header) or that it is one of many (`client-logo`) do not count.
pub(super) fn is_called_logo(element: &Element) -> bool {
    const AROUND: &[&str] = &[
        "wrap",
        "wrapper",
        "container",
        "link",
        "img",
        "image",
        "box",
        "area",
        "block",
        "inner",
        "holder",
        "text",
    ];
    const BRANDS: &[&str] = &[
        "navbar-brand",
        "navbar-logo",
        "navbar__brand",
        "nav-brand",
        "header-brand",
        "brand-logo",
        "brandlogo",
        "site-brand",
        "site-branding",
    ];
    if matches!(element.name(), "header" | "section" | "main" | "article") {
        return false;
    }
    let is_logo = |part: &str| {
        let part = part.to_ascii_lowercase();
        part.ends_with("logo") && !part.ends_with("alogo")
    };
    words(element).any(|word| {
        // Bootstrap and similar frameworks call the logo in a navigation bar its brand.
        if is_any(word, BRANDS) {
            return true;
        }
        let mut from_the_end = parts(word).rev();
        let last = from_the_end.next().unwrap_or_default();
        let first = parts(word).next().unwrap_or_default();
        let is_it = is_logo(last) || is_logo(first) && is_any(last, AROUND);
        is_it && !parts(word).any(|part| is_any(part, OTHERS) || part.eq_ignore_ascii_case("footer"))
    })
}

/// Whether a heading announces that the logos below it belong to others.
pub(super) fn is_heading_of_others(heading: &str) -> bool {
    let heading = heading.to_lowercase();
    HEADINGS_OF_OTHERS.iter().any(|known| heading.starts_with(known))
}

/// Whether a container holds the logos of others: `partners`, `our-clients`, `payment-methods`, `logo-cloud`.
pub(super) fn is_of_others(element: &Element) -> bool {
    let holds = matches!(element.name(), "div" | "section" | "ul" | "aside");
    let holds_many = |word: &str| {
        let is_of_logos = parts(word).any(|part| is_any(part, &["logo", "logos"]));
        is_of_logos && parts(word).any(|part| is_any(part, MANY))
    };
    holds && words(element).any(|word| parts(word).any(|part| is_any(part, OTHERS)) || holds_many(word))
}

/// The character that an element stands for and that a text would contain instead: a pin in front of an address, or
/// `©`.
pub(super) fn sign_of(element: &Element) -> Option<char> {
    let is_icon = || matches!(element.name(), "i" | "span" | "svg" | "em");
    let has_icon = |names: &[&str]| {
        let mut words = words(element);
        is_icon() && words.any(|word| names.iter().any(|name| word.ends_with(name)))
    };
    let is_map = |url: &str| {
        const MAPS: &[&str] = &[
            "google.",
            "goo.gl/",
            "maps.app.",
            "maps.apple.",
            "openstreetmap.",
            "maps.",
        ];
        let url = url.trim().to_ascii_lowercase();
        url.contains("map") && MAPS.iter().any(|host| url.contains(host)) && url.starts_with("http")
    };
    let is_link = || element.name() == "a" && raw(element, "href").is_some_and(is_map);
    if element.name() == "address"
        || has_icon(&["map-marker", "map-marker-alt", "map-pin", "location-dot"])
        || is_link()
    {
        return Some(PIN);
    }
    has_icon(&["fa-copyright"]).then_some('©')
}

/// Whether an element marks its content, or the text after it, as a fax number: by a picture of a fax machine
/// (`<i class="fa fa-fax">`, `<img src="fax.svg">`), by its name, or by its machine-readable attributes.
pub(super) fn is_of_fax(element: &Element) -> bool {
    let is_fax = |text: &str| is_any(text, &["fax", "telefax", "faxnumber"]);
    // Printer icons are used for fax numbers too.
    let is_picture = |text: &str| is_fax(text) || is_any(text, &["printer", "print"]);
    let is_phone = |text: &str| is_any(text, &["phone", "tel", "telephone", "telefon"]);
    let is_called_so = || {
        let parts = || words(element).flat_map(parts);
        words(element).any(is_fax) && !parts().any(is_phone)
    };
    let is_labelled = ["aria-label", "title", "itemprop"]
        .into_iter()
        .filter_map(|name| raw(element, name))
        .any(|text| is_fax(text.trim().trim_end_matches(':')));
    match element.name() {
        "div" | "p" | "li" | "td" | "dd" => is_called_so() || is_labelled,
        "i" | "span" | "svg" | "em" if is_called_so() || is_labelled => true,
        "i" | "span" | "svg" | "em" => {
            words(element).any(|word| parts(word).count() > 1 && parts(word).any(is_picture))
        }
        "img" => ["alt", "src"]
            .into_iter()
            .filter_map(|name| raw(element, name))
            .any(|text| {
                let name = text.rsplit('/').next().and_then(|name| name.split('.').next());
                name.is_some_and(|name| name.split(['-', '_', ' ']).any(is_fax))
            }),
        _ => false,
    }
}

/// Whether an element is a picture of an at sign: `<img alt="@">`, `<i class="fa fa-at">`.
pub(super) fn is_at_sign(element: &Element) -> bool {
    match element.name() {
        "img" => raw(element, "alt").is_some_and(|alt| alt.trim() == "@"),
        "i" | "span" | "svg" => words(element).any(|word| is_any(word, &["fa-at", "bi-at", "icon-at"])),
        _ => false,
    }
}

/// Whether a container holds content of others: visitors' comments (`comments`, `comment-list`, `commentlist`,
/// `comment-12`), a post embedded from a social network (`<blockquote class="twitter-tweet">`), or the dialog of a
/// consent manager, which names the providers of services.
pub(super) fn is_by_others(element: &Element) -> bool {
    /// From the networks' own documentation on embedding.
    const EMBEDDED: &[&str] = &[
        "twitter-tweet",
        "twitter-video",
        "instagram-media",
        "text-post-media",
        "tiktok-embed",
        "bluesky-embed",
        "mastodon-embed",
        "reddit-embed-bq",
        "reddit-card",
        "fb-post",
        "fb-video",
    ];
    /// From the source code of the consent managers.
    const CONSENT: &[&str] = &[
        "BorlabsCookieBox",
        "CybotCookiebotDialog",
        "cmplz-cookiebanner-container",
        "onetrust-consent-sdk",
        "usercentrics-root",
        "cookie-law-info-bar",
        "cky-consent-container",
        "moove_gdpr_cookie_modal",
        "moove_gdpr_cookie_info_bar",
        "cookie-notice",
        "iubenda-cs-banner",
        "didomi-host",
        "tarteaucitronRoot",
        "real-cookie-banner",
        "klaro",
        "cc-window",
        "qc-cmp2-container",
        "cookieconsent",
        "cookie-consent",
        "cookie-banner",
        "cookiebanner",
    ];
    const NOT: &[&str] = &[
        "open", "closed", "link", "links", "count", "form", "no", "has", "button", "off", "on",
    ];
    if matches!(element.name(), "header" | "main" | "a") {
        return false;
    }
    words(element).any(|word| {
        let first = parts(word).next().unwrap_or_default();
        let is_comments = is_any(
            first,
            &["comment", "comments", "commentlist", "commentbody", "disqus"],
        );
        is_comments && !parts(word).any(|part| is_any(part, NOT))
            || is_any(word, EMBEDDED)
            || is_any(word, CONSENT)
    })
}

/// Whether a container is the footer of a page.
pub(super) fn is_footer(element: &Element) -> bool {
    const FOOTER: &[&str] = &["footer", "colophon", "sitefooter", "pagefooter"];
    element.name() == "footer"
        || matches!(element.name(), "div" | "section" | "aside")
            && words(element).any(|word| parts(word).any(|part| is_any(part, FOOTER)))
}

/// Whether a container is the head of a page: a header, a bar of navigation.
pub(super) fn is_header(element: &Element) -> bool {
    const HEADER: &[&str] = &[
        "header",
        "site-header",
        "main-header",
        "masthead",
        "topbar",
        "navbar",
        "top",
    ];
    matches!(element.name(), "header" | "nav")
        || matches!(element.name(), "div" | "section" | "table")
            && words(element).any(|word| is_any(word, HEADER))
}

/// Whether a container is a part around the content that repeats on every page of a site.
pub(super) fn is_frame(element: &Element) -> bool {
    const FRAME: &[&str] = &["header", "footer", "nav", "topbar", "navbar", "menu"];
    matches!(element.name(), "footer" | "nav" | "header")
        || element.name() == "div"
            && words(element).any(|word| {
                is_any(word, FRAME)
                    || parts(word)
                        .next_back()
                        .is_some_and(|last| is_any(last, &["footer"]))
            })
}

#[cfg(test)]
mod tests {
    use scraper::Selector;

    use super::*;
    use crate::scanner::page::tree::parse;

    /// Checks the element that a page consists of.
    fn is(source: &str, what: fn(&Element) -> bool) -> bool {
        let page = parse(&format!("<{source}>")).html;
        let inside = Selector::parse("body > *").unwrap();
        let element = page.select(&inside).next().unwrap();
        what(element.value())
    }

    #[test]
    fn a_logo_is_told_from_where_it_is_and_from_those_of_others() {
        for (source, wanted) in [
            ("div class='site-logo'", true),
            ("a class=header__logo", true),
            ("div id=logo", true),
            ("span class='logo-wrap x'", true),
            ("div class=siteLogo", true),
            ("header class='av_logo_left'", false),
            ("div class=av_logo_left", false),
            ("div class=client-logo", false),
            ("div class=logout", false),
            ("ul class=catalogo", false),
        ] {
            assert_eq!(is(source, is_called_logo), wanted, "{source}");
        }
    }

    #[test]
    fn containers_of_the_logos_of_others_are_called_so() {
        for (source, wanted) in [
            ("div class=our-clients", true),
            ("section class=logo-cloud", true),
            ("div class=customer_logos", true),
            ("div class=logos-slider", true),
            ("div class=trusted-by", true),
            ("div class=cloud-hosting", false),
            ("div class=logo-wrapper", false),
        ] {
            assert_eq!(is(source, is_of_others), wanted, "{source}");
        }
        for (heading, wanted) in [
            ("Trusted by teams at", true),
            ("Unsere Kunden", true),
            ("Clients first", false),
        ] {
            assert_eq!(is_heading_of_others(heading), wanted, "{heading}");
        }
    }

    #[test]
    fn what_others_wrote_is_told_from_links_to_it() {
        for (source, wanted) in [
            ("div id=comments", true),
            ("li id=comment-12", true),
            ("ol class=commentlist", true),
            ("span class=comments-link", false),
            ("div class=comments-closed", false),
            ("blockquote class=twitter-tweet", true),
            ("blockquote class='instagram-media x'", true),
            ("div class=fb-post", true),
            ("div id=BorlabsCookieBox", true),
            ("div class='cc-window cc-banner'", true),
            ("div class=cookie-settings-link", false),
            ("blockquote", false),
            ("a class=twitter-follow-button", false),
            ("div class=content", false),
        ] {
            assert_eq!(is(source, is_by_others), wanted, "{source}");
        }
    }
}
