//! Lists: their order, their pages, their filters.

use serde_json::Value;
use sitelog::projections::domains::technologies::technologies;
use sitelog::projections::jobs::throughput::throughput;
use sitelog::values::certificate::Certificate;
use sitelog::values::dns::Recognised;
use sitelog::values::findings::{ContactInfo, Technology};
use sitelog::values::site_state::{SiteState, SiteStateKind};
use sitelog::values::{FailureReason, Findings, TenantId};

use crate::support::app::TestApp;

/// One field of each row of all pages, read two at a time.
async fn all(app: &TestApp, path: &str, field: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = String::new();
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = app.get(&format!("{path}{joint}limit=2{next}")).await.json();
        let rows = page["items"].as_array().unwrap();
        assert!(rows.len() <= 2);
        found.extend(rows.iter().map(|row| text(&row[field])));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return found,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn scans_come_in_the_order_of_their_requests_page_by_page() {
    let app = TestApp::start().await;
    for domain in ["c.com", "a.com", "b.com", "a.com"] {
        app.create_scan(domain).await;
    }
    app.get("/api/v4/scans?at_least=4").await;
    assert_eq!(
        all(&app, "/api/v4/scans", "domain").await,
        ["c.com", "a.com", "b.com", "a.com"]
    );
    assert_eq!(
        all(&app, "/api/v4/scans?domain=A.com", "domain").await,
        ["a.com", "a.com"]
    );
}

#[tokio::test]
async fn scans_are_found_by_status_and_show_no_results() {
    let app = TestApp::start().await;
    let ids = [app.create_scan("a.com").await, app.create_scan("b.com").await];
    app.complete(&ids[1], &Findings::default()).await;
    app.get_in_status(&format!("/api/v4/scans/{}", ids[1]), "completed")
        .await;
    assert_eq!(
        all(&app, "/api/v4/scans?status=completed", "scan_id").await,
        [ids[1].as_str()]
    );
    assert_eq!(
        all(&app, "/api/v4/scans?status=completed", "result").await,
        ["null"]
    );
    assert_eq!(
        all(&app, "/api/v4/scans?status=pending", "scan_id").await,
        [ids[0].as_str()]
    );
}

#[tokio::test]
async fn the_scans_of_a_batch_come_in_the_order_of_its_list() {
    let app = TestApp::start().await;
    let domains = ["c.com", "a.com", "d.com", "b.com", "e.com"];
    let id = app.create_batch(&domains).await;
    app.create_scan("other.com").await;
    assert_eq!(
        all(&app, &format!("/api/v4/batches/{id}/scans"), "domain").await,
        domains
    );
    assert_eq!(
        all(&app, &format!("/api/v4/scans?batch={id}"), "line").await,
        ["1", "2", "3", "4", "5"]
    );
}

#[tokio::test]
async fn batches_come_newest_first() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for domain in ["a.com", "b.com", "c.com"] {
        ids.insert(0, app.create_batch(&[domain]).await);
    }
    assert_eq!(all(&app, "/api/v4/batches", "batch_id").await, ids);
}

#[tokio::test]
async fn domains_come_by_name_once_each_and_can_be_searched() {
    let app = TestApp::start().await;
    for domain in ["c.com", "a.com", "b.org", "a.com"] {
        app.create_scan(domain).await;
    }
    app.get("/api/v4/domains?at_least=4").await;
    assert_eq!(
        all(&app, "/api/v4/domains", "domain").await,
        ["a.com", "b.org", "c.com"]
    );
    assert_eq!(
        all(&app, "/api/v4/domains?contains=.COM", "domain").await,
        ["a.com", "c.com"]
    );
    assert_eq!(all(&app, "/api/v4/domains?contains=%25", "domain").await, [""; 0]);
}

fn found(title: &str, technologies: &[&str], email: Option<&str>) -> Findings {
    Findings {
        title: Some(title.to_owned()),
        language: Some("de-AT".to_owned()),
        contact_info: ContactInfo {
            email: email.into_iter().map(str::to_owned).collect(),
            ..ContactInfo::default()
        },
        technologies: technologies
            .iter()
            .map(|name| Technology {
                name: (*name).to_owned(),
                ..Technology::default()
            })
            .collect(),
        ..Findings::default()
    }
}

