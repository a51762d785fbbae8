//! Profiles on social networks; buttons that share a page are not profiles.

mod networks;

use url::Url;

use self::networks::NETWORKS;
use super::json_ld::{Node, is_organization, texts};
use super::outline::Outline;
use crate::scanner::site::registrable;
use crate::values::findings::{Social, SocialLinks};

/// Profiles kept of one page.
const MAX_SOCIALS: usize = 100;

/// How a profile was found, the surest first: what a site states of itself before what stands on all its pages,
/// before what may be about others.
const SOURCES: &[&str] = &["json_ld", "meta", "frame", "link"];

/// All profiles that a page links to or names in JSON-LD, in document order. Links that visitors wrote do not count.
pub(super) fn socials(page: &Outline, nodes: &[Node]) -> Vec<Social> {
    let same_as = nodes
        .iter()
        .filter(|node| is_organization(node))
        .flat_map(|node| texts(node, "sameAs"))
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

/// Whether two are one profile: hosts differ by `www.`, `m.` and the reader's language.
fn is_same(one: &Social, other: &Social) -> bool {
    let path = |social: &Social| social.url.splitn(4, '/').nth(3).map(str::to_ascii_lowercase);
    one.network == other.network && path(one) == path(other)
}

/// Whether a network links to one of its own pages, which looks like a profile where names stand directly under its
/// host (`vimeo.com/pricing`).
fn is_own_page(page: &Outline, social: &Social) -> bool {
    let home = |url: &Url| url.host_str().map(|host| registrable(host).to_owned());
    let is_at_home = Url::parse(&social.url).is_ok_and(|url| home(&url) == home(&page.url));
    let is_plain = social
        .url
        .splitn(4, '/')
        .nth(3)
        .is_some_and(|path| !path.contains(['/', '@', '?']));
    is_at_home && (is_plain || social.network == "reddit")
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

/// The predecessor's five networks: of each the profile whose source is the surest, the first of equals.
pub(super) fn links(socials: &[Social]) -> SocialLinks {
    let first = |network: &str| {
        let of_network = socials.iter().filter(|social| social.network == network);
        Some(of_network.min_by_key(|social| rank(social))?.url.clone())
    };
    SocialLinks {
        facebook: first("facebook"),
        twitter: first("twitter"),
        linkedin: first("linkedin"),
        instagram: first("instagram"),
        youtube: first("youtube"),
    }
}

/// The profile that an URL is the address of.
fn profile(url: &Url) -> Option<Social> {
    let host = url.host_str()?.to_ascii_lowercase();
    let is_at = |known: &str| host.strip_suffix(known).is_some_and(is_front_door);
    let network = NETWORKS
        .iter()
        .find(|network| network.hosts.iter().any(|known| is_at(known)))?;
    // `twitter.com/#!/name`, as it was written once.
    let path = match url.fragment().and_then(|fragment| fragment.strip_prefix("!/")) {
        Some(path) if url.path() == "/" => path,
        _ => url.path(),
    };
    let path = path.trim_matches('/');
    let first = path.split('/').next().unwrap_or_default().to_ascii_lowercase();
    if first.is_empty() || first.len() > 200 || network.never.contains(&first.as_str()) {
        return None;
    }
    // `v17.0` is the API's, `video-1_2` and `wall-1_2` are posts of VK.
    let is_version = first.strip_prefix('v').is_some_and(|rest| {
        rest.contains('.') && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    let is_vk_post = network.name == "vk"
        && ["video-", "wall-", "photo-", "topic-", "album-"]
            .iter()
            .any(|post| first.starts_with(post));
    if is_version || is_vk_post {
        return None;
    }
    let prefix = network
        .prefixes
        .iter()
        .find(|prefix| path.to_ascii_lowercase().starts_with(*prefix))?;
    let rest = &path[prefix.len()..];
    let by_id = *prefix == "profile.php";
    let handle = if by_id {
        url.query_pairs()
            .find(|(name, _)| name == "id")
            .map(|(_, id)| id.into_owned())?
    } else {
        handle(network.name, prefix, rest)?
    };
    let kept = if by_id {
        format!("profile.php?id={handle}")
    } else {
        profile_path(path, prefix)
    };
    let host = host
        .strip_prefix("m.")
        .map(|rest| format!("www.{rest}"))
        .unwrap_or(host);
    Some(Social {
        network: network.name.to_owned(),
        url: format!("https://{host}/{kept}"),
        handle: Some(handle).filter(|handle| !handle.is_empty()),
        source: String::new(),
    })
}

/// What may stand before a network's host: nothing, `www.`, `m.`, a country or locale; `blog.` is another matter.
fn is_front_door(prefix: &str) -> bool {
    let Some(label) = prefix.strip_suffix('.') else {
        return prefix.is_empty();
    };
    let is_locale = matches!(label.len(), 2 | 5)
        && label.bytes().enumerate().all(|(at, byte)| {
            if at == 2 {
                byte == b'-'
            } else {
                byte.is_ascii_lowercase()
            }
        });
    is_locale || matches!(label, "www" | "m" | "mobile" | "web")
}

/// A profile's name: the segment after the prefix. Deeper paths directly under the host are posts, not profiles.
fn handle(network: &str, prefix: &str, rest: &str) -> Option<String> {
    let mut segments = rest.split('/');
    let name = segments.next().filter(|name| !name.is_empty())?;
    let deeper = segments.next();
    let is_post = (prefix.is_empty() || prefix == "photos/")
        && match (network, deeper) {
            ("twitter", Some(deeper)) => matches!(deeper, "status" | "statuses" | "lists" | "moments"),
            // What a profile has saved or made; anything else is a board.
            ("pinterest", Some(deeper)) => !deeper.starts_with('_') && deeper != "pins" && deeper != "boards",
            (
                "github" | "instagram" | "vimeo" | "tumblr" | "soundcloud" | "telegram" | "behance",
                Some(_),
            ) => true,
            // A single photo.
            ("flickr", Some(deeper)) => deeper.bytes().all(|byte| byte.is_ascii_digit()),
            ("facebook", Some(deeper)) => matches!(deeper, "posts" | "photos" | "videos" | "events"),
            _ => false,
        };
    let is_video_id = network == "vimeo" && name.bytes().all(|byte| byte.is_ascii_digit());
    (!is_post && !is_video_id).then(|| name.trim_start_matches('@').to_owned())
}

/// The path up to the profile, without what comes after it (`/company/x/about`).
fn profile_path(path: &str, prefix: &str) -> String {
    // `pages/Name/123` and `people/Name/123` need all three parts.
    let segments = match prefix {
        "pages/" | "people/" => 3,
        _ => prefix.matches('/').count() + 1,
    };
    path.split('/').take(segments).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> Option<(String, String)> {
        let social = profile(&Url::parse(url).unwrap())?;
        Some((social.url, social.handle.unwrap_or_default()))
    }

    #[test]
    fn profiles_are_known_with_their_names() {
        for (url, wanted, handle) in [
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
                "https://www.reddit.com/r/acme/",
                "https://www.reddit.com/r/acme",
                "acme",
            ),
            (
                "https://www.tiktok.com/@acme",
                "https://www.tiktok.com/@acme",
                "acme",
            ),
        ] {
            assert_eq!(shown(url), Some((wanted.to_owned(), handle.to_owned())), "{url}");
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
        ] {
            assert_eq!(shown(url), None, "{url}");
        }
    }

    #[test]
    fn the_sites_own_profile_stands_for_it_and_counts_once() {
        use super::super::outline::outline;
        let html = "<p>See <a href=https://twitter.com/someone>them</a>
            <div id=comments><a href=https://twitter.com/visitor></a></div>
            <footer><a href=https://twitter.com/Acme></a><a href=https://www.twitter.com/acme></a></footer>";
        let page = outline(html, &Url::parse("https://acme.test/").unwrap());
        let found = socials(&page, &[]);
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
        assert_eq!(links(&found).twitter.as_deref(), Some("https://twitter.com/Acme"));
    }

    #[test]
    fn a_networks_own_pages_are_no_profiles() {
        use super::super::outline::outline;
        let html = "<a href=/pricing><a href=/channels/staff><a href=https://x.com/vimeo>";
        let page = outline(html, &Url::parse("https://vimeo.com/").unwrap());
        let urls: Vec<String> = socials(&page, &[]).into_iter().map(|social| social.url).collect();
        assert_eq!(urls, ["https://vimeo.com/channels/staff", "https://x.com/vimeo"]);
    }
}
