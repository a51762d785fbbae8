//! Phone numbers of a page in E.164. If a number has no country code, the country is inferred.
//!
//! One file per question: the numbers in links, the numbers in text, the meaning of the words around a number, digits
//! that are not a phone number, and the possible countries of a page.

mod groups;
mod label;
mod links;
mod notation;
mod possible_regions;
mod shape;
mod surroundings;
mod text;
mod vanity;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use self::links::{in_script, messenger, tel, whatsapp, whatsapp_button};
use self::possible_regions::{Regions, regions};
use self::text::{Written, ascii, is_template, number, numbers};
use self::vanity::toll_free_words;
use super::characters::{digit, visible};
use super::head::meta;
use super::json_ld::Graph;
use super::outline::Outline;
use super::third_parties::{is_in, third_parties, without};
use crate::values::findings::Phone;

/// Maximum number of phone numbers kept per page.
const MAX_PHONES: usize = 100;

/// Maximum number of labelled texts examined.
const MAX_MARKED: usize = 1_000;

/// Names under which a `<meta>` states a number (Open Graph, business and microdata vocabularies).
const METAS: &[&str] = &[
    "telephone",
    "phone",
    "og:phone_number",
    "business:contact_data:phone_number",
];

/// All numbers in order of trust: `tel:` and `WhatsApp` links, JSON-LD, metas, then text. Fax numbers are left out.
pub(super) fn phones(page: &Outline, graph: &Graph, language: Option<&str>) -> Vec<Phone> {
    let places = regions(page, graph, language);
    let regions = &places.list;
    let of_others = third_parties(page);
    let text = without(&page.text, of_others);
    let (faxes, written): (Vec<_>, Vec<_>) = numbers(&text, &places)
        .into_iter()
        .partition(|written| written.is_fax);
    let is_phone_too = |value: &String| written.iter().any(|phone| e164(&phone.number) == *value);
    let stated_faxes = graph.texts("faxNumber").filter_map(|fax| number(&fax, regions));
    let faxes = faxes.into_iter().map(|fax| fax.number).chain(stated_faxes);
    let mut found = Found {
        page: page.base.as_str(),
        faxes: faxes
            .map(|fax| e164(&fax))
            .filter(|fax| !is_phone_too(fax))
            .collect(),
        list: Vec::new(),
    };
    let hrefs = || {
        page.anchors
            .iter()
            .filter(|anchor| !anchor.is_by_others && !anchor.is_decoy && !is_in(of_others, anchor.at))
            .map(|anchor| anchor.href.as_str())
            .take(MAX_MARKED)
    };
    for number in hrefs().filter_map(tel) {
        found.add_marked(&number, &places, "tel");
    }
    for number in hrefs().filter_map(messenger) {
        found.add_marked(&number, &places, "tel");
    }
    let scripts = page.scripts.iter().filter_map(|script| in_script(script));
    let buttons = page.elements().filter_map(whatsapp_button).chain(scripts);
    for number in hrefs().filter_map(whatsapp).chain(buttons.take(MAX_MARKED)) {
        found.add_chat(&number, regions);
    }
    for number in graph.texts_of_site("telephone").take(MAX_MARKED) {
        found.add_marked(number.trim_start_matches("tel:"), &places, "json_ld");
    }
    for number in METAS.iter().filter_map(|name| meta(page, &[name])) {
        found.add_marked(&number, &places, "meta");
    }
    let labels: Vec<(String, &str)> = page
        .anchors
        .iter()
        .take(MAX_MARKED)
        .filter(|anchor| anchor.text.len() <= MAX_LABEL)
        .filter_map(|anchor| Some((tel(&anchor.href)?, anchor.text.as_str())))
        .take(MAX_PHONES)
        .collect();
    if [Region::US, Region::CA]
        .iter()
        .any(|region| regions.contains(region))
    {
        for (raw, number) in toll_free_words(&text) {
            found.add(&number, raw, "text");
        }
    }
    for phone in written {
        if !is_label(&phone, &found.list, &labels) {
            found.add(&phone.number, phone.raw, "text");
        }
    }
    found.list
}

/// The number of leading digits, including the country code, that a number and the link around it share if they mean
/// the same line.
const SHARED_DIGITS: usize = 8;

/// Maximum length of a link text that is the number it dials.
const MAX_LABEL: usize = 100;

