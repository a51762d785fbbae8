//! The content of the sites. All of it is invented and derived from a site's number, so that tests know it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;

use super::SitesOptions;
use super::bomb::Bomb;

const HTML: &str = "text/html; charset=utf-8";
const XML: &str = "application/xml";
const SVG: &str = "image/svg+xml";
pub(super) const GZIP: &str = "application/gzip";
const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// A body on its way, with what the headers say of it.
pub(super) struct Document {
    pub(super) media_type: &'static str,
    pub(super) length: u64,
    pub(super) body: Body,
}

impl Document {
    pub(super) fn html(text: impl Into<Bytes>) -> Self {
        Self::whole(HTML, text.into())
    }

    fn whole(media_type: &'static str, bytes: Bytes) -> Self {
        Self {
            media_type,
            length: bytes.len() as u64,
            body: Body::from(bytes),
        }
    }

    /// A start, this many times a middle, and an end; sent as it is read, never held whole.
    pub(super) fn repeated(
        media_type: &'static str,
        start: Bytes,
        middle: Bytes,
        times: u64,
        end: Bytes,
    ) -> Self {
        let length = start.len() as u64 + times * middle.len() as u64 + end.len() as u64;
        let middles = (0..times).map(move |_| middle.clone());
        let parts = std::iter::once(start)
            .chain(middles)
            .chain([end])
            .map(Ok::<_, Infallible>);
        Self {
            media_type,
            length,
            body: Body::from_stream(stream::iter(parts)),
        }
    }
}

/// An ordinary site: what a scan of it must find.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    number: usize,
}

impl Site {
    pub(super) fn new(number: usize) -> Self {
        Self { number }
    }

    pub fn host(self) -> String {
        format!("site{:05}.sites.test", self.number)
    }

    pub fn title(self) -> String {
        format!("Workshop {} of {}", self.number, self.town())
    }

    pub fn language(self) -> &'static str {
        ["en", "de", "fr", "pt-BR"][self.number % 4]
    }

    /// On the home page.
    pub fn email(self) -> String {
        format!("hello@{}", self.host())
    }

    /// On the contact page only.
    pub fn contact_email(self) -> String {
        format!("orders@{}", self.host())
    }

    /// E.164; on the home page.
    pub fn phone(self) -> String {
        format!("+1212555{:04}", self.number % 10_000)
    }

    /// The last part of its addresses in social networks.
    pub fn handle(self) -> String {
        format!("workshop{}", self.number)
    }

    /// The only technology that every other site has.
    pub fn is_wordpress(self) -> bool {
        self.number.is_multiple_of(2)
    }

    fn town(self) -> &'static str {
        ["Aarhus", "Bergamo", "Cork", "Dijon", "Elche"][self.number % 5]
    }
}

/// The bodies of all sites, made when first asked for and kept.
pub(super) struct Pages {
    sites: Vec<OnceLock<Bodies>>,
    urls_per_sitemap: usize,
    small: bool,
    prose: String,
    bomb: OnceLock<Bomb>,
    bomb_bytes: u64,
    big_bytes: u64,
}

struct Bodies {
    home: Bytes,
    contact: Bytes,
    about: Bytes,
    robots: Bytes,
    index: Bytes,
    plain: Bytes,
    gzip: Bytes,
}

impl Pages {
    pub(super) fn new(options: &SitesOptions) -> Self {
        Self {
            sites: (0..options.sites).map(|_| OnceLock::new()).collect(),
            urls_per_sitemap: options.urls_per_sitemap,
            small: options.small,
            prose: prose(),
            bomb: OnceLock::new(),
            bomb_bytes: options.bomb_bytes,
            big_bytes: options.big_bytes,
        }
    }

    /// The document at `path` of `<name>.sites.test`, if there is one.
    pub(super) fn document(&self, name: &str, path: &str) -> Option<Document> {
        match name {
            "bomb" => self.of_bomb(path),
            "big" => (path == "/").then(|| self.big()),
            "soft404" => Some(Document::whole(HTML, self.bodies(0)?.home.clone())),
            "flaky" | "bad.name" | "back.name" => self.of_site(0, path),
            _ => self.of_site(name.strip_prefix("site")?.parse().ok()?, path),
        }
    }

    fn of_site(&self, number: usize, path: &str) -> Option<Document> {
        let bodies = self.bodies(number)?;
        let (media_type, bytes) = match path {
            "/" => (HTML, &bodies.home),
            "/contact" => (HTML, &bodies.contact),
            "/about" => (HTML, &bodies.about),
            "/robots.txt" => (TEXT, &bodies.robots),
            "/sitemap.xml" => (XML, &bodies.index),
            "/sitemap-pages.xml" => (XML, &bodies.plain),
            "/sitemap-goods.xml.gz" => (GZIP, &bodies.gzip),
            "/favicon.svg" => {
                return Some(Document::whole(
                    SVG,
                    drawing(number, "M4 0a4 4 0 1 0 .1 0", 8).into(),
                ));
            }
            "/logo.svg" => return Some(Document::whole(SVG, drawing(number, "M0 2h30v4H0z", 30).into())),
            _ => return None,
        };
        Some(Document::whole(media_type, bytes.clone()))
    }

