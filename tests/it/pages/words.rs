//! The pages as text: who is admitted, what is escaped, what forms do.

use serde_json::json;
use sitelog::access::Scope;
use sitelog::values::{FailureReason, Findings};

use crate::access::key;
use crate::support::app::TestApp;
use crate::support::call::Answer;

const FORM: &str = "application/x-www-form-urlencoded";

/// The session that signing in with this key gives.
async fn session(app: &TestApp, key: &str) -> String {
    let answer = sent(app, "/sign-in", &format!("key={key}&next=%2Fdomains")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/domains")),
        "{}",
        answer.text()
    );
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains(key),
        "{cookie}"
    );
    cookie.split(';').next().unwrap().to_owned()
}

/// A form of ours, as a browser sends it.
async fn sent(app: &TestApp, path: &str, form: &str) -> Answer {
    app.call("POST", path)
        .header("sec-fetch-site", "same-origin")
        .body(FORM, form.to_owned())
        .send()
        .await
}

async fn with_session(app: &TestApp, session: &str, method: &str, path: &str) -> Answer {
    app.call(method, path)
        .header("cookie", session)
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
}

#[tokio::test]
async fn who_has_not_signed_in_is_asked_to_and_comes_back_to_the_page() {
    let app = TestApp::builder().guarded().start().await;
    let asked = app.get("/domains?status=failed").await;
    assert_eq!(
        (asked.status, asked.header("location")),
        (303, Some("/sign-in?next=%2Fdomains%3Fstatus%3Dfailed"))
    );
    let form = app.get("/sign-in?next=%2Fdomains").await;
    assert!(form.text().contains("value=\"/domains\""), "{}", form.text());
    let refused = sent(&app, "/sign-in", "key=sitelog_wrong").await;
    assert_eq!((refused.status, refused.header("set-cookie")), (422, None));
    let key = key(&app, &[Scope::Read]).await;
    let session = session(&app, key.reveal()).await;
    assert_eq!(with_session(&app, &session, "GET", "/domains").await.status, 200);
    assert_eq!(
        with_session(&app, &session, "GET", "/api/v4/domains")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_session_that_was_opened_under_a_clock_ten_years_ahead_has_ended() {
    let app = TestApp::builder().guarded().start().await;
    let session = session(&app, key(&app, &[Scope::Read]).await.reveal()).await;
    let status = async || with_session(&app, &session, "GET", "/domains").await.status;
    assert_eq!(status().await, 200);
    sqlx::query("update session set expires_at = now() + interval '10 years'")
        .execute(app.log_pool())
        .await
        .unwrap();
    assert_eq!(status().await, 303, "to sign in again");
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_when_somebody_signs_out() {
    let app = TestApp::builder().guarded().start().await;
    let (first, second) = (key(&app, &[Scope::Admin]).await, key(&app, &[Scope::Read]).await);
    let (admin, reader) = (
        session(&app, first.reveal()).await,
        session(&app, second.reveal()).await,
    );
    let revoked = with_session(&app, &admin, "POST", &format!("/keys/{}/revoke", second.id())).await;
    assert_eq!(revoked.status, 303, "{}", revoked.text());
    assert_eq!(
        with_session(&app, &reader, "GET", "/").await.header("location"),
        Some("/sign-in?next=%2F")
    );
    let lost = with_session(&app, &reader, "POST", "/batches/check").await;
    assert_eq!(
        lost.header("location"),
        Some("/sign-in?next=%2F"),
        "no link leads to a form"
    );
    let out = with_session(&app, &admin, "POST", "/sign-out").await;
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(with_session(&app, &admin, "GET", "/keys").await.status, 303);
}

#[tokio::test]
async fn who_may_only_read_can_sign_out_and_nobody_is_signed_in_or_out_by_another_page() {
    let app = TestApp::builder().guarded().start().await;
    let key = key(&app, &[Scope::Read]).await;
    let session = session(&app, key.reveal()).await;
    let form = format!("key={}&next=%2F", key.reveal());
    let foreign = app
        .call("POST", "/sign-in")
        .header("sec-fetch-site", "cross-site");
    let foreign = foreign.body(FORM, form).send().await;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, None));
    let foreign = app
        .call("POST", "/sign-out")
        .header("cookie", &session)
        .send()
        .await;
    assert_eq!(foreign.status, 403);
    assert_eq!(with_session(&app, &session, "GET", "/").await.status, 200);
    assert_eq!(
        with_session(&app, &session, "POST", "/sign-out").await.status,
        303
    );
    assert_eq!(with_session(&app, &session, "GET", "/").await.status, 303);
}

#[tokio::test]
async fn a_session_does_nothing_for_pages_of_other_places() {
    let app = TestApp::builder().guarded().start().await;
    let key = key(&app, &[Scope::Operator]).await;
    let session = session(&app, key.reveal()).await;
    let before = app.head().await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("x-nothing", "said"),
    ] {
        for path in ["/scans", "/api/v4/scans", "/keys", "/projections/jobs/rebuild"] {
            let answer = app
                .call("POST", path)
                .header("cookie", &session)
                .header(name, value)
                .body(FORM, "domain=example.com&name=x&scope=admin")
                .send()
                .await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
        }
    }
    assert_eq!(app.head().await, before);
}

