//! Splits a line that contains a name, an address and more: `Acme GmbH, Weg 1, 8010 Graz | Tel. 1`.

use std::sync::LazyLock;

use regex::Regex;

use super::code::postcode;
use super::is_name;
use super::reach::is_contact;
use super::segment::{SIGNS, end, has_street, is_told};
use super::shape::{is_box, is_street, is_unit, names_street};
use crate::scanner::page::imprint::labels::{Label, without_label};
use crate::scanner::page::third_parties::introduces_host;

/// Longer lines are prose, and an address is close to its code.
const MAX_LINE: usize = 4_000;
const MAX_BEFORE: usize = 200;

/// Maximum number of addresses in a line, and of candidates for a postal code per address.
const MAX_ADDRESSES: usize = 4;
const MAX_CODES: usize = 6;

/// A part of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    /// Whether a label in front of it on the line says that it is an address.
    pub(super) is_address: bool,
}

/// The parts of a line in order; most lines have one.
pub(super) fn parts(line: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::with_capacity(1);
    let mut add = |text, is_address| parts.push(Part { text, is_address });
    let mut rest = line.trim();
    for _ in 0..MAX_ADDRESSES {
        let Some(found) = address(rest) else {
            break;
        };
        let (head, name) = rest[..found.start].split_at(found.name);
        add(head, false);
        add(
            name.trim_matches([' ', ',', '|', '•', '·', '-', '–', '—', '©']),
            false,
        );
        add(&rest[found.start..found.end], found.is_labelled);
        rest = &rest[found.end..];
    }
    add(rest, false);
    parts
}

/// Where an address begins and ends in a line, and where the name in front of it begins.
struct Found {
    name: usize,
    start: usize,
    end: usize,
    is_labelled: bool,
}

/// The first address of a line that is clearly separated from the text in front of it. An address at the start
/// becomes a part of its own only if a sentence follows.
fn address(line: &str) -> Option<Found> {
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    if digits < 4 || line.len() > MAX_LINE {
        return None;
    }
    let mut from = 0;
    for _ in 0..MAX_CODES {
        let code = postcode(line, from)?;
        from = code.end();
        let end = end(line, &code);
        let street = start(line, code.start(), end).or_else(|| behind_name(line, code.start()));
        let Some((start, cut)) = street else {
            continue;
        };
        let end = if start < code.start() {
            end
        } else {
            start + end_of_own(&line[start..])
        };
        let before = line[..start].trim_end_matches(SIGNS);
        if before.is_empty() {
            if end < line.len() {
                return Some(Found {
                    name: 0,
                    start,
                    end,
                    is_labelled: false,
                });
            }
            continue;
        }
        let name = name(before);
        let is_labelled = cut == Cut::Phrase || cut == Cut::Colon && is_label(before);
        let field = before.rsplit(['|', '•', '·']).next().unwrap_or_default();
        let is_apart = cut == Cut::Hard && !field.contains([':', '：']) && !is_told(before);
        if (is_labelled || name.is_some() || is_apart) && !is_of_others(before) {
            let name = name.unwrap_or(start);
            return Some(Found {
                name,
                start,
                end,
                is_labelled,
            });
        }
    }
    None
}

/// The end of the address at the start of a text. Only there is it clear whether the first number is a house number:
/// `1829 Blake St, Denver, CO 80202`.
fn end_of_own(text: &str) -> usize {
    postcode(text, 0).map_or(text.len(), |code| end(text, &code))
}

/// What is directly in front of an address.
#[derive(Clone, Copy, PartialEq)]
enum Cut {
    Comma,
    Colon,
    Hard,
    Phrase,
}

