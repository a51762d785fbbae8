//! Which node is the site's operator, and slightly invalid blocks.

use super::*;

fn owners(block: &str) -> Vec<String> {
    let graph = graph(&[block]);
    graph
        .owners()
        .iter()
        .flat_map(|node| node.texts("name"))
        .collect()
}

#[test]
fn organizations_of_every_kind_run_sites() {
    for kind in [
        r#""LocalBusiness""#,
        r#""plumber""#,
        r#"["Thing", "Dentist"]"#,
        r#""https://schema.org/HVACBusiness""#,
        r#""http://schema.org/MedicalClinic/""#,
        r#""schema:Attorney""#,
        r#"["schema:Product", "schema:AutoPartsStore"]"#,
        r#""Church""#,
        r#""Museum""#,
    ] {
        let block = format!(r#"{{"@graph":[{{"@type":{kind},"name":"A &amp; B"}}]}}"#);
        assert_eq!(owners(&block), ["A & B"], "{kind}");
    }
    let unknown = r#"{"@type":"Dogsitter","name":"A","address":"Weg 1","telephone":"1"}"#;
    assert_eq!(owners(unknown), ["A"]);
    for block in [
        r#"{"@type":"Person","name":"A","address":"Weg 1","telephone":"1"}"#,
        r#"{"@type":"MusicEvent","name":"A","address":"Weg 1","telephone":"1"}"#,
        r#"{"name":"A","address":"Weg 1","telephone":"1"}"#,
        r#"{"@type":"Product","brand":{"@type":"Organization","name":"A"}}"#,
        r#"{"@type":"Product","review":{"author":{"@type":"Organization","name":"A"}}}"#,
        r#"{"@type":"Review","author":{"@type":"Organization","name":"A"}}"#,
        r#"{"@type":"Person","worksFor":{"@type":"Corporation","name":"A"}}"#,
        r#"{"@type":"JobPosting","hiringOrganization":{"@type":"Organization","name":"A"}}"#,
        r#"{"@type":"Event","location":{"@type":"Place","name":"A"}}"#,
    ] {
        assert!(owners(block).is_empty(), "{block}");
    }
    let both =
        r#"{"@type":"LocalBusiness","name":"A","parentOrganization":{"@type":"Organization","name":"B"}}"#;
    assert_eq!(owners(both), ["A"]);
}

#[test]
fn who_reviews_or_writes_is_not_who_runs_the_site() {
    for (block, wanted) in [
        (
            r#"{"@type":"Organization","email":"a","review":{"@type":"Review","author":{"@type":"Person","email":"b"}}}"#,
            &["a"][..],
        ),
        (
            r#"[{"@type":"Dentist","email":"a"},{"@type":"Person","email":"b"}]"#,
            &["a"],
        ),
        (r#"{"@type":"Person","email":"b"}"#, &["b"]),
        (
            r#"{"@type":"Organization","founder":{"@type":"Person","email":"b"}}"#,
            &["b"],
        ),
        (
            r#"{"@type":"Organization","contactPoint":[{"email":"a"},{"contactType":"Fax","email":"b"}]}"#,
            &["a"],
        ),
    ] {
        let graph = graph(&[block]);
        assert_eq!(
            graph.texts_of_site("email").collect::<Vec<_>>(),
            wanted,
            "{block}"
        );
    }
}

#[test]
fn an_id_stands_for_the_node_that_has_it() {
    let graph = graph(&[
        r##"{"@graph":[{"@type":"Organization","logo":{"@id":"#l"},"image":{"@id":"#other"}},
            {"@id":"#l","@type":"ImageObject","url":"/l.png"}]}"##,
    ]);
    let organization = graph.owners()[0];
    assert_eq!(organization.texts("logo"), ["/l.png"]);
    assert!(organization.texts("image").is_empty());
}

#[test]
fn blocks_that_are_not_quite_json_are_read() {
    for block in [
        "<![CDATA[{\"a\":\"x\"}]]>",
        "//<![CDATA[\n{\"a\":\"x\"}\n//]]>",
        "{\"a\":\"x\",\"b\":\"1\n2\"}",
        "{\"a\":\"x\"};",
        "{\"a\":\"x\"}{\"a\":\"y\"}",
        "{\"a\":\"x\"}\n,{\"a\":\"y\",}",
        "\u{feff}{\"a\":\"x\"}",
        "{\"b\":{},\"a\":\"x\"}",
        "<script>{\"a\":\"x\"}",
        "{&#34;a&#34;:&#34;x&#34;}",
    ] {
        assert_eq!(graph(&[block]).texts("a").next().as_deref(), Some("x"), "{block}");
    }
    assert_eq!(graph(&["{\"a\":\"x\"} {\"a\":\"y\"}"]).texts("a").count(), 2);
}

/// Bytes of all texts that are kept.
fn kept(graph: &Graph) -> usize {
    fn size(value: &Json) -> usize {
        match value {
            Json::Text(text) => text.len(),
            Json::List(items) => items.iter().map(size).sum::<usize>() + items.len(),
            Json::Nothing | Json::Object(_) => 1,
        }
    }
    let objects = graph.arena.0.iter();
    let fields = objects.flat_map(|object| &object.fields);
    fields.map(|(name, value)| name.len() + size(value)).sum()
}

#[test]
fn what_is_kept_is_no_larger_than_what_was_read() {
    let named = format!(
        r##"{{"@id":"#a","@type":"Organization","name":"{}"}}"##,
        "a".repeat(100_000)
    );
    let references = vec![r##"{"publisher":{"@id":"#a"}}"##; 20_000].join(",");
    let referenced = format!("[{named},{references}]");
    let numbers = vec!["1"; 500_000].join(",");
    let nested = format!("{}[{numbers}]{}", r#"{"a":"#.repeat(120), "}".repeat(120));
    for block in [
        referenced,
        nested,
        "{\"a\":".repeat(1_000_000),
        "[".repeat(1_000_000),
    ] {
        let graph = graph(&[&block]);
        assert!(kept(&graph) <= block.len());
        assert!(graph.order.len() <= 5_000);
        assert!(graph.texts("publisher").all(|text| text.len() <= MAX_TEXT));
    }
}
