//! A user with a list of domains, in a browser, with a server that dies meanwhile.

use serde_json::{Value, json};

use super::at;
use crate::support::app::wait_for;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// Lines of the list that are domains which answer.
const GOOD: usize = 285;

/// 300 lines under a header: good ones, five that are no domain, five that fail, five that repeat one.
fn list() -> String {
    let header = ["company,domain,city".to_owned()];
    let good = (0..GOOD).map(|n| format!("\"Workshop, {n}\",https://www.site{n:05}.sites.test/about,Århus"));
    let bad = [
        "localhost",
        "not a domain",
        "127.0.0.1",
        "ex ample.com",
        "http://",
    ];
    let bad = bad.map(|input| format!("Bad,{input},Nowhere"));
    let failing = (0..5).map(|n| format!("Failing {n},{n}.err404.sites.test,Nowhere"));
    let again = (0..5).map(|n| format!("Again,SITE{n:05}.sites.test,Nowhere"));
    let lines = header
        .into_iter()
        .chain(good)
        .chain(bad)
        .chain(failing)
        .chain(again);
    lines.map(|line| line + "\n").collect()
}

/// Drops the list on the page as a file.
const DROP: &str = "const carried = new DataTransfer();
    carried.items.add(new File([arguments[0]], 'list.csv', { type: 'text/csv' }));
    document.querySelector('.drop').dispatchEvent(
        new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }))";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_in_is_watched_through_a_crash_and_its_results_are_taken_away() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let sites = Sites::start(SitesOptions {
        sites: GOOD,
        urls_per_sitemap: 3,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    // It must come back at the address that the browser knows.
    let bind = free_address();
    let settings = [
        ("SITELOG_BIND", bind.as_str()),
        ("SITELOG_AUTH__MODE", "required"),
    ];
    let mut server = Server::start(&sites, &settings);
    let gate = sites.hold("site00200.sites.test", "/");

    // Signing in.
    browser.open(&at(&bind, "/")).await;
    let key = server.first_key().unwrap().to_owned();
    browser.fill("//input[@name='key']", &key).await;
    browser.click("//button[.='Sign in']").await;

    // The list: what is wrong first, then the batch.
    browser.wait_for("//h1[.='Overview']").await;
    let errors = browser.errors().await;
    assert_eq!(errors, [""; 0]);
    browser.client.execute(DROP, vec![json!(list())]).await.unwrap();
    browser.wait_for("//h1[.='Check the list']").await;
    let rejected = browser.wait_for("//*[@aria-label='Rejected lines']//tbody").await;
    for bad in ["287", "localhost", "not a domain", "127.0.0.1", "ex ample.com"] {
        assert!(rejected.contains(bad), "{bad}: {rejected}");
    }
    browser.click("//button[.='Scan 290 domains']").await;

    // Watching: the page changes without being loaded again.
    browser.wait_for("//h1[.='Batch of 290 domains']").await;
    browser.run("window.isTheSame = true").await;
    gate.reached_by(1).await;
    browser
        .wait_for("//*[@id='progress']//*[@class='completed' and not(starts-with(., '0 '))]")
        .await;
    assert_eq!(browser.errors().await, [""; 0]);

    // The server dies; the page says so, and recovers by itself.
    server.kill();
    browser.wait_for("//*[@id='lost' and not(@hidden)]").await;
    server.restart();
    gate.open();
    browser
        .wait_for("//*[@id='progress']//*[contains(@class, 'badge') and .='partial']")
        .await;
    browser.wait_for("//*[@id='lost' and @hidden]").await;
    assert_eq!(browser.run("return window.isTheSame").await, Value::Bool(true));
    let legend = browser.wait_for("//*[@id='progress']//*[@class='legend']").await;
    assert!(
        legend.contains("285 completed") && legend.contains("5 failed"),
        "{legend}"
    );
    // While nobody answered, the browser noted that, and nothing else.
    for error in browser.errors().await {
        assert!(error.contains("net::ERR_"), "{error}");
    }
    let batch = browser.client.current_url().await.unwrap();

    // Why one failed, and a retry.
    browser.click("//a[.='Site returned an error']").await;
    browser.click("//*[@id='scans']//tbody/tr[1]/th/a").await;
    browser
        .wait_for("//*[contains(@class, 'panel bad') and contains(., 'answered 404')]")
        .await;
    browser.click("//button[.='Retry']").await;
    browser
        .wait_for("//*[@id='story']//strong[.='ScanRetried']")
        .await;
    browser
        .wait_for("//*[@id='story' and count(.//strong[.='ScanFailed']) = 2]")
        .await;

    // A domain: what was found, where, and its history.
    let site = Sites::site(7);
    browser.open(&at(&bind, "/domains?contains=site00007")).await;
    browser.click("//*[@id='domains']//tbody//a").await;
    browser.wait_for(&format!("//*[.='{}']", site.title())).await;
    let contacts = browser.wait_for("//section[h2='Contacts']").await;
    assert!(
        contacts.contains(&site.email()) && contacts.contains("found in a link on https://site00007"),
        "{contacts}"
    );
    browser.click("//ol[@class='story']//summary").await;
    let first = browser.wait_for("//ol[@class='story']//details[@open]").await;
    assert!(first.contains(&site.title()), "{first}");
    browser.wait_for("//ul[@class='tree']//li//ul/li").await;

    // Exporting.
    let rows = download(&browser, batch.as_str(), "Results").await;
    let column = |name: &str| rows[0].iter().position(|cell| cell == name);
    let (domain, company, city) = (column("domain").unwrap(), column("company"), column("city"));
    let row = rows.iter().find(|row| row[domain] == site.host()).unwrap();
    assert_eq!(rows.len() - 1, 290);
    assert_eq!(
        (row[company.unwrap()].as_str(), row[city.unwrap()].as_str()),
        ("Workshop, 7", "Århus")
    );
    assert_eq!(row[column("title").unwrap()], site.title());
    assert!(row[column("email_addresses").unwrap()].contains(&site.email()));

    assert_eq!(browser.errors().await, [""; 0]);
    let asked = browser.requests().await;
    let foreign: Vec<&String> = asked
        .iter()
        .filter(|url| !url.starts_with(&at(&bind, "/")))
        .collect();
    assert!(!asked.is_empty() && foreign.is_empty(), "{foreign:?}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_work_where_nobody_has_to_sign_in_and_a_card_tells_of_each_scan() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let sites = Sites::start(SitesOptions::default()).await.unwrap();
    let server = Server::start(&sites, &[]);
    browser.open(&at(server.address(), "/")).await;
    browser.fill("//textarea", "changing.sites.test").await;
    browser.click("//button[.='Scan']").await;
    browser
        .wait_for("//*[contains(@class, 'badge') and .='completed']")
        .await;
    browser.click("//button[.='Scan again']").await;
    browser
        .wait_for("//*[@id='story']//strong[.='ScanCompleted']")
        .await;
    browser
        .wait_for("//*[@id='found']//*[contains(., 'Findings')]")
        .await;
    browser.click("//*[@id='scan']//h1/a").await;
    let changed = browser.wait_for("//*[@id='history']//*[dt='Title']").await;
    let (old, new) = changed
        .split_once("TitleEdition ")
        .unwrap()
        .1
        .split_once(" Edition ")
        .unwrap();
    let (old, new): (u32, u32) = (old.parse().unwrap(), new.parse().unwrap());
    assert!(old < new, "{changed}");
    browser
        .wait_for("//*[@id='scans' and count(.//tbody/tr) = 2]")
        .await;
    assert_eq!(browser.errors().await, [""; 0]);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_takes_a_list_and_tells_how_the_last_scans_ended() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let sites = Sites::start(SitesOptions::default()).await.unwrap();
    let server = Server::start(&sites, &[]);
    for width in [390, 1440] {
        browser.look_like(width, "light").await;
        browser.open(&at(server.address(), "/")).await;
        browser
            .fill(
                "//textarea",
                &format!("site0000{}.sites.test\nerr404.sites.test", width % 7),
            )
            .await;
        browser.click("//button[.='Scan']").await;
        browser.wait_for("//h1[.='Batch of 2 domains']").await;
        browser
            .wait_for("//*[@id='progress']//*[contains(@class, 'badge') and .='partial']")
            .await;
    }
    // A line that is no domain is shown before anything starts.
    browser.open(&at(server.address(), "/")).await;
    browser
        .fill("//textarea", "site00001.sites.test\nlocalhost")
        .await;
    browser.click("//button[.='Scan']").await;
    browser.wait_for("//h1[.='Check the list']").await;
    browser.wait_for("//button[.='Scan 1 domain']").await;

    browser.open(&at(server.address(), "/")).await;
    let month = browser
        .wait_for("//*[@id='month' and .//dl//div[dt='Scans completed' and dd='2'] and .//dl//div[dt='Scans failed' and dd='2']]")
        .await;
    assert!(month.contains("Site returned an error"), "{month}");
    let ended = browser
        .wait_for("//*[@id='ended' and count(.//tbody/tr) = 2]")
        .await;
    assert!(ended.contains("partial"), "{ended}");
    browser
        .wait_for("//*[@id='now'][contains(., 'Nothing is running.')]")
        .await;
    assert_eq!(browser.errors().await, [""; 0]);
    browser.close().await;
}

/// The rows of a batch's CSV file, as the browser saves it.
async fn download(browser: &Browser, batch: &str, what: &str) -> Vec<Vec<String>> {
    let place = tempfile::tempdir().unwrap();
    let allowed = json!({ "behavior": "allow", "downloadPath": place.path() });
    browser.devtools("Browser.setDownloadBehavior", allowed).await;
    browser.open(batch).await;
    browser.click("//summary[starts-with(., 'Export')]").await;
    browser
        .click(&format!("//li[starts-with(., '{what}')]/a[.='CSV']"))
        .await;
    let file = wait_for("the downloaded file", async || {
        let files = std::fs::read_dir(place.path()).unwrap();
        let mut saved = files.map(|file| file.unwrap().path());
        // Until it is whole it has another name; an empty file keeps its own name free meanwhile.
        saved.find(|path| {
            path.extension().is_some_and(|kind| kind == "csv")
                && path.metadata().is_ok_and(|file| file.len() > 0)
        })
    })
    .await;
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(file)
        .unwrap();
    let rows = rows
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

/// A local address on which nothing listens.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
