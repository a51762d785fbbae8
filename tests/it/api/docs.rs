//! The pages about the API.

use sitelog::api::problem::ProblemCode;
use sitelog::values::FailureReason;

use crate::support::app::TestApp;

#[tokio::test]
async fn every_problem_and_every_reason_has_a_page() {
    let app = TestApp::start().await;
    let codes = ProblemCode::ALL.iter().map(ToString::to_string);
    let reasons = FailureReason::ALL.iter().map(ToString::to_string);
    let list = app.get("/docs/problems").await.text();
    for code in codes.chain(reasons) {
        let page = app.get(&format!("/docs/problems/{code}")).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{code}"
        );
        assert!(page.text().contains("What to do"), "{code}");
        assert!(list.contains(&format!("/docs/problems/{code}\"")), "{code}");
    }
    let unknown = app.get("/docs/problems/%3Cscript%3E").await;
    assert_eq!(
        (unknown.status, unknown.header("content-type")),
        (404, Some("text/html; charset=utf-8"))
    );
    assert!(!unknown.text().contains("script"));
}

#[tokio::test]
async fn a_problem_leads_to_its_page() {
    let app = TestApp::start().await;
    let problem = app.get("/api/v4/nothing").await.json();
    assert_eq!(app.get(problem["type"].as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn the_page_has_every_operation_and_nothing_of_others() {
    let app = TestApp::start().await;
    let page = app.get("/docs").await;
    assert_eq!(page.status, 200);
    // A long path may be broken behind each slash.
    let text = page.text().replace("<wbr>", "");
    let document = app.get("/openapi.json").await.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let heading = format!("<code>{} {path}</code>", method.to_uppercase());
            assert!(text.contains(&heading), "{heading}");
        }
    }
    for foreign in ["<script", "style=", "<style", "src=\"http", "href=\"http"] {
        assert!(!text.contains(foreign), "{foreign}");
    }
}

#[tokio::test]
async fn answers_are_compressed_for_who_takes_that_and_tagged_the_same() {
    let app = TestApp::start().await;
    for coding in ["gzip", "br", "zstd"] {
        let answer = app
            .call("GET", "/openapi.json")
            .header("accept-encoding", coding)
            .send()
            .await;
        assert_eq!(answer.header("content-encoding"), Some(coding));
        assert!(
            answer
                .header("vary")
                .is_some_and(|vary| vary.contains("accept-encoding"))
        );
        assert!(answer.body.len() < 90_000, "{}", answer.body.len());
    }
    assert_eq!(app.get("/openapi.json").await.header("content-encoding"), None);
    let small = app
        .call("GET", "/livez")
        .header("accept-encoding", "gzip")
        .send()
        .await;
    assert_eq!(
        (small.header("content-encoding"), small.text().as_str()),
        (None, "{\"status\":\"ok\"}")
    );
    let head = app
        .call("HEAD", "/openapi.json")
        .header("accept-encoding", "gzip")
        .send()
        .await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_tag_is_the_same_weak_or_strong_and_says_whose_answer_it_is() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    let path = format!("/api/v4/scans/{id}?at_least=1");
    let answer = app.get(&path).await;
    let tag = answer.header("etag").unwrap().to_owned();
    assert!(answer.header("vary").unwrap().contains("x-tenant-id"));
    for known in [
        tag.as_str(),
        tag.trim_start_matches("W/"),
        "*",
        &format!("\"x\", {tag}"),
    ] {
        let again = app.call("GET", &path).header("if-none-match", known).send().await;
        assert_eq!(
            (again.status, again.body.len(), again.header("etag")),
            (304, 0, Some(tag.as_str())),
            "{known}"
        );
    }
    let other = app
        .call("GET", &path)
        .header("if-none-match", "\"x\"")
        .send()
        .await;
    assert_eq!(other.status, 200);
}
