//! The logo of a site.

use std::cell::LazyCell;

use super::head::{absolute, is_in_host, is_site, meta, own_jobs, shown_by, site_name};
use super::json_ld::Graph;
use super::outline::{Image, Outline};

/// Words in picture names that show another company's logo, or a part of a video or another page.
const OTHERS: &[&str] = &[
    "client",
    "partner",
    "sponsor",
    "payment",
    "customer",
    "award",
    "footer",
    "brands",
    "supplier",
    "member",
    "certif",
    "kunden",
    "foerder",
    "förder",
    "seal",
    "badge",
    "trust",
    "thumbnail",
    "screenshot",
    "poster",
];

/// Words in URLs of pictures that contain several images or show nothing of the site: sprites, arrows, visitor
/// counters, icons of networks and of payment methods.
const OTHER_FILES: &str = "sprite sprites pixel spacer blank tracking xiti counter arrow arrows chevron hamburger search \
    close facebook instagram twitter linkedin youtube whatsapp google paypal visa avatar flag flags partner partners sponsor \
    sponsors client clients home house";

/// Payment methods, card networks, and standards: their pictures are not the site's logo, even if named as logos.
const SIGNS_OF_OTHERS: &str = "paypal visa mastercard maestro amex klarna giropay sepa sofort ideal bancontact applepay \
    googlepay iso iso9001 iso14001 iso27001 iso45001 iso13485 tuv tüv certificate zertifikat zertifiziert";

/// The picture that the site states as its logo (Open Graph, JSON-LD, microdata), else a picture that is named as one,
/// ranked by its position, else the large icon for home screens; absolute.
///
/// A statement is intended for programs. Without one, the logo among the page's pictures is a guess.
pub(super) fn logo(page: &Outline, graph: &Graph) -> Option<String> {
    let ranked: &[&dyn Fn(&Image) -> bool] = &[
        &|image| image.has_logo_class,
        &|image| image.in_logo && (image.in_home_link || image.in_header),
        &|image| {
            image.in_home_link
                && (image.names.contains("logo") || image.src.to_ascii_lowercase().contains("logo"))
        },
        &|image| image.in_logo,
        &|image| image.alt.eq_ignore_ascii_case("logo"),
        &|image| {
            image.in_header
                && (image.names.contains("logo") || image.src.to_ascii_lowercase().contains("logo"))
        },
        &|image| {
            let first = image.names.split_whitespace().next();
            first.is_some_and(|name| name.contains("logo")) && !is_photo(image)
        },
        &|image| image.in_home_link && image.in_header,
        &|image| image.in_heading && file_stem(&image.src).eq_ignore_ascii_case("logo"),
        &|image| {
            image.is_early && (is_called_logo(&image.src) || image.alt.to_lowercase().starts_with("logo "))
        },
        &|image| image.in_home_link && (image.in_heading || image.is_early),
    ];
    let stated = meta(page, &["og:logo", "logo"])
        .into_iter()
        .chain(from_json_ld(page, graph));
    let mut stated = stated.filter(|url| !is_avatar(url));
    stated
        .find_map(|url| absolute(page, &url))
        .or_else(|| best(page, graph, ranked))
        .or_else(|| large_icon(page))
}

fn best(page: &Outline, graph: &Graph, ranked: &[&dyn Fn(&Image) -> bool]) -> Option<String> {
    let host = page.url.host_str().unwrap_or_default();
    let name = LazyCell::new(|| site_name(page, graph));
    // If the logo is drawn, other pictures in the footer belong to others, except a copy of the logo.
    let is_drawn = |image: &Image| {
        page.has_drawn_logo && image.in_footer && !is_site(&shown_by(&image.alt), name.as_deref(), host)
    };
    // Footers also show the logos of parent companies and partners, and links to other sites show their logos.
    let places = [(false, false), (false, true), (true, false), (true, true)];
    places.into_iter().find_map(|place| {
        ranked.iter().find_map(|is_logo| {
            let mut images = page
                .images
                .iter()
                .filter(|image| (image.in_footer, image.in_link_away) == place);
            let image = images.find(|image| is_logo(image) && is_own(image, host) && !is_drawn(image))?;
            absolute(page, &image.src)
        })
    })
}

