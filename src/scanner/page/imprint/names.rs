//! Company names without the text around them on the same line.

use std::sync::LazyLock;

use regex::Regex;

use super::forms::{name_pattern, names_form};

/// Stems of the words that sentences and labels use for the company that runs a site or sells on it.
const ROLES: &str = r"seitenbetreiber|betreiber|inhaber|verkäufer|vertragspartner|medieninhaber|diensteanbieter|anbieter|herausgeber|verantwortlich|operator|owner|seller|publisher|data controller|controller|[ée]diteur|propriétaire|exploitant|vendeur|responsable|titular|propietari|vendedor|titolare|proprietari|gestore|venditore|eigenaar|verkoper|aanbieder|verwerkingsverantwoordelijke|właściciel|sprzedawc|administrator|usługodawc|wydawc|prodávající|provozovatel|správc|vlastník|majitel|predávajúci|prevádzkovateľ|üzemeltető|eladó|tulajdonos|adatkezelő|szolgáltató|vânzător|proprietar|prodavatelj|prodavač|prodavac|prodajalec|vlasnik|lastnik|ponudnik|upravljavec|voditelj obrade|собственик|продавач|владел|продав|оператор|администратор|власник|ägare|säljare|personuppgiftsansvarig|ejer|sælger|dataansvarlig|eier|selger|behandlingsansvarlig|omistaja|myyjä|ylläpitäjä|rekisterinpitäjä|omanik|müüja|īpašniek|pārdevēj|pārzin|savinink|pardavėj|valdytoj|ιδιοκτήτ|πωλητ|διαχειριστ";

/// Verbs between such a word and the name.
const IS: &[&str] = &[
    "ist",
    "is",
    "est",
    "es",
    "è",
    "é",
    "jest",
    "je",
    "sú",
    "sunt",
    "este",
    "är",
    "er",
    "on",
    "ir",
    "yra",
    "является",
    "є",
    "е",
    "είναι",
    "a",
    "az",
    "—",
    "–",
];

/// Stems of the words for what a company may run, in their grammatical cases.
const SITES: &str = r"web|site|seite|internetseite|internetauftritt|onlineshop|online-shop|shop|store|boutique|sklep|serwis|stron|obchod|e-?shop|strán|portál|portal|honlap|oldal|áruház|сайт|магазин|tienda|página|sitio|loja|negozio|sito|winkel|butik|hjemmeside|nettsted|nettbutikk|sivusto|verkkokaup|kaupa|trgovin|spletn|prodavnic|prodajaln|ιστοσελίδ|ιστότοπ|magazin|platform|plattform|app|blog|angebot|svetain|parduotuv|vietn|veikal|pood|e-?poe";

/// Articles and words for a company between the verb and its name.
const COMPANY: &str = r"die|der|das|dem|den|the|la|le|les|l['’]|el|los|de|het|een|spoločnosť|společnost|spółka|firma|société|entreprise|sociedad|empresa|compañía|società|ditta|company|unternehmen|bedrijf|vennootschap|tvrtka|podjetje|družba|компания|общество|фирма|дружество|компанія|товариство|societatea|virksomheden|selskabet|företaget|bolaget|yritys|εταιρεία|εταιρία|η|ο|cég|a|az|uzņēmums|įmonė|ettevõte";

/// The company names anywhere in a line.
pub(in crate::scanner::page) fn companies(line: &str) -> impl Iterator<Item = &str> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        let first = "[\\p{Lu}\\p{Lo}0-9«\"“„]";
        // `Ltd` also begins `Ltda.`
        Regex::new(&format!(r"({})(?:\P{{L}}|$)", name_pattern(first, 60))).expect("the pattern is constant")
    });
    let text = if names_form(line) { line } else { "" };
    NAME.captures_iter(text)
        .filter_map(|found| Some(found.get(1)?.as_str()))
}

/// A line that is a name, without the sentence or role in front of it and the register number after it.
pub(super) fn bare(line: &str) -> &str {
    without_number(behind_role(line).unwrap_or(line))
}

/// The name at the end of a sentence, or after a role in bold letters: `Betreiber ist die Acme GmbH`, `Betreiber Acme
/// GmbH`.
fn behind_role(line: &str) -> Option<&str> {
    static ROLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"^(?i:{ROLES})\p{{L}}{{0,3}}\s")).expect("the pattern is constant")
    });
    static COMPANIES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"^\s?(?i:(?:{COMPANY})\s)*(?i:l['’])?")).expect("the pattern is constant")
    });
    let name = if let Some(end) = role_sentence(line) {
        let rest = &line[end..];
        let start = COMPANIES.find(rest).map_or(0, |words| words.end());
        rest[start..].trim()
    } else {
        line[ROLE.find(line)?.end()..].trim()
    };
    let begins = name.starts_with(|sign: char| {
        sign.is_uppercase() || sign.is_numeric() || matches!(sign, '«' | '"' | '“' | '„')
    });
    (begins && names_form(name)).then_some(name)
}

