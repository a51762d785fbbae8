//! A message as text for people, in the formats of chat services.

use serde_json::{Value, json};

use super::Text;
use crate::values::webhook::{WebhookFormat, WebhookTopic};

/// Characters that Discord takes of a text.
const DISCORD: usize = 2000;
/// Bytes of the blocks of a card: Teams takes 28 KB of a message.
const TEAMS: usize = 24_000;

/// The content of a request: `message` as it is, or as a text about it.
pub(super) fn content(format: WebhookFormat, topic: WebhookTopic, message: &Value) -> String {
    let content = match format {
        WebhookFormat::Standard => return message.to_string(),
        WebhookFormat::Slack => slack(&Text::of(topic, &message["data"])),
        WebhookFormat::Teams => teams(&Text::of(topic, &message["data"])),
        WebhookFormat::Discord => discord(&Text::of(topic, &message["data"])),
    };
    content.to_string()
}

/// An incoming webhook (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).
fn slack(text: &Text) -> Value {
    // What Slack asks to escape (<https://docs.slack.dev/messaging/formatting-message-text#escaping>). Without the three,
    // a site could mention people or show another address than a link's.
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let lines: Vec<String> = [&text.title]
        .into_iter()
        .chain(&text.lines)
        .map(|line| escaped(line))
        .collect();
    json!({ "text": lines.join("\n"), "mrkdwn": false, "unfurl_links": false, "unfurl_media": false })
}

/// A webhook (<https://discord.com/developers/docs/resources/webhook#execute-webhook>).
fn discord(text: &Text) -> Value {
    let escaped = |text: &str| {
        let mut safe = String::new();
        for letter in text.chars() {
            if letter.is_ascii_punctuation() {
                safe.push('\\');
            }
            safe.push(letter);
        }
        safe
    };
    let title = format!("**{}**", escaped(&text.title));
    let lines = [title]
        .into_iter()
        .chain(text.lines.iter().map(|line| escaped(line)));
    let mut content = String::new();
    for line in lines {
        if content.chars().count() + line.chars().count() + 2 > DISCORD {
            content.push('…');
            break;
        }
        content.push_str(&line);
        content.push('\n');
    }
    // No mentions and no previews, whatever the text says.
    json!({ "content": content.trim_end(), "allowed_mentions": { "parse": [] }, "flags": 1 << 2 })
}

/// A workflow that posts a card
/// (<https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>). Runs of
/// text are shown as they are; blocks of text would be Markdown.
fn teams(text: &Text) -> Value {
    let block = |text: &str, is_bold: bool| {
        let weight = if is_bold { "bolder" } else { "default" };
        json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": weight }] })
    };
    let blocks = [block(&text.title, true)]
        .into_iter()
        .chain(text.lines.iter().map(|line| block(line, false)));
    let (mut body, mut bytes) = (Vec::new(), 0);
    for one in blocks {
        bytes += one.to_string().len();
        if bytes > TEAMS {
            body.push(block("…", false));
            break;
        }
        body.push(one);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard", "version": "1.4", "body": body,
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed() -> Value {
        json!({ "type": "domain.changed", "data": {
            "domain": "a.test", "reason": null, "erased": false, "urls": { "added": 2, "removed": 1 },
            "fields": [{ "field": "site_title", "before": null, "after": "<!channel> @everyone *&* [x](http://evil.test)" }],
        } })
    }

    fn sent(format: WebhookFormat, topic: WebhookTopic, message: &Value) -> Value {
        serde_json::from_str(&content(format, topic, message)).unwrap()
    }

    #[test]
    fn a_change_is_told_and_what_a_site_says_is_only_text() {
        let topic = WebhookTopic::DomainChanged;
        let slack = sent(WebhookFormat::Slack, topic, &changed());
        assert_eq!(
            slack["text"],
            "a.test changed\nSite title: – → &lt;!channel&gt; @everyone *&amp;* [x](http://evil.test)\n\
             sitemaps: 2 URLs added, 1 removed"
        );
        assert_eq!(slack["mrkdwn"], false);
        let discord = sent(WebhookFormat::Discord, topic, &changed());
        let content = discord["content"].as_str().unwrap();
        assert!(
            content.starts_with("**a\\.test changed**\nSite title\\: – → \\<\\!channel\\> \\@everyone"),
            "{content}"
        );
        assert_eq!(discord["allowed_mentions"]["parse"], json!([]));
        let teams = sent(WebhookFormat::Teams, topic, &changed());
        let blocks = teams["attachments"][0]["content"]["body"].as_array().unwrap();
        assert_eq!(blocks.len(), 3);
        assert!(
            blocks.iter().all(|block| block["type"] == "RichTextBlock"),
            "{blocks:?}"
        );
        assert_eq!(sent(WebhookFormat::Standard, topic, &changed()), changed());
    }

    #[test]
    fn much_is_cut_where_the_chat_takes_no_more() {
        let field = json!({ "field": "emails", "before": "x".repeat(900), "after": "*".repeat(900) });
        let message = json!({ "data": { "domain": "a.test", "fields": vec![field; 40] } });
        let discord = sent(WebhookFormat::Discord, WebhookTopic::DomainChanged, &message);
        let content = discord["content"].as_str().unwrap();
        assert!(
            content.chars().count() <= DISCORD && content.ends_with('…'),
            "{content}"
        );
        let field =
            json!({ "field": "emails", "before": "\u{1f600}".repeat(900), "after": "\u{1f600}".repeat(900) });
        let long = json!({ "data": { "domain": "a.test", "fields": vec![field; 20] } });
        let teams = sent(WebhookFormat::Teams, WebhookTopic::DomainChanged, &long);
        assert!(teams.to_string().len() < 28_000 && teams.to_string().contains('…'));
        let slack = sent(WebhookFormat::Slack, WebhookTopic::DomainChanged, &message);
        assert!(slack["text"].as_str().unwrap().contains("and 20 more fields"));
    }

    #[test]
    fn each_topic_has_a_text() {
        let data = json!({ "domain": "a.test", "reason": "name_not_resolved", "total": 5, "batch_id": "b", "monitor_id": "m" });
        let message = json!({ "data": data });
        for topic in WebhookTopic::ALL {
            let text = sent(WebhookFormat::Slack, *topic, &message)["text"]
                .as_str()
                .unwrap()
                .to_owned();
            assert!(text.len() > 10 && !text.contains("null"), "{topic}: {text}");
        }
        let failed = sent(WebhookFormat::Slack, WebhookTopic::ScanFailed, &message);
        assert_eq!(
            failed["text"],
            "The scan of a.test failed\nDomain not found in DNS"
        );
    }
}