/// The start of the address whose postal code is at `code`, and what is in front of it. The address starts at the
/// nearest street, or at a unit such as a door in front of the street.
fn start(line: &str, code: usize, end: usize) -> Option<(usize, Cut)> {
    static CUT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x)(?i)(?P<hard>\s*[|•·]\s*|\s[-–—]\s)|(?P<comma>,\s+)|(?P<colon>\s?[:：]\s*)|(?P<phrase>
            siège\s(?:social\s)?(?:est\s)?(?:situé|sis|établi|fixé|se\ssitue|se\strouve)e?(?:\sau|\sà|\saux)?\s
            |registered\s(?:office|address)\s(?:is\s|address\s)*(?:located\s)?(?:at\s|in\s)?
            |mit\s(?:dem\s)?sitz\s(?:in|an)\s(?:der\s|dem\s)?
            |con\s(?:domicilio(?:\ssocial)?\sen|sede(?:\slegale)?\sin)\s
            |gevestigd\s(?:te|aan(?:\sde|\shet)?)\s
            |com\ssede\s(?:na|no|em)\s|z\ssiedzibą\sprzy\s|s[eo]\ssídlom?(?:em)?\s(?:na\s|v\s)?
            |cu\ssediul(?:\ssocial)?\s[iî]n\s|sa\ssjedištem\s(?:u|na)\s|s\ssedežem\s(?:na|v)\s
            |с\sадрес(?:\sна\sуправление)?\s|med\sadress[e]?\s
            # Where `we` are.
            |(?:(?:located|based|situated|find\sus|visit\sus|see\sus|meet\sus)\sat\s|our\s(?:office|shop|store|studio)\p{L}*\s(?:is|are)\s(?:located\s)?(?:at|on|in)\s)
            |(?:finden\s(?:sie\s|du\s|ihr\s)?uns|unser\p{L}*\s\p{L}+\s(?:liegt|befindet\ssich)|wir\s(?:sind|befinden\suns))\s[^.:!?\n]{0,60}?(?:in\s(?:der|dem)|im|am|an\s(?:der|dem)|auf\s(?:der|dem))\s
            |(?:vor(?:es|t)\s\p{L}+\sligger|(?:finder|finner|hittar)\s(?:du\s)?(?:os|oss))\s(?:på|i)\s
            |(?:nous\s(?:trouver|sommes\s(?:situés?)?)|situés?)\s(?:au|à|sur)\s|notre\s\p{L}+\s(?:est|se)\s(?:situé|trouve)e?\s(?:au|à)\s
            |(?:nos\sencontramos|estamos|ubicad[oa]s?)\sen\s(?:la\s)?|al\snostre\s\p{L}+,\s(?:al|a\sla)\s
            |(?:ci\strov(?:iamo|ate)|siamo)\sin\s|(?:estamos|encontra-nos|localizad[oa]s?)\s(?:na|no|em)\s
            |na\sadres[ie]\s|(?:najdete|najdou)\snás\s(?:na|v)\s|znajdziesz\snas\s(?:przy|na)\s|za\snaslov[oe]m?\s|osoitteessa\s)",
        )
        .expect("the pattern is constant")
    });
    let window = line.floor_char_boundary(code.saturating_sub(MAX_BEFORE));
    let cuts = CUT.captures_iter(&line[window..code]).filter_map(|found| {
        let kinds = [
            ("hard", Cut::Hard),
            ("comma", Cut::Comma),
            ("colon", Cut::Colon),
            ("phrase", Cut::Phrase),
        ];
        let kind = kinds.into_iter().find(|(name, _)| found.name(name).is_some())?.1;
        Some((window + found.get(0)?.end(), kind))
    });
    let mut cuts: Vec<(usize, Cut)> = cuts.collect();
    if window == 0 {
        cuts.insert(0, (0, Cut::Comma));
    }
    let part = |at: usize| line.get(at..code).unwrap_or_default().trim_matches(SIGNS);
    let is_one = |(at, _): &(usize, Cut)| is_street(part(*at)) || names_street(part(*at));
    let is_house = |cut: &(usize, Cut)| is_one(cut) && !is_unit(part(cut.0)) && !is_box(part(cut.0));
    let nearest = cuts.iter().rposition(is_house);
    let nearest = nearest.or_else(|| cuts.iter().rposition(is_one));
    let Some(mut at) = nearest else {
        // The street may follow the place.
        let at = end - line[code..end].trim_start_matches(SIGNS).len();
        return has_street(&line[at..end]).then_some((at, Cut::Comma));
    };
    while at > 0 && cuts[at].1 == Cut::Comma && is_unit(part(cuts[at - 1].0)) {
        at -= 1;
    }
    Some(cuts[at])
}

