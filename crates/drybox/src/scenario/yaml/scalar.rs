//! Plain scalars by the core schema of YAML 1.2.2, section 10.3.2.

use super::{Number, Scalar};

/// What a plain scalar without a tag means.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        _ => match number(text) {
            Some(number) => Scalar::Number(number, text.to_owned()),
            None => Scalar::Text(text.to_owned()),
        },
    }
}

/// What a scalar with a tag of the core schema means, or nothing when it doesn't fit the tag.
pub(super) fn tagged(suffix: &str, text: &str) -> Option<Scalar> {
    let scalar = resolve(text);
    match (suffix, &scalar) {
        ("str", _) => Some(Scalar::Text(text.to_owned())),
        ("null", Scalar::Null) | ("bool", Scalar::Bool(_)) | ("float", Scalar::Number(..)) => {
            Some(scalar)
        }
        ("int", Scalar::Number(number, _)) => match number {
            Number::Fits(n) if n.is_f64() => None,
            Number::NotFinite => None,
            _ => Some(scalar),
        },
        _ => None,
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(Number::NotFinite),
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == text.len() => {
            return Some(Number::NotFinite);
        }
        _ => {}
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return Some(integer(text));
    }
    if !is_float(unsigned) {
        return None;
    }
    // Rust reads every spelling that the grammar above lets through, "1." and ".5" included.
    let value: f64 = text.parse().ok()?;
    Some(serde_json::Number::from_f64(value).map_or(Number::NotFinite, Number::Fits))
}

fn radix(digits: &str, base: u32) -> Option<Number> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    Some(u64::from_str_radix(digits, base).map_or(Number::TooLong, |n| Number::Fits(n.into())))
}

fn integer(text: &str) -> Number {
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(n) = text.parse::<u64>() {
        return Number::Fits(n.into());
    }
    text.parse::<i64>()
        .map_or(Number::TooLong, |n| Number::Fits(n.into()))
}

/// `(\.[0-9]+ | [0-9]+(\.[0-9]*)?) ([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, value) in [
            ("null", json!(null)),
            ("~", json!(null)),
            ("TRUE", json!(true)),
            ("yes", json!("yes")),
            ("no", json!("no")),
            ("12", json!(12)),
            ("+12", json!(12)),
            ("-12", json!(-12)),
            ("0o14", json!(12)),
            ("014", json!(14)),
            ("0xC", json!(12)),
            ("-0xC", json!("-0xC")),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("1e3", json!(1000.0)),
            ("1e", json!("1e")),
            (".", json!(".")),
            ("-", json!("-")),
            ("e5", json!("e5")),
            ("12:30", json!("12:30")),
            ("inf", json!("inf")),
            ("nan", json!("nan")),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            assert_eq!(resolve(text).to_value(), value, "{text}");
        }
    }

    #[test]
    fn numbers_beyond_json_are_told_apart() {
        for text in [".nan", ".NaN", ".inf", "-.INF", "+.Inf", "1e999", "-1e999"] {
            assert!(
                matches!(resolve(text), Scalar::Number(Number::NotFinite, _)),
                "{text}"
            );
        }
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "0x1ffffffffffffffff",
        ] {
            assert!(
                matches!(resolve(text), Scalar::Number(Number::TooLong, _)),
                "{text}"
            );
        }
    }
}