    fn bodies(&self, number: usize) -> Option<&Bodies> {
        let site = self.sites.get(number)?;
        Some(site.get_or_init(|| self.write(Site { number })))
    }

    fn write(&self, site: Site) -> Bodies {
        let host = site.host();
        let count = self.urls_per_sitemap;
        let (home, sitemap) = if self.small {
            (small_home(site), "sitemap-pages.xml")
        } else {
            (home(site, &self.prose), "sitemap.xml")
        };
        Bodies {
            home: home.into(),
            contact: contact(site).into(),
            about: format!(
                "<!doctype html><title>About {}</title><p>Since 1987.</p>",
                site.title()
            )
            .into(),
            robots: format!("User-agent: *\nDisallow: /private/\n\nSitemap: https://{host}/{sitemap}\n")
                .into(),
            index: index(&host).into(),
            plain: urlset(&host, "pages", count).into(),
            gzip: gzip(urlset(&host, "goods", count).as_bytes()).into(),
        }
    }

    fn of_bomb(&self, path: &str) -> Option<Document> {
        match path {
            "/" => Some(Document::html("<!doctype html><title>A quiet place</title>")),
            "/robots.txt" => Some(Document::whole(
                TEXT,
                Bytes::from("Sitemap: https://bomb.sites.test/sitemap.xml.gz\n"),
            )),
            "/sitemap.xml.gz" => Some(self.bomb.get_or_init(|| Bomb::new(self.bomb_bytes)).document()),
            _ => None,
        }
    }

    fn big(&self) -> Document {
        let start = Bytes::from("<!doctype html><html><head><title>Big</title></head><body>");
        let middle = Bytes::from(self.prose.clone());
        let times = self.big_bytes / middle.len() as u64;
        Document::repeated(HTML, start, middle, times, Bytes::from("</body></html>"))
    }
}

fn home(site: Site, prose: &str) -> String {
    let (host, title, language, handle) = (site.host(), site.title(), site.language(), site.handle());
    let phone = site.phone();
    let generator = if site.is_wordpress() {
        r#"<meta name="generator" content="WordPress 6.5.2"><link rel="stylesheet" href="/wp-content/themes/plain/style.css?ver=6.5.2">"#
    } else {
        ""
    };
    format!(
        r#"<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="description" content="{title}: repairs and made to measure."><link rel="icon" href="/favicon.svg">
<link rel="canonical" href="https://{host}/">{generator}</head><body>
<header><img class="site-logo" src="/logo.svg" alt="{title}"><nav><a href="/about">About us</a> <a href="/contact">Contact</a></nav></header>
<main><h1>{title}</h1>{prose}</main>
<footer><a href="mailto:hello@{host}">Write to us</a> <a href="tel:{phone}">Call us</a>
<a href="https://www.facebook.com/{handle}">Facebook</a> <a href="https://x.com/{handle}">X</a>
<a href="https://www.linkedin.com/company/{handle}">LinkedIn</a> <a href="https://www.instagram.com/{handle}/">Instagram</a></footer>
</body></html>"#
    )
}

fn small_home(site: Site) -> String {
    let (host, title) = (site.host(), site.title());
    format!(
        r#"<!doctype html><html lang="en"><title>{title}</title><p><a href="mailto:hello@{host}">Write to us</a></html>"#
    )
}

/// A shape in a colour of the site's own.
fn drawing(number: usize, path: &str, width: u32) -> String {
    let hue = number * 47 % 360;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 8"><path fill="hsl({hue} 60% 40%)" d="{path}"/></svg>"#
    )
}

fn contact(site: Site) -> String {
    let (title, email) = (site.title(), site.contact_email());
    format!(
        "<!doctype html><html><head><title>Contact {title}</title></head><body><p>Orders: {email}</p></body></html>"
    )
}

/// About 16 KB of paragraphs, so that a home page has an ordinary size.
fn prose() -> String {
    const WORDS: [&str; 12] = [
        "oak", "lathe", "brass", "repair", "measure", "hinge", "winter", "order", "plane", "drawer", "glue",
        "saw",
    ];
    let mut text = String::new();
    for paragraph in 0..50 {
        let words = (0..50).map(|word| WORDS[(paragraph * 7 + word * word) % WORDS.len()]);
        let _never_fails = writeln!(text, "<p>{}.</p>", words.collect::<Vec<_>>().join(" "));
    }
    text
}

fn index(host: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><sitemapindex xmlns="{NAMESPACE}"><sitemap><loc>https://{host}/sitemap-pages.xml</loc></sitemap><sitemap><loc>https://{host}/sitemap-goods.xml.gz</loc><lastmod>2025-03-01</lastmod></sitemap></sitemapindex>"#
    )
}

fn urlset(host: &str, folder: &str, count: usize) -> String {
    let mut text = format!(r#"<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{NAMESPACE}">"#);
    for number in 0..count {
        let day = 1 + number % 28;
        let _never_fails = writeln!(
            text,
            "<url><loc>https://{host}/{folder}/{number}?from=map&amp;n={number}</loc><lastmod>2025-02-{day:02}</lastmod></url>"
        );
    }
    text.push_str("</urlset>");
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}
