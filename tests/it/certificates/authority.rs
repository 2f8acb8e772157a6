//! Makes the certificates that a chain is written down as, with OpenSSL, and a server that shows them.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::chains::Chain;
use super::{openssl, started};

/// A directory of keys and certificates.
pub(super) struct Forge {
    directory: tempfile::TempDir,
}

/// A certificate as it is written in [`chains`](super::chains): `name < issuer | …`, where what follows are options that
/// begin with `!`, a section of OpenSSL's configuration that begins with `[`, and extensions.
struct Wanted<'a> {
    name: &'a str,
    issuer: &'a str,
    options: Vec<(&'a str, &'a str)>,
    sections: Vec<&'a str>,
    extensions: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split('|').map(str::trim);
        let head = parts.next().expect("a certificate has a name");
        let (name, issuer) = head.split_once('<').expect("a certificate has an issuer");
        let mut wanted = Self {
            name: name.trim(),
            issuer: issuer.trim(),
            options: Vec::new(),
            sections: Vec::new(),
            extensions: Vec::new(),
        };
        for part in parts {
            if let Some(option) = part.strip_prefix('!') {
                wanted.options.push(option.split_once('=').unwrap_or((option, "")));
            } else if part.starts_with('[') {
                wanted.sections.push(part);
            } else {
                match part {
                    "CA" => wanted
                        .extensions
                        .extend(["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"]),
                    "SAN" => wanted.extensions.push("subjectAltName=DNS:localhost"),
                    other => wanted.extensions.push(other),
                }
            }
        }
        wanted
    }

    fn option(&self, name: &str) -> Option<&'a str> {
        self.options
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

impl Forge {
    pub(super) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// Makes the key of a certificate, where there is none of that name, and the certificate.
    pub(super) fn make(&self, text: &str) {
        let wanted = Wanted::read(text);
        let name = wanted.name;
        // Two certificates may have one key.
        let key = format!("{}.key", wanted.option("like").unwrap_or(name));
        if !self.file(&key).exists() {
            self.make_key(&key, wanted.option("key").unwrap_or("P-256"));
        }
        let subject = wanted
            .option("subject")
            .map_or_else(|| format!("/CN={name}"), |subject| subject.replace("\\e", "\u{1b}"));
        let request = format!("{name}.csr");
        openssl(
            self.directory(),
            &[
                "req", "-new", "-key", &key, "-out", &request, "-subj", &subject, "-utf8",
            ],
        );
        self.sign(&wanted, &key, &request);
        if let Some(how) = wanted.option("then") {
            self.damage(name, how);
        }
    }

