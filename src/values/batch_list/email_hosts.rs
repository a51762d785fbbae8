//! Email addresses instead of domains: the domain after the `@`, unless it belongs to an email provider.

use crate::values::disposable::is_disposable;
use crate::values::domain_name::DomainName;

/// The domain of an e-mail address, as it is alone, in `mailto:` or behind a name (`Anna <anna@example.com>`).
pub(super) fn host_of_address(text: &str) -> Option<DomainName> {
    let text = text.trim();
    let inner = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let text = inner.map_or(text, |(_, address)| address);
    let is_mailto = text
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
    let address = if is_mailto { &text[7..] } else { text };
    let (user, host) = address.split_once('@')?;
    let is_user = !user.is_empty()
        && user.len() <= 64
        && !user.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ':' | ',' | ';' | '<' | '>'));
    let is_host = !host.contains(['/', ':', '@', '?', '#', '\\']);
    if is_user && is_host {
        DomainName::parse(host).ok()
    } else {
        None
    }
}

/// Whether a domain belongs to a provider of free or disposable mailboxes.
pub(super) fn is_free_mail_host(domain: &DomainName) -> bool {
    let name = domain.as_str();
    FREE.contains(&name)
        || is_disposable(name)
        || name
            .split_once('.')
            .is_some_and(|(brand, _)| FREE_EVERYWHERE.contains(&brand))
}

/// Providers with a domain in each country.
const FREE_EVERYWHERE: &[&str] = &[
    "gmail",
    "googlemail",
    "yahoo",
    "ymail",
    "hotmail",
    "outlook",
    "live",
    "msn",
    "gmx",
    "yandex",
];

#[rustfmt::skip]
const FREE: &[&str] = &[
    "aol.com", "aol.de", "aim.com", "icloud.com", "me.com", "mac.com", "rocketmail.com", "mail.com", "email.com", "usa.net",
    "proton.me", "protonmail.com", "protonmail.ch", "pm.me", "tutanota.com", "tutanota.de", "tuta.io", "tuta.com",
    "fastmail.com", "fastmail.fm", "hushmail.com", "zoho.com", "zohomail.com", "mailbox.org", "posteo.de", "posteo.net",
    "web.de", "t-online.de", "freenet.de", "arcor.de", "online.de", "email.de", "kabelmail.de", "vodafonemail.de", "mail.de",
    "bluewin.ch", "hispeed.ch", "sunrise.ch", "aon.at", "chello.at", "a1.net",
    "orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "laposte.net", "neuf.fr", "bbox.fr", "numericable.fr",
    "libero.it", "virgilio.it", "tiscali.it", "alice.it", "tin.it", "inwind.it", "fastwebnet.it", "pec.it",
    "terra.com.br", "uol.com.br", "bol.com.br", "ig.com.br", "telefonica.net", "terra.es", "sapo.pt",
    "btinternet.com", "btopenworld.com", "ntlworld.com", "virginmedia.com", "sky.com", "talktalk.net", "blueyonder.co.uk",
    "comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "earthlink.net",
    "juno.com", "optonline.net", "frontiernet.net", "shaw.ca", "rogers.com", "sympatico.ca", "telus.net", "bigpond.com",
    "optusnet.com.au", "xtra.co.nz",
    "ziggo.nl", "kpnmail.nl", "planet.nl", "home.nl", "hetnet.nl", "xs4all.nl", "telenet.be", "skynet.be", "proximus.be",
    "wp.pl", "o2.pl", "onet.pl", "onet.eu", "interia.pl", "interia.eu", "op.pl", "tlen.pl", "seznam.cz", "email.cz",
    "centrum.cz", "atlas.cz", "post.cz", "volny.cz", "centrum.sk", "azet.sk", "zoznam.sk", "freemail.hu", "citromail.hu",
    "telia.com", "spray.se", "bredband.net", "online.no", "tele2.se", "mail.dk", "jubii.dk", "luukku.com", "kolumbus.fi",
    "mail.ru", "bk.ru", "inbox.ru", "list.ru", "rambler.ru", "ya.ru", "ukr.net", "i.ua", "abv.bg", "mail.bg", "inbox.lv",
    "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com", "sina.cn", "sohu.com", "139.com", "189.cn", "aliyun.com",
    "naver.com", "hanmail.net", "daum.net", "nate.com", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp", "nifty.com",
    "rediffmail.com", "walla.co.il", "walla.com", "mynet.com", "otenet.gr", "in.gr",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_found_in_each_form() {
        for text in [
            "anna@a.com",
            " Anna@A.com ",
            "mailto:anna@a.com",
            "Anna Smith <anna@a.com>",
        ] {
            let host = host_of_address(text).map(String::from);
            assert_eq!(host.as_deref(), Some("a.com"), "{text}");
        }
        for text in [
            "a.com",
            "@a.com",
            "anna@",
            "anna@localhost",
            "https://anna@a.com/",
            "an na@a.com",
            "a@b@c.com",
        ] {
            assert_eq!(host_of_address(text), None, "{text}");
        }
    }

    #[test]
    fn providers_are_known_in_each_country() {
        let is_free = |name: &str| is_free_mail_host(&DomainName::parse(name).unwrap());
        assert!(
            [
                "gmail.com",
                "yahoo.co.uk",
                "web.de",
                "gmx.at",
                "hotmail.fr",
                "mailinator.com"
            ]
            .into_iter()
            .all(is_free)
        );
        assert!(!is_free("example.com") && !is_free("mail.example.com"));
    }
}
