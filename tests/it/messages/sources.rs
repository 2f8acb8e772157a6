//! The texts in the sources: every literal that a person could be shown, with the places that are filled in.
//!
//! It must not know what the program says. It reads Rust only as far as texts, comments, attributes and tests have to be
//! told apart; where it cannot tell whether a text is shown, it is taken for one that is.

use std::fs;
use std::path::Path;

/// A text of the sources.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// File and line.
    pub(super) place: String,
    /// As it is written, without its quotes and escapes; one line of it.
    pub(super) text: String,
}

impl Text {
    /// What stands between the places that are filled in.
    fn parts(&self) -> Vec<&str> {
        let text = self.text.trim();
        text.split(['{', '}'])
            .step_by(2)
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// Whether `line` can be this text, or have it in itself.
    pub(super) fn is_in(&self, line: &str) -> bool {
        let mut rest = Some(line);
        for part in self.parts() {
            rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, after)| after);
        }
        rest.is_some()
    }

    /// How many words of it are not filled in.
    fn words(&self) -> usize {
        let letters = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
        let words = self.parts().into_iter().flat_map(str::split_whitespace);
        words.filter(letters).count()
    }
}

/// Where there is nothing but the manual, or tests.
const NO_MESSAGES: [&str; 5] = [
    "cli/man/",
    "environment/setting.rs",
    "environment/variable.rs",
    "address/properties.rs",
    // Built with the feature `curl` alone.
    "http/proxy/negotiated.rs",
];

/// What is shown to nobody in this form, by what stands before it.
const NOT_SHOWN_AFTER: [&str; 22] = [
    "expect(",
    "reason = ",
    "assert!(",
    "contains(",
    "starts_with(",
    "ends_with(",
    "strip_prefix(",
    "strip_suffix(",
    "split_once(",
    "find(",
    "eq_ignore_ascii_case(",
    "== ",
    "!= ",
    ".info(",
    ".info(&format!(",
    ".header(",
    "env!(",
    "concat!(",
    "matches!(",
    "write_all(",
    "write!(",
    "writeln!(",
];

/// What is surely shown, however short it is.
const SHOWN_AFTER: [&str; 16] = [
    ".because(",
    ".hint(",
    ".hint(&",
    ".say(",
    ".say(&",
    ".warning(",
    ".warning(&",
    ".warn(",
    "#[error(",
    "Malformed(",
    "Protocol(",
    "Fault::new(",
    "fault(",
    "malformed(",
    "unwelcome(",
    "refused(",
];

/// Every text of `src` that could be shown: those after [`SHOWN_AFTER`] or in a `Failure::new`, and all others of three
/// words.
pub(super) fn texts() -> Vec<Text> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        if name.contains("tests") || NO_MESSAGES.iter().any(|place| name.contains(place)) {
            continue;
        }
        let source = fs::read_to_string(&file).expect("a source can be read");
        texts.extend(texts_of(&name, &source));
    }
    texts
}

