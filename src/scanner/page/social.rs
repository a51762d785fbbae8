//! Profiles on social networks; buttons that share a page are not profiles.

mod credit;
mod networks;

use scraper::node::Element;
use url::Url;

use self::credit::{is_credited, names_others};

use self::networks::Network;
use super::json_ld::Graph;
use super::outline::{Anchor, Outline};
use super::tree::{attribute, has_word};
use crate::scanner::site::registrable;
use crate::values::findings::{Social, SocialLinks};

/// Maximum profiles kept per page.
const MAX_SOCIALS: usize = 100;

/// How a profile was found, the most reliable first: statements about the site, then links in a header, footer or
/// navigation (`frame`), then other links, which may lead to the profiles of others.
const SOURCES: &[&str] = &["json_ld", "meta", "frame", "link"];

/// All profiles that a page links to, or names in plugins, JSON-LD or `<meta>`, in this order. Links in comments and
/// embedded posts do not count.
pub(super) fn socials(page: &Outline, graph: &Graph) -> Vec<Social> {
    let same_as = graph
        .owners()
        .into_iter()
        .flat_map(|node| node.texts("sameAs"))
        .map(|url| (url, "json_ld"));
    let is_about_others = names_others(page);
    let is_of_site = |anchor: &&Anchor| !anchor.is_by_others && (anchor.in_frame || !is_about_others);
    let linked = page.anchors.iter().filter(is_of_site);
    let linked = linked.map(|anchor| {
        (
            anchor.href.clone(),
            if anchor.in_frame { "frame" } else { "link" },
        )
    });
    let mut found: Vec<Social> = Vec::new();
    let others = credited(page);
    for (url, source) in linked
        .chain(in_plugins(page).map(|url| (url, "link")))
        .chain(same_as)
        .chain(in_metas(page).map(|url| (url, "meta")))
    {
        let Some(mut social) = page.base.join(url.trim()).ok().as_ref().and_then(profile) else {
            continue;
        };
        let is_of_others = is_own_page(page, &social) || is_of_builder(page, &social);
        if is_of_others || others.contains(&social.url) {
            continue;
        }
        source.clone_into(&mut social.source);
        add(&mut found, social);
    }
    found
}

/// Adds a profile if there is room. If it is known already, it keeps the more reliable source.
pub(super) fn add(found: &mut Vec<Social>, social: Social) {
    let has_room = found.len() < MAX_SOCIALS;
    match found.iter_mut().find(|known| is_same(known, &social)) {
        Some(known) if rank(known) > rank(&social) => known.source = social.source,
        None if has_room => found.push(social),
        Some(_) | None => {}
    }
}

/// Place among [`SOURCES`].
fn rank(social: &Social) -> usize {
    let place = SOURCES.iter().position(|source| *source == social.source);
    place.unwrap_or(SOURCES.len())
}

/// Whether two URLs are of one profile, in different notations: `/acme`, `/user/acme`, `/@acme`.
fn is_same(one: &Social, other: &Social) -> bool {
    one.network == other.network && (one.url == other.url || identity(one) == identity(other))
}

/// The kind of a profile, and its name or the number that some networks add to it.
fn identity(social: &Social) -> (&'static str, String) {
    /// Minimum digits of an account's number; shorter numbers are part of a name.
    const NUMBER: usize = 9;
    let url = Url::parse(&social.url).ok();
    let kind = url.as_ref().and_then(read).map_or("", |found| found.kind);
    let number = social
        .url
        .rsplit(['/', '-', '='])
        .next()
        .filter(|last| last.len() >= NUMBER && last.bytes().all(|byte| byte.is_ascii_digit()));
    let name = social.handle.as_deref().unwrap_or(&social.url);
    (kind, number.unwrap_or(name).to_lowercase())
}

/// Whether a page of a network links to the network itself: to members, posts or help. These are not profiles of the
/// site.
fn is_own_page(page: &Outline, social: &Social) -> bool {
    let site = |url: &Url| url.host_str().map(|host| registrable(host).to_owned());
    Url::parse(&social.url).is_ok_and(|url| site(&url) == site(&page.url))
}

