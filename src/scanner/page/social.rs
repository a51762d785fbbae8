//! Profiles on social networks; buttons that share a page are not profiles.

mod networks;

use url::Url;

use self::networks::Network;
use super::json_ld::Graph;
use super::outline::Outline;
use crate::scanner::site::registrable;
use crate::values::findings::{Social, SocialLinks};

/// Profiles kept of one page.
const MAX_SOCIALS: usize = 100;

/// How a profile was found, the surest first: what a site states of itself before what stands on all its pages,
/// before what may be about others.
const SOURCES: &[&str] = &["json_ld", "meta", "frame", "link"];

/// All profiles that a page links to or names in JSON-LD, in document order. Links that visitors wrote do not count.
pub(super) fn socials(page: &Outline, graph: &Graph) -> Vec<Social> {
    let same_as = graph
        .owners()
        .into_iter()
        .flat_map(|node| node.texts("sameAs"))
        .map(|url| (url, "json_ld"));
    let linked = page.anchors.iter().filter(|anchor| !anchor.in_comments);
    let linked = linked.map(|anchor| {
        (
            anchor.href.clone(),
            if anchor.in_frame { "frame" } else { "link" },
        )
    });
    let mut found: Vec<Social> = Vec::new();
    for (url, source) in linked
        .chain(same_as)
        .chain(in_metas(page).map(|url| (url, "meta")))
    {
        let Some(mut social) = page.base.join(url.trim()).ok().as_ref().and_then(profile) else {
            continue;
        };
        if is_own_page(page, &social) || found.len() > MAX_SOCIALS {
            continue;
        }
        source.clone_into(&mut social.source);
        add(&mut found, social);
    }
    found.truncate(MAX_SOCIALS);
    found
}

/// Adds a profile, or to the one that is known where it was found for sure.
pub(super) fn add(found: &mut Vec<Social>, social: Social) {
    match found.iter_mut().find(|known| is_same(known, &social)) {
        Some(known) if rank(known) > rank(&social) => known.source = social.source,
        Some(_) => {}
        None => found.push(social),
    }
}

/// Place among [`SOURCES`].
fn rank(social: &Social) -> usize {
    let place = SOURCES.iter().position(|source| *source == social.source);
    place.unwrap_or(SOURCES.len())
}

/// Whether two are one profile, however it is written: `/acme`, `/user/acme`, `/@acme`.
fn is_same(one: &Social, other: &Social) -> bool {
    one.network == other.network && (one.url == other.url || identity(one) == identity(other))
}

