//! Profiles, and URLs that only look like profiles.

use super::*;

fn shown(url: &str) -> Option<(String, String)> {
    let social = profile(&Url::parse(url).unwrap())?;
    Some((social.url, social.handle.unwrap_or_default()))
}

/// URLs with the expected profiles and their names.
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
        "http://www.facebook.com/group.php?gid=12",
        "https://www.facebook.com/group.php?gid=12",
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
    ("tg://resolve?domain=acme", "https://t.me/acme", "acme"),
    ("https://m.me/acme?ref=x", "https://www.facebook.com/acme", "acme"),
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
        "tg://resolve?phone=359888123456",
        "tg://msg?text=x",
        "https://m.me/",
        "https://m.me/j/Abc/",
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
    let own_links = links(&[vendor.clone(), writer.clone(), own.clone()], &names);
    assert_eq!(
        own_links.twitter.as_deref(),
        Some("https://twitter.com/acmetools")
    );
    let stated = social("https://twitter.com/atools", "json_ld");
    let own_links = links(&[vendor.clone(), own, stated], &names);
    assert_eq!(own_links.twitter.as_deref(), Some("https://twitter.com/atools"));
    let own_links = links(&[writer, vendor], &names);
    assert_eq!(
        own_links.twitter.as_deref(),
        Some("https://twitter.com/themeworks")
    );
}

#[test]
fn the_sites_own_profile_stands_for_it_and_counts_once() {
    use super::super::outline::outline;
    let html = "<p>See <a href=https://twitter.com/someone>them</a>
        <div id=comments><a href=https://twitter.com/visitor></a></div>
        <footer><a href=https://twitter.com/Acme></a><a href=https://www.twitter.com/acme></a></footer>";
    let page = outline(html, &Url::parse("https://acme.test/").unwrap());
    let found = socials(&page, &Graph::default());
    let own_links: Vec<(&str, &str)> = found
        .iter()
        .map(|social| (social.url.as_str(), social.source.as_str()))
        .collect();
    assert_eq!(
        own_links,
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

/// The profiles that a page links to.
fn linked(html: &str, url: &str) -> Vec<String> {
    use super::super::outline::outline;
    let page = outline(html, &Url::parse(url).unwrap());
    let found = socials(&page, &Graph::default());
    found.into_iter().map(|social| social.url).collect()
}

#[test]
fn links_of_a_network_to_itself_are_no_profiles() {
    let html = "<a href=/pricing><a href=/channels/staff><a href=https://x.com/vimeo>";
    assert_eq!(linked(html, "https://vimeo.com/"), ["https://x.com/vimeo"]);
    // A member's page links to other members; nothing on it says whose page it is.
    let html = "<a href=/in/jane><a href=https://uk.linkedin.com/company/other><a href=https://x.com/acme>";
    assert_eq!(
        linked(html, "https://www.linkedin.com/company/acme"),
        ["https://x.com/acme"]
    );
    // A site that a network hosts under a domain of the site's own is another site.
    assert_eq!(
        linked("<a href=https://github.com/acme>", "https://acme.github.io/"),
        ["https://github.com/acme"]
    );
}

#[test]
fn embedded_posts_are_by_others_and_follow_buttons_are_not() {
    let post = "<a href=https://twitter.com/somebody?ref_src=twsrc>@somebody</a>";
    let follow = "<a class=twitter-follow-button href=https://twitter.com/acme?ref_src=twsrc>Follow</a>";
    for container in [
        "blockquote class=twitter-tweet",
        "blockquote class='twitter-tweet tw-align-center'",
        "blockquote class=instagram-media",
        "blockquote class=tiktok-embed",
        "blockquote class=bluesky-embed",
        "div class=fb-post",
    ] {
        let name = container.split(' ').next().unwrap_or_default();
        let html = format!("<{container}>{post}</{name}>{follow}");
        assert_eq!(
            linked(&html, "https://acme.example/"),
            ["https://twitter.com/acme"],
            "{container}"
        );
    }
    // Old pages indent text with `<blockquote>`.
    assert_eq!(
        linked(
            "<blockquote><a href=https://twitter.com/acme>us</a></blockquote>",
            "https://acme.example/"
        ),
        ["https://twitter.com/acme"]
    );
}

#[test]
fn profiles_of_builders_and_of_those_who_made_the_site_are_not_its_own() {
    let html =
        "<a href=https://www.facebook.com/wix><a href=https://twitter.com/wix><a href=https://x.com/acme>
        <a href=https://www.youtube.com/user/Wix><a href='https://pinterest.com/pin-builder/?url=x'>";
    assert_eq!(linked(html, "https://acme.example/"), ["https://x.com/acme"]);
    assert_eq!(linked(html, "https://support.wix.com/").len(), 4);
    let html = "<p>Website by <a href=https://www.instagram.com/pixel/>Pixel</a>
        <p>Follow us: <a href=https://www.instagram.com/trattoria/>Instagram</a>";
    assert_eq!(
        linked(html, "https://acme.example/"),
        ["https://www.instagram.com/trattoria"]
    );
    let html = "<p>Made with love by <a href=https://www.instagram.com/acme/>us</a>";
    assert_eq!(
        linked(html, "https://acme.example/"),
        ["https://www.instagram.com/acme"]
    );
}

#[test]
fn pages_in_plugins_and_behind_redirections_are_profiles() {
    for html in [
        "<iframe src='https://www.facebook.com/plugins/page.php?href=https%3A%2F%2Fwww.facebook.com%2Facme%2F&tabs=x'>",
        "<div class=fb-page data-href='https://www.facebook.com/acme'></div>",
        "<a href='https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.facebook.com%2Facme%2F%3Ffbclid%3Dx&amp;h=y'>",
        "<a href='https://www.google.com/url?q=https://www.facebook.com/acme/&amp;sa=D'>",
        "<a href='https://l.instagram.com/?u=https%3A%2F%2Fwww.facebook.com%2Facme'>",
    ] {
        assert_eq!(
            linked(html, "https://site.example/"),
            ["https://www.facebook.com/acme"],
            "{html}"
        );
    }
    for html in [
        "<iframe src='https://www.facebook.com/plugins/like.php?href=https%3A%2F%2Fwww.facebook.com%2Facme%2F'>",
        "<iframe src='https://www.facebook.com/plugins/page.php?href=https%3A%2F%2Facme.example'>",
        "<a href='https://www.google.com/search?q=https://www.facebook.com/acme/'>",
        "<div data-href='https://www.facebook.com/acme'></div>",
        "<a href='https://t.me/+359888123456'>",
    ] {
        assert_eq!(linked(html, "https://site.example/"), [""; 0], "{html}");
    }
}
