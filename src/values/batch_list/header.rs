//! Names of columns that contain websites, in many languages, and of columns that contain profiles in social networks.
//!
//! A name is split into words. One of them must mean "domain", "website" or "URL". If all other words are words such
//! as "company" or "name", the name is an exact match. Columns of other URLs (`LinkedIn URL`, `Logo URL`) do not
//! count.

/// What a name says, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    /// `Domain`.
    Domain,
    /// `Website`.
    Website,
    /// `URL`.
    Url,
}

/// What a name says, and whether it says nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) says: Says,
    pub(super) is_exact: bool,
}

/// Characters of a name at most; what is longer is text.
const MAX_LENGTH: usize = 100;

/// What the name of a column says about websites, if anything.
pub(super) fn named(name: &str) -> Option<Named> {
    if name.is_empty() || name.len() > 4 * MAX_LENGTH {
        return None;
    }
    let words = words(name);
    // `website.de` is a domain, and `company.website` the path of a field.
    let is_domain = name.contains('.') && words.last().is_none_or(|last| last.len() <= 3);
    if is_domain || has_one_of(&words, NETWORKS) || has_one_of(&words, OF_OTHERS) {
        return None;
    }
    let says = words.iter().filter_map(|word| says(word)).min()?;
    let is_exact = words.iter().all(|word| is_known_word(word));
    Some(Named { says, is_exact })
}

/// Whether a column is named after a social network or directory: its URLs are pages there.
pub(super) fn is_of_network(name: &str) -> bool {
    name.len() <= MAX_LENGTH && !name.contains(['.', '/', '@']) && has_one_of(&words(name), NETWORKS)
}

fn has_one_of(words: &[String], wanted: &[&str]) -> bool {
    let whole = words.concat();
    wanted
        .iter()
        .any(|word| words.iter().any(|own| own == word) || (word.len() >= 6 && whole.contains(word)))
}

/// Whether a cell has no other words than names of columns have.
pub(super) fn is_known(cell: &str) -> bool {
    if cell.len() > 4 * MAX_LENGTH {
        return false;
    }
    let words = words(cell);
    !words.is_empty() && words.iter().all(|word| is_known_word(word))
}

/// Whether a cell is such a name beyond doubt.
pub(super) fn is_exact(cell: &str) -> bool {
    named(cell).is_some_and(|named| named.is_exact)
}

fn says(word: &str) -> Option<Says> {
    let known = |words: &[&str], parts: &[&str]| {
        words.contains(&word) || (!word.is_ascii() && parts.iter().any(|part| word.contains(part)))
    };
    match () {
        () if known(DOMAIN, DOMAIN_PARTS) => Some(Says::Domain),
        () if known(WEBSITE, WEBSITE_PARTS) => Some(Says::Website),
        () if known(URL, &[]) => Some(Says::Url),
        () => None,
    }
}

fn is_known_word(word: &str) -> bool {
    says(word).is_some() || BESIDE.contains(&word)
}

/// Lower-case words without accents and numbers; `companyWebsite` and `company_website` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let is_letter = if letter.is_ascii() {
            letter.is_ascii_alphabetic()
        } else {
            !letter.is_whitespace() && !PUNCTUATION.contains(letter)
        };
        if !is_letter || (was_lower && letter.is_uppercase()) {
            words.push(String::new());
        }
        was_lower = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| is_letter) {
            word.extend(letter.to_lowercase().map(without_accent));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

const PUNCTUATION: &str = "\u{feff}\u{200b}（）「」『』【】、，：；。／・·–—“”„«»’‘…＊";

fn without_accent(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'æ' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' | 'ō' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' | 'ß' => 's',
        'ť' | 'ț' | 'ţ' => 't',
        'ù' | 'ú' | 'û' | 'ü' | 'ű' | 'ū' | 'ů' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' => 'ι',
        'ό' => 'ο',
        'ύ' => 'υ',
        'ώ' => 'ω',
        other => other,
    }
}

