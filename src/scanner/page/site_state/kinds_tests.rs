//! Complete pages of the most frequent kinds, modelled on real ones with all names changed.

use super::super::outline::outline;
use super::*;

fn kind_of(html: &str) -> Option<&'static str> {
    let page = outline(html, &Url::parse("https://www.acme.test/").unwrap());
    site_state(&page).map(|found| found.state.as_str())
}

/// The expected state of each page, and the page.
const PAGES: &[(&str, &str)] = &[
    // A registrar's landing page, filled by its script.
    (
        "parked",
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>acme.test</title><link href="https://img1.wsimg.com/parking-lander/static/css/main.ef90a627.css" rel="stylesheet"></head>
        <body><div id="root"></div><script src="https://img1.wsimg.com/parking-lander/static/js/main.d3f0b3a9.js"></script></body></html>"#,
    ),
    // The same, as the first response, which only redirects to it.
    (
        "parked",
        r#"<!DOCTYPE html><html><head><script>window.onload=function(){window.location.href="/lander"}</script></head></html>"#,
    ),
    // A page of an advertising service with related links.
    (
        "parked",
        r#"<html><head><title>acme.test - This website is for sale! - acme Resources and Information.</title>
        <meta name="description" content="This website is for sale! acme.test is your first and best source for all of the information you're looking for.">
        <script src="https://img.sedoparking.com/templates/bg/caf.js"></script></head><body><h1>acme.test</h1>
        <div>Related Links</div><a href="/?q=1">Anvils</a><a href="/?q=2">Hammers</a><p>Privacy Policy</p></body></html>"#,
    ),
    (
        "parked",
        r#"<html data-adblockkey="MFwwDQYJ_x"><head><title>acme.test</title><script src="https://www.google.com/adsense/domains/caf.js"></script>
        </head><body><div id="tc">Searches related to acme</div><script src="https://d38psrni17bvxu.cloudfront.net/scripts/js3caf.js"></script></body></html>"#,
    ),
    // A registrar's notice on the domain.
    (
        "parked",
        r#"<html><head><title>acme.test - Registered at Example Names</title></head><body><h1>acme.test</h1>
        <p>Welcome to acme.test. This domain has been registered but its owner has not put up a site yet.</p>
        <p>This domain is parked free of charge with Example Names. Are you the owner? <a href="https://names.test/login">Log in</a>.</p></body></html>"#,
    ),
    (
        "parked",
        r#"<html lang="de"><head><title>acme.test</title></head><body><h1>acme.test</h1>
        <h2>Diese Domain ist bereits registriert.</h2><p>Bei Beispiel-Hoster finden Sie Domains, Webspace und E-Mail.</p></body></html>"#,
    ),
    // A marketplace's offer on the domain itself.
    (
        "for_sale",
        r#"<html><head><title>acme.test is for sale | Example Market</title><meta name="description" content="Buy acme.test now."></head>
        <body><header>Example Market</header><h1>acme.test</h1><h2>The domain name <b>acme.test</b> is for sale!</h2>
        <p>Buy now for $2,499 or lease to own.</p><form><input name="email"><button>Next</button></form>
        <ul><li>Buyer protection<li>Fast transfer<li>Flexible payment</ul></body></html>"#,
    ),
    (
        "for_sale",
        r#"<html lang="fr"><head><title>acme.test</title></head><body><h1>Ce nom de domaine est à vendre !</h1>
        <p>Pour faire une offre, écrivez-nous.</p><form><input type="email"></form></body></html>"#,
    ),
    // Servers and control panels.
    (
        "server_default",
        r"<!DOCTYPE html><html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1>
        <p>If you see this page, the nginx web server is successfully installed and working. Further configuration is required.</p>
        <p><em>Thank you for using nginx.</em></p></body></html>",
    ),
    (
        "server_default",
        r#"<html><head><title>Apache2 Ubuntu Default Page: It works</title></head><body><div class="main_page"><div class="page_header">
        <span class="floating_element">Apache2 Ubuntu Default Page</span></div><div class="content_section_text"><p>This is the default welcome page
        used to test the correct operation of the Apache2 server after installation on Ubuntu systems.</p></div>
        <h2>Configuration Overview</h2><p>Ubuntu's Apache2 default configuration is different from the upstream default configuration.</p></div></body></html>"#,
    ),
    (
        "server_default",
        r#"<html><head><title>IIS Windows Server</title></head><body><div id="container"><a href="http://go.microsoft.com/fwlink/?linkid=66138&clcid=0x409">
        <img src="iisstart.png" alt="IIS" width="960" height="600" /></a></div></body></html>"#,
    ),
    (
        "server_default",
        r#"<html lang="en"><head><title>Web Server's Default Page</title></head><body><h1>Web Server's Default Page</h1>
        <p>This page is generated by Plesk, the leading hosting automation software. You see this page because there is no Web site at this address.</p></body></html>"#,
    ),
    (
        "server_default",
        r#"<html><head><title>Apache Tomcat/9.0.31</title></head><body><h1>Apache Tomcat/9.0.31</h1>
        <h2>If you're seeing this, you've successfully installed Tomcat. Congratulations!</h2><p>Recommended Reading: <a href="/docs">Security Considerations</a></p></body></html>"#,
    ),
    // Pages by the owner.
    (
        "under_construction",
        r#"<!DOCTYPE html><html lang="en-US"><head><title>Acme &#8211; Coming Soon</title><link rel="stylesheet" href="/wp-content/plugins/soon/style.css"></head>
        <body class="coming-soon"><img src="/logo.png"><h1>Coming Soon</h1><p>Our new website is coming soon. Stay tuned!</p><a href="mailto:info@acme.test">info@acme.test</a></body></html>"#,
    ),
    (
        "under_construction",
        r#"<html lang="de"><head><title>Acme GmbH</title></head><body><h1>Acme GmbH</h1><p>Hier entsteht unsere neue Website.</p>
        <p>Musterweg 1, 12345 Musterstadt, Tel. 030 123456</p><a href="/impressum">Impressum</a></body></html>"#,
    ),
    (
        "under_construction",
        r"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Briefly unavailable for scheduled maintenance. Check back in a minute.</h1></body></html>",
    ),
    // Errors with status 200.
    (
        "soft_error",
        r#"<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta http-equiv="refresh" content="390"></head>
        <body><noscript>Enable JavaScript and cookies to continue</noscript><script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body></html>"#,
    ),
    (
        "soft_error",
        r#"<html><head><title>Account Suspended</title></head><body><h1>Account Suspended</h1><p>This Account has been suspended.</p>
        <p><a href="mailto:support@host.test">Contact your hosting provider</a> for more information.</p></body></html>"#,
    ),
    (
        "soft_error",
        r"<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center><hr><center>openresty</center></body></html>",
    ),
    (
        "soft_error",
        r"<!DOCTYPE html><html><head><title>Database Error</title></head><body><h1>Error establishing a database connection</h1></body></html>",
    ),
    // Pages that are empty without scripts.
    (
        "needs_javascript",
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"/><link rel="icon" href="/favicon.ico"/><title>Acme Portal</title>
        <script defer src="/static/js/main.8c1b2f3a.js"></script><link href="/static/css/main.4f.css" rel="stylesheet"></head>
        <body><noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div></body></html>"#,
    ),
    (
        "needs_javascript",
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Acme</title><base href="/"><link rel="stylesheet" href="styles.css"></head>
        <body><app-root></app-root><script src="runtime.js" type="module"></script><script src="main.js" type="module"></script></body></html>"#,
    ),
];

#[test]
fn pages_of_each_kind_are_called_what_they_are() {
    let wrong: Vec<String> = PAGES
        .iter()
        .filter(|(wanted, html)| kind_of(html) != Some(wanted))
        .map(|(wanted, html)| format!("{wanted}, not {:?}: {html}", kind_of(html)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        PAGES.len(),
        wrong.join("\n\n")
    );
    assert!(PAGES.len() >= 20);
}