#[tokio::test]
async fn what_somebody_may_not_do_is_not_offered_and_refused_in_words() {
    let app = TestApp::builder().guarded().start().await;
    let key = key(&app, &[Scope::Read]).await;
    let session = session(&app, key.reveal()).await;
    let page = with_session(&app, &session, "GET", "/").await.text();
    for hidden in [
        "/batches/check",
        "href=\"/tasks\"",
        "href=\"/projections\"",
        "href=\"/keys\"",
    ] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    for path in ["/tasks", "/projections", "/keys"] {
        let refused = with_session(&app, &session, "GET", path).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(
            refused.text().contains("insufficient_scope") && refused.text().contains("<h1>"),
            "{path}"
        );
    }
    assert_eq!(with_session(&app, &session, "POST", "/scans").await.status, 403);
}

#[tokio::test]
async fn what_sites_say_stays_text() {
    let app = TestApp::start().await;
    let evil = "</title><script>alert(1)</script><img src=x onerror=alert(2)>";
    let findings: Findings = serde_json::from_value(json!({
        "title": evil, "description": evil, "language": evil,
        "favicon_url": "javascript:alert(3)", "final_url": "data:text/html,x",
        "contact_info": { "email": [format!("{evil}@a.test")], "phone": [evil] },
        "emails": [{ "value": format!("{evil}@a.test"), "source": evil, "page": "javascript:alert(4)",
            "check": { "deliverable": "no", "why": evil, "provider": { "name": evil } } }],
        "socials": [{ "network": evil, "url": "javascript:alert(5)", "handle": null, "source": evil }],
        "technologies": [{ "name": evil, "version": evil, "categories": [evil], "confidence": 1, "evidence": evil }],
        "organization": { "name": evil, "legal_name": evil, "address": evil, "identifiers": [evil] },
        "site_state": { "state": "parked", "evidence": evil, "page": "javascript:alert(7)" },
        "dns": { "mx": [evil], "txt": [evil], "failures": { "ns": evil } },
        "crawlers": { "file": "javascript:alert(8)", "refused": [{ "name": evil, "rule": evil }] },
        "security_txt": { "url": "javascript:alert(9)", "contact": [evil, "javascript:alert(10)"], "policy": [evil], "problems": [evil] },
        "ads_txt": { "url": "javascript:alert(11)", "owner_domain": evil, "manager_domains": [evil] },
        "humans_txt": { "url": "javascript:alert(12)", "first_lines": [evil] },
        "llms_txt": { "url": "javascript:alert(13)", "title": evil, "summary": evil },
        "sitemap_audit": { "home": "javascript:alert(15)", "entries": 1,
            "faults": [{ "check": "duplicate", "count": 1, "examples": [{ "url": "javascript:alert(16)", "sitemap": evil, "value": evil }] }] },
        "sitemap_sample": [{ "url": "javascript:alert(17)", "redirects_to": evil, "noindex": evil, "canonical": evil, "error": evil }],
        "files": [{ "file": "ads_txt", "is_there": null, "url": "javascript:alert(14)", "why": evil }],
        "certificate": { "host": evil, "issuer": evil, "names": [evil], "fault": evil },
        "cdn": { "name": evil, "evidence": evil }, "hosting": { "name": evil, "evidence": evil },
        "email_provider": { "name": evil, "evidence": evil }, "spf": { "policy": evil, "evidence": evil },
        "sitemaps": [{ "url": "javascript:alert(6)", "kind": "urlset", "entries": 1, "problems": [{ "code": "x", "detail": evil }] }],
        "problems": [{ "code": "x", "detail": evil }],
    }))
    .unwrap();
    let scan = app.create_scan("evil.test").await;
    app.complete(&scan, &findings).await;
    app.get_in_status("/api/v4/domains/evil.test", "completed").await;
    app.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
        .await;
    for path in [
        "/domains/evil.test",
        "/domains?column=title&column=email&column=language&column=site_state&column=email_provider",
        &format!("/scans/{scan}"),
    ] {
        let page = app.get(path).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let text = page.text();
        for mark in ["<script>", "<img src=x", "href=\"javascript:", "href=\"data:"] {
            assert!(!text.contains(mark), "{path}: {mark}");
        }
        assert!(text.contains("&lt;script&gt;"), "{path}");
        assert!(
            page.header("content-security-policy")
                .unwrap()
                .contains("script-src 'self'")
        );
    }
}