/// The start of an address without a house number: directly after the company's name, if a word for a street, a
/// building or a district is in front of the code.
fn behind_name(line: &str, code: usize) -> Option<(usize, Cut)> {
    const MAX_BETWEEN: usize = 120;
    static NUMBERLESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)(?:^|[\s,])(?:avenue|street|road|highway|drive|lane|boulevard|building|house|plaza|centre|center|towers?|floor|estate|industrial\s(?:area|estate|park))(?:$|[\s,.])",
        )
        .expect("the pattern is constant")
    });
    let is_between = |text: &str| {
        text.len() <= MAX_BETWEEN
            && NUMBERLESS.is_match(text)
            && !text.contains([':', '：'])
            && !is_told(text)
            && !is_contact(text)
    };
    let window = line.floor_char_boundary(code.saturating_sub(MAX_BEFORE));
    let mut cuts = line[window..code].match_indices(", ").map(|(at, _)| window + at);
    let cut = cuts.find(|at| name(&line[..*at]).is_some())?;
    let start = cut + ", ".len();
    is_between(line[start..code].trim_matches(SIGNS)).then_some((start, Cut::Comma))
}

/// The start of the company name at the end of a text.
fn name(before: &str) -> Option<usize> {
    static STARTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\s*[|•·©]\s*(?:[0-9]{4}(?:\s?[-–/]\s?[0-9]{2,4})?\s)?|\s[-–—]\s|[:：]\s+")
            .expect("the pattern is constant")
    });
    let window = before.floor_char_boundary(before.len().saturating_sub(MAX_BEFORE));
    let starts = STARTS
        .find_iter(&before[window..])
        .map(|sign| window + sign.end());
    let starts: Vec<usize> = (window == 0).then_some(0).into_iter().chain(starts).collect();
    starts.into_iter().rfind(|start| is_name(before[*start..].trim()))
}

/// Whether a text ends with a label that introduces an address.
fn is_label(before: &str) -> bool {
    let sentence = before
        .rsplit(['.', ';', ',', '|', '•', '·'])
        .next()
        .unwrap_or_default()
        .trim();
    without_label(sentence) == (Some(Label::Address), "")
}

