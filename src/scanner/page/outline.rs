//! The outline of a page: what one walk through its tree collects for the extractors, and the tree itself.
//!
//! The other files in this module decide what it means.

mod builder;
mod names;
mod picture;
mod sections;
mod text;
mod unseen;

use std::cell::OnceCell;
use std::ops::Range;

use scraper::node::Element;
use scraper::{Html, Node, StrTendril};
use url::Url;

use self::builder::Builder;
use super::tree;
use crate::values::findings::Performance;

/// The character put in front of text that a page marks as an address.
pub(super) const PIN: char = '📍';

/// The facts of a page in document order.
#[derive(Debug)]
pub(super) struct Outline {
    /// The URL of the page.
    pub(super) url: Url,
    /// The URL against which relative URLs are resolved.
    pub(super) base: Url,
    pub(super) language: Option<String>,
    pub(super) title: Option<String>,
    /// Lower-case name or property, and content.
    pub(super) metas: Vec<(String, String)>,
    pub(super) links: Vec<Link>,
    pub(super) anchors: Vec<Anchor>,
    pub(super) images: Vec<Image>,
    /// Whether the link to the home page shows a drawing instead of a picture with a URL.
    pub(super) has_drawn_logo: bool,
    /// URLs of scripts, styles and frames, as written.
    pub(super) assets: Vec<String>,
    /// URLs of scripts only.
    pub(super) script_urls: Vec<String>,
    /// Contents of `application/ld+json` scripts.
    pub(super) json_ld: Vec<StrTendril>,
    /// Contents of all other inline scripts.
    pub(super) scripts: Vec<StrTendril>,
    /// Contents of inline styles.
    pub(super) styles: Vec<StrTendril>,
    pub(super) comments: Vec<StrTendril>,
    /// Texts of first-level headings.
    pub(super) headings: Vec<String>,
    /// Values of `data-cfemail`.
    pub(super) cloudflare_emails: Vec<String>,
    /// The text that a reader sees, with blocks separated by line breaks, without comments written by visitors.
    pub(super) text: String,
    /// The sections of the text, ordered by where they begin.
    pub(super) sections: Vec<Section>,
    /// Where blocks and lines that the page sets apart begin in the text, in order.
    pub(super) breaks: Vec<Break>,
    /// The parts of the text that are about others, computed on first use.
    pub(super) of_others: OnceCell<Vec<Range<usize>>>,
    pub(super) counts: Performance,
    /// The page as browsers see it, for selectors.
    pub(super) tree: Html,
    /// Whether the page exceeds the limits of a tree.
    pub(super) is_cut: bool,
}

impl Outline {
    /// All elements in the order in which they were created, which is nearly document order.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.tree.tree.values().filter_map(Node::as_element)
    }
}

/// A `<link>`.
#[derive(Debug)]
pub(super) struct Link {
    /// Lower case.
    pub(super) rel: String,
    pub(super) href: String,
    pub(super) media_type: String,
    pub(super) sizes: String,
}

/// A heading, or a part around the content: a header, footer or navigation.
#[derive(Debug)]
pub(super) struct Section {
    /// The byte offset in the text where it begins.
    pub(super) at: usize,
    /// The byte offset where the element that this heading belongs to ends, if known: the text after it is something
    /// else.
    pub(super) end: Option<usize>,
    /// The heading's level, 1 to 6; 0 for parts around the content.
    pub(super) level: u8,
}

/// A place between two lines of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Break {
    pub(super) at: usize,
    /// Whether a block begins or ends here, rather than a line within a block.
    pub(super) is_of_block: bool,
}

/// What follows the scheme of a web link. Some systems put the scheme in front of all links: `http://tel:030…`.
pub(super) fn behind_web_scheme(href: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let begins = href.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
        begins.then(|| &href[scheme.len()..])
    })
}

/// An `<a>` or `<area>`.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) href: String,
    pub(super) text: String,
    /// The byte offset in the page's text where it begins.
    pub(super) at: usize,
    /// In a header, footer or navigation.
    pub(super) in_frame: bool,
    /// In a visitor's comment or an embedded post.
    pub(super) is_by_others: bool,
    /// In a small hidden element, like those used as traps for robots.
    pub(super) is_decoy: bool,
}

/// An `<img>` and its position.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says where the picture stands; they do not exclude one another"
)]
pub(super) struct Image {
    pub(super) src: String,
    /// Class, id and alternative text, lower case.
    pub(super) names: String,
    pub(super) alt: String,
    pub(super) has_logo_class: bool,
    /// Inside an element that is named as a logo.
    pub(super) in_logo: bool,
    pub(super) in_header: bool,
    pub(super) in_footer: bool,
    /// In a section of partners, clients or similar.
    pub(super) of_others: bool,
    /// Inside a link to another site.
    pub(super) in_link_away: bool,
    /// Inside a link to the site's start.
    pub(super) in_home_link: bool,
    /// Inside a first-level heading.
    pub(super) in_heading: bool,
    /// Among the first images of the page.
    pub(super) is_early: bool,
}

/// Reads a page found at `url`.
pub(super) fn outline(html: &str, url: &Url) -> Outline {
    let parsed = tree::parse(html);
    let mut builder = Builder::new(url);
    builder.walk(&parsed.html);
    Outline {
        comments: parsed.comments,
        is_cut: parsed.is_cut,
        tree: parsed.html,
        ..builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_in_the_midst_of_a_line_is_no_part_of_it() {
        let page = outline(
            "<style>p{margin:0} .dn, .x { color: red; display : none } .y b { display: none }</style>
             <p>a<span class='z dn'>1</span>b<i hidden>2</i>c<b style='display: none'>3</b>d<span class=y>e</span></p>
             <div hidden>menu</div>",
            &Url::parse("https://site.test/").unwrap(),
        );
        let lines: Vec<&str> = page.text.lines().map(str::trim).collect();
        assert!(lines.contains(&"abcde") && lines.contains(&"menu"), "{lines:?}");
    }

    #[test]
    fn areas_of_pictures_are_links() {
        let page = outline(
            "<map><area href=mailto:a@site.test alt='write us'></map>",
            &Url::parse("https://site.test/").unwrap(),
        );
        let links: Vec<(&str, &str)> = page
            .anchors
            .iter()
            .map(|a| (a.href.as_str(), a.text.as_str()))
            .collect();
        assert_eq!(links, [("mailto:a@site.test", "write us")]);
    }
}