#[tokio::test]
async fn wrong_lines_come_first_and_nothing_is_scanned_before_somebody_agrees() {
    let app = TestApp::start().await;
    let before = app.head().await;
    let list = "list=domain%0Aa.example%0Alocalhost%0A%3Cb%3E%0Aa.example";
    let checked = app.post_text("/batches/check", FORM, list).await;
    let text = checked.text();
    assert_eq!(checked.status, 200, "{text}");
    let (wrong, button) = (
        text.find("localhost").unwrap(),
        text.find("Scan 1 domain<").unwrap(),
    );
    assert!(
        wrong < button && text.contains("&lt;b&gt;") && text.contains("2 lines"),
        "{text}"
    );
    assert_eq!(app.head().await, before, "nothing is written");
    let refused = app
        .post_text("/batches/check", FORM, "list=localhost")
        .await
        .text();
    assert!(
        refused.contains("cannot be scanned") && !refused.contains("name=\"list\""),
        "{refused}"
    );
}

#[tokio::test]
async fn the_check_page_says_which_column_was_taken_and_lets_somebody_take_another() {
    let app = TestApp::start().await;
    let list = "list=Name,Url,Website%0AAnna,https://linkedin.com/in/anna,a.example%0A";
    let found = app.post_text("/batches/check", FORM, list).await.text();
    assert!(
        found.contains("from the column <strong>Website</strong>"),
        "{found}"
    );
    assert!(
        found.contains("<option value=\"column_3\" selected>3: Website"),
        "{found}"
    );
    let chosen = app
        .post_text("/batches/check", FORM, format!("{list}&column=column_2"))
        .await
        .text();
    assert!(
        chosen.contains("from the column <strong>Url</strong>"),
        "{chosen}"
    );
    assert!(chosen.contains("name=\"column\" value=\"column_2\""), "{chosen}");
    let created = app
        .post_text("/batches", FORM, format!("{list}&column=column_2"))
        .await;
    let id = created
        .header("location")
        .unwrap()
        .split(['/', '?'])
        .nth(2)
        .unwrap()
        .to_owned();
    let scans = app.scans_of_batch(&id, 1).await;
    assert_eq!(scans[0]["domain"], "linkedin.com");
}