#[rustfmt::skip]
const DOMAIN: &[&str] = &[
    "domain", "domains", "domainname", "domainnames", "fqdn", "host", "hostname", "hosts", "tld",
    "domaine", "domaines", "dominio", "dominios", "domane", "domanen", "domanenname", "domein", "domeinen", "domeinnaam",
    "doman", "domaner", "domannamn", "domene", "domener", "domenenavn", "domanenavn", "domena", "domeny",
    "domeniu", "domenii", "domen", "domenas", "domens", "verkkotunnus", "verkkotunnukset", "alanadi", "tartomany",
    "домен", "домена", "домены", "домени", "домейн", "доменное", "доменне", "τομεας", "דומיין", "نطاق", "النطاق", "डोमेन",
];
/// Words of languages that write without blanks: part of a word is enough.
const DOMAIN_PARTS: &[&str] = &["域名", "网域", "網域", "ドメイン", "도메인", "โดเมน"];

#[rustfmt::skip]
const WEBSITE: &[&str] = &[
    "website", "websites", "web", "webs", "site", "sites", "webpage", "webpages", "homepage", "homepages", "www", "internet",
    "weburl", "weblink", "webaddress", "webshop", "onlineshop", "siteurl", "websiteurl", "companywebsite",
    "webseite", "webseiten", "webauftritt", "webprasenz", "webadresse", "internetseite", "internetseiten",
    "internetauftritt", "internetprasenz", "internetadresse", "firmenwebsite", "firmenwebseite", "firmenhomepage",
    "siteweb", "sitio", "sitios", "sitioweb", "paginaweb", "sito", "siti", "sitoweb", "sitointernet",
    "webpagina", "webstek", "webadres", "hjemmeside", "hjemmesider", "websted", "nettside", "nettsider", "nettsted",
    "hemsida", "hemsidor", "webbplats", "webbplatser", "webbsida", "webbadress", "kotisivu", "kotisivut", "verkkosivu",
    "verkkosivut", "verkkosivusto", "nettisivu", "nettisivut", "sivusto", "vefsida", "heimasida", "vefur",
    "strona", "strony", "witryna", "stranka", "stranky", "webova", "webove", "stranica", "mrezna", "spletna", "spletisce",
    "weblap", "weboldal", "honlap", "sajt", "vebsajt", "sayt", "sayti", "sitesi", "websitesi", "situs", "laman",
    "svetaine", "tinklalapis", "majaslapa", "majaslapas", "timeklis", "veebileht", "veeb", "koduleht", "tovuti",
    "сайт", "сайта", "сайты", "сайти", "сайтове", "вебсайт", "веб", "уебсайт", "вебсторінка", "сторінка", "сајт", "вебсајт",
    "ιστοσελιδα", "ιστοσελιδες", "ιστοτοπος", "ιστοχωρος", "אתר", "האתר", "موقع", "الموقع", "موقعالويب", "وبسایت",
    "سایت", "वेबसाइट", "ওয়েবসাইট",
];
const WEBSITE_PARTS: &[&str] = &[
    "网站",
    "網站",
    "网址",
    "網址",
    "官网",
    "官網",
    "主页",
    "主頁",
    "ウェブサイト",
    "ホームページ",
    "サイト",
    "홈페이지",
    "웹사이트",
    "사이트",
    "누리집",
    "เว็บไซต์",
    "เว็บ",
];

const URL: &[&str] = &[
    "url",
    "urls",
    "uri",
    "link",
    "links",
    "hyperlink",
    "lien",
    "liens",
    "enlace",
    "enlaces",
    "ссылка",
    "odkaz",
];

