//! Small pages of each kind, and pages that look similar but are ordinary.

use super::super::outline::outline;
use super::*;

fn state_at(url: &str, html: &str) -> Option<SiteState> {
    site_state(&outline(html, &Url::parse(url).unwrap()))
}

fn kind_at(url: &str, html: &str) -> Option<&'static str> {
    state_at(url, html).map(|found| found.state.as_str())
}

fn assert_all(wanted: Option<&str>, pages: &[&str]) {
    for html in pages {
        assert_eq!(kind_at("https://www.acme.test/", html), wanted, "{html}");
    }
}

/// Other content of an ordinary page.
const REST: &str =
    "<nav><a href=/a>Products</a><a href=/b>Services</a><a href=/c>Prices</a><a href=/d>Team</a>
    <a href=/e>Jobs</a><a href=/f>News</a><a href=/g>Press</a><a href=/h>Terms</a><a href=/i>Privacy</a>
    <a href=/j>Imprint</a><a href=/k>Contact</a><a href=/l>Support</a><a href=/m>Blog</a></nav>";

#[test]
fn parked_domains_are_told_by_words_and_files() {
    assert_all(
        Some("parked"),
        &[
            "<title>acme.test</title><script src=https://www.google.com/adsense/domains/caf.js></script>",
            "<script src='//img1.wsimg.com/parking-lander/static/js/main.js'></script><div id=root></div>",
            "<script>window.onload=function(){window.location.href=\"/lander\"}</script>",
            "<title>acme.test</title><h1>acme.test</h1><p>This domain is parked free, courtesy of Example Names.",
            "<title>acme.test</title><p>Related searches</p><a href=/1>Cheap flights</a><a href=/2>Insurance</a>",
            "<h1>acme.test</h1><p>Diese Domain wurde soeben freigeschaltet.",
            "<h1>acme.test</h1>Diese Domain ist bereits registriert und noch nicht mit Inhalten versehen.",
            "<title>Ce nom de domaine est réservé</title><p>Vous en êtes le propriétaire ? Identifiez-vous.",
            "<p>Este dominio está registrado. Pronto habrá una web.",
            "<h1>Domena acme.test jest utrzymywana na serwerach Przykład</h1>",
            "<h1>Домен acme.test припаркован</h1>",
            "<p>このドメインはお名前.testで取得されています。",
            "<title>Expired</title><p>The domain name acme.test has expired. Renew it now.",
            "<iframe src='https://acme.test.bodis.com/x'></iframe>",
            "<iframe src='odd://bodis.com'></iframe>",
            "<h1>Looks Like This Domain Isn't Connected To A Website Yet!</h1><p>Is this your domain?",
        ],
    );
}

#[test]
fn domains_for_sale_are_told_by_words_and_by_the_markets_addresses() {
    assert_all(
        Some("for_sale"),
        &[
            "<title>acme.test is for sale</title><p>Fill in the form.",
            "<h1>The domain name acme.test is for sale!</h1><p>Make an offer.",
            "<title>Acme</title><p>Buy this domain. Fast transfer, safe payment.",
            "<h1>acme.test</h1><p>Diese Domain steht zum Verkauf.",
            "<h1>Ce nom de domaine est à vendre</h1>",
            "<h1>Este dominio está en venta</h1>",
            "<h1>Domena acme.test jest na sprzedaż</h1>",
            "<h1>このドメインは販売中です</h1>",
            "<title>acme.test</title><p>Domain for sale",
            "<title>x</title><p>Domain steht zum Verkauf",
            "<h1>Deze domeinnaam is te koop</h1>",
        ],
    );
    for url in [
        "https://www.hugedomains.com/domain_profile.cfm?d=acme.com",
        "https://dan.com/buy-domain/acme.com",
        "https://www.afternic.com/forsale/acme.com",
        "https://sedo.com/search/details/?domain=acme.com",
    ] {
        assert_eq!(kind_at(url, REST), Some("for_sale"), "{url}");
    }
}

#[test]
fn who_sells_domains_or_parking_spaces_is_a_company_like_others() {
    assert_all(
        None,
        &[
            "<title>Acme Parking</title><h1>Parking spaces near the airport</h1><p>Your car is parked safely. Book now.",
            "<title>Acme domain brokers</title><h1>We buy and sell domains</h1><p>Is a domain for sale? We find its owner.",
            "<title>Premium domains for sale</title><ul><li>one.test - 100 €<li>two.test - 200 €</ul><p>Ask for a price.",
            "<title>Acme</title><p>acme.test is registered in England and Wales, number 123456.",
            "<title>House for sale</title><h1>For sale: three rooms with a garden</h1><p>Call us today.",
            "<h1>Parkplatz zu verkaufen</h1><p>Stellplatz in der Tiefgarage.",
            "<title>Domain names explained</title><p>Many ask whether this domain is for sale. Here is how to find out.",
            "<title>Acme Mühle</title><p>Die Domäne Acme ist ein Weingut; ihr Wein steht zum Verkauf.",
            "<title>Search</title><h2>Related searches</h2><a href=/1>shoes</a><a href=/2>boots</a>",
        ],
    );
    for url in [
        "https://www.hugedomains.com/",
        "https://dan.com/",
        "https://sedo.com/us/",
        "https://www.bodis.com/",
    ] {
        let html = format!("<title>Domains</title><script src={url}a.js></script>{REST}");
        assert_eq!(kind_at(url, &html), None, "{url}");
    }
    let long = format!(
        "<p>{}<p>This domain is for sale.",
        "A word on names. ".repeat(400)
    );
    assert_all(None, &[&long]);
}