/// The URLs of profiles that a page credits for making it or for a picture, except those with the site's name.
fn credited(page: &Outline) -> Vec<String> {
    let host = page.base.host_str().map(registrable).unwrap_or_default();
    let name = host.split('.').next().unwrap_or_default().to_owned();
    let credited = page
        .anchors
        .iter()
        .filter(|anchor| is_credited(&page.text[..anchor.at]));
    let profiles = credited.filter_map(|anchor| profile(&page.base.join(anchor.href.trim()).ok()?));
    let names = [name];
    profiles
        .filter(|social| resemblance(social, &names) == 0)
        .map(|social| social.url)
        .take(MAX_SOCIALS)
        .collect()
}

/// Whether a profile belongs to the maker of a site builder or theme: new sites contain links to these.
fn is_of_builder(page: &Outline, social: &Social) -> bool {
    const BUILDERS: &[&str] = &[
        "wix",
        "wixcom",
        "squarespace",
        "shopify",
        "wordpress",
        "wordpresscom",
        "wordpressdotcom",
        "elegantthemes",
        "envato",
        "themeforest",
        "webflow",
        "godaddy",
        "jimdo",
        "weebly",
        "odoo",
        "prestashop",
        "framer",
        "elementor",
        "elemntor",
    ];
    let handle = social.handle.as_deref().unwrap_or_default();
    let handle = handle.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let host = page.base.host_str().map(registrable).unwrap_or_default();
    let name = host.split('.').next().unwrap_or_default();
    BUILDERS.contains(&handle.as_str()) && (name.is_empty() || !handle.starts_with(name))
}

/// The pages that Facebook plugins show, in an iframe or in an element that Facebook's script fills.
fn in_plugins(page: &Outline) -> impl Iterator<Item = String> + '_ {
    let frames = page
        .assets
        .iter()
        .filter(|url| url.contains("facebook.com/") && url.contains("/plugins/"))
        .cloned();
    let is_plugin = |element: &&Element| {
        ["fb-page", "fb-like-box", "fb-follow"]
            .iter()
            .any(|name| has_word(element, "class", name))
    };
    let elements = page.elements().filter(is_plugin);
    let named = elements.filter_map(|element| attribute(element, "data-href"));
    frames.chain(named.map(str::to_owned)).take(MAX_SOCIALS)
}

/// The accounts that a page names for its previews: `article:publisher` and `twitter:site`.
fn in_metas(page: &Outline) -> impl Iterator<Item = String> {
    let facebook = page
        .metas
        .iter()
        .filter(|(name, _)| name == "article:publisher")
        .map(|(_, url)| url.clone());
    let twitter = page
        .metas
        .iter()
        .filter(|(name, _)| name == "twitter:site")
        .filter_map(|(_, account)| {
            let name = account.trim().strip_prefix('@')?;
            let is_name = (1..=15).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            is_name.then(|| format!("https://twitter.com/{name}"))
        });
    facebook.chain(twitter)
}

/// One profile for each of the predecessor's five networks. JSON-LD precedes `<meta>`, and `<meta>` precedes links.
/// Within each of these, the profile whose name is most similar to the site's comes first; then links in a frame, then
/// the order on the page.
pub(super) fn links(socials: &[Social], names: &[String]) -> SocialLinks {
    let place = |social: &Social| match rank(social) {
        stated @ 0..=1 => (stated, false),
        linked => (2, linked > 2),
    };
    let best = |network: &str| {
        let of_network = socials.iter().filter(|social| social.network == network);
        let best = of_network.min_by_key(|social| {
            let (stated, in_text) = place(social);
            (stated, std::cmp::Reverse(resemblance(social, names)), in_text)
        });
        Some(best?.url.clone())
    };
    SocialLinks {
        facebook: best("facebook"),
        twitter: best("twitter"),
        linkedin: best("linkedin"),
        instagram: best("instagram"),
        youtube: best("youtube"),
    }
}

