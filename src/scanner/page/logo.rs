//! The logo of a site.

use super::head::{absolute, meta};
use super::json_ld::{Node, is_organization, texts};
use super::outline::{Image, Outline};

/// Pictures that are called a logo but are somebody else's.
const OTHERS: &[&str] = &[
    "client", "partner", "sponsor", "payment", "customer", "award", "footer", "brands",
];

/// The logo that the markup names, else that of JSON-LD, else a picture that is called one; absolute.
pub(super) fn logo(page: &Outline, nodes: &[Node]) -> Option<String> {
    let ranked: &[&dyn Fn(&Image) -> bool] = &[
        &|image| image.has_logo_class,
        &|image| image.in_logo && (image.in_home_link || image.in_header),
        &|image| {
            image.in_home_link
                && (image.names.contains("logo") || image.src.to_ascii_lowercase().contains("logo"))
        },
    ];
    let stated = || meta(page, &["og:logo", "logo"]).or_else(|| from_json_ld(nodes));
    let by_name: &[&dyn Fn(&Image) -> bool] = &[
        &|image| image.in_logo,
        &|image| image.alt.eq_ignore_ascii_case("logo"),
        &|image| {
            image.in_header
                && (image.names.contains("logo") || image.src.to_ascii_lowercase().contains("logo"))
        },
        &|image| {
            image
                .names
                .split_whitespace()
                .next()
                .is_some_and(|name| name.contains("logo"))
        },
        &|image| image.in_home_link && image.in_header,
    ];
    best(page, ranked)
        .or_else(|| stated().and_then(|url| absolute(page, &url)))
        .or_else(|| best(page, by_name))
}

fn best(page: &Outline, ranked: &[&dyn Fn(&Image) -> bool]) -> Option<String> {
    ranked.iter().find_map(|is_logo| {
        let own = |image: &&Image| !OTHERS.iter().any(|other| image.names.contains(other));
        let image = page.images.iter().filter(own).find(|image| is_logo(image))?;
        absolute(page, &image.src)
    })
}

fn from_json_ld(nodes: &[Node]) -> Option<String> {
    let of_organization = nodes.iter().filter(|node| is_organization(node));
    of_organization
        .flat_map(|node| texts(node, "logo"))
        .find(|url| !url.starts_with('#') && !url.contains("/#/"))
}