/// Whether a number in the text is the visible form of a link's number: the text or the link may lack the extension.
fn is_label(written: &Written<'_>, found: &[Phone], labels: &[(String, &str)]) -> bool {
    let value = e164(&written.number);
    let is_variant = |phone: &Phone| {
        let digits = phone.value.chars().zip(value.chars());
        phone.source == "tel" && digits.take_while(|(one, other)| one == other).count() > SHARED_DIGITS
    };
    labels
        .iter()
        .filter(|(_, label)| label.contains(written.raw))
        .any(|(dialled, _)| {
            found
                .iter()
                .any(|phone| phone.raw == *dialled && is_variant(phone))
        })
}

struct Found<'a> {
    page: &'a str,
    /// Numbers in E.164 that only reach a fax machine.
    faxes: Vec<String>,
    list: Vec<Phone>,
}

impl Found<'_> {
    /// Adds a text that is labelled as a number, or several numbers in it. The number must be possible, but need not
    /// be known to be in use. If the country is unknown, the number is kept as it is written.
    fn add_marked(&mut self, raw: &str, places: &Regions, source: &str) {
        let regions = &places.list;
        if let Some(number) = parsed(raw, regions).find(PhoneNumber::is_valid) {
            return self.add(&number, raw, source);
        }
        let several = numbers(raw, places);
        if !several.is_empty() {
            for written in several.iter().filter(|written| !written.is_fax) {
                self.add(&written.number, written.raw, source);
            }
            return;
        }
        let possible = parsed(raw, regions).find(|number| PHONE_NUMBER_UTIL.is_possible_number(number));
        match possible {
            // North America has a single plan, in which every invalid number is impossible.
            Some(number) if !e164(&number).starts_with("+1") => self.add(&number, raw, source),
            _ if places.is_guess && !raw.contains('+') => self.add_unplaced(raw, source),
            _ => {}
        }
    }

    /// Adds the number of a chat, which has a country code without a plus; sometimes the code is missing.
    fn add_chat(&mut self, digits: &str, regions: &[Region]) {
        let international = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).ok();
        let number = international
            .filter(PhoneNumber::is_valid)
            .or_else(|| number(digits, regions));
        if let Some(number) = number {
            self.add(&number, digits, "whatsapp");
        }
    }

    fn add(&mut self, number: &PhoneNumber, raw: &str, source: &str) {
        let value = e164(number);
        if !self.faxes.contains(&value) && !is_helpline(number, &value) {
            self.push(value, raw, source);
        }
    }

    /// Adds a number of an unknown country: its digits.
    fn add_unplaced(&mut self, raw: &str, source: &str) {
        let value: String = raw.chars().filter_map(digit).collect();
        if (6..=15).contains(&value.len()) {
            self.push(value, raw, source);
        }
    }

    fn push(&mut self, value: String, raw: &str, source: &str) {
        let is_new = self.list.iter().all(|phone| phone.value != value);
        if is_new && !is_template(&value) && self.list.len() < MAX_PHONES {
            self.list.push(Phone {
                value,
                raw: raw.trim().to_owned(),
                source: source.to_owned(),
                page: self.page.to_owned(),
            });
        }
    }
}

/// Whether it is one of Europe's harmonised helplines, such as 116 117 (Commission Decision 2007/116/EC): no owner of a
/// site has such a number.
fn is_helpline(number: &PhoneNumber, value: &str) -> bool {
    const LENGTH: usize = 6;
    let is_european = value.starts_with("+3") || value.starts_with("+4");
    let national = number.get_national_significant_number();
    is_european && national.len() == LENGTH && national.starts_with("116")
}

fn e164(number: &PhoneNumber) -> String {
    number.format_as(PhoneNumberFormat::E164).into_owned()
}

/// A text parsed as a number of each of the countries.
fn parsed(raw: &str, regions: &[Region]) -> impl Iterator<Item = PhoneNumber> {
    let text = ascii(visible(raw).trim());
    // Most countries use `00` as the international prefix.
    let text = text
        .strip_prefix("00")
        .map(|rest| format!("+{rest}"))
        .unwrap_or(text);
    let regions: Vec<Option<Region>> = if text.starts_with('+') || text.starts_with("(+") {
        vec![None]
    } else {
        regions.iter().copied().map(Some).collect()
    };
    regions
        .into_iter()
        .filter_map(move |region| PHONE_NUMBER_UTIL.parse(&text, region).ok())
}

#[cfg(test)]
mod tests;