    fn make_key(&self, file: &str, kind: &str) {
        let size = kind
            .strip_prefix("rsa:")
            .or(kind.strip_prefix("pss:"))
            .map(|bits| format!("rsa_keygen_bits:{bits}"));
        let curve = format!("ec_paramgen_curve:{kind}");
        let options: &[&str] = match kind {
            "ed25519" | "ed448" => &["-algorithm", kind],
            _ if kind.starts_with("rsa:") => &["-algorithm", "RSA", "-pkeyopt", size.as_deref().expect("a size")],
            _ if kind.starts_with("pss:") => &["-algorithm", "RSA-PSS", "-pkeyopt", size.as_deref().expect("a size")],
            _ => &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                &curve,
                "-pkeyopt",
                "ec_param_enc:named_curve",
            ],
        };
        openssl(self.directory(), &[&["genpkey", "-out", file], options].concat());
    }

    /// `openssl ca`, because it is the command that can give a certificate any time.
    fn sign(&self, wanted: &Wanted<'_>, key: &str, request: &str) {
        let name = wanted.name;
        let mut configuration = String::from(
            "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\nunique_subject=no\npolicy=p\nrand_serial=yes\nemail_in_dn=yes\n\
             copy_extensions=none\n[p]\ncommonName=optional\norganizationName=optional\ncountryName=optional\n\
             organizationalUnitName=optional\n",
        );
        write!(configuration, "[d]\ndatabase={name}.txt\n[e]\n").expect("a string can be written to");
        for extension in &wanted.extensions {
            writeln!(configuration, "{extension}").expect("a string can be written to");
        }
        for section in &wanted.sections {
            writeln!(configuration, "{}", section.replace(';', "\n")).expect("a string can be written to");
        }
        let file = format!("{name}.cnf");
        std::fs::write(self.file(&file), configuration).expect("a file can be written");
        std::fs::write(self.file(&format!("{name}.txt")), "").expect("a file can be written");
        let (issuer_key, issuer) = (format!("{}.key", wanted.issuer), format!("{}.pem", wanted.issuer));
        let certificate = format!("{name}.pem");
        let mut arguments = vec!["ca", "-batch", "-notext", "-preserveDN", "-config", &file];
        arguments.extend(["-in", request, "-out", &certificate]);
        arguments.extend(["-startdate", wanted.option("from").unwrap_or("20200101000000Z")]);
        arguments.extend(["-enddate", wanted.option("until").unwrap_or("20490101000000Z")]);
        arguments.extend(["-md", wanted.option("md").unwrap_or("sha256")]);
        if !wanted.extensions.is_empty() {
            arguments.extend(["-extensions", "e"]);
        }
        if wanted.option("pss").is_some() {
            arguments.extend(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]);
        }
        if wanted.issuer == name {
            arguments.extend(["-selfsign", "-keyfile", key]);
        } else {
            arguments.extend(["-cert", &issuer, "-keyfile", &issuer_key]);
        }
        openssl(self.directory(), &arguments);
    }

    /// Changes the certificate in a way that its issuer has not signed.
    fn damage(&self, name: &str, how: &str) {
        let pem = self.file(&format!("{name}.pem"));
        let text = std::fs::read_to_string(&pem).expect("it was made");
        let changed = match how {
            "bom" => format!("\u{feff}{text}"),
            "x509-label" => text.replace(" CERTIFICATE", " X509 CERTIFICATE"),
            "trusted-label" => text.replace(" CERTIFICATE", " TRUSTED CERTIFICATE"),
            _ => {
                let der = openssl(
                    self.directory(),
                    &["x509", "-in", &format!("{name}.pem"), "-outform", "DER"],
                )
                .stdout;
                let changed = damaged(der, how);
                std::fs::write(self.file("changed.der"), changed).expect("a file can be written");
                let pem = openssl(self.directory(), &["x509", "-inform", "DER", "-in", "changed.der"]).stdout;
                String::from_utf8(pem).expect("PEM is text")
            }
        };
        std::fs::write(pem, changed).expect("a file can be written");
    }

    /// The trusted certificates in one file.
    pub(super) fn trusted(&self, chain: &Chain) -> PathBuf {
        self.join("trusted.crt", &chain.trusted)
    }

    fn join(&self, file: &str, names: &[&str]) -> PathBuf {
        let read = |name: &&str| std::fs::read_to_string(self.file(&format!("{name}.pem"))).expect("it was made");
        let file = self.file(file);
        std::fs::write(&file, names.iter().map(read).collect::<String>()).expect("a file can be written");
        file
    }

    /// A server that shows `chain`, and answers as an empty repository would.
    pub(super) fn serve(&self, chain: &Chain) -> Server {
        for repository in ["acme/widgets", "acme/widgets.git"] {
            let directory = self.file(repository).join("info");
            std::fs::create_dir_all(&directory).expect("a directory can be made");
            let line = format!("{} refs/heads/main\0 \n", "1".repeat(40));
            let answer = format!(
                "HTTP/1.0 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n\
                 001e# service=git-upload-pack\n0000{:04x}{line}0000",
                line.len() + 4
            );
            std::fs::write(directory.join("refs?service=git-upload-pack"), answer).expect("a file can be written");
        }
        let (leaf, others) = chain.sent.split_first().expect("a server has a certificate");
        let (certificate, others) = (format!("{leaf}.pem"), self.join("sent.crt", others));
        let others = others.display().to_string();
        let like = chain
            .certificates
            .iter()
            .map(|text| Wanted::read(text))
            .find(|wanted| wanted.name == *leaf);
        let like = like.and_then(|wanted| wanted.option("like")).unwrap_or(leaf);
        let key = format!("{like}.key");
        let mut arguments = vec!["s_server", "-accept", "127.0.0.1:0", "-HTTP", "-no_ticket"];
        // What is weak is to be refused by the client.
        arguments.extend(["-cipher", "DEFAULT:@SECLEVEL=0", "-cert", &certificate, "-key", &key]);
        if chain.sent.len() > 1 {
            arguments.extend(["-cert_chain", &others]);
        }
        arguments.extend(chain.server.iter().copied());
        let mut program = started(self.directory(), "openssl", &arguments);
        program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = program.spawn().expect("openssl can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let port = lines.by_ref().find_map(|line| {
            let said = line.expect("it says where it listens");
            said.strip_prefix("ACCEPT ")?.rsplit_once(':')?.1.parse().ok()
        });
        // It writes to the pipe as long as it lives.
        std::thread::spawn(move || lines.for_each(drop));
        Server {
            child,
            port: port.expect("it says where it listens"),
        }
    }
}

/// `openssl s_server`, as long as somebody wants it.
pub(super) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn damaged(mut der: Vec<u8>, how: &str) -> Vec<u8> {
    match how {
        // The last byte is the signature's.
        "signature" => *der.last_mut().expect("it has bytes") ^= 1,
        // A name that the issuer has not signed.
        "name" => {
            let at = der
                .windows(9)
                .rposition(|bytes| bytes == b"otherhost")
                .expect("the name is there");
            der[at..at + 9].copy_from_slice(b"localhost");
        }
        _ => panic!("nobody knows how to damage it by '{how}'"),
    }
    der
}