fn rust_files(directory: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory can be read") {
        let path = entry.expect("a directory can be read").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn texts_of(file: &str, source: &str) -> Vec<Text> {
    let Code { code, literals } = Code::read(source);
    let code = without_attributes(&without_tests(&code));
    let mut texts = Vec::new();
    for (at, _) in code.match_indices(MARK) {
        let (before, after) = code.split_at(at);
        let number = after[MARK.len_utf8()..].split(MARK_END).next().unwrap_or_default();
        let (line, literal) = &literals[number.parse::<usize>().expect("a number of ours")];
        let call = before.trim_end();
        let call = call.strip_suffix("format!(").map_or(call, str::trim_end);
        if NOT_SHOWN_AFTER.iter().any(|start| call.ends_with(start.trim_end())) || literal.starts_with("Examples:") {
            continue;
        }
        let is_failure = call
            .rsplit_once("Failure::new(")
            .is_some_and(|(_, arguments)| arguments.matches(',').count() == 1 && arguments.ends_with(','));
        let is_shown = is_failure || SHOWN_AFTER.iter().any(|start| call.ends_with(start));
        for part in literal.lines() {
            let text = Text {
                place: format!("{file}:{line}"),
                text: part.to_owned(),
            };
            if text.words() >= if is_shown { 1 } else { 3 } {
                texts.push(text);
            }
        }
    }
    texts
}

/// Stands for a literal, before its number.
const MARK: char = '\u{1}';
/// Stands behind that number.
const MARK_END: char = '\u{2}';

/// A source without comments, and its literals apart.
struct Code {
    code: String,
    /// Each with its line.
    literals: Vec<(usize, String)>,
}

impl Code {
    fn read(source: &str) -> Self {
        let mut read = Self {
            code: String::new(),
            literals: Vec::new(),
        };
        let (mut rest, mut line) = (source, 1);
        while let Some(first) = rest.chars().next() {
            let before = rest;
            rest = if rest.starts_with("//") {
                rest.find('\n').map_or("", |end| &rest[end..])
            } else if let Some((text, after)) = raw_literal(rest, read.code.chars().last()) {
                read.add(line, text.to_owned());
                after
            } else if first == '"' {
                let (text, after) = literal(&rest[1..]);
                read.add(line, text);
                after
            } else if let Some(after) = character(rest) {
                after
            } else {
                read.code.push(first);
                &rest[first.len_utf8()..]
            };
            line += before[..before.len() - rest.len()].matches('\n').count();
        }
        read
    }

    fn add(&mut self, line: usize, text: String) {
        self.code.push(MARK);
        self.code += &self.literals.len().to_string();
        self.code.push(MARK_END);
        self.literals.push((line, text));
    }
}

/// `r"…"` and `r#"…"#`, with what follows.
fn raw_literal(rest: &str, before: Option<char>) -> Option<(&str, &str)> {
    if before.is_some_and(|c| c.is_alphanumeric() && c != 'b' || c == '_') {
        return None;
    }
    let rest = rest.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let text = rest[hashes..].strip_prefix('"')?;
    text.split_once(&format!("\"{}", "#".repeat(hashes)))
}

/// The text up to the next quote, with its escapes read, and what follows.
fn literal(rest: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = rest.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => match characters.next() {
                Some('\n') => characters = characters.as_str().trim_start().chars(),
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => break,
            },
            c => text.push(c),
        }
    }
    (text, characters.as_str())
}

/// What follows a literal of one character; a lifetime is none.
fn character(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('\'')?;
    if let Some(escape) = rest.strip_prefix('\\') {
        let end = escape[1..].find('\'')?;
        return Some(&escape[end + 2..]);
    }
    let mut characters = rest.chars();
    characters.next()?;
    characters.as_str().strip_prefix('\'')
}

/// Leaves out what `#[cfg(test)]` stands before: up to the semicolon, or the brace that closes its first one.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        kept += before;
        let mut depth = 0_usize;
        let end = after.char_indices().find(|(_, c)| match c {
            '{' => {
                depth += 1;
                false
            }
            '}' => {
                depth -= 1;
                depth == 0
            }
            ';' => depth == 0,
            _ => false,
        });
        rest = end.map_or("", |(at, _)| &after[at + 1..]);
    }
    kept + rest
}

/// Leaves out attributes, but for the texts of errors.
fn without_attributes(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[").or_else(|| rest.find("#![")) {
        let (before, attribute) = rest.split_at(at);
        kept += before;
        let mut depth = 0_usize;
        let end = attribute.char_indices().find(|(_, c)| match c {
            '[' => {
                depth += 1;
                false
            }
            ']' => {
                depth -= 1;
                depth == 0
            }
            _ => false,
        });
        let end = end.map_or(attribute.len(), |(at, _)| at + 1);
        if attribute.starts_with("#[error(") {
            kept += &attribute[..end];
        }
        rest = &attribute[end..];
    }
    kept + rest
}

#[test]
fn texts_are_told_from_everything_else() {
    let source = r##"
        //! Failure::new(kind, "a comment is no text")
        #[arg(help = "not a failure at all")]
        #[error("short {0}")]
        fn f<'a>(x: &'a str) -> char {
            let quote = '"';
            let message = format!("one {} of \
                many", x);
            Failure::new(Kind::Usage, "two").hint("three").because(format!("four {{}}"));
            text.contains("the words of a server");
            let raw = r#"a "raw" text here"#;
            '\''
        }
        #[cfg(test)]
        mod tests { const X: &str = "no text of the program"; }
        const LAST: &str = "first line is this\nsecond line is this";
    "##;
    let found: Vec<String> = texts_of("x.rs", source).into_iter().map(|text| text.text).collect();
    assert_eq!(
        found,
        [
            "short {0}",
            "one {} of many",
            "two",
            "three",
            "four {{}}",
            "a \"raw\" text here",
            "first line is this",
            "second line is this"
        ]
    );
    let text = Text {
        place: String::new(),
        text: "'{host}' has {count} of them".to_owned(),
    };
    assert!(text.is_in("error: 'localhost' has 3 of them, or more"));
    assert!(!text.is_in("error: 'localhost' has none of it"));
}