/// Whether a picture may be the logo of the site at this host at all.
fn is_own(image: &Image, host: &str) -> bool {
    // A longer text may say that the site accepts or holds it.
    const LONGEST: usize = 30;
    let file = file(image);
    let is_sign = |word: &str| {
        let mut signs = SIGNS_OF_OTHERS.split_ascii_whitespace();
        signs.any(|sign| sign == word) && !host.contains(word)
    };
    let alt = image.alt.to_lowercase();
    let short = if alt.len() <= LONGEST { alt.as_str() } else { "" };
    let is_mark = |sign: char| !sign.is_alphanumeric();
    let mut shown = file_stem(&file).split(is_mark).chain(short.split(is_mark));
    let is_other = |word: &str| OTHER_FILES.split_ascii_whitespace().any(|other| other == word);
    let mut words = file.split(|sign: char| !sign.is_ascii_alphanumeric());
    !image.of_others
        && !is_avatar(&file)
        && !shown.any(is_sign)
        && !OTHERS
            .iter()
            .any(|other| image.names.contains(other) && !is_in_host(other, host))
        && (file_stem(&file).contains("logo") || !words.any(is_other))
}

/// Whether a URL is the picture of a person with an account: any site may show it.
fn is_avatar(url: &str) -> bool {
    url.contains("gravatar.com/avatar")
}

/// The URL of a picture without its query, lower case.
fn file(image: &Image) -> String {
    let url = image.src.split(['?', '#']).next().unwrap_or_default();
    url.to_ascii_lowercase()
}

/// Whether it is a photo of something with a logo on it: the file has another name.
fn is_photo(image: &Image) -> bool {
    let file = file(image);
    matches!(file.rsplit('.').next(), Some("jpg" | "jpeg")) && !file_stem(&file).contains("logo")
}

/// `/img/acme-logo.svg`, `/img/LogoAcme2.png`.
fn is_called_logo(src: &str) -> bool {
    let stem = file_stem(src).to_ascii_lowercase();
    let mut words = stem.split(|sign: char| !sign.is_ascii_alphanumeric());
    words.any(|word| {
        let word = word.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let is_other = ["logout", "login", "blog", "catalog"]
            .iter()
            .any(|other| word.contains(other));
        !is_other && (word.starts_with("logo") || word.ends_with("logo"))
    })
}

/// `/img/logo.gif` is `logo`.
fn file_stem(src: &str) -> &str {
    let name = src
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .rsplit('/')
        .next();
    name.and_then(|name| name.split('.').next()).unwrap_or_default()
}

/// Logos of organizations; publishers and owners of the site or page come before organizations that it mentions.
fn from_json_ld<'a>(page: &'a Outline, graph: &'a Graph) -> impl Iterator<Item = String> + 'a {
    // A picture of a person is used only if there is nothing else.
    let (persons, publishers): (Vec<_>, Vec<_>) =
        graph.publishers().partition(|node| node.has_type("Person"));
    let employers = own_jobs(page, graph).map(|(_, employer)| employer);
    let nodes = publishers.into_iter().chain(graph.owners());
    let nodes = nodes.chain(employers).chain(persons);
    nodes.flat_map(|node| node.texts("logo"))
}

