//! Providers of mailboxes, whose domains say nothing about the people and companies that use them.

use super::disposable::is_disposable;

/// Whether a domain belongs to a provider of free or disposable mailboxes.
pub fn is_mail_provider(domain: &str) -> bool {
    FREE.contains(&domain)
        || is_disposable(domain)
        || domain
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
    "libero.it", "virgilio.it", "tiscali.it", "alice.it", "tin.it", "inwind.it", "fastwebnet.it", "pec.it", "legalmail.it", "arubapec.it", "postecert.it",
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
    fn providers_are_known_in_each_country() {
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
            .all(is_mail_provider)
        );
        assert!(!is_mail_provider("example.com") && !is_mail_provider("mail.example.com"));
    }
}