#[test]
fn sites_that_are_not_ready_say_so_in_many_languages() {
    assert_all(
        Some("under_construction"),
        &[
            "<title>Coming Soon</title><h1>Coming soon</h1>",
            "<title>Coming soon | Acme</title><img src=l.png><p>Call 030 123456",
            "<h1>Acme</h1><p>Our website is under construction. Please come back later.",
            "<title>acme.test is coming soon</title>",
            "<h1>Hier entsteht eine neue Internetpräsenz</h1>",
            "<p>Diese Webseite befindet sich im Aufbau.",
            "<h1>Site en construction</h1><p>Revenez bientôt.",
            "<h1>Sitio web en construcción</h1>",
            "<h1>Strona w budowie</h1><p>Zapraszamy wkrótce.",
            "<p>ただいま準備中です。",
            "<h1>工事中</h1>",
            "<h1>Сайт находится в разработке</h1>",
            "<h1>Site is undergoing maintenance</h1><p>Thank you for your patience.",
            "<title>Maintenance mode</title><h1>We'll be back soon!</h1>",
            "<title>Acme</title><h1>Demnächst online!</h1><p>Wir eröffnen im Mai.",
            "<title>Acme</title><h1>Bientôt en ligne</h1>",
            "<p>Prossimamente online",
            "<h2>Bald verfügbar</h2>",
            "<p>Diese Website wird gerade überarbeitet.",
            "<title>SITE TEMPORARIAMENTE INDISPONÍVEL | Acme - Transporte</title><img src=error.png>",
            "<html class='seedprod-coming-soon'><title>Acme</title><p>We open in May.",
            "<title>Acme</title><h1>Acme</h1><h2>Coming soon</h2>",
            "<title>Acme</title><nav><a href=/imprint>Imprint</a></nav><h2>Coming soon</h2>",
        ],
    );
}

#[test]
fn what_is_built_or_sold_soon_is_no_site_that_is_not_ready() {
    let shop = format!("<title>Acme shop</title><h1>Shoes</h1>{REST}<p>Red shoes 10 €<p>Coming soon");
    let builder = format!(
        "<title>Acme Bau</title>{REST}<p>Three houses are under construction. {}",
        "We build houses and bridges. ".repeat(60)
    );
    assert_all(
        None,
        &[
            &shop,
            &builder,
            "<title>Acme bridges</title><p>The new bridge is under construction since May. Visit our office.",
            "<title>Acme film</title><p>The second part is coming soon to all cinemas.",
            "<title>Hotel</title><p>Wegen Umbau: Der Wellnessbereich befindet sich in Arbeit.",
            "<title>Acme Build</title><nav><a href=/>Home</a><a href=/projects>Projects</a></nav><h2>Under construction</h2>
             <ul><li>Leeds Dock apartments</ul><h2>Coming soon</h2><p>Forty new homes.",
            "<title>Acme shop</title><h1>Acme</h1><h2>Bestsellers</h2><p>Red shoes<h2>Coming soon</h2><p>Blue shoes",
            "<title>Acme</title><p class=seedprod-coming-soon>Our plugin for Acme pages",
            "<title>Bientôt Noël - Acme</title><p>Nos idées de cadeaux pour toute la famille.",
            "<h1>建設会社アクメ</h1><p>橋とトンネルの工事中の写真はこちらです。",
        ],
    );
}

