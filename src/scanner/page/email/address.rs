//! Decides whether a text is a usable email address, from its two parts (lower case).

use crate::scanner::site::registrable;

/// Domains of services whose IDs in pages look like addresses.
const MACHINERY: &[&str] = &["sentry.io", "wixpress.com", "schema.org", "w3.org"];

/// Placeholder domains of templates and documentation, under any suffix.
const PLACEHOLDER_LABELS: &[&str] = &[
    // Reserved by RFC 2606 and by the Japanese registry, and the same word in other languages.
    "example",
    "xn--eckwd4c7cu47r2wf",
    "exemple",
    "ejemplo",
    "esempio",
    "exemplo",
    "beispiel",
    "voorbeeld",
    "przyklad",
    "priklad",
    "exempel",
    "eksempel",
    "esimerkki",
    // "My site", "your company", and sample names.
    "mysite",
    "mydomain",
    "my-domain",
    "mywebsite",
    "mycompany",
    "my-company",
    "domainname",
    "domain-name",
    "websitename",
    "sitename",
    "companyname",
    "company-name",
    "businessname",
    "firmenname",
    "ihredomain",
    "ihrefirma",
    "ihrewebsite",
    "deinedomain",
    "meinedomain",
    "meine-domain",
    "musterdomain",
    "musterfirma",
    "muster-firma",
    "mustermann",
    "max-mustermann",
    "votredomaine",
    "votresite",
    "votreentreprise",
    "mondomaine",
    "monsite",
    "tudominio",
    "sudominio",
    "midominio",
    "tusitio",
    "tuempresa",
    "miempresa",
    "tuodominio",
    "tuosito",
    "tuaazienda",
    "seudominio",
    "seusite",
    "suaempresa",
    "meusite",
    "uwdomein",
    "jouwdomein",
    "jouwbedrijf",
    "uwbedrijf",
    "mijndomein",
    "twojadomena",
    "twojafirma",
    "vasedomena",
    "vasadomena",
    "dindoman",
    "dinfirma",
    "ditfirma",
    "dittdomene",
    "alanadi",
    "alanadiniz",
    "siteniz",
    "sirketiniz",
    // Defaults of site builders.
    "reallygreatsite",
    "johndoe",
    "janedoe",
    "demolink",
    "sample",
    "hoge",
    "loremipsum",
];

/// Placeholders as whole domains: under other suffixes, these names belong to real companies.
const PLACEHOLDER_DOMAINS: &[&str] = &[
    "domain.com",
    "domain.org",
    "domain.net",
    "domain.de",
    "domain.tld",
    "domaine.com",
    "domaine.fr",
    "dominio.com",
    "dominio.es",
    "dominio.it",
    "dominio.com.br",
    "domena.pl",
    "domena.cz",
    "domein.nl",
    "email.com",
    "address.com",
    "host.com",
    "bar.com",
    "website.com",
    "site.com",
    "company.com",
    "business.com",
    "doe.com",
    "acme.com",
    "test.com",
    "test.de",
    "muster.de",
    "muster.ch",
    "muster.at",
    "firma.de",
    "firma.pl",
    "firma.cz",
    "empresa.com",
    "empresa.com.br",
    "entreprise.fr",
    "azienda.it",
    "bedrijf.nl",
    "abc.com",
    "xyz.com",
    "lorem.com",
    "ipsum.com",
    "ornek.com",
    "contoh.com",
    "siteadi.com",
];

/// Placeholder local parts of templates, at any domain; compared without `.`, `-` and `_`.
const TEMPLATE_LOCALS: &[&str] = &[
    "you",
    "your",
    "name",
    "username",
    "firstname",
    "lastname",
    "firstnamelastname",
    "firstlast",
    "vornamenachname",
    "vornamename",
    "maxmustermann",
    "mustermann",
    "erikamustermann",
    "prenomnom",
    "nombreapellido",
    "nomecognome",
    "nomesobrenome",
    "imienazwisko",
    "jmenoprijmeni",
    "johndoe",
    "janedoe",
    "jeandupont",
    "mariorossi",
    "juanperez",
    "jankowalski",
    "ihrname",
    "ihremail",
    "ihreemail",
    "deinname",
    "deineemail",
    "deinemail",
    "votrenom",
    "votreemail",
    "votremail",
    "tunombre",
    "tuemail",
    "tucorreo",
    "sucorreo",
    "tuonome",
    "tuaemail",
    "lamiaemail",
    "seunome",
    "seuemail",
    "jouwnaam",
    "uwnaam",
    "uwemail",
    "twojemail",
    "vasemail",
    "dinemail",
    "emailaddress",
    "someone",
    "somebody",
    "example",
    "sample",
    "foo",
    "hoge",
    "xxx",
    "xxxx",
];

/// "Your", "name" and "user" in the languages of templates.
const YOURS: &[&str] = &[
    "your",
    "ihr",
    "ihre",
    "dein",
    "deine",
    "votre",
    "ton",
    "vous",
    "nom",
    "tu",
    "su",
    "tuo",
    "tua",
    "seu",
    "sua",
    "teu",
    "uw",
    "jouw",
    "jou",
    "twoj",
    "twój",
    "vas",
    "váš",
    "tvuj",
    "din",
    "ditt",
    "dit",
    "sinun",
    "te",
    "user",
    "usuario",
    "votreadresse",
    "ihreadresse",
    "vorname",
    "prenom",
    "nombre",
    "nome",
];

