//! What a server answers to `GET info/refs`: its capabilities and, before version 2, its refs.

use std::collections::HashMap;
use std::io::BufRead;

use super::packet::{self, Packet};
use super::service::{Service, Version};
use super::{Error, harmless};

/// An advertisement is held whole, because git may have to be told `fallback` first. 64 MiB are about 700,000 refs of
/// version 0; of version 2 it is a few hundred bytes.
const MAX: usize = 64 * 1024 * 1024;

/// The answer to `GET info/refs`, ready to be passed to git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement {
    version: Version,
    bytes: Vec<u8>,
}

/// A ref as version 0 and 1 advertise it.
#[derive(Debug, PartialEq, Eq)]
pub struct Ref<'a> {
    /// The object it names, in hexadecimal.
    pub id: &'a [u8],
    /// Its full name; that of a peeled tag ends in `^{}`.
    pub name: &'a [u8],
    /// The ref that it points to, where the server says so (`symref=`).
    pub target: Option<&'a [u8]>,
}

impl Advertisement {
    /// Reads an advertisement of `service` from the body of an answer.
    ///
    /// The line `# service=…` and the flush after it are HTTP's own and left out; servers of version 2 may omit them.
    ///
    /// # Errors
    /// [`Error::Protocol`] if this is not git's protocol, or is cut; [`Error::Reported`] for an `ERR` packet.
    pub fn read(service: Service, body: &mut impl BufRead) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        let mut first = next(body, &mut bytes)?;
        if packet::content(&bytes).starts_with(b"# service=") {
            let named = packet::content(&bytes).strip_prefix(b"# service=").unwrap_or_default();
            if named != service.name().as_bytes() {
                let named = String::from_utf8_lossy(named);
                return Err(Error::Protocol(format!(
                    "the server advertised '{named}' instead of '{}'",
                    service.name()
                )));
            }
            bytes.clear();
            if next(body, &mut bytes)? != Packet::Flush {
                return Err(Error::Protocol(
                    "invalid advertisement: no flush packet after '# service='".to_owned(),
                ));
            }
            bytes.clear();
            first = next(body, &mut bytes)?;
        }
        let version = match packet::content(&bytes) {
            b"version 2" => Version::V2,
            b"version 1" => Version::V1,
            content => {
                if let Some(text) = content.strip_prefix(b"ERR ") {
                    return Err(Error::Reported(String::from_utf8_lossy(text).into_owned()));
                }
                Version::V0
            }
        };
        // A server of version 1 without refs and capabilities sends nothing but its version.
        let mut last = first;
        while last != Packet::Flush {
            let start = bytes.len();
            last = next(body, &mut bytes)?;
            let content = packet::content(bytes.get(start..).unwrap_or_default());
            if let Some(text) = content.strip_prefix(b"ERR ") {
                return Err(Error::Reported(String::from_utf8_lossy(text).into_owned()));
            }
            if bytes.len() > MAX {
                return Err(Error::Protocol(format!(
                    "the server advertised more than {MAX} bytes of refs"
                )));
            }
        }
        if !body.fill_buf()?.is_empty() {
            return Err(Error::Protocol(
                "the server sent data after its advertisement".to_owned(),
            ));
        }
        let advertisement = Self { version, bytes };
        harmless::check(version, advertisement.lines())?;
        Ok(advertisement)
    }

    /// Returns the version that the server speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the packets, up to and with the flush at their end.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the refs of an advertisement of version 0 or 1, in the server's order.
    ///
    /// # Errors
    /// [`Error::Protocol`] if a name cannot be one (`git-check-ref-format(1)`): git is told names in lines of words,
    /// where a line end or a space would begin a line of the server's own.
    pub fn refs(&self) -> Result<Vec<Ref<'_>>, Error> {
        let symrefs = self.capabilities().into_iter().filter_map(|capability| {
            let symref = capability.strip_prefix(b"symref=")?;
            let colon = symref.iter().position(|byte| *byte == b':')?;
            Some((symref.get(..colon)?, symref.get(colon + 1..)?))
        });
        let symrefs: HashMap<_, _> = symrefs.collect();
        let mut refs = Vec::new();
        for line in self.lines() {
            let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
            let Some(at) = line.iter().position(|byte| *byte == b' ') else {
                continue;
            };
            let (id, name) = (
                line.get(..at).unwrap_or_default(),
                line.get(at + 1..).unwrap_or_default(),
            );
            let is_id = matches!(id.len(), 40 | 64) && id.iter().all(u8::is_ascii_hexdigit);
            // `capabilities^{}` stands where there are no refs; `.have` names objects of other repositories.
            if is_id && name != b"capabilities^{}" && name != b".have" {
                let target = symrefs.get(name).map(|target| one_word(target)).transpose()?;
                let name = one_word(name)?;
                refs.push(Ref { id, name, target });
            }
        }
        Ok(refs)
    }

    /// Returns the object format that version 0 and 1 advertise; without a word of it, it is SHA-1.
    ///
    /// # Errors
    /// As [`refs`](Self::refs).
    pub fn object_format(&self) -> Result<&[u8], Error> {
        let capabilities = self.capabilities();
        let format = capabilities
            .iter()
            .find_map(|capability| capability.strip_prefix(b"object-format="));
        format.map_or(Ok(b"sha1"), one_word)
    }

    /// Returns what the server can do, as it says it.
    pub fn features(&self) -> Vec<String> {
        let features = match self.version {
            Version::V2 => self.lines().filter(|line| !line.is_empty()).skip(1).collect(),
            Version::V0 | Version::V1 => self.capabilities(),
        };
        let text = |feature: &[u8]| String::from_utf8_lossy(feature).into_owned();
        features.into_iter().map(text).collect()
    }

    /// Whether git can begin with it: a server of version 2 that can list and serve objects of a format that git knows.
    pub fn is_usable(&self) -> bool {
        let features = self.features();
        let has = |name: &str| features.iter().any(|feature| feature.split('=').next() == Some(name));
        let format = features
            .iter()
            .find_map(|feature| feature.strip_prefix("object-format="));
        self.version == Version::V2
            && has("ls-refs")
            && has("fetch")
            && format.is_none_or(|format| matches!(format, "sha1" | "sha256"))
    }

    fn capabilities(&self) -> Vec<&[u8]> {
        let first = self.lines().find(|line| line.contains(&0)).unwrap_or_default();
        let list = first.splitn(2, |byte| *byte == 0).nth(1).unwrap_or_default();
        list.split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty())
            .collect()
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let header = rest.first_chunk::<4>()?;
            let length = match Packet::parse(*header).ok()? {
                Packet::Data(length) => length + 4,
                _ => 4,
            };
            let (packet, later) = rest.split_at_checked(length)?;
            rest = later;
            Some(packet::content(packet))
        })
    }
}