/// How similar a profile's name is to the site's names: 2 if equal, 1 if one contains the other, otherwise 0.
fn resemblance(social: &Social, names: &[String]) -> u8 {
    /// Shorter names are part of others by chance.
    const SHORTEST: usize = 4;
    let letters = |text: &str| -> String {
        text.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let handle = social.handle.as_deref().map(letters).unwrap_or_default();
    let likeness = |name: &String| {
        let name = letters(name);
        let is_within = |one: &str, other: &str| one.len() >= SHORTEST && other.contains(one);
        if handle.is_empty() || name.is_empty() {
            0
        } else if handle == name {
            2
        } else {
            u8::from(is_within(&handle, &name) || is_within(&name, &handle))
        }
    };
    names.iter().map(likeness).max().unwrap_or_default()
}

/// What a profile's URL says about the profile.
struct Read {
    social: Social,
    kind: &'static str,
}

/// The profile at a URL.
fn profile(url: &Url) -> Option<Social> {
    read(url).map(|found| found.social)
}

fn read(url: &Url) -> Option<Read> {
    /// Maximum bytes of a URL. A URL may contain another one, which is read recursively.
    const MAX_URL: usize = 2_000;
    if url.as_str().len() > MAX_URL {
        return None;
    }
    if let Some(inner) = inner(url).or_else(|| of_application(url)) {
        return read(&inner);
    }
    let host = url.host_str()?.to_ascii_lowercase();
    let network = Network::at(&host)?;
    let path = without_blanks(url.path());
    // Some sites write the `@` of a mention into the path.
    let path = match path.strip_prefix('@') {
        Some(name) if network.shapes.iter().all(|shape| shape.prefix != "@") => name,
        _ => path,
    };
    let lower = path.to_ascii_lowercase();
    let first = lower.split('/').next().unwrap_or_default();
    let is_hidden = first.is_empty() || first.len() > 200 || network.own.split(' ').any(|own| own == first);
    if is_hidden || is_version_or_post(network, first) {
        return None;
    }
    let shape = network
        .shapes
        .iter()
        .find(|shape| lower.starts_with(shape.prefix))?;
    let small = ["m.", "mobile.", "touch.", "mbasic."];
    let host = match small.iter().find_map(|small| host.strip_prefix(small)) {
        Some(rest) if network.name == "twitter" => rest.to_owned(),
        Some(rest) => format!("www.{rest}"),
        None => host,
    };
    let found_profile = |handle: String, path: String| {
        let social = Social {
            network: network.name.to_owned(),
            url: format!("https://{host}/{path}"),
            handle: Some(handle),
            source: String::new(),
        };
        let kind = shape.kind;
        Some(Read { social, kind })
    };
    if shape.segments == 0 {
        let (name, id) = url
            .query_pairs()
            .find(|(name, _)| name == "id" || name == "gid")?;
        let id: String = id.chars().take_while(char::is_ascii_digit).collect();
        return (!id.is_empty())
            .then(|| found_profile(id.clone(), format!("{}?{name}={id}", shape.prefix)))?;
    }
    let mut segments = path[shape.prefix.len()..]
        .split('/')
        .filter(|segment| !segment.is_empty());
    let own: Vec<&str> = segments.by_ref().take(shape.segments).collect();
    let name = *own.first()?;
    let name = decoded(if shape.prefix.ends_with("category/") {
        own.get(1)?
    } else {
        name
    });
    let name = name.trim_start_matches('@');
    let is_own = shape.prefix.is_empty() && network.has_own(first)
        || !shape.prefix.is_empty() && matches!(name, "create" | "setup" | "new" | "unavailable");
    let goes_on = segments
        .next()
        .is_none_or(|next| network.goes_on_with(&next.to_ascii_lowercase()));
    if is_own || !goes_on || !network.may_be_called(name) {
        return None;
    }
    found_profile(
        name.to_owned(),
        format!("{}{}", &path[..shape.prefix.len()], own.join("/")),
    )
}

/// The URL within another one, by mistake or in an old notation: `facebook.com/https://www.facebook.com/acme`,
/// `site.com/www.facebook.com/acme`, `http://https://…`, `twitter.com/#!/acme`.
fn inner(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    if let Some(path) = url.fragment().and_then(|fragment| fragment.strip_prefix("!/")) {
        let is_start_page = matches!(url.path(), "/" | "/home.php" | "/index.php" | "/profile.php");
        let mut inner = url.join(&format!("/{path}")).ok().filter(|_| is_start_page)?;
        inner.set_fragment(None);
        return Some(inner);
    }
    if let Some(target) = redirected(url, host) {
        return Some(target);
    }
    let path = decoded(url.path());
    if matches!(host, "http" | "https") {
        return Url::parse(&format!("https://{}", path.trim_start_matches('/'))).ok();
    }
    let begins = |scheme: &str| path.find(scheme).map(|at| &path[at + scheme.len()..]);
    let rest = begins("https:/")
        .or_else(|| begins("http:/"))
        .filter(|_| Network::at(host).is_some());
    let rest = rest.map(|rest| rest.trim_start_matches('/')).or_else(|| {
        // A link without its scheme resolves to a path of the site.
        let is_network = |host: &str| Network::at(&host.to_ascii_lowercase()).is_some();
        let mut rest = path.trim_start_matches('/');
        loop {
            let (segment, after) = rest.split_once('/')?;
            if is_network(segment) {
                return Some(rest);
            }
            rest = after;
        }
    })?;
    let inner = Url::parse(&format!("https://{rest}")).ok()?;
    let query = url.query().filter(|_| inner.path().ends_with("profile.php"));
    let mut inner = inner.clone();
    if query.is_some() {
        inner.set_query(query);
    }
    Some(inner)
}

/// The target of a link through a service that counts clicks or shows a warning, or the page that a Facebook plugin
/// shows.
fn redirected(url: &Url, host: &str) -> Option<Url> {
    let is_at = |name: &str| {
        host.strip_suffix(name)
            .is_some_and(|start| start.is_empty() || start.ends_with('.'))
    };
    let is_google = || registrable(host).split('.').next() == Some("google");
    let names: &[&str] = match url.path() {
        "/l.php" if is_at("facebook.com") => &["u"],
        "/" if host == "l.instagram.com" || host == "l.threads.net" => &["u"],
        "/redirect" if is_at("youtube.com") => &["q"],
        "/url" if is_google() => &["q", "url"],
        path if is_at("facebook.com") && path.contains("/plugins/") => {
            let plugin = path.rsplit('/').next().unwrap_or_default();
            let is_page = matches!(
                plugin,
                "page.php" | "page" | "likebox.php" | "follow.php" | "fan.php"
            );
            if is_page { &["href"] } else { &[] }
        }
        _ => &[],
    };
    let mut pairs = url.query_pairs();
    let (_, target) = pairs.find(|(name, _)| names.contains(&name.as_ref()))?;
    Url::parse(target.trim()).ok()
}

/// The profile that a link opens in the network's app: `tg://resolve?domain=acme`, `https://m.me/acme`.
fn of_application(url: &Url) -> Option<Url> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if url.scheme() == "tg" {
        let (_, name) = url.query_pairs().find(|(key, _)| key == "domain")?;
        return is_name(&name).then(|| Url::parse(&format!("https://t.me/{name}")).ok())?;
    }
    if matches!(url.host_str()?, "m.me" | "www.m.me") {
        let name = url.path().trim_matches('/');
        return is_name(name).then(|| Url::parse(&format!("https://www.facebook.com/{name}")).ok())?;
    }
    None
}

/// A path without slashes and encoded spaces at its ends.
fn without_blanks(path: &str) -> &str {
    let mut path = path;
    loop {
        let bare = path.trim_matches('/');
        let bare = bare.strip_prefix("%20").unwrap_or(bare);
        let bare = bare.strip_suffix("%20").unwrap_or(bare);
        if bare == path {
            return bare;
        }
        path = bare;
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// Whether a path begins with an API version (`v17.0`) or a post on VK (`video-1_2`, `wall-1_2`).
fn is_version_or_post(network: &Network, first: &str) -> bool {
    let is_version = first.strip_prefix('v').is_some_and(|rest| {
        rest.contains('.') && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    let is_vk_post = network.name == "vk"
        && [
            "video-", "wall-", "photo-", "topic-", "album-", "clip-", "market-",
        ]
        .iter()
        .any(|post| first.starts_with(post));
    is_version || is_vk_post
}

#[cfg(test)]
mod tests;
