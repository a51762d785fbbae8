//! Sends emails through the operator's SMTP server. The operator chooses its address, so the address guard does not
//! apply.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error as SmtpError};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use url::Url;

use crate::access::Secret;

/// The time limit for sending one email.
const LIMIT: Duration = Duration::from_secs(30);

/// The settings of email; without them, no email is sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The address and credentials of the mail server: `smtps://user:password@host`, or `smtp://host:587?tls=required`.
    pub smtp_url: Secret,
    /// The sender.
    pub from: Mailbox,
    /// The public URL of sitelog: the base of links in emails.
    pub public_url: Url,
}

/// Why an email was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server refused it permanently.
    #[error("the mail server refused the email: {0}")]
    Refused(String),
    /// It may work later.
    #[error("{0}")]
    Later(String),
}

/// Sends emails; clones share its connections.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    settings: MailSettings,
}

impl MailSettings {
    /// Builds the transport of the settings; `None` if they name no server.
    fn transport(&self) -> Option<AsyncSmtpTransportBuilder> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(self.smtp_url.reveal()).ok()?;
        Some(builder.timeout(Some(LIMIT)))
    }

    /// Whether emails can be sent with these settings without sending a password unencrypted over a network.
    pub fn is_usable(&self) -> bool {
        let url = Url::parse(self.smtp_url.reveal()).ok();
        let is_private = url.is_some_and(|url| {
            let is_encrypted = url.scheme() == "smtps"
                || url
                    .query_pairs()
                    .any(|(name, value)| name == "tls" && value == "required");
            let is_here = match url.host_str() {
                Some("localhost") => true,
                Some(host) => host
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback()),
                None => false,
            };
            url.password().is_none() || is_encrypted || is_here
        });
        is_private && self.transport().is_some() && self.public_url.host().is_some()
    }

    /// A link into sitelog.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// The domain of message IDs (RFC 5322, 3.6.4).
    pub fn id_domain(&self) -> &str {
        self.from.email.domain()
    }
}

impl Mailer {
    /// A mailer with usable settings. Its connections need a runtime.
    pub fn new(settings: MailSettings) -> Option<Self> {
        let transport = settings.transport()?.build();
        Some(Self { transport, settings })
    }

    /// Its settings.
    pub fn settings(&self) -> &MailSettings {
        &self.settings
    }

    /// Sends one email.
    pub async fn send(&self, mail: Message) -> Result<(), MailError> {
        // The transport's own limit is that of connecting.
        match tokio::time::timeout(LIMIT, self.transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(MailError::of(&error)),
            Err(_) => Err(MailError::Later(format!(
                "the mail server did not accept the email within {} s",
                LIMIT.as_secs()
            ))),
        }
    }
}

impl MailError {
    fn of(error: &SmtpError) -> Self {
        let source = std::error::Error::source(error).map(|source| format!(": {source}"));
        let text = format!("{error}{}", source.unwrap_or_default());
        if error.is_permanent() && is_about_the_recipient(&text) {
            Self::Refused(text)
        } else {
            Self::Later(text)
        }
    }
}

/// Whether a permanent refusal is about the address (RFC 3463: 5.1.x, and 5.2.1 for a mailbox that is disabled). Any
/// other, such as a wrong password or a daily quota, is about us, and is temporary.
fn is_about_the_recipient(text: &str) -> bool {
    let codes = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let mut enhanced = codes.filter(|code| code.starts_with("5."));
    match enhanced.next() {
        Some(code) => code.starts_with("5.1.") || code == "5.2.1",
        // Servers that give no such code: mailbox unavailable, not local, or not allowed (RFC 5321, 4.2.3).
        None => ["550", "551", "553"].iter().any(|code| text.contains(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(smtp_url: &str) -> MailSettings {
        MailSettings {
            smtp_url: Secret::new(smtp_url.to_owned()),
            from: "sitelog <noreply@example.com>".parse().unwrap(),
            public_url: "https://sitelog.example.com/".parse().unwrap(),
        }
    }

    #[test]
    fn only_what_is_about_the_recipient_is_for_good() {
        for text in [
            "permanent error (550): 5.1.1 <a@b.test> user unknown",
            "permanent error (550): no such user",
            "permanent error (550): 5.2.1 mailbox disabled",
        ] {
            assert!(is_about_the_recipient(text), "{text}");
        }
        for text in [
            "permanent error (535): 5.7.8 authentication failed",
            "permanent error (530): must issue STARTTLS first",
            "permanent error (550): 5.4.5 daily quota exceeded",
            "permanent error (554): 5.7.1 relay access denied",
        ] {
            assert!(!is_about_the_recipient(text), "{text}");
        }
    }

    #[test]
    fn settings_are_usable_or_not_and_hide_the_password() {
        for url in [
            "smtps://user:secret@mail.example.com",
            "smtp://mail.example.com:587?tls=required",
            "smtp://127.0.0.1:25",
        ] {
            assert!(settings(url).is_usable(), "{url}");
        }
        for url in [
            "mail.example.com",
            "http://mail.example.com",
            "",
            // The password would be readable on the way.
            "smtp://user:secret@mail.example.com",
        ] {
            assert!(!settings(url).is_usable(), "{url}");
        }
        let shown = format!("{:?}", settings("smtps://user:secret@mail.example.com"));
        assert!(!shown.contains("secret@"), "{shown}");
        assert_eq!(
            settings("").link("/changes"),
            "https://sitelog.example.com/changes"
        );
    }
}
