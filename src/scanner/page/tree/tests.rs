//! Tests that pages are parsed as in browsers, and that no page takes too long.

use scraper::Selector;

use super::*;

/// Elements by name and texts, with brackets around the content of an element.
fn read(html: &str) -> String {
    let mut out = String::new();
    for edge in parse(html).html.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) => match node.value() {
                scraper::Node::Element(element) => out.extend([element.name(), "("]),
                scraper::Node::Text(text) => out.push_str(text),
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) if node.value().is_element() => out.push(')'),
            ego_tree::iter::Edge::Close(_) => {}
        }
    }
    out
}

fn numbered(count: u32, piece: fn(u32) -> String) -> String {
    (0..count).map(piece).collect()
}

fn count(html: &str, selector: &str) -> usize {
    let selector = Selector::parse(selector).unwrap();
    parse(html).html.select(&selector).count()
}

#[test]
fn pages_are_read_as_browsers_read_them() {
    for (html, tree) in [
        ("<!--><p>a", "html(head()body(p(a)))"),
        ("<!-- x --!><p>a", "html(head()body(p(a)))"),
        ("&eacute &nbsp1 &copy=", "html(head()body(é \u{a0}1 ©=))"),
        (
            "<title>a<b></title><p>1<p>2",
            "html(head(title(a<b>))body(p(1)p(2)))",
        ),
        (
            "<svg><title>a</title><path><p>b",
            "html(head()body(svg(title(a)path())p(b)))",
        ),
        ("<table><tr>a<td>b", "html(head()body(atable(tbody(tr(td(b))))))"),
        (
            "<script>a<b</script><noscript><img></noscript>",
            "html(head(script(a<b)noscript())body(img()))",
        ),
        ("a<!-- b -->c", "html(head()body(ac))"),
    ] {
        assert_eq!(read(html), tree, "{html}");
    }
    let merged = parse("<html lang=de><body id=a><html lang=en dir=ltr><body id=b class=c>").html;
    let root = merged.root_element();
    assert_eq!((root.attr("lang"), root.attr("dir")), (Some("de"), Some("ltr")));
}

#[test]
fn what_is_nested_too_deep_stands_side_by_side() {
    let html = "<div>".repeat(3_000) + "<p>here</p>";
    let deepest = parse(&html)
        .html
        .tree
        .nodes()
        .map(|node| node.ancestors().count())
        .max();
    assert!(deepest.is_some_and(|depth| depth < 600), "{deepest:?}");
    assert_eq!(count(&html, "div"), 3_000);
    assert!(read(&html).contains("p()here"));
}

#[test]
fn links_far_inside_keep_their_texts() {
    let html = "<font color=1>".repeat(1_000) + "<a href=x>here</a>";
    assert!(read(&html).contains("a(here)"));
}

#[test]
fn of_a_tag_with_too_many_attributes_the_first_are_kept() {
    let many = numbered(20_000, |number| format!(" a{number}=\">\""));
    for (html, wanted) in [
        (format!("<p first{many}>x</p><i>y"), "html(head()body(p(x)i(y)))"),
        (
            format!("<script>x</script{many}><i>y"),
            "html(head(script(x))body(i(y)))",
        ),
        (format!("<!-- <p {many} --><i>y"), "html(head()body(i(y)))"),
        (format!("<p {many}"), "html(head()body(p()))"),
    ] {
        assert_eq!(read(&html), wanted, "{}", &html[..40]);
    }
    let page = parse(&format!("<p first{many}>")).html;
    let paragraph = page.select(&Selector::parse("p").unwrap()).next().unwrap();
    assert_eq!(paragraph.value().attrs.len(), bounds::MAX_ATTRIBUTES);
    assert_eq!(paragraph.attr("a100"), Some(">"));
}

#[test]
fn a_long_value_is_no_long_list_of_attributes() {
    let value = "data:image/png;base64,a/b c ".repeat(20_000);
    let page = parse(&format!("<img alt=x src=\"{value}\" id=y>")).html;
    let image = page.select(&Selector::parse("img#y").unwrap()).next().unwrap();
    assert_eq!(image.attr("src").map(str::len), Some(value.len()));
}

#[test]
fn a_page_cannot_make_more_elements_than_it_is_large() {
    let formats = numbered(300, |number| format!("<b id={number}>"));
    let html = formats + &"<p>x".repeat(2_000);
    assert!(parse(&html).html.tree.values().len() < 410_000);
}