/// Four scans: two completed, one failed, one pending.
async fn some_of_each() -> TestApp {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for domain in ["c.com", "a.org", "xn--mnchen-3ya.de", "b.com"] {
        ids.push(app.create_scan(domain).await);
    }
    app.complete(&ids[0], &found("Workshop", &["nginx"], Some("a@c.com")))
        .await;
    let parked = SiteState {
        state: SiteStateKind::Parked,
        evidence: "text: this domain is parked".to_owned(),
        page: "https://a.org/".to_owned(),
    };
    let of_a_org = Findings {
        site_state: Some(parked),
        certificate: Some(Certificate {
            valid_to: Some("2026-12-31T10:00:00Z".parse().unwrap()),
            ..Certificate::default()
        }),
        email_provider: Some(Recognised {
            name: "Google Workspace".to_owned(),
            evidence: "MX 1 aspmx.l.google.com".to_owned(),
        }),
        ..found("Bäckerei Müller", &["Nginx", "React"], None)
    };
    app.complete(&ids[1], &of_a_org).await;
    app.fail(&ids[2], FailureReason::NotHtml, false).await;
    let head = app.head().await;
    for list in ["scans", "domains"] {
        app.get_until(&format!("/api/v4/{list}?at_least={head}"), |answer| {
            answer.status == 200
        })
        .await;
    }
    app
}

