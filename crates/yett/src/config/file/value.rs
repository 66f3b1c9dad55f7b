//! Values of `yett.toml`: their words, what each is called in a message, and how a wrong one would be
//! written right.

use super::{Key, Shape};
use crate::config::choice;
use toml::de::DeValue;

/// A path with a NUL in it cannot be opened, and no word of a configuration needs a line feed.
pub(super) fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// "a string", "an integer": what a value is.
pub(super) fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(text) if !is_plain(text) => "a string with a control character",
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What an empty list would mean that leaving the key away does not, and that nobody can want.
pub(super) fn without_items(key: Key) -> Option<&'static str> {
    match key {
        Key::AllowedHosts => Some(", so that nobody would be served"),
        Key::LogFields => Some(", so that lines would hold nothing"),
        _ => None,
    }
}

/// The word of a value of the right type.
pub(super) fn text_of(shape: Shape, value: &DeValue<'_>) -> Option<String> {
    match (shape, value) {
        (
            Shape::Text | Shape::SwitchOrText | Shape::Duration | Shape::Size,
            DeValue::String(text),
        ) if is_plain(text) => Some(text.to_string()),
        (Shape::Whole | Shape::WholeOrAuto, DeValue::Integer(number)) => {
            // Beyond 64 bits the digits go on as they are, to be refused with their place.
            let plain = i64::from_str_radix(number.as_str(), number.radix());
            Some(plain.map_or_else(|_| number.to_string(), |plain| plain.to_string()))
        }
        (Shape::Duration | Shape::Size, DeValue::Integer(number)) if number.as_str() == "0" => {
            Some("0".to_owned())
        }
        (shape, DeValue::String(text)) if shape.word() == Some(text) => Some(text.to_string()),
        (shape, DeValue::Boolean(on)) if shape.is_switch() => {
            Some(if *on { "on" } else { "off" }.to_owned())
        }
        _ => None,
    }
}

/// How a value of the wrong type would be written right, where that is clear.
pub(super) fn right_value(name: &str, shape: Shape, value: &DeValue<'_>) -> Option<String> {
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let right = match (shape, value) {
        (Shape::Duration, DeValue::Integer(number)) => format!("\"{number}s\""),
        (Shape::Size, DeValue::Integer(number)) => format!("\"{number}B\""),
        (Shape::Whole | Shape::WholeOrAuto, DeValue::String(text)) if is_whole(text) => {
            text.to_string()
        }
        (shape, DeValue::String(text))
            if shape.is_switch()
                && let Ok(on) = choice::switch(text) =>
        {
            on.to_string()
        }
        // `0o660` in TOML is 432 elsewhere.
        (Shape::Text, DeValue::Integer(number)) if name == "socket_mode" => {
            format!("\"0{}\"", number.as_str())
        }
        (Shape::Text, DeValue::Array(_)) if name == "bind" => {
            return Some("write one [[listener]] for each address".to_owned());
        }
        _ => return None,
    };
    Some(format!("write {name} = {right}"))
}
