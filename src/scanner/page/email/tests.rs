use url::Url;

use super::super::json_ld::graph;
use super::super::outline::outline;
use super::*;

fn found(html: &str) -> Vec<(String, String)> {
    let page = outline(html, &Url::parse("https://shop.site.test/").unwrap());
    emails(&page, &graph(&page.json_ld))
        .into_iter()
        .map(|email| (email.value, email.source))
        .collect()
}

fn values(html: &str) -> Vec<String> {
    found(html).into_iter().map(|(value, _)| value).collect()
}

#[test]
fn addresses_are_found_in_every_guise() {
    for (html, source) in [
        ("<a href='MAILTO:Info%40acme-shop.com?subject=x'>", "mailto"),
        ("<a href='mailto:info&#64;acme-shop.com'>", "mailto"),
        ("<a href='mailto:Ann Acme <info@acme-shop.com>'>", "mailto"),
        ("<a href='mailto:Mailto:info@acme-shop.com'>", "mailto"),
        ("<p>info&#64;acme-shop.com.</p>", "text"),
        ("Mail:info@acme-<b></b>shop.com", "text"),
        ("<p>info [at] acme-shop (dot) com</p>", "obfuscated"),
        ("<p>info(at)acme-shop.com</p>", "obfuscated"),
        (
            "<script type='application/ld+json'>{\"email\":\"mailto:info@acme-shop.com\"}</script>",
            "json_ld",
        ),
        (
            "<span data-cfemail='11787f777e5170727c743c62797e613f727e7c'>",
            "cloudflare",
        ),
    ] {
        assert_eq!(
            found(html),
            [("info@acme-shop.com".to_owned(), source.to_owned())],
            "{html}"
        );
    }
}

#[test]
fn each_word_for_the_sign_and_the_dot_counts_in_each_kind_of_brackets() {
    for html in [
        "<p>info@acme-shop(pont)com</p>",
        "<p>info@acme-shop [точка] com</p>",
        "<p>Info At acme-shop.com; Info AT acme-shop DOT com</p>",
        "<p>info（@）acme-shop.com</p>",
        "<p>info 【at】 acme-shop ［dot］ com</p>",
        "<p>info {ät} acme-shop {punkt} com</p>",
        "<p>info &lt; chez &gt; acme-shop.com</p>",
        "<p>INFO (ZAVINÁČ) acme-shop.com</p>",
    ] {
        let wanted = ("info@acme-shop.com".to_owned(), "obfuscated".to_owned());
        assert_eq!(found(html), [wanted], "{html}");
    }
}

#[test]
fn a_local_part_is_never_cut_at_a_letter() {
    for (html, wanted) in [
        ("<p>jürgen (at) acme-shop.de</p>", "jürgen@acme-shop.de"),
        ("<p>jürgen@acme-shop.de</p>", "jürgen@acme-shop.de"),
        ("<p>Jürgen at acme-shop dot de</p>", "jürgen@acme-shop.de"),
        ("<p>info (at) bäckerei-acme (dot) de</p>", "info@bäckerei-acme.de"),
        ("<p>メールinfo@acme-shop.jp</p>", "info@acme-shop.jp"),
    ] {
        assert_eq!(values(html), [wanted], "{html}");
    }
}