/// Words that may be beside such a word without making it another thing.
#[rustfmt::skip]
const BESIDE: &[&str] = &[
    "a", "the", "your", "our", "their", "s", "of", "de", "del", "della", "dell", "da", "do", "dos", "di", "la", "le", "les", "l", "d",
    "el", "du", "des", "der", "die", "das", "und", "and", "or", "oder", "et", "ou", "y", "e", "i",
    "company", "companies", "business", "corporate", "firm", "firma", "firmen", "firmy", "organization", "organisation",
    "org", "organisatie", "unternehmen", "unternehmens", "kunde", "kunden", "entreprise", "societe", "empresa", "azienda",
    "bedrijf", "bedrijfs", "foretag", "foretagets", "virksomhed", "yritys", "sirket", "компании", "компания", "организации",
    "name", "names", "nom", "noms", "nombre", "nome", "naam", "navn", "namn", "nazwa", "nazev", "nazov", "adi", "имя", "ім",
    "main", "primary", "official", "public", "root", "registered", "current", "full", "base", "new", "offizielle",
    "offizieller", "officiel", "oficial", "ufficiale", "oficjalna", "официальный", "الإلكتروني", "الالكتروني", "الويب",
    "account", "accounts", "customer", "client", "clients", "lead", "contact", "prospect", "partner", "supplier", "vendor",
    "person", "brand", "store", "shop", "agency", "school", "hotel", "restaurant",
    "page", "pages", "pagina", "paginas", "seite", "address", "adresse", "adres", "adresa", "adress", "adresi", "direccion",
    "endereco", "indirizzo", "osoite", "cim", "адрес", "адреса", "internetowa", "internetowy", "internetowej", "strana",
    "mesto", "stran", "stranice", "vietne", "eletronico", "electronica", "tarnavn", "online", "properties", "property",
    "field", "value", "http", "https", "required", "optional",
];

/// Networks and directories: a column with their names has pages there.
#[rustfmt::skip]
const NETWORKS: &[&str] = &[
    "linkedin", "facebook", "fb", "twitter", "instagram", "insta", "youtube", "xing", "tiktok", "pinterest", "github",
    "gitlab", "crunchbase", "glassdoor", "wikipedia", "telegram", "whatsapp", "vk", "yelp", "tripadvisor", "trustpilot",
];

/// Words of names of columns with other URLs.
#[rustfmt::skip]
const OF_OTHERS: &[&str] = &[
    "logo", "image", "images", "img", "icon", "favicon", "photo", "picture", "bild", "foto", "avatar", "thumbnail", "video",
    "profile", "profil", "perfil", "social", "map", "maps", "google", "source", "quelle", "fuente", "referrer", "referer",
    "tracking", "unsubscribe", "sitemap", "feed", "rss", "privacy", "terms", "screenshot", "email", "mail", "mails", "emails",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood_in_many_languages_and_spellings() {
        for name in [
            "Domain",
            "DOMAIN NAME",
            "Company Domain",
            "Domäne",
            "Nom de domaine",
            "Dominio",
            "Domínio",
            "домен",
            "域名",
            "公司域名",
            "ドメイン名",
            "도메인",
        ] {
            assert_eq!(
                named(name),
                Some(Named {
                    says: Says::Domain,
                    is_exact: true
                }),
                "{name}"
            );
        }
        for name in [
            "Website",
            "Website URL",
            "website_url",
            "companyWebsite",
            "company_website",
            "Company's website",
            "Web-Seite",
            "Webseite",
            "Homepage",
            "Site web",
            "Sito web",
            "Página web",
            "Sitio web (URL)",
            "Strona internetowa",
            "Strona WWW",
            "Webové stránky",
            "Weboldal",
            "Hemsida",
            "Hjemmeside",
            "Nettsted",
            "Kotisivut",
            "Web sitesi",
            "Сайт",
            "Веб-сайт",
            "Ιστοσελίδα",
            "官网",
            "公司网站",
            "ホームページ",
            "홈페이지",
            "אתר",
            "الموقع الإلكتروني",
            "वेबसाइट",
            "เว็บไซต์",
            "Trang web",
            "Situs web",
            "Internet",
            "* Website",
            "Website:",
            "Website 1",
        ] {
            let says = named(name).map(|named| named.says);
            assert_eq!(says, Some(Says::Website), "{name}: {:?}", words(name));
        }
        for name in ["URL", "Url", "Link", "Page URL"] {
            assert_eq!(
                named(name),
                Some(Named {
                    says: Says::Url,
                    is_exact: true
                }),
                "{name}"
            );
        }
    }

    #[test]
    fn names_of_other_things_are_none() {
        for name in [
            "",
            "Name",
            "Company",
            "E-Mail",
            "LinkedIn URL",
            "Logo URL",
            "Facebook page",
            "Phone",
            "Notes",
            "Google Maps link",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
        assert!(!named("Domain Authority").unwrap().is_exact);
        assert!(!named("Do you have a website?").unwrap().is_exact);
    }
}
