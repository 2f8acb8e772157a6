//! What an agent reads from its clients.

use git_remote_bbcloud::agent::commands;

/// The command list of a push, as an agent reads it: what it passes on is what it judged, and git reads it the same way
/// when it reads it as loosely as it does (`read_head_info` in git's `builtin/receive-pack.c`).
pub(crate) fn push_commands(bytes: &[u8]) {
    let mut held = Vec::new();
    let Ok(read) = commands::read(&mut &*bytes, &mut held) else {
        return;
    };
    assert!(bytes.starts_with(&held) && held.ends_with(b"0000"));
    let (mut rest, mut loose) = (held.as_slice(), Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = str::from_utf8(length)
            .ok()
            .and_then(|length| usize::from_str_radix(length, 16).ok());
        let Some(length) = length.filter(|length| *length > 4) else {
            break;
        };
        let line = after.get(..length - 4).expect("the list is whole");
        rest = after.get(length - 4..).unwrap_or_default();
        // Git drops one line end, and reads a line as text up to its NUL.
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.starts_with(b"shallow ") {
            continue;
        }
        let text = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (old, new) = (&text[..digits], &text[digits + 1..][..digits]);
        loose.push((old.to_vec(), new.to_vec(), text[digits * 2 + 2..].to_vec()));
    }
    let judged: Vec<_> = read
        .into_iter()
        .map(|command| (command.old.into_bytes(), command.new.into_bytes(), command.name))
        .collect();
    assert_eq!(judged, loose);
    assert!(
        judged
            .iter()
            .all(|(_, _, name)| name.starts_with(b"refs/") && !name.contains(&b' '))
    );
}