/// Returns `name` if it is one word of one line.
fn one_word(name: &[u8]) -> Result<&[u8], Error> {
    if name.iter().any(|byte| *byte == b' ' || byte.is_ascii_control()) {
        let shown = name.get(..40).unwrap_or(name).escape_ascii();
        return Err(Error::Protocol(format!(
            "the server advertised an invalid ref name '{shown}'"
        )));
    }
    Ok(name)
}

fn next(body: &mut impl BufRead, into: &mut Vec<u8>) -> Result<Packet, Error> {
    match packet::read(body, into) {
        Ok(Some(packet)) => Ok(packet),
        Ok(None) | Err(packet::Error::Truncated) => Err(Error::Protocol(
            "unexpected end of the server's advertisement (missing flush packet)".to_owned(),
        )),
        Err(packet::Error::Read(error)) => Err(error.into()),
        Err(error @ packet::Error::Invalid(_)) => Err(Error::Protocol(format!(
            "invalid git protocol data from the server: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advertisement(packets: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for content in packets {
            match *content {
                "0000" => bytes.extend_from_slice(b"0000"),
                content => packet::write(content.as_bytes(), &mut bytes),
            }
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Advertisement, Error> {
        Advertisement::read(Service::UploadPack, &mut &*bytes)
    }

    const ID: &str = "1234567890123456789012345678901234567890";

    #[test]
    fn the_service_line_is_not_for_git() {
        let with = advertisement(&[
            "# service=git-upload-pack\n",
            "0000",
            "version 2\n",
            "agent=x\n",
            "0000",
        ]);
        let without = advertisement(&["version 2\n", "agent=x\n", "0000"]);
        assert_eq!(read(&with).unwrap(), read(&without).unwrap());
        assert_eq!(read(&with).unwrap().version(), Version::V2);
        assert_eq!(read(&with).unwrap().bytes(), without);
        assert_eq!(read(&with).unwrap().features(), ["agent=x"]);
    }

    #[test]
    fn refs_come_with_their_targets_and_without_what_is_no_ref() {
        let bytes = advertisement(&[
            "# service=git-upload-pack\n",
            "0000",
            &format!("{ID} HEAD\0side-band-64k symref=HEAD:refs/heads/main object-format=sha1 agent=git/2\n"),
            &format!("{ID} refs/heads/main\n"),
            &format!("{ID} refs/tags/v1^{{}}\n"),
            &format!("{ID} .have\n"),
            &format!("shallow {ID}\n"),
            "0000",
        ]);
        let advertisement = read(&bytes).unwrap();
        assert_eq!(advertisement.version(), Version::V0);
        assert_eq!(advertisement.object_format().unwrap(), b"sha1");
        let refs = advertisement.refs().unwrap();
        let names: Vec<_> = refs.iter().map(|r| String::from_utf8_lossy(r.name)).collect();
        assert_eq!(names, ["HEAD", "refs/heads/main", "refs/tags/v1^{}"]);
        assert_eq!(refs[0].target, Some(&b"refs/heads/main"[..]));
        assert_eq!(refs[1].target, None);
    }

    #[test]
    fn what_would_be_a_line_of_its_own_is_no_name() {
        for first in [
            "refs/heads/x\n\nok\nlock /home/mia/file\n\0agent=x",
            "refs/heads/x unchanged\0agent=x",
            "HEAD\0symref=HEAD:refs/heads/a\n\nlock",
            "HEAD\0object-format=sha1\n\nlock",
            "refs/heads/\u{7f}\0agent=x",
        ] {
            let bytes = advertisement(&[&format!("{ID} {first} \n"), "0000"]);
            let Ok(advertisement) = read(&bytes) else { continue };
            assert!(
                advertisement.refs().is_err() || advertisement.object_format().is_err(),
                "{first:?}"
            );
        }
    }

    #[test]
    fn an_empty_repository_has_capabilities_and_no_refs() {
        let none = "0".repeat(64);
        let bytes = advertisement(&[
            "version 1\n",
            &format!("{none} capabilities^{{}}\0object-format=sha256\n"),
            "0000",
        ]);
        let advertisement = read(&bytes).unwrap();
        assert_eq!(advertisement.version(), Version::V1);
        assert!(advertisement.refs().unwrap().is_empty());
        assert_eq!(advertisement.object_format().unwrap(), b"sha256");
        assert_eq!(advertisement.features(), ["object-format=sha256"]);
    }

    #[test]
    fn what_is_not_an_advertisement_is_told_so() {
        let message = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(message(b"<!DOCTYPE html>").contains("invalid git protocol data"));
        assert!(message(b"").contains("unexpected end"));
        assert!(message(b"000eversion 2\n").contains("unexpected end"));
        assert!(message(b"000eversion 2\n0000extra").contains("data after"));
        assert!(message(&advertisement(&["# service=git-receive-pack\n", "0000"])).contains("instead of"));
        assert!(
            matches!(read(&advertisement(&["ERR access denied\n"])), Err(Error::Reported(text)) if text == "access denied")
        );
    }
}