#[tokio::test]
async fn a_list_in_another_encoding_goes_along_with_the_page_as_text() {
    let app = TestApp::start().await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.csv\"\r\n\r\n";
    let body = [form.as_bytes(), b"m\xfcnchen.de;M\xfcller\n", b"\r\n--b--\r\n"].concat();
    let checked = app
        .post_text("/batches/check", "multipart/form-data; boundary=b", body)
        .await
        .text();
    assert!(
        checked.contains("münchen.de;Müller") && checked.contains("windows-1252"),
        "{checked}"
    );
    assert!(checked.contains("Scan 1 domain<"), "{checked}");
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_batch() {
    let app = TestApp::start().await;
    let form = "list=a.example%0Ab.example&max_pages=2&request_key=00000000-0000-4000-8000-000000000007";
    let first = app.post_text("/batches", FORM, form).await;
    let second = app.post_text("/batches", FORM, form).await;
    assert_eq!((first.status, second.status), (303, 303), "{}", first.text());
    assert_eq!(first.header("location"), second.header("location"));
    let changed = app
        .post_text("/batches", FORM, form.replace("max_pages=2", "max_pages=3"))
        .await;
    assert_eq!(changed.status, 303, "{}", changed.text());
    assert_ne!(
        changed.header("location"),
        first.header("location"),
        "who goes back and changes it means it"
    );
    let log = app.get("/log").await.text();
    let cells = log.split("<td class=\"number\">").skip(1);
    let positions: Vec<i64> = cells
        .map(|cell| cell.split('<').next().unwrap().parse().unwrap())
        .collect();
    assert!(
        positions.len() >= 2 && positions.is_sorted_by(|a, b| a > b),
        "the newest first: {positions:?}"
    );
    let wrong = app
        .post_text("/batches", FORM, "list=a.example&max_pages=many")
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("max_pages is 'many'"), "{}", wrong.text());
}

#[tokio::test]
async fn the_first_page_scans_what_is_clean_and_shows_what_is_not() {
    let app = TestApp::start().await;
    let leads_to = async |form: &str| {
        let answer = app.post_text("/start", FORM, form.to_owned()).await;
        (
            answer.status,
            answer.header("location").unwrap_or_default().to_owned(),
        )
    };
    let (status, place) = leads_to("list=a.example").await;
    assert!(status == 303 && place.starts_with("/scans/"), "{status} {place}");
    let (status, place) = leads_to("list=a.example%0Ab.example").await;
    assert!(
        status == 303 && place.starts_with("/batches/"),
        "{status} {place}"
    );
    // A line that is no domain, and a table in which another column could be meant: nothing starts before somebody
    // agrees.
    for form in ["list=a.example%0Alocalhost", "list=Name,Website%0AAnna,a.example"] {
        let shown = app.post_text("/start", FORM, form).await;
        assert_eq!(shown.status, 200, "{form}");
        assert!(shown.text().contains("Check the list"), "{}", shown.text());
    }
    let log = app.get("/api/v4/events?limit=1000").await.json();
    let requested = log["items"].as_array().unwrap().iter();
    let batches = requested.filter(|event| event["type"] == "BatchRequested");
    assert_eq!(batches.count(), 1, "{log}");
}

#[tokio::test]
async fn a_failed_scan_says_why_and_can_be_retried_and_a_waiting_one_cancelled() {
    let app = TestApp::start().await;
    let scan = app.create_scan("gone.example").await;
    app.fail(&scan, FailureReason::NameNotResolved, false).await;
    let api = format!("/api/v4/scans/{scan}");
    app.get_in_status(&api, "failed").await;
    let page = app.get(&format!("/scans/{scan}")).await.text();
    assert!(
        page.contains("as the test wants it") && page.contains("/docs/problems/name_not_resolved"),
        "{page}"
    );
    assert!(page.contains(&format!("action=\"/scans/{scan}/retry\"")));
    assert_eq!(app.post(&format!("/scans/{scan}/retry")).await.status, 303);
    app.get_in_status(&api, "pending").await;
    let page = app.get(&format!("/scans/{scan}")).await.text();
    assert!(
        page.contains("ScanRetried") && page.contains(&format!("action=\"/scans/{scan}/cancel\"")),
        "{page}"
    );
    assert_eq!(app.post(&format!("/scans/{scan}/cancel")).await.status, 303);
    app.get_in_status(&api, "cancelled").await;
}