#[test]
fn addresses_hidden_from_robots_are_found() {
    for (html, source) in [
        ("<p>info＠acme-shop.com</p>", "text"),
        ("<p>info（at）acme-shop.com</p>", "obfuscated"),
        ("<p>info@acme-shop[dot]com</p>", "obfuscated"),
        ("<p>info AT acme-shop DOT com</p>", "obfuscated"),
        ("<p>info arroba acme-shop punto com</p>", "obfuscated"),
        (
            "<p>info<span style='display: none'>no-spam</span>@acme-shop.com</p>",
            "text",
        ),
        (
            "<span style='unicode-bidi:bidi-override; direction:rtl'>moc.pohs-emca@ofni</span>",
            "reversed",
        ),
        ("<a data-email='info@acme-shop.com'>", "attribute"),
        ("<a data-email='vasb@npzr-fubc.pbz' data-x>", "attribute"),
        ("<a data-user=info data-domain=acme-shop.com>", "attribute"),
        (
            "<a data-name=info data-domain=acme-shop data-tld=com>",
            "attribute",
        ),
        (
            "<a href=\"javascript:linkTo_UnCryptMailto('ocknvq,kphqBceog/ujqr0eqo');\">",
            "mailto",
        ),
        (
            "<a href='#' data-mailto-token='ocknvq,kphqBceog/ujqr0eqo' data-mailto-vector=2>",
            "attribute",
        ),
        (
            "<joomla-hidden-mail first='aW5mbw==' last='YWNtZS1zaG9wLmNvbQ=='>",
            "attribute",
        ),
        (
            "<script>document.write('<a href=\"mai'+'lto:'+'info'+ '@' + \"acme-shop.com\"+'\">')</script>",
            "script",
        ),
        (
            "<script>var addy1 = '&#105;nfo' + '&#64;'; addy1 = addy1 + 'acme-shop' + '&#46;' + 'com';</script>",
            "script",
        ),
        ("<meta name=email content=info@acme-shop.com>", "meta"),
        (
            "<meta property=og:description content='Contact me here : info@acme-shop.com Linkedin'>",
            "meta",
        ),
        ("<a data-mailto-token='jxfiql7fkclXxzjb:pelm+zlj'>", "attribute"),
        ("<p>info [arobase] acme-shop [point] com</p>", "obfuscated"),
        ("<p>info (chiocciola) acme-shop.com</p>", "obfuscated"),
        ("<p>info (zavináč) acme-shop (tečka) com</p>", "obfuscated"),
        ("<p>info(kukac)acme-shop(pont)com</p>", "obfuscated"),
        ("<p>info (apenstaartje) acme-shop.com</p>", "obfuscated"),
        ("<p>info (snabel-a) acme-shop.com</p>", "obfuscated"),
        ("<p>info (bei) acme-shop.com</p>", "obfuscated"),
        ("<p>info [krøllalfa] acme-shop.com</p>", "obfuscated"),
        ("<p>info krøllalfa acme-shop.com</p>", "obfuscated"),
        ("<p>info arobase acme-shop point com</p>", "obfuscated"),
        ("<p>info arobase acme-shop.com</p>", "obfuscated"),
        (
            "<p>info★acme-shop.com（★を@に変えて送信してください）</p>",
            "obfuscated",
        ),
        ("<p>info<img alt='@'>acme-shop.com</p>", "text"),
        ("<p>info<i class='fa fa-at'></i>acme-shop.com</p>", "text"),
        ("<p>Us <i class='fa fa-at'></i> info@acme-shop.com</p>", "text"),
        ("<a href='http://info@acme-shop.com'>", "mailto"),
        ("<a href='info@acme-shop.com'>", "mailto"),
        ("<a href='http://mailto:info@acme-shop.com'>", "mailto"),
        ("<a href='maito:info@acme-shop.com'>", "mailto"),
        ("<a href='mailto;info@acme-shop.com'>", "mailto"),
        ("<a href='mail:info@acme-shop.com'>", "mailto"),
        ("<a href='mailto:info@acme-shop.com/'>", "mailto"),
        (
            "<p><span>info@acme-shop.com</span><span>www.acme-shop.com</span>",
            "text",
        ),
        ("<p><span>Mail</span><span>info@acme-shop.com</span>", "text"),
        (
            "<p><span>030 1234560</span><span>info@acme-shop.com</span>",
            "text",
        ),
        ("<p><b>info</b>@acme-shop.com", "text"),
        ("<p><b>in</b>fo@acme-shop.com", "text"),
    ] {
        assert_eq!(
            found(html),
            [("info@acme-shop.com".to_owned(), source.to_owned())],
            "{html}"
        );
    }
    for html in [
        "<p>Rated 4★acme tables</p>",
        "<p>Call us (bei) acme</p>",
        "<p>Hotel★★★acme.html</p>",
    ] {
        assert_eq!(values(html), [""; 0], "{html}");
    }
    let spaced = "<p>info @ site.test, or come and see us @ other.com";
    assert_eq!(values(spaced), ["info@site.test"]);
}

#[test]
fn scripts_may_join_an_address_from_variables() {
    let html = "<script>var n='info'; var d = \"acme-shop.com\"; document.write('<a href=\"mailto:'+n+'@'+ d +'\">'+n+'</a>')</script>";
    assert_eq!(values(html), ["info@acme-shop.com"]);
    let unknown = "<script>document.write('<a href=\"mailto:'+n+'@'+d+'\">')</script>";
    assert_eq!(values(unknown), Vec::<String>::new());
}

#[test]
fn links_may_hold_several_addresses_and_all_their_notations() {
    let html = "<a href='mailto:a@site.test;b@site.test,%20c@site.test%20'><a href='mailto://d@site.test'>
        <a href='mailto:?to=e@site.test&subject=x&body=ask%20f@site.test'><a href='mailto:?body=g@site.test'>";
    let wanted = ["a", "b", "c", "d", "e"].map(|local| format!("{local}@site.test"));
    assert_eq!(values(html), wanted);
}

#[test]
fn an_address_in_two_scripts_is_one() {
    let html = "<a href=mailto:info@xn--mller-bau-q9a.de>info@müller-bau.de</a>";
    assert_eq!(values(html), ["info@xn--mller-bau-q9a.de"]);
}

#[test]
fn a_linked_address_is_not_glued_to_its_neighbours() {
    let html = "<b>Ann</b><a href='mailto:ann@site.test'><span>ann@site.test</span></a><i>Bob</i>";
    assert_eq!(values(html), ["ann@site.test"]);
}