/// The kind of a profile and its name, or the number that some networks write behind it.
fn identity(social: &Social) -> (&'static str, String) {
    /// Digits of an account's number; fewer are part of a name.
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

/// Whether a network links to something of its own: from its home page to its users, from others to pages that look
/// like profiles where names stand directly under its host (`vimeo.com/pricing`).
fn is_own_page(page: &Outline, social: &Social) -> bool {
    let home = |url: &Url| url.host_str().map(|host| registrable(host).to_owned());
    let is_at_home = Url::parse(&social.url).is_ok_and(|url| home(&url) == home(&page.url));
    let path = social.url.splitn(4, '/').nth(3).unwrap_or_default();
    let is_plain = !path.contains(['/', '@', '?']);
    is_at_home && (page.url.path() == "/" || is_plain || social.network == "reddit")
}

/// The accounts that a page names for its cards.
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

/// The predecessor's five networks: of each the profile whose source is the surest; of equals the one that is called
/// as the site is, else the first.
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

/// How much a profile is called as the site is: the same, one within the other, or not at all.
fn resemblance(social: &Social, names: &[String]) -> u8 {
    /// Shorter names are within others by chance.
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

/// A profile as its URL tells it.
struct Read {
    social: Social,
    kind: &'static str,
}

/// The profile that an URL is the address of.
fn profile(url: &Url) -> Option<Social> {
    read(url).map(|found| found.social)
}

fn read(url: &Url) -> Option<Read> {
    if let Some(inner) = inner(url) {
        return read(&inner);
    }
    let host = url.host_str()?.to_ascii_lowercase();
    let network = Network::at(&host)?;
    let path = without_blanks(url.path());
    // Some write the sign that stands before names in texts.
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
    let told = |handle: String, path: String| {
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
        let (_, id) = url.query_pairs().find(|(name, _)| name == "id")?;
        let id: String = id.chars().take_while(char::is_ascii_digit).collect();
        return (!id.is_empty()).then(|| told(id.clone(), format!("{}?id={id}", shape.prefix)))?;
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
    told(
        name.to_owned(),
        format!("{}{}", &path[..shape.prefix.len()], own.join("/")),
    )
}

/// The URL that another was put around by mistake or long ago: `facebook.com/https://www.facebook.com/acme`,
/// `site.com/www.facebook.com/acme`, `http://https://…`, `twitter.com/#!/acme`.
fn inner(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    if let Some(path) = url.fragment().and_then(|fragment| fragment.strip_prefix("!/")) {
        let is_entrance = matches!(url.path(), "/" | "/home.php" | "/index.php" | "/profile.php");
        let mut inner = url.join(&format!("/{path}")).ok().filter(|_| is_entrance)?;
        inner.set_fragment(None);
        return Some(inner);
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
        // A link without its scheme is one to a path of the site.
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

/// A path without slashes and blanks around it.
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

/// `v17.0` is the API's; `video-1_2` and `wall-1_2` are posts of VK.
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
mod tests {
    use super::*;

    fn shown(url: &str) -> Option<(String, String)> {
        let social = profile(&Url::parse(url).unwrap())?;
        Some((social.url, social.handle.unwrap_or_default()))
    }

    /// URLs, the profiles they lead to and their names.
    const PROFILES: &[(&str, &str, &str)] = &[
        (
            "http://m.facebook.com/acme/?ref=x#y",
            "https://www.facebook.com/acme",
            "acme",
        ),
        (
            "https://www.facebook.com/profile.php?id=12&x=1",
            "https://www.facebook.com/profile.php?id=12",
            "12",
        ),
        (
            "https://www.facebook.com/pages/Acme/123",
            "https://www.facebook.com/pages/Acme/123",
            "Acme",
        ),
        ("https://x.com/acme", "https://x.com/acme", "acme"),
        ("https://twitter.com/#!/acme", "https://twitter.com/acme", "acme"),
        (
            "https://at.linkedin.com/company/acme/about/",
            "https://at.linkedin.com/company/acme",
            "acme",
        ),
        (
            "https://www.youtube.com/@acme/videos",
            "https://www.youtube.com/@acme",
            "acme",
        ),
        (
            "https://youtube.com/channel/UC1",
            "https://youtube.com/channel/UC1",
            "UC1",
        ),
        (
            "https://www.xing.com/news/pages/acme-12",
            "https://www.xing.com/news/pages/acme-12",
            "acme-12",
        ),
        ("https://t.me/s/acme", "https://t.me/s/acme", "acme"),
        (
            "https://www.pinterest.de/acme/_created/",
            "https://www.pinterest.de/acme",
            "acme",
        ),
        (
            "https://www.facebook.com/https://www.facebook.com/acme",
            "https://www.facebook.com/acme",
            "acme",
        ),
        (
            "https://acme.test/www.instagram.com/acme/",
            "https://www.instagram.com/acme",
            "acme",
        ),
        (
            "https://acme.test/facebook.com/acme",
            "https://facebook.com/acme",
            "acme",
        ),
        (
            "https://www.instagram.com/https%3A//instagram.com/acme",
            "https://instagram.com/acme",
            "acme",
        ),
        (
            "http://https//www.facebook.com/acme",
            "https://www.facebook.com/acme",
            "acme",
        ),
        (
            "https://www.instagram.com/@acme",
            "https://www.instagram.com/acme",
            "acme",
        ),
        (
            "https://www.facebook.com/home.php#!/pages/Acme/123?sk=wall",
            "https://www.facebook.com/pages/Acme/123",
            "Acme",
        ),
        (
            "https://www.linkedin.com/company/acme/jobs",
            "https://www.linkedin.com/company/acme",
            "acme",
        ),
        (
            "https://www.youtube.com/user/acme",
            "https://www.youtube.com/user/acme",
            "acme",
        ),
        (
            "https://www.pinterest.nz/acme",
            "https://www.pinterest.nz/acme",
            "acme",
        ),
        (
            "https://www.reddit.com/r/acme/",
            "https://www.reddit.com/r/acme",
            "acme",
        ),
        (
            "https://www.tiktok.com/@acme",
            "https://www.tiktok.com/@acme",
            "acme",
        ),
    ];

    #[test]
    fn profiles_are_known_with_their_names() {
        for (url, wanted, handle) in PROFILES {
            assert_eq!(
                shown(url),
                Some(((*wanted).to_owned(), (*handle).to_owned())),
                "{url}"
            );
        }
    }

    #[test]
    fn share_buttons_posts_and_look_alikes_are_no_profiles() {
        for url in [
            "https://www.facebook.com/sharer/sharer.php?u=x",
            "https://twitter.com/intent/tweet?text=x",
            "https://x.com/share",
            "https://www.linkedin.com/shareArticle?url=x",
            "https://www.youtube.com/watch?v=1",
            "https://www.instagram.com/p/abc/",
            "https://x.com/acme/status/1",
            "https://www.facebook.com/",
            "https://netflix.com/acme",
            "https://vimeo.com/12345",
            "https://notfacebook.com/acme",
            "https://blog.twitter.com/official",
            "https://www.facebook.com/v17.0/dialog",
            "https://vk.com/video-119533440_456253429",
            "https://vimeo.com/privacy",
            "https://www.pinterest.de/acme/a-board/",
            "https://t.me/acme/12",
            "https://www.flickr.com/photos/acme/14538243058/in/explore",
            "https://www.youtube.com/upload",
            "https://www.youtube.com/channel/",
            "https://www.youtube.com/user",
            "https://www.youtube.com/@",
            "https://www.youtube.com/account",
            "https://twitter.com/en/privacy",
            "https://twitter.com/settings/account",
            "https://www.facebook.com/groups/",
            "https://www.facebook.com/pages/",
            "https://www.facebook.com/profile.php",
            "https://www.facebook.com/l.php?u=https://acme.test",
            "https://www.facebook.com/messages/t/acme",
            "https://www.instagram.com/accounts/login/",
            "https://www.linkedin.com/company/",
            "https://www.linkedin.com/in/",
            "https://www.tiktok.com/@",
            "https://www.facebook.com/sharer/sharer.php?u=https://www.facebook.com/acme",
            "https://t.me/s/",
            "https://www.facebook.com/facebook",
            "https://www.instagram.com/Instagram/",
        ] {
            assert_eq!(shown(url), None, "{url}");
        }
    }

    #[test]
    fn one_profile_counts_once_however_it_is_written() {
        let social = |url: &str| profile(&Url::parse(url).unwrap()).unwrap();
        for (one, other) in [
            ("https://youtube.com/acme", "https://www.youtube.com/user/Acme"),
            ("https://youtube.com/@acme", "https://youtube.com/c/acme/videos"),
            (
                "https://facebook.com/pages/Acme/123456789",
                "https://facebook.com/123456789",
            ),
            (
                "https://facebook.com/Acme-123456789",
                "https://facebook.com/profile.php?id=123456789",
            ),
            ("https://t.me/s/acme", "https://t.me/acme"),
        ] {
            assert!(is_same(&social(one), &social(other)), "{one} {other}");
        }
        for (one, other) in [
            (
                "https://linkedin.com/in/acme",
                "https://linkedin.com/company/acme",
            ),
            ("https://reddit.com/r/acme", "https://reddit.com/user/acme"),
            ("https://facebook.com/acme", "https://facebook.com/acme2"),
        ] {
            assert!(!is_same(&social(one), &social(other)), "{one} {other}");
        }
    }

    #[test]
    fn of_equal_profiles_the_one_that_is_called_as_the_site_is_its_own() {
        let social = |url: &str, source: &str| {
            let mut social = profile(&Url::parse(url).unwrap()).unwrap();
            source.clone_into(&mut social.source);
            social
        };
        let names = ["acme-tools".to_owned(), "Acme Tools Ltd".to_owned()];
        let vendor = social("https://twitter.com/themeworks", "frame");
        let writer = social("https://twitter.com/jane", "link");
        let own = social("https://twitter.com/acmetools", "link");
        let told = links(&[vendor.clone(), writer.clone(), own.clone()], &names);
        assert_eq!(told.twitter.as_deref(), Some("https://twitter.com/acmetools"));
        let stated = social("https://twitter.com/atools", "json_ld");
        let told = links(&[vendor.clone(), own, stated], &names);
        assert_eq!(told.twitter.as_deref(), Some("https://twitter.com/atools"));
        let told = links(&[writer, vendor], &names);
        assert_eq!(told.twitter.as_deref(), Some("https://twitter.com/themeworks"));
    }

    #[test]
    fn the_sites_own_profile_stands_for_it_and_counts_once() {
        use super::super::outline::outline;
        let html = "<p>See <a href=https://twitter.com/someone>them</a>
            <div id=comments><a href=https://twitter.com/visitor></a></div>
            <footer><a href=https://twitter.com/Acme></a><a href=https://www.twitter.com/acme></a></footer>";
        let page = outline(html, &Url::parse("https://acme.test/").unwrap());
        let found = socials(&page, &Graph::default());
        let told: Vec<(&str, &str)> = found
            .iter()
            .map(|social| (social.url.as_str(), social.source.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("https://twitter.com/someone", "link"),
                ("https://twitter.com/Acme", "frame")
            ]
        );
        assert_eq!(
            links(&found, &[]).twitter.as_deref(),
            Some("https://twitter.com/Acme")
        );
    }

    #[test]
    fn profiles_on_a_networks_own_site_are_its_users() {
        use super::super::outline::outline;
        let html = "<a href=/pricing><a href=/channels/staff><a href=https://x.com/vimeo>";
        let page = outline(html, &Url::parse("https://vimeo.com/").unwrap());
        let urls: Vec<String> = socials(&page, &Graph::default())
            .into_iter()
            .map(|social| social.url)
            .collect();
        assert_eq!(urls, ["https://x.com/vimeo"]);
    }
}