/// The largest of the `apple-touch-icon` links and of the icons stated to be large or scalable; of equal ones the
/// first.
fn large_icon(page: &Outline) -> Option<String> {
    const LARGE: u32 = 96;
    // The size of a touch icon without a stated size.
    const TOUCH: u32 = 57;
    const SCALED: u32 = 10_000;
    let width = |link: &super::outline::Link| -> Option<u32> {
        let sizes = link.sizes.split_ascii_whitespace().filter_map(|size| {
            let width = size
                .split(['x', 'X'])
                .next()
                .and_then(|width| width.parse::<u32>().ok());
            if size.eq_ignore_ascii_case("any") {
                Some(SCALED)
            } else {
                width
            }
        });
        let stated = sizes.max();
        if link.rel.starts_with("apple-touch-icon") {
            Some(stated.unwrap_or(TOUCH))
        } else {
            stated.filter(|width| *width >= LARGE && super::head::has_word(&link.rel, "icon"))
        }
    };
    let icons = page.links.iter().filter_map(|link| Some((width(link)?, link)));
    let mut icons: Vec<_> = icons.collect();
    icons.sort_by_key(|(width, _)| std::cmp::Reverse(*width));
    icons.into_iter().find_map(|(_, link)| absolute(page, &link.href))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::json_ld::graph;
    use super::super::outline::outline;
    use super::*;

    #[test]
    fn files_are_called_logos_in_many_ways() {
        for (src, wanted) in [
            ("/img/logo.png", true),
            ("/img/acme-logo2.svg?v=1", true),
            ("/img/logoacme.png", true),
            ("/img/AcmeLogo.png", true),
            ("/img/logout.png", false),
            ("/img/blog-1.png", false),
            ("/logo/banner.png", false),
        ] {
            assert_eq!(is_called_logo(src), wanted, "{src}");
        }
    }

    fn logo_of(html: &str) -> Option<String> {
        let page = outline(html, &Url::parse("https://acme.test/").unwrap());
        let url = logo(&page, &graph(&page.json_ld))?;
        Some(url.replace("https://acme.test", ""))
    }

    #[test]
    fn the_logos_of_customers_payments_and_certificates_are_not_the_sites() {
        for html in [
            "<section class=logo-cloud><img class=logo src=/c/siemens-logo.svg alt='Siemens logo'></section>",
            "<section><h2>Trusted by teams at</h2><div><img class=logo src=/siemens-logo.svg></div></section>",
            "<footer><img class=logo src=/img/iso-9001-logo.png></footer>",
            "<footer><img src=/img/pay-logo.svg alt=PayPal></footer>",
            "<header><a href=/><svg></svg></a></header><footer><img src=/seal-logo.png alt=Union></footer>",
            "<img class=logo src='https://secure.gravatar.com/avatar/a?s=96'>",
            "<script type='application/ld+json'>{\"@type\":\"Organization\",
             \"logo\":\"https://secure.gravatar.com/avatar/a?s=96\"}</script>",
            "<a href=/ class=menu style='background-image:url(/arrow.png)'></a>",
            "<a href=/x class=logo style='background-image:url(/x.png)'></a>",
            "<a href=/ class=logo style='background:url(data:image/png;base64,AA)'></a>",
        ] {
            assert_eq!(logo_of(html), None, "{html}");
        }
    }

    #[test]
    fn logos_are_known_by_where_they_are() {
        for html in [
            "<header><h2>Trusted by</h2></header><section><img class=logo src=/l.png></section>",
            "<header><a href=/><svg></svg></a></header><footer><img class=logo src=/l.png alt='Acme logo'></footer>",
            "<header><a href=/>Acme</a></header><footer><img class=logo src=/l.png alt=Union></footer>",
            "<a id=logo href=/ style=\"background-image:url('/l.png');width:9px\"></a>",
            "<a href=/><span class=site-logo style='background: #fff url(/l.png)'></span></a>",
        ] {
            assert_eq!(logo_of(html).as_deref(), Some("/l.png"), "{html}");
        }
        let html = "<img class=logo src=https://klarna.test/klarna-logo.svg>";
        let page = outline(html, &Url::parse("https://klarna.test/").unwrap());
        assert!(logo(&page, &graph(&page.json_ld)).is_some());
        // The words for logos of others are part of the site's own name here.
        let html = "<header><a href=/><img class=logo src=/l.svg alt='Acme Fördertechnik Logo'></a></header>";
        let page = outline(html, &Url::parse("https://acme-foerdertechnik.test/").unwrap());
        assert!(logo(&page, &graph(&page.json_ld)).is_some());
    }
}
