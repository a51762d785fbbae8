//! A change as people read it: in feeds, chats and mails.

use serde_json::Value;

/// The name of a field for people.
pub fn field_words(name: &str) -> String {
    name.replace(['_', '.'], " ")
}

/// A value as text, with at most this many characters.
pub fn value_words(value: &Value, most: usize) -> String {
    let text = whole(value);
    if text.is_empty() {
        return "–".to_owned();
    }
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most).chain(['…']).collect()
}

fn whole(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(|item| value_words(item, usize::MAX));
            items.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_no_value_is_a_dash() {
        let long = value_words(&Value::from("x".repeat(15)), 10);
        assert_eq!(long, format!("{}…", "x".repeat(10)));
        assert_eq!(value_words(&serde_json::json!(["a", null, 5]), 99), "a, –, 5");
        assert_eq!(field_words("phone_numbers"), "phone numbers");
    }
}
