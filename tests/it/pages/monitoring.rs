//! A changing site is monitored, in a browser: the change is on the page, in the feed, in the webhook and in the
//! email.

use serde_json::json;

use super::at;
use crate::support::app::wait_for;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};
use crate::support::smtp::Smtp;
use crate::webhooks::receiver::Receiver;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_the_page_the_feed_the_webhook_and_the_mail() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let sites = Sites::start(SitesOptions::default()).await.unwrap();
    let (receiver, smtp) = (Receiver::start().await, Smtp::start().await);
    let connect_to = format!("{},{}", sites.connect_to(), receiver.connect_to());
    let smtp_url = smtp.url();
    let server = Server::start(
        &sites,
        &[
            ("SITELOG_FETCH__CONNECT_TO", &connect_to),
            ("SITELOG_MAIL__SMTP_URL", &smtp_url),
            ("SITELOG_MAIL__FROM", "sitelog <noreply@sitelog.test>"),
            ("SITELOG_PUBLIC_URL", "http://sitelog.test"),
        ],
    );
    let page = |path: &str| at(server.address(), path);

    // A webhook for changes, by the page; its secret is shown once.
    browser.open(&page("/webhooks")).await;
    browser
        .fill("//input[@name='url']", "http://a.hook.test/in")
        .await;
    browser.click("//button[.='Create webhook']").await;
    let secret = browser.wait_for("//pre//code[starts-with(., 'whsec_')]").await;
    receiver.knows(secret.trim());

    // A monitor with a subscriber and a feed.
    browser.open(&page("/monitors")).await;
    browser.fill("//input[@name='name']", "Shops").await;
    browser
        .fill("//textarea[@name='list']", "changing.sites.test")
        .await;
    browser.click("//button[.='Create monitor']").await;
    browser.wait_for("//h1[.='Shops']").await;
    let monitor = browser.client.current_url().await.unwrap();
    browser.fill("//input[@name='address']", "anna@example.com").await;
    browser.click("//button[.='Add']").await;
    browser
        .wait_for("//*[@id='subscribers']//th[.='anna@example.com']")
        .await;
    browser.click("//summary[.='Feed']").await;
    browser.click("//button[.='Create a feed URL']").await;
    let feed = browser.wait_for("//a[contains(., '/feeds/')]").await;
    let feed = feed
        .trim()
        .strip_prefix(&page(""))
        .expect("a whole URL, for a feed reader")
        .to_owned();

    // It runs twice; at each visit the site is another edition.
    for runs in 1..=2 {
        browser.open(monitor.as_str()).await;
        browser.click("//button[.='Run now']").await;
        browser
            .wait_for(&format!("//*[@id='runs']//tbody/tr[{runs}]"))
            .await;
        let id = monitor.path().rsplit('/').next().unwrap();
        let batches = format!("/api/v4/batches?monitor={id}&status=completed");
        wait_for("the run to end", async || {
            let ended = server.get(&batches).await;
            (ended["items"].as_array()?.len() == runs).then_some(())
        })
        .await;
    }

    let change = browser.wait_for("//*[@id='changes']//table").await;
    assert!(change.contains("Edition"), "{change}");
    assert_eq!(browser.errors().await, [""; 0]);
    let (status, text) = server.answer(&feed, None).await;
    assert!(
        status == 200 && text.contains("changing.sites.test") && text.contains("Edition"),
        "{text}"
    );
    wait_for("the message", async || {
        (!receiver.received().is_empty()).then_some(())
    })
    .await;
    let message = receiver.received().remove(0);
    assert!(message.is_genuine);
    assert_eq!(message.body["data"]["domain"], json!("changing.sites.test"));
    wait_for("the mail", async || (!smtp.mails().is_empty()).then_some(())).await;
    let mail = smtp.mails().remove(0);
    assert_eq!(mail.header("Subject"), "Shops: changing.sites.test changed");
    assert!(mail.text.contains("Edition"), "{}", mail.text);

    // The mail's link ends the mails.
    let link = mail
        .header("List-Unsubscribe")
        .trim_matches(['<', '>'])
        .to_owned();
    browser
        .open(&page(link.strip_prefix("http://sitelog.test").unwrap()))
        .await;
    browser.click("//button[.='Stop these emails']").await;
    browser
        .wait_for("//*[@role='status' and contains(., 'You are unsubscribed')]")
        .await;
    browser.open(monitor.as_str()).await;
    browser
        .wait_for("//*[@id='subscribers']//*[contains(., 'No subscribers')]")
        .await;
}