#[tokio::test]
async fn a_waiting_task_can_be_hastened_and_one_that_is_none_is_refused() {
    let app = TestApp::start().await;
    let scan = app.create_scan("later.example").await;
    app.fail(&scan, FailureReason::Timeout, true).await;
    let path = format!("/tasks/{scan}/hasten");
    let due = "update scan_task set due_at = now() + interval '1 minute' returning scan_id::text";
    let delayed = crate::support::app::wait_for("the task", async || {
        let found: Option<String> = sqlx::query_scalar(due)
            .fetch_optional(app.log_pool())
            .await
            .unwrap();
        found
    })
    .await;
    assert_eq!(delayed, scan);
    assert!(app.get("/tasks?show=delayed").await.text().contains(&path));
    assert_eq!(app.post(&path).await.status, 303);
    assert!(
        app.get("/tasks?show=ready")
            .await
            .text()
            .contains("later.example")
    );
    sqlx::query("update scan_task set leased_until = now() + interval '15 s', worker = 'somebody'")
        .execute(app.log_pool())
        .await
        .unwrap();
    assert_eq!(app.post(&path).await.status, 409, "a worker is at it");
    sqlx::query("update scan_task set leased_until = now() - interval '1 hour', queued_at = now() - interval '2 hours'")
        .execute(app.log_pool())
        .await
        .unwrap();
    let stuck = app.get("/tasks").await.text();
    assert!(
        stuck.contains("Stuck: <strong>1</strong>") && stuck.contains("later.example"),
        "{stuck}"
    );
    assert_eq!(
        app.post("/tasks/00000000-0000-4000-8000-000000000001/hasten")
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_page() {
    let app = TestApp::start().await;
    for path in [
        "/batches/00000000-0000-4000-8000-000000000001",
        "/batches/none",
        "/scans/00000000-0000-4000-8000-000000000001",
        "/domains/unknown.example",
        "/domains/not%20a%20domain",
    ] {
        let page = app.get(path).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (404, Some("text/html; charset=utf-8")),
            "{path}"
        );
        let text = page.text();
        assert!(
            text.contains("There is no such") || text.contains("The ID in the path is not valid"),
            "{path}"
        );
    }
    assert_eq!(app.get("/domains?status=odd").await.status, 400);
    assert_eq!(
        app.get("/domains?status=&contains=&is_wordpress=").await.status,
        200,
        "fields left empty"
    );
}

/// A form, sent from a page by a browser.
async fn sent_from(app: &TestApp, page: &str, path: &str, form: &str) -> Answer {
    app.call("POST", path)
        .header("sec-fetch-site", "same-origin")
        .header("referer", &format!("http://127.0.0.1{page}"))
        .body(FORM, form.to_owned())
        .send()
        .await
}

#[tokio::test]
async fn a_refused_form_is_shown_again_with_what_was_entered_and_the_error_beside_its_field() {
    let app = TestApp::start().await;
    let monitor = json!({ "name": "Shops", "domains": ["a.example"], "rhythm": "daily" });
    let created = app.post_json("/api/v4/monitors", &monitor).await.json();
    let id = created["monitor_id"].as_str().unwrap().to_owned();
    app.get(&format!("/api/v4/monitors/{id}?at_least={}", created["position"]))
        .await;
    let monitor = format!("/monitors/{id}");
    let change = format!("{monitor}/change");
    for (page, path, form, heading, kept, error) in [
        (
            "/webhooks",
            "/webhooks",
            "url=hook&description=Shop&domain.changed=yes",
            "<h1>Webhooks</h1>",
            &["value=\"hook\"", "value=\"Shop\""][..],
            "url is 'hook'",
        ),
        (
            "/webhooks",
            "/webhooks",
            "url=https://a.example/h&domain.changed=yes&fields=phone",
            "<h1>Webhooks</h1>",
            &["value=\"https://a.example/h\"", "value=\"phone\""],
            "did you mean 'phone_numbers'?",
        ),
        (
            "/keys",
            "/keys",
            "name=Anna&scope=read&days=9999",
            "<h1>Keys</h1>",
            &["value=\"Anna\"", "value=\"9999\""],
            "Enter 1 to 3650 days",
        ),
        (
            "/monitors",
            "/monitors",
            "name=New&rhythm=daily&time_zone=Berlin&list=a.example",
            "<h1>Monitors</h1>",
            &["value=\"New\"", "value=\"Berlin\"", "\na.example</textarea>"],
            "did you mean 'Europe/Berlin'?",
        ),
        (
            &monitor,
            &change,
            "name=Other&rhythm=99+6+*+*+*&time_zone=UTC",
            "<h1>Shops</h1>",
            &["value=\"Other\"", "value=\"99 6 * * *\""],
            "the minute 99 is out of range",
        ),
        (
            "/changes",
            "/batches/check",
            "list=a.example&max_pages=many",
            "<h1>Changes</h1>",
            &[],
            "max_pages is 'many'",
        ),
    ] {
        let answer = sent_from(&app, page, path, form).await;
        let text = answer.text();
        assert_eq!(answer.status, 422, "{path}: {text}");
        assert!(
            text.contains(heading) && text.contains("role=\"alert\""),
            "{path}: {text}"
        );
        for value in kept {
            assert!(text.contains(value), "{path} lost {value}: {text}");
        }
        assert!(text.contains(error), "{path}: {text}");
        if !kept.is_empty() {
            assert!(
                text.contains("aria-invalid=\"true\"") && text.contains("class=\"error\""),
                "{path}: {text}"
            );
        }
    }
    // A browser that sends no referrer gets the page above the form's path.
    let answer = sent(&app, &change, "name=&rhythm=daily&time_zone=UTC").await;
    assert!(
        answer.status == 422 && answer.text().contains("<h1>Shops</h1>"),
        "{}",
        answer.text()
    );
    let stored = app.get(&format!("/api/v4/monitors/{id}")).await.json();
    assert_eq!(
        (&stored["name"], &stored["rhythm"]),
        (&json!("Shops"), &json!("daily")),
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_a_page_for_a_browser_and_a_problem_for_programs() {
    let app = TestApp::start().await;
    for (path, accept, kind) in [
        (
            "/nothing",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "text/html; charset=utf-8",
        ),
        ("/nothing", "*/*", "application/problem+json"),
        ("/api/v4/nothing", "text/html", "application/problem+json"),
    ] {
        let answer = app.call("GET", path).header("accept", accept).send().await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some(kind)),
            "{path} {accept}"
        );
    }
}

#[tokio::test]
async fn the_page_of_an_erased_domain_says_so_instead_of_that_nothing_was_found() {
    let app = TestApp::start().await;
    let findings: Findings = serde_json::from_value(
        json!({ "title": "Workshop", "contact_info": { "email": ["anna@a.test"], "phone": [] } }),
    )
    .unwrap();
    let scan = app.create_scan("a.test").await;
    app.complete(&scan, &findings).await;
    app.get_in_status("/api/v4/domains/a.test", "completed").await;
    let page = app.get("/domains/a.test").await.text();
    assert!(
        page.contains("Workshop") && page.contains("<h2>Site</h2>") && !page.contains("Owner"),
        "{page}"
    );
    let erased = app.call("DELETE", "/api/v4/domains/a.test").send().await.json();
    app.get(&format!("/api/v4/domains/a.test?at_least={}", erased["position"]))
        .await;
    let page = app.get("/domains/a.test").await.text();
    assert!(
        page.contains("The results of this domain were erased on"),
        "{page}"
    );
    for section in [
        "Contacts",
        "Technologies",
        "What changed",
        "None found",
        "Workshop",
        "anna@a.test",
    ] {
        assert!(!page.contains(section), "{section}: {page}");
    }
}