/// Where the name begins in a sentence that names a site's operator by a role: `Operator of this site is Acme Ltd`.
/// The operator of something else is another company.
pub(super) fn role_sentence(line: &str) -> Option<usize> {
    const MAX_ROLES: usize = 3;
    const MAX_WORDS: usize = 6;
    static ROLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"(?i)(?:^|[^\p{{L}}])(?:{ROLES})\p{{L}}{{0,5}}\s"))
            .expect("the pattern is constant")
    });
    static SITE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!(r"(?i)(?:^|\s)(?:{SITES})")).expect("the pattern is constant"));
    // The pages of social networks and their plug-ins have the same names.
    static OTHERS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)^der\sseiten(?:\s|$)|plug-?in").expect("the pattern is constant"));
    ROLE.find_iter(line).take(MAX_ROLES).find_map(|role| {
        let rest = &line[role.end()..];
        let mut at = 0;
        for word in rest.split(' ').take(MAX_WORDS) {
            let of = rest[..at].trim();
            let is_of_site = of.is_empty() || SITE.is_match(of) && !OTHERS.is_match(of);
            if is_of_site && IS.contains(&word.to_lowercase().as_str()) {
                return Some(role.end() + at + word.len());
            }
            if word.ends_with([',', '.', ';', ':', '!', '?']) {
                return None;
            }
            at += word.len() + 1;
        }
        None
    })
}

/// A name without its number in brackets: `Acme Sdn. Bhd. (1291400-X)`.
fn without_number(name: &str) -> &str {
    let Some((before, number)) = name.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) else {
        return name;
    };
    let is_number = number.chars().filter(char::is_ascii_digit).count() >= 4;
    if is_number { before.trim() } else { name }
}

/// Whether a line makes a statement about a company and so is not a name.
pub(super) fn is_statement(line: &str) -> bool {
    const VERBS: &[&str] = &[
        "ist",
        "sind",
        "wird",
        "is",
        "are",
        "was",
        "est",
        "jest",
        "este",
        "является",
        "είναι",
        "yra",
    ];
    line.split_whitespace().skip(1).any(|word| VERBS.contains(&word))
}

/// The company that is the subject of the sentence at the start of a line: `Acme Ltd is registered in England`, `Acme
/// Ltd, 5 Mill Lane`.
pub(super) fn subject(line: &str) -> &str {
    static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)\s(?:is\s(?:a|an|the|registered|incorporated|authori[sz]ed|regulated|licensed|part)|trading\sas|registered\sin|ist\s(?:ein|im|beim)|est\s(?:une?|immatriculée)|es\suna)(?-u:\b)",
        )
        .expect("the pattern is constant")
    });
    let end = SUBJECT.find(line).map_or(line.len(), |verb| verb.start());
    line[..end].trim_end_matches([',', ' '])
}

/// A name without the full stop that ends its sentence. Authors who abbreviate without a full stop do so in all words
/// of a legal form: `Acme Pty Ltd.`
pub(super) fn without_stop(name: &str) -> &str {
    const OPEN: &[&str] = &["Pty", "Pte", "Pvt", "Private", "Sdn", "Co", "Company", "(Pty)"];
    let Some(before) = name.strip_suffix('.') else {
        return name;
    };
    let mut words = before.rsplit(' ');
    let is_last = words
        .next()
        .is_some_and(|last| matches!(last, "Ltd" | "Bhd" | "Limited"));
    let is_open = words
        .next()
        .is_some_and(|word| OPEN.contains(&word.trim_end_matches(',')));
    if is_last && is_open { before } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_of_what_is_said_of_them() {
        for (line, wanted) in [
            ("Betreiber dieser Website ist die Foo Bar GmbH", "Foo Bar GmbH"),
            (
                "Właścicielem sklepu jest Kowalski Sp. z o.o.",
                "Kowalski Sp. z o.o.",
            ),
            (
                "Predávajúcim je spoločnosť Ruža & syn s. r. o.",
                "Ruža & syn s. r. o.",
            ),
            ("Provozovatelem e-shopu je společnost Acme s.r.o.", "Acme s.r.o."),
            ("The operator of this website is Acme Ltd", "Acme Ltd"),
            ("Le propriétaire du site est la société Acme SAS", "Acme SAS"),
            ("El titular de este sitio web es Acme, S.L.", "Acme, S.L."),
            ("Владельцем сайта является ООО «Акме»", "ООО «Акме»"),
            ("A honlap üzemeltetője az Acme Kft.", "Acme Kft."),
            ("De eigenaar van deze website is Acme B.V.", "Acme B.V."),
            ("Betreiber Acme GmbH", "Acme GmbH"),
            ("Acme Sdn. Bhd. (201801029374 / 1291400-X)", "Acme Sdn. Bhd."),
            ("Acme GmbH (Holding)", "Acme GmbH (Holding)"),
            ("Es Vedra Tours SL", "Es Vedra Tours SL"),
            ("Inhabergeführte Acme GmbH", "Inhabergeführte Acme GmbH"),
            (
                "Betreiber der Seiten ist die Other Ltd.",
                "Betreiber der Seiten ist die Other Ltd.",
            ),
            (
                "Anbieter des Kartendienstes ist die Other GmbH",
                "Anbieter des Kartendienstes ist die Other GmbH",
            ),
        ] {
            assert_eq!(bare(line), wanted, "{line}");
        }
        assert!(is_statement("Anbieter des Kartendienstes ist die Other GmbH"));
        assert!(!is_statement("Foo Bar GmbH"));
    }

    #[test]
    fn a_name_ends_before_its_sentence_goes_on() {
        assert_eq!(subject("Acme & Co Ltd is registered in England"), "Acme & Co Ltd");
        assert_eq!(subject("Acme Ltd trading as Foo"), "Acme Ltd");
        assert_eq!(subject("This Is Acme Ltd"), "This Is Acme Ltd");
        for (name, wanted) in [
            ("Acme Pty Ltd.", "Acme Pty Ltd"),
            ("Acme Pty. Ltd.", "Acme Pty. Ltd."),
            ("Acme Ltd.", "Acme Ltd."),
            ("Acme Sdn Bhd.", "Acme Sdn Bhd"),
        ] {
            assert_eq!(without_stop(name), wanted);
        }
    }
}