#[tokio::test]
async fn scans_are_found_by_reason_and_part_of_the_name_and_come_newest_first() {
    let app = some_of_each().await;
    for (query, expected) in [
        ("reason=not_html", vec!["xn--mnchen-3ya.de"]),
        ("reason=timeout", vec![]),
        ("contains=.COM", vec!["c.com", "b.com"]),
        ("contains=m%C3%BCnchen", vec!["xn--mnchen-3ya.de"]),
        ("contains=.com&status=pending", vec!["b.com"]),
        (
            "sort=created_at",
            vec!["c.com", "a.org", "xn--mnchen-3ya.de", "b.com"],
        ),
        (
            "sort=-created_at",
            vec!["b.com", "xn--mnchen-3ya.de", "a.org", "c.com"],
        ),
        ("sort=-created_at&contains=.com", vec!["b.com", "c.com"]),
    ] {
        assert_eq!(
            all(&app, &format!("/api/v4/scans?{query}"), "domain").await,
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn domains_are_found_by_what_is_known_of_them_and_come_in_four_orders() {
    let app = some_of_each().await;
    for (query, expected) in [
        ("contains=m%C3%BCller", vec!["a.org"]),
        ("contains=M%C3%9CNCHEN", vec!["xn--mnchen-3ya.de"]),
        ("has_email=true", vec!["c.com"]),
        ("has_email=false&status=completed", vec!["a.org"]),
        ("has_phone=true", vec![]),
        (
            "has_elementor=false&is_wordpress=false&status=failed",
            vec!["xn--mnchen-3ya.de"],
        ),
        ("language=DE", vec!["a.org", "c.com"]),
        ("language=de-at", vec!["a.org", "c.com"]),
        ("language=d", vec![]),
        ("technology=NGINX", vec!["a.org", "c.com"]),
        ("technology=react", vec!["a.org"]),
        ("technology=ngin", vec![]),
        ("site_state=parked", vec!["a.org"]),
        ("site_state=for_sale", vec![]),
        ("email_provider=google%20workspace", vec!["a.org"]),
        ("email_provider=google", vec![]),
        ("tls_expires_before=2027-01-01", vec!["a.org"]),
        ("tls_expires_before=2026-12-31T00:00:00Z", vec![]),
        (
            "sort=domain",
            vec!["a.org", "b.com", "c.com", "xn--mnchen-3ya.de"],
        ),
        (
            "sort=-domain",
            vec!["xn--mnchen-3ya.de", "c.com", "b.com", "a.org"],
        ),
        (
            "sort=last_scan",
            vec!["c.com", "a.org", "xn--mnchen-3ya.de", "b.com"],
        ),
        (
            "sort=-last_scan",
            vec!["xn--mnchen-3ya.de", "a.org", "c.com", "b.com"],
        ),
    ] {
        assert_eq!(
            all(&app, &format!("/api/v4/domains?{query}"), "domain").await,
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_filter_that_is_none_is_refused_and_told_what_is_allowed() {
    let app = TestApp::start().await;
    for (query, allowed) in [
        (
            "scans?status=done",
            "pending, running, completed, failed, cancelled",
        ),
        ("scans?reason=bad_luck", "invalid_domain, name_not_resolved"),
        ("scans?sort=domain", "created_at, -created_at"),
        ("scans?batch=x", "a batch's ID"),
        ("batches?status=done", "completed, partial, failed"),
        ("domains?status=done", "pending, running"),
        ("domains?sort=title", "domain, -domain, last_scan, -last_scan"),
        ("domains?tls_expires_before=soon", "a date or time"),
        ("domains?site_state=odd", "parked, for_sale, under_construction"),
        ("domains?has_email=maybe", "`true` or `false`"),
        (&format!("batches/{}/scans?sort=x", super::UNKNOWN), "created_at"),
    ] {
        let answer = app.get(&format!("/api/v4/{query}")).await;
        if query.starts_with("batches/") {
            answer.problem(404, "not_found");
            continue;
        }
        let problem = answer.problem(400, "invalid_query");
        assert!(
            problem["detail"].as_str().unwrap().contains(allowed),
            "{query}: {problem}"
        );
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_order() {
    let app = some_of_each().await;
    for (list, orders) in [
        ("scans", ["created_at", "-created_at"].as_slice()),
        ("domains", &["domain", "-domain", "last_scan", "-last_scan"]),
    ] {
        for order in orders {
            let page = app
                .get(&format!("/api/v4/{list}?limit=1&sort={order}"))
                .await
                .json();
            let cursor = page["next"].as_str().unwrap();
            for other in orders {
                let answer = app
                    .get(&format!("/api/v4/{list}?sort={other}&cursor={cursor}"))
                    .await;
                if order == other {
                    assert_eq!(answer.status, 200);
                } else {
                    answer.problem(400, "invalid_query");
                }
            }
        }
    }
}

#[tokio::test]
async fn batches_are_found_by_status() {
    let app = TestApp::start().await;
    let ids = [
        app.create_batch(&["a.com"]).await,
        app.create_batch(&["b.com"]).await,
    ];
    let scan = text(&app.scans_of_batch(&ids[0], 1).await[0]["scan_id"]);
    app.complete(&scan, &Findings::default()).await;
    app.get_in_status(&format!("/api/v4/batches/{}", ids[0]), "completed")
        .await;
    assert_eq!(
        all(&app, "/api/v4/batches?status=completed", "batch_id").await,
        [ids[0].as_str()]
    );
    assert_eq!(
        all(&app, "/api/v4/batches?status=pending", "batch_id").await,
        [ids[1].as_str()]
    );
    assert_eq!(
        all(&app, "/api/v4/batches?status=partial", "batch_id").await,
        [""; 0]
    );
}

#[tokio::test]
async fn what_a_page_shows_of_a_batch_is_counted() {
    let app = TestApp::start().await;
    let id = app.create_batch(&["a.com", "b.com", "c.com"]).await;
    let batch = id.parse().unwrap();
    assert_eq!(
        throughput(app.models(), TenantId::DEFAULT, batch).await.unwrap(),
        None
    );
    let scans = app.scans_of_batch(&id, 3).await;
    app.complete(
        &text(&scans[0]["scan_id"]),
        &found("A", &["nginx", "React"], None),
    )
    .await;
    app.complete(&text(&scans[1]["scan_id"]), &found("B", &["nginx"], None))
        .await;
    app.fail(&text(&scans[2]["scan_id"]), FailureReason::NotHtml, false)
        .await;
    app.get_in_status(&format!("/api/v4/batches/{id}"), "partial")
        .await;
    let head = app.head().await;
    for list in ["scans", "domains"] {
        app.get_until(&format!("/api/v4/{list}?at_least={head}"), |answer| {
            answer.status == 200
        })
        .await;
    }
    let measured = throughput(app.models(), TenantId::DEFAULT, batch)
        .await
        .unwrap()
        .unwrap();
    let completed: i64 = measured.buckets.iter().map(|bucket| bucket.completed).sum();
    let failed: i64 = measured.buckets.iter().map(|bucket| bucket.failed).sum();
    assert_eq!((completed, failed, measured.last_minute), (2, 1, 3));
    assert!(measured.buckets.len() <= 60, "{}", measured.buckets.len());
    let most = technologies(app.models(), TenantId::DEFAULT, Some(batch))
        .await
        .unwrap();
    let most: Vec<_> = most.iter().map(|t| (t.name.as_str(), t.domains)).collect();
    assert_eq!(most, [("nginx", 2), ("React", 1)]);
    let other = super::OTHER.parse().unwrap();
    assert_eq!(technologies(app.models(), other, None).await.unwrap(), []);
}
