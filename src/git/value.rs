//! The words of git's configuration and environment: booleans and numbers.
//!
//! It must not know where a word was written.

/// Returns `text` as git's boolean: `true`, `yes`, `on`, or a number other than 0; `false`, `no`, `off`, 0, or nothing.
///
/// `None` for any other word (git-config(1), "Values").
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" | "" => Some(false),
        _ => integer(text).map(|number| number != 0),
    }
}

/// Returns `text` as git's number: decimal, `0x` or `0` octal, with an optional `k`, `m` or `g` (powers of 1024).
///
/// `None` where it is no number or does not fit.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let (digits, unit) = match digits.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (digits.get(..digits.len() - 1)?, 1 << 10),
        b'm' => (digits.get(..digits.len() - 1)?, 1 << 20),
        b'g' => (digits.get(..digits.len() - 1)?, 1 << 30),
        _ => (digits, 1),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        // `from_str_radix` would accept a second sign.
        hex.starts_with(|c: char| c.is_ascii_hexdigit())
            .then(|| i64::from_str_radix(hex, 16).ok())?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()
    } else {
        digits.parse::<i64>().ok()
    };
    number?.checked_mul(unit)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_git_reads_them() {
        let cases = [
            ("0", Some(0)),
            ("12", Some(12)),
            ("-3", Some(-3)),
            (" 7", Some(7)),
            ("1k", Some(1024)),
            ("2M", Some(2 << 20)),
            ("1g", Some(1 << 30)),
            ("0x10", Some(16)),
            ("010", Some(8)),
            ("", None),
            ("k", None),
            ("1x", None),
            ("1 ", None),
            ("--1", None),
            ("0x-1", None),
            ("9223372036854775807g", None),
        ];
        for (text, number) in cases {
            assert_eq!(integer(text), number, "{text:?}");
        }
    }

    #[test]
    fn booleans_are_words_or_numbers() {
        let cases = [
            ("TRUE", Some(true)),
            ("off", Some(false)),
            ("2", Some(true)),
            ("0", Some(false)),
            ("y", None),
        ];
        for (text, flag) in cases {
            assert_eq!(boolean(text), flag, "{text:?}");
        }
    }
}