#[test]
fn a_label_that_is_glued_to_an_address_is_no_part_of_it() {
    let html = "<p><b>Email</b><span>info@site.test</span><p>info@site.test<p>email@site.test";
    assert_eq!(values(html), ["info@site.test", "email@site.test"]);
    let html = "<p><b>Email</b><span>info@site.test</span><p>Emailing@site.test";
    assert_eq!(values(html), ["info@site.test", "emailing@site.test"]);
}

#[test]
fn an_address_ends_where_the_next_sentence_begins() {
    let html = "<p>E-Mail:info@acme-shop.com.Tel 5</p><p>a@acme-shop.comFax</p><p>jan.o'neil@acme-shop.com";
    assert_eq!(
        values(html),
        [
            "info@acme-shop.com",
            "a@acme-shop.com",
            "jan.o'neil@acme-shop.com"
        ]
    );
    for html in [
        "<p>Mail an post (ät) acme-shop (punkt) de.</p><p>Warme Küche",
        "<p>post [at] acme-shop [dot] de. We answer",
    ] {
        assert_eq!(values(html), ["post@acme-shop.de"], "{html}");
    }
}

#[test]
fn the_addresses_of_others_in_a_privacy_page_are_not_the_sites() {
    let html = "<h1>Datenschutz</h1><p>a@site.test<h2>Datenschutzbeauftragter</h2><p>b@acme-shop.com
        <p><a href=mailto:c@acme-shop.com></a><a href=mailto:dpo@site.test></a> privacy@site.test";
    assert_eq!(
        values(html),
        ["dpo@site.test", "privacy@site.test", "a@site.test"]
    );
}

#[test]
fn traps_and_what_is_in_the_box_of_a_consent_manager_are_not_the_sites() {
    let html = "<div style='display:none'><a href=mailto:trap@site.test>x</a></div><a hidden href=mailto:t@acme-shop.com></a>
        <div id=BorlabsCookieBox>Other GmbH, a@acme-shop.com <a href=mailto:b@acme-shop.com></a></div>";
    assert_eq!(values(html), Vec::<String>::new());
    let html = "<div class=hidden><a href=mailto:a@site.test>x</a></div>";
    assert_eq!(values(html), ["a@site.test"]);
}

#[test]
fn hidden_or_below_comments_only_the_sites_own_address_counts_and_no_trap() {
    for (html, wanted) in [
        (
            "<div style='display:none'><a href=mailto:editors@site.test>us</a></div>",
            true,
        ),
        (
            "<div style='display:none'><a href=mailto:trap-12@site.test>x</a></div>",
            false,
        ),
        ("<a hidden href=mailto:nospam@site.test>x</a>", false),
        ("<a hidden href=mailto:x@acme-shop.com>x</a>", false),
        (
            "<div class=comments><a href=mailto:editors@site.test>Write to us</a></div>",
            true,
        ),
        (
            "<div class=comments><a href=mailto:me@acme-shop.com>me</a></div>",
            false,
        ),
    ] {
        assert_eq!(!values(html).is_empty(), wanted, "{html}");
    }
}

#[test]
fn the_sites_own_addresses_come_first() {
    let html = "<a href=mailto:help@other.com><a href=mailto:b@site.test><p>a@shop.site.test";
    assert_eq!(
        values(html),
        ["b@site.test", "a@shop.site.test", "help@other.com"]
    );
}

#[test]
fn look_alikes_are_not_addresses() {
    for html in [
        "logo@2x.png",
        "a@b",
        "you@example.com",
        "d41d8cd98f00b204e9800998ecf8427e@sentry.io",
        "@handle.com",
        "npm i react@18.2.0",
        "x@y.nosuchsuffix",
        "https://user:pass@acme-shop.com/x",
        "git clone git@github.com:acme/shop.git",
        "<a href='https://medium.com/@acme.com'>",
        "<a href='https://user:pass@acme-shop.com/'>",
        "<a href='https://maps.com/a@48.1.de'>",
        "<a href='img/logo@2x.png'>",
        "<p>see you (kukac) there",
        "<img data-src='logo@2x.png'>",
        "<div class=comment-body>me: visitor@freemail.com</div>",
        "<div data-props='{\"author\":\"x@acme-shop.com\"}'>",
        "<script>var a='dev@company.io'</script>",
    ] {
        assert_eq!(values(html), Vec::<String>::new(), "{html}");
    }
}

#[test]
fn a_site_may_have_addresses_under_its_own_name_whatever_the_suffix() {
    assert_eq!(values("<p>sales@site.test or x@other.test"), ["sales@site.test"]);
    assert_eq!(values("<p>sales@www.site.test"), ["sales@site.test"]);
    assert_eq!(values("<p>sales@www.acme-shop.com"), ["sales@www.acme-shop.com"]);
}
