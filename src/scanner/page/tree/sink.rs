//! scraper's tree as html5ever's sink, with additions for large pages.

use std::borrow::Cow;
use std::cell::Ref;

use ego_tree::{NodeId, Tree};
use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, QualName};
use scraper::{Html, HtmlTreeSink, Node};

use super::bounds::MAX_ATTRIBUTES;

/// scraper's own sink, with access to its size.
pub(super) struct Sink(HtmlTreeSink);

impl Sink {
    pub(super) fn with_capacity(nodes: usize) -> Self {
        let mut html = Html::new_document();
        html.tree = Tree::with_capacity(Node::Document, nodes);
        Self(HtmlTreeSink::new(html))
    }

    /// Number of nodes in the tree.
    pub(super) fn nodes(&self) -> usize {
        self.0.0.borrow().tree.values().len()
    }

    pub(super) fn into_html(self) -> Html {
        self.0.finish()
    }
}

impl TreeSink for Sink {
    type Handle = NodeId;
    type Output = Html;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Html {
        self.into_html()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.0.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Ref<'a, QualName> {
        self.0.elem_name(target)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        self.0.create_element(name, attributes, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.0.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.0.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.0.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        self.0.append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.0.append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.0.get_template_contents(target)
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.0.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.0.append_before_sibling(sibling, child);
    }

    /// Each `<html>` and `<body>` tag adds attributes to the first element, up to a limit.
    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        let known = self.0.0.borrow();
        let element = known.tree.get(*target).and_then(|node| node.value().as_element());
        let has_room = element.is_some_and(|element| element.attrs.len() < MAX_ATTRIBUTES);
        drop(known);
        if has_room {
            self.0.add_attrs_if_missing(target, attributes);
        }
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.0.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.0.reparent_children(node, new_parent);
    }
}