#[test]
fn default_pages_of_servers_and_panels_are_known() {
    assert_all(
        Some("server_default"),
        &[
            "<title>Welcome to nginx!</title><h1>Welcome to nginx!</h1><p>If you see this page, the nginx web server is \
             successfully installed and working.",
            "<html><body><h1>It works!</h1></body></html>",
            "<title>Apache2 Ubuntu Default Page: It works</title><div>Apache2 Default Page</div><p>It works!",
            "<title>Apache HTTP Server Test Page powered by CentOS</title>",
            "<title>HTTP Server Test Page powered by: Rocky Linux</title><p>This page is used to test",
            "<title>IIS Windows Server</title><div><a href=https://go.microsoft.com/><img src=iisstart.png></a></div>",
            "<title>Domain Default page</title><p>This page is generated by Plesk, the leading hosting automation.",
            "<title>Web Server's Default Page</title><p>This page is generated by Plesk.",
            "<title>Default Web Site Page</title><p>SORRY! If you are the owner of this website, please contact your host.",
            "<title>Apache Tomcat/9.0.1</title><h2>If you're seeing this, you've successfully installed Tomcat. \
             Congratulations!</h2>",
        ],
    );
    let at_cpanel = "https://acme.test/cgi-sys/defaultwebpage.cgi";
    assert_eq!(kind_at(at_cpanel, "<p>x"), Some("server_default"));
    assert_all(
        None,
        &[
            "<title>Welcome to nginx consulting</title><p>We run your servers.",
            "<title>It works! Acme gym</title><h1>It works!</h1><p>Train with us.",
            "<title>How to replace the Apache2 default page</title><p>Open the file.",
            "<title>IIS Windows Server hosting by Acme</title><p>From 5 € a month.",
        ],
    );
}

#[test]
fn errors_that_are_sent_as_pages_are_errors() {
    assert_all(
        Some("soft_error"),
        &[
            "<title>404 Not Found</title><h1>Not Found</h1>",
            "<title>Account Suspended</title><p>Contact your hosting provider.",
            "<h1>Error establishing a database connection</h1>",
            "<p><b>Fatal error</b>: Uncaught Error: Call to undefined function x() in /var/www/a.php:3",
            "<title>Seite nicht gefunden | Acme</title>",
            "<title>Just a moment...</title><p>Enable JavaScript and cookies to continue",
            "<title>WordPress › Erro</title><body id=error-page><div class=wp-die-message><p>Ocorreu um erro crítico neste site.</div>",
            "<title>WordPress › Fel</title><body id=error-page><div class=wp-die-message><p>Ett kritiskt fel har uppstått.</div>",
            "<p>There has been a critical error on this website.</p><p>Learn more.",
            "<h1>Fehler beim Aufbau einer Datenbankverbindung</h1>",
            "<title>Acme</title><h1>Sorry, this shop is currently unavailable.</h1>",
        ],
    );
    assert_all(
        None,
        &[
            "<title>404 Studio</title><h1>Design from Berlin</h1>",
            "<title>Not found yet? Acme searches for you</title><p>Lost things, found again.",
            "<title>Acme</title><div class=wp-die-message><p>How to style this message</div>",
            "<title>Access denied - a thriller</title><h1>The new novel</h1>",
        ],
    );
}

#[test]
fn shells_that_only_scripts_fill_are_told_from_short_pages() {
    assert_all(
        Some("needs_javascript"),
        &[
            "<title>Acme</title><div id=root></div><script src=/main.js></script>",
            "<title>Acme</title><noscript>You need to enable JavaScript to run this app.</noscript><div id=app></div>
             <script type=module src=/a.js></script>",
            "<title>Acme</title><app-root></app-root><script src=/main.js></script>",
            "<noscript><strong>We're sorry but acme doesn't work properly without JavaScript enabled.</strong></noscript>
             <script src=/a.js></script>",
            "<title>Acme</title><div id=__next></div><script src=/a.js></script>
             <noscript><iframe src=https://www.googletagmanager.com/ns.html></iframe></noscript>",
        ],
    );
    assert_all(
        None,
        &[
            "<title>Acme</title><h1>Acme</h1><p>Hello</p>",
            "<title>Acme</title><iframe src=https://shop.acme.test/></iframe><script src=/a.js></script>",
            "<title>Acme</title><div id=root><h1>Acme builds furniture from oak, ash and walnut.</h1><p>Since 1920 in the \
             same workshop in the old town, by hand, with wood from our own forest.</div><script src=/a.js></script>
             <noscript>Please enable JavaScript.</noscript>",
            "<img src=1.png><img src=2.png><img src=3.png><div id=app></div><script src=/a.js></script>",
        ],
    );
}

#[test]
fn the_evidence_is_what_was_seen_and_never_long() {
    let found = state_at("https://acme.test/", "<p>This domain is for sale").unwrap();
    assert_eq!(found.evidence, "text: this domain is for sale");
    assert_eq!(found.page, "https://acme.test/");
    let long = format!("<p>This domain is for sale {}", "x".repeat(900));
    assert_eq!(
        state_at("https://acme.test/", &long)
            .unwrap()
            .evidence
            .chars()
            .count(),
        MAX_EVIDENCE
    );
}

#[test]
fn a_name_of_another_script_is_found_as_it_is_written() {
    let html = "<h1>müller.test steht zum Verkauf</h1>";
    assert_eq!(kind_at("https://www.xn--mller-kva.test/", html), Some("for_sale"));
}
