//! The email about a run: the changes that it found.

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use maud::html;

use super::mails::Claimed;
use crate::log::changes::ChangeFilter;
use crate::log::{EventLog, LogError};
use crate::mail::MailSettings;
use crate::values::amount::counted;
use crate::webhooks::Text;

/// Changes in a mail; the others are counted.
const CHANGES: i64 = 100;

/// The changes that a run found.
pub(super) struct Digest {
    changes: Vec<Text>,
    /// Whether there are more.
    is_cut: bool,
}

/// What the run of a mail found changed, as far as it counts for the monitor; `None` if that is nothing.
pub(super) async fn digest(log: &EventLog, mail: &Claimed) -> Result<Option<Digest>, LogError> {
    let filter = ChangeFilter {
        tenant: mail.tenant,
        domain: None,
        field: None,
        batch: Some(mail.batch),
        monitor: None,
        fields: mail.settings.fields.clone(),
        since: 0,
        up_to: None,
        newest_first: false,
        after: None,
        limit: CHANGES + 1,
    };
    let mut events = log.domain_changes(&filter).await?;
    let most = usize::try_from(CHANGES).unwrap_or(usize::MAX);
    let is_cut = events.len() > most;
    events.truncate(most);
    let mut changes = Vec::new();
    for event in &events {
        changes.extend(Text::of_event(log, event).await?);
    }
    Ok((!changes.is_empty()).then_some(Digest { changes, is_cut }))
}

impl Digest {
    /// The mail to one subscriber. Its id is the same for each attempt, so that a receiver can drop repetitions.
    pub(super) fn mail(&self, mail: &Claimed, settings: &MailSettings) -> Result<Message, String> {
        let end = settings.link(&mail.token.path());
        let all = settings.link(&format!("/changes?batch={}", mail.batch));
        let id = format!("<{}.{}@{}>", mail.batch, mail.subscriber, settings.id_domain());
        let address = mail
            .address
            .parse()
            .map_err(|error| format!("{}: {error}", mail.address))?;
        Message::builder()
            .from(settings.from.clone())
            .to(Mailbox::new(None, address))
            .subject(self.subject(mail))
            .message_id(Some(id))
            // RFC 8058: one-click unsubscribe.
            .raw_header(header("List-Unsubscribe", &format!("<{end}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
            // RFC 3834, 5: no automatic replies.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .multipart(MultiPart::alternative_plain_html(
                self.plain(mail, &all, &end),
                self.page(mail, &all, &end),
            ))
            .map_err(|error| error.to_string())
    }

    fn subject(&self, mail: &Claimed) -> String {
        let count = match (self.changes.len(), self.is_cut) {
            (count, true) => format!("more than {} changed", counted(count, "domain")),
            (1, false) => self.changes[0].title.clone(),
            (count, false) => format!("{count} domains changed"),
        };
        // A name may have line breaks.
        format!("{}: {count}", mail.settings.name.replace(char::is_control, " "))
    }

    fn plain(&self, mail: &Claimed, all: &str, end: &str) -> String {
        let mut lines = vec![self.subject(mail), String::new()];
        for change in &self.changes {
            lines.push(change.title.clone());
            lines.extend(change.lines.iter().map(|line| format!("  {line}")));
            lines.push(String::new());
        }
        lines.push(format!("All changes: {all}"));
        lines.push(format!("Unsubscribe: {end}"));
        lines.join("\n")
    }

    fn page(&self, mail: &Claimed, all: &str, end: &str) -> String {
        let page = html! {
            (maud::DOCTYPE)
            html {
                body {
                    h1 { (self.subject(mail)) }
                    @for change in &self.changes {
                        h2 { (change.title) }
                        ul { @for line in &change.lines { li { (line) } } }
                    }
                    p { a href=(all) { "All changes" } }
                    p { small { a href=(end) { "Unsubscribe" } } }
                }
            }
        };
        page.into_string()
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