/// Generic domain labels, under any suffix: with a local part of [`YOURS`], the address is a placeholder.
const MAILS: &[&str] = &[
    "email", "e-mail", "mail", "epost", "correo", "courriel", "adresse", "nachname", "domain", "domena",
    "domein", "domaine", "dominio", "website", "provider", "firma",
];

/// Whether both parts have the form of addresses in practice: stricter than RFC 5321, except for non-ASCII letters.
pub(super) fn is_address(local: &str, domain: &str) -> bool {
    let domain = idna::domain_to_ascii(domain).unwrap_or_default();
    let last = domain.rsplit('.').next().unwrap_or_default();
    let sound_local = (1..=64).contains(&local.len())
        && local.chars().all(|c| is_local(c) || c.is_alphanumeric())
        && !local.contains("..")
        && local.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let sound_domain = domain.contains('.')
        && domain.len() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
        })
        && (last.starts_with("xn--")
            || last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic()));
    sound_local && sound_domain && !is_asset(last)
}

/// Whether a suffix is a file extension: `logo@2x.png`.
fn is_asset(extension: &str) -> bool {
    [
        "png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "css", "js", "mjs", "woff", "ttf", "ico", "html",
        "json", "pdf",
    ]
    .contains(&extension)
}

/// Whether an address is a placeholder, or not an address but an ID of a program.
pub(super) fn is_placeholder(local: &str, domain: &str) -> bool {
    let hashed = local.len() >= 20 && local.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_machinery = MACHINERY
        .iter()
        .any(|known| domain == *known || domain.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')));
    let bare: String = local
        .chars()
        .filter(|letter| !matches!(letter, '.' | '-' | '_'))
        .collect();
    let is_template = TEMPLATE_LOCALS.contains(&bare.as_str())
        || ["yourname", "yourmail", "youremail", "youraddress"]
            .iter()
            .any(|start| bare.starts_with(start));
    // "Your" or "name" at a generic domain: `votre@email.fr`.
    let is_yours = YOURS.contains(&bare.as_str())
        && registrable(domain)
            .split('.')
            .next()
            .is_some_and(|label| MAILS.contains(&label));
    let escaped = local.starts_with("u003") || local.starts_with("x3e") || local.contains('%');
    // The user in a Git URL: `git@host:owner/repository`.
    let is_login = local == "git" && ["github.com", "gitlab.com", "bitbucket.org"].contains(&domain);
    hashed || is_machinery || is_template || is_yours || escaped || is_login
}

/// Whether a domain is a placeholder.
pub(super) fn is_placeholder_domain(domain: &str) -> bool {
    const YOURS: &[&str] = &[
        "your", "ihr-", "ihre-", "deine-", "votre-", "tu-", "tuo-", "seu-", "uw-", "jouw-",
    ];
    const THINGS: &[&str] = &[
        "domain",
        "domein",
        "domaine",
        "dominio",
        "site",
        "company",
        "business",
        "mail",
        "firm",
        "store",
        "shop",
        "brand",
        "host",
        "name",
        "organi",
        "school",
        "hotel",
        "restaurant",
        "agency",
        "web",
        "email",
    ];
    let registrable = registrable(domain);
    let label = registrable.split('.').next().unwrap_or_default();
    // The Japanese registry also reserves `example1` to `example9`.
    let label = label
        .strip_suffix(|last: char| last.is_ascii_digit())
        .filter(|start| *start == "example")
        .unwrap_or(label);
    let is_yours = YOURS
        .iter()
        .filter_map(|yours| label.strip_prefix(yours))
        .any(|rest| {
            THINGS
                .iter()
                .any(|thing| rest.trim_start_matches('-').starts_with(thing))
        });
    // `xxxxxx.com`
    let is_filled = label.len() > 2 && label.bytes().all(|byte| byte == b'x');
    is_yours || is_filled || PLACEHOLDER_LABELS.contains(&label) || PLACEHOLDER_DOMAINS.contains(&registrable)
}

/// Whether a top-level domain is reserved or private, for example for tests (RFC 2606, RFC 6761) or home networks.
pub(super) fn is_reserved(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    matches!(
        last,
        "test"
            | "example"
            | "invalid"
            | "localhost"
            | "local"
            | "localdomain"
            | "internal"
            | "lan"
            | "home"
            | "onion"
            | "arpa"
            | "alt"
    )
}

/// Whether a domain is under a suffix of the public suffix list.
pub(super) fn has_known_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Whether a character may be in a local part without quotes.
pub(super) fn is_local(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '%' | '+' | '-' | '\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_addresses() {
        for address in [
            "taro@example.co.jp",
            "info@example.jp",
            "info@example1.ne.jp",
            "info@mail.example.de",
            "mail@example.org",
            "hello@reallygreatsite.com",
            "info@mysite.com",
            "info@yourdomain.com",
            "info@your-company.co.uk",
            "info@ihre-domain.de",
            "max.mustermann@gmx.de",
            "john.doe@gmail.com",
            "your.email@gmail.com",
            "name@domain.tld",
            "info@dominio.com",
            "abc@xyz.com",
        ] {
            let (local, domain) = address.split_once('@').unwrap();
            assert!(
                is_placeholder(local, domain) || is_placeholder_domain(domain),
                "{address}"
            );
        }
        for address in [
            "info@example-firm.com",
            "info@exampleworks.de",
            "info@domain-verwaltung.at",
            "yourshop@gmail.com",
            "info@yourgarden.co.uk",
            "info@xyz.at",
            "info@acme.de",
            "name.surname@firm.com",
        ] {
            let (local, domain) = address.split_once('@').unwrap();
            assert!(
                !is_placeholder(local, domain) && !is_placeholder_domain(domain),
                "{address}"
            );
        }
    }
}