/// Whether the text in front of an address shows that it is not the owner's.
fn is_of_others(before: &str) -> bool {
    static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            // Supervisory and mediation bodies, insurers, web designers, and the services that cookie banners and
            // privacy pages name.
            r"(?ix)konzept|umsetzung|gestaltung|programmierung|realisierung|realisation|(?:web)?site\sby|made\sby|designed\sby
             |developed\sby|conception|création|sviluppo|diseño|aufsicht|behörde|kammer|schlicht|authority|autorité|autoridad|autorità|médiat|mediat|ombud
             |versicher|insur|assuran|webdesign|web\sdesign|agentur:|réalis|realiz
             |(?-u:\b)(?:google|alphabet|meta\splatforms|facebook|instagram|youtube|vimeo|twitter|linkedin|microsoft|pinterest
             |tiktok|spotify|soundcloud|adobe|hubspot|mailchimp|paypal|stripe|klarna|brevo|sendinblue|cleverreach|hotjar
             |cloudflare|usercentrics|cookiebot|openstreetmap|criteo|automattic|trustpilot|salesforce|zendesk)(?-u:\b)",
        )
        .expect("the pattern is constant")
    });
    let near = &before[before.floor_char_boundary(before.len().saturating_sub(MAX_BEFORE))..];
    introduces_host(near) || OTHERS.is_match(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<&str> {
        let parts = parts(line).into_iter().map(|part| part.text.trim_matches(SIGNS));
        parts.filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn a_line_is_split_into_name_address_and_rest() {
        for (line, wanted) in [
            (
                "Weber Bau GmbH, Am Hang 7, 97616 Bad Neustadt, Tel. 1",
                &["Weber Bau GmbH", "Am Hang 7, 97616 Bad Neustadt", "Tel. 1"][..],
            ),
            (
                "Verantwortlich: Weber Bau GmbH – Am Hang 7 – 97616 Bad Neustadt",
                &[
                    "Verantwortlich:",
                    "Weber Bau GmbH",
                    "Am Hang 7 – 97616 Bad Neustadt",
                ],
            ),
            (
                "Acme B.V. | Gracht 100-H | 1015 AA Amsterdam | KvK-nummer: 1",
                &["Acme B.V.", "Gracht 100-H | 1015 AA Amsterdam", "KvK-nummer: 1"],
            ),
            (
                "Notices: Acme Tools, Inc., 1548 Market St, Suite 4, San Francisco, CA 94104",
                &[
                    "Notices:",
                    "Acme Tools, Inc.",
                    "1548 Market St, Suite 4, San Francisco, CA 94104",
                ],
            ),
            (
                "Acme Ltd, Unit 4, 12 Mill Lane, Leeds LS1 2HL",
                &["Acme Ltd", "Unit 4, 12 Mill Lane, Leeds LS1 2HL"],
            ),
            (
                "It has number 1. Registered office: 12 King Street, Leeds, LS1 2HL. Company No. 01234567",
                &[
                    "It has number 1. Registered office:",
                    "12 King Street, Leeds, LS1 2HL",
                    ". Company No. 01234567",
                ],
            ),
            (
                "Acme, dont le siège social est situé 12 rue de la Gare, 69002 Lyon.",
                &[
                    "Acme, dont le siège social est situé",
                    "12 rue de la Gare, 69002 Lyon",
                    ".",
                ],
            ),
            (
                "Acme AB · Storgatan 5 · 111 22 Stockholm",
                &["Acme AB", "Storgatan 5 · 111 22 Stockholm"],
            ),
            (
                "Acme Sp. z o.o., ul. Koszykowa 6a, 00-564 Warszawa",
                &["Acme Sp. z o.o.", "ul. Koszykowa 6a, 00-564 Warszawa"],
            ),
        ] {
            assert_eq!(texts(line), wanted, "{line}");
        }
        for (line, wanted) in [
            (
                "Acme s. r. o., so sídlom Štúrova 27, 949 01 Nitra, IČO: 1",
                "Štúrova 27, 949 01 Nitra",
            ),
            (
                "Acme Ltd, Bruce House 4th Floor, Moi Avenue, P.O. Box 18293-00100 Nairobi, Kenya. Tel: 1",
                "Bruce House 4th Floor, Moi Avenue, P.O. Box 18293-00100 Nairobi, Kenya",
            ),
            (
                "Acme Ltd, 12 Rivonia Road, Sandton, 2196 Tel: 1",
                "12 Rivonia Road, Sandton, 2196",
            ),
            (
                "Acme LLC, 1829 Blake St, Denver, CO 80202 fb",
                "1829 Blake St, Denver, CO 80202",
            ),
        ] {
            assert!(texts(line).contains(&wanted), "{line}: {:?}", texts(line));
        }
        for line in [
            "Umsetzung: Other GmbH, Weg 33, 30163 Hannover",
            "Acme Ltd, Managing Director Ann Acme, 1010 Wien",
            "Hauptstraße 7, 97616 Bad Neustadt",
            "Hébergeur : OVH SAS, 2 rue Kellermann, 59100 Roubaix",
            "Aufsichtsbehörde: Magistrat Graz, Hauptplatz 1, 8010 Graz",
            "In May, we open Hauptplatz 1, 8010 Graz, for all of you",
            "Weg 1, 3100 St. Pölten",
        ] {
            assert_eq!(texts(line), [line], "{line}");
        }
    }
}
