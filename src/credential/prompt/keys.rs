//! A line that is typed key by key, by the few rules that a person expects. Does not depend on whose keys they are.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

/// The longest answer, in bytes; so much is set aside, because a string that grows leaves copies behind.
const MAX: usize = 16 * 1024;

/// Reads keys from `input` up to the line's end, which is not returned, and shows them on `output` if `echo` is set.
/// [`io::ErrorKind::UnexpectedEof`] is Ctrl-D (or Ctrl-Z) or the end of the input, [`io::ErrorKind::Interrupted`] is
/// Ctrl-C.
pub(super) fn read(mut input: impl Read, mut output: impl Write, echo: bool) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX));
    loop {
        let mut key = [0];
        if input.read(&mut key)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let [byte] = key;
        match byte {
            b'\r' | b'\n' => break,
            // A byte, and no signal, where the terminal was told so before.
            3 => return Err(io::ErrorKind::Interrupted.into()),
            4 | 26 if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            // Ctrl-U takes all of it back, backspace one character, which may be several bytes.
            21 => line.clear(),
            8 | 127 => {
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                if echo {
                    output.write_all(b"\x08 \x08")?;
                }
            }
            byte if byte < 0x20 => {}
            byte if line.len() < MAX => {
                line.push(byte);
                if echo {
                    output.write_all(&key)?;
                }
            }
            _ => {}
        }
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_a_line() {
        let typed = |keys: &[u8]| read(keys, io::sink(), true).map(|line| line.to_string());
        assert_eq!(typed(b"ATBBx\r\nmore").expect("a line"), "ATBBx");
        assert_eq!(typed(b"wrong\x15right\n").expect("a line"), "right");
        assert_eq!(typed("aä\x7f\x08b\r".as_bytes()).expect("a line"), "b");
        assert_eq!(
            typed(b"a\x1a\x04\r").expect("a line"),
            "a",
            "only an empty line is an end"
        );
        for (keys, kind) in [
            (&b""[..], io::ErrorKind::UnexpectedEof),
            (b"\x04", io::ErrorKind::UnexpectedEof),
            (b"\x1a\r", io::ErrorKind::UnexpectedEof),
            (b"ab\x03", io::ErrorKind::Interrupted),
            (b"\xff\n", io::ErrorKind::InvalidData),
        ] {
            assert_eq!(typed(keys).expect_err("no line").kind(), kind, "{keys:?}");
        }
        let mut shown = Vec::new();
        read(&b"hi\x08\r"[..], &mut shown, true).expect("a line");
        assert_eq!(shown, b"hi\x08 \x08");
        shown.clear();
        read(&b"hi\x08\r"[..], &mut shown, false).expect("a line");
        assert!(shown.is_empty());
    }
}
