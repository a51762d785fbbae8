//! Checks the arguments of a call: all are known and have the right type.

use rmcp::model::JsonObject;
use serde_json::Value;

use super::tools::{Argument, Kind, Tool};
use crate::values::nearest::{did_you_mean, nearest};

/// Checked arguments.
pub(super) struct Arguments<'a>(&'a JsonObject);

impl<'a> Arguments<'a> {
    pub(super) fn checked(tool: &Tool, given: &'a JsonObject) -> Result<Self, String> {
        for (name, value) in given {
            let Some(argument) = tool.arguments.iter().find(|argument| argument.name == name) else {
                return Err(unknown(tool, name));
            };
            // Some clients send null for what is left out.
            if !value.is_null() && !argument.kind.takes(value) {
                return Err(format!("{name} must be {}.", argument.kind.described()));
            }
        }
        let is_missing = |argument: &&Argument| {
            argument.is_required && given.get(argument.name).is_none_or(Value::is_null)
        };
        match tool.arguments.iter().find(is_missing) {
            Some(missing) => Err(format!("{} needs the argument {}.", tool.name, missing.name)),
            None => Ok(Self(given)),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.0.get(name)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// As it was given, unless it is null.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

fn unknown(tool: &Tool, name: &str) -> String {
    if tool.arguments.is_empty() {
        return format!("{} has no arguments.", tool.name);
    }
    let nearest = nearest(name, tool.arguments.iter().map(|argument| argument.name));
    format!("{} has no argument '{name}'{}.", tool.name, did_you_mean(nearest))
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Truth => value.is_boolean(),
            Self::Whole(least, most) => value
                .as_u64()
                .is_some_and(|number| (least..=most).contains(&number)),
            Self::Number => value.as_f64().is_some_and(|number| number >= 0.0),
            Self::Texts(most) => value
                .as_array()
                .is_some_and(|texts| (1..=most).contains(&texts.len()) && texts.iter().all(Value::is_string)),
        }
    }

    fn described(self) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::Truth => "true or false".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Number => "a number of 0 or more".to_owned(),
            Self::Texts(most) => format!("a list of 1 to {most} strings"),
        }
    }
}
