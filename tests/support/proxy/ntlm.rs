//! As much of NTLM as it takes to lead a client through its three messages ([MS-NLMP], section 2.2.1). The response to
//! the challenge is not checked: that it comes, and from whom, is what tests are about.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const SIGNATURE: &[u8] = b"NTLMSSP\0";
/// Names are UTF-16; NTLM.
const FLAGS: u32 = 0x201;

/// Answers a client's first message, NEGOTIATE, with the header of a CHALLENGE.
pub(super) fn question(head: &str) -> Option<String> {
    let (1, _) = message(head)? else { return None };
    let mut challenge = SIGNATURE.to_vec();
    challenge.extend(2_u32.to_le_bytes());
    // No target name, at the end of the message.
    challenge.extend([0, 0, 0, 0, 48, 0, 0, 0]);
    challenge.extend(FLAGS.to_le_bytes());
    challenge.extend(*b"12345678");
    challenge.extend([0; 8]);
    challenge.extend([0, 0, 0, 0, 48, 0, 0, 0]);
    Some(format!("Proxy-Authenticate: NTLM {}\r\n", STANDARD.encode(challenge)))
}

/// Whether `head` has the third message, AUTHENTICATE, of `login`.
pub(super) fn signs_in(head: &str, login: Option<(&str, &str)>) -> bool {
    let Some((name, _)) = login else { return false };
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    matches!(message(head), Some((3, content)) if content.windows(name.len()).any(|part| part == name))
}

fn message(head: &str) -> Option<(u32, Vec<u8>)> {
    let encoded = head
        .lines()
        .find_map(|line| line.strip_prefix("Proxy-Authorization: NTLM "))?;
    let message = STANDARD.decode(encoded.trim()).ok()?;
    let (kind, content) = message.strip_prefix(SIGNATURE)?.split_first_chunk()?;
    Some((u32::from_le_bytes(*kind), content.to_vec()))
}
