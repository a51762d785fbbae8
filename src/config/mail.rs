//! Settings of email: the mail server, the sender, and the base of links.

use super::error::Faults;
use super::raw::RawMail;
use url::Url;

use super::{ConfigError, value};
use crate::access::Secret;
use crate::mail::MailSettings;

/// How mails are sent; `None` if none are, or if something is wrong with the settings.
pub(super) fn mail_settings(
    raw: RawMail,
    public_url: Option<&Url>,
    faults: &mut Faults,
) -> Option<MailSettings> {
    const SMTP: &str = "SITELOG_MAIL__SMTP_URL";
    const FROM: &str = "SITELOG_MAIL__FROM";
    let from = raw.from.and_then(|given| {
        let expected = "an address such as sitelog <noreply@example.com>";
        faults.take(given.parse().map_err(|_| value(FROM, &given, expected)))
    });
    let Some(smtp_url) = raw.smtp_url.filter(|url| !url.is_empty()) else {
        if from.is_some() {
            let other = "SITELOG_MAIL__SMTP_URL, the mail server";
            faults.push(ConfigError::Needs { name: FROM, other });
        }
        return None;
    };
    for (name, is_missing) in [
        ("SITELOG_MAIL__FROM, the sender of emails", from.is_none()),
        (
            "SITELOG_PUBLIC_URL, the base of the links in emails",
            public_url.is_none(),
        ),
    ] {
        if is_missing {
            faults.push(ConfigError::Needs {
                name: SMTP,
                other: name,
            });
        }
    }
    let settings = MailSettings {
        smtp_url: Secret::new(smtp_url),
        from: from?,
        public_url: public_url?.clone(),
    };
    if !settings.is_usable() {
        let expected = "an address such as smtps://user:password@mail.example.com or smtp://mail.example.com:587?tls=required";
        faults.push(ConfigError::Secret { name: SMTP, expected });
        return None;
    }
    Some(settings)
}
