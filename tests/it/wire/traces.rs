//! Traces: where they go, what is in them, and what never is.

use super::{By, Scene, TOKEN, said};

fn basic() -> String {
    use base64::Engine as _;
    let pair = format!("{}:{TOKEN}", crate::bitbucket::API_TOKEN_USER);
    base64::engine::general_purpose::STANDARD.encode(pair)
}

fn file(scene: Scene) -> (Scene, std::path::PathBuf) {
    let trace = scene.file("trace");
    (scene.variable("GIT_TRACE_CURL", &trace), trace)
}

#[test]
fn a_file_is_appended_to_in_gits_lines_and_without_secrets() {
    let (scene, trace) = file(Scene::new());
    std::fs::write(&trace, "before\n").unwrap();
    scene.works();
    let text = std::fs::read_to_string(&trace).unwrap();
    assert!(text.starts_with("before\n"));
    for part in [
        " => Send header: GET /acme/widgets.git/info/refs?service=git-upload-pack HTTP/1.1\n",
        " => Send header: Authorization: Basic <redacted>\n",
        " <= Recv header: HTTP/1.1 200 OK\n",
        " => Send data: 0014command=ls-refs",
        " <= Recv data: ",
        " == Info: Connecting to localhost:",
        " over TLSv1_3 with ",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains(&basic()) && !text.contains(TOKEN));
    // The same lines in the same column as git's own, which has the secret in its URL.
    scene.canary.excuse_file(&trace);
    std::fs::write(&trace, "").unwrap();
    scene.git_ok(&["ls-remote", &scene.url(By::Git, "acme/widgets")]);
    let theirs = std::fs::read_to_string(&trace).unwrap();
    let column = |text: &str| text.lines().find_map(|line| line.find("=> Send header: GET"));
    assert_eq!(column(&text), column(&theirs));
}

#[test]
fn data_can_be_left_out_and_secrets_let_in() {
    let (scene, trace) = file(Scene::new());
    let scene = scene
        .variable("GIT_TRACE_CURL_NO_DATA", "1")
        .variable("GIT_TRACE_REDACT", "0");
    scene.canary.excuse_file(&trace);
    scene.works();
    let text = std::fs::read_to_string(&trace).unwrap();
    assert!(!text.contains("Send data") && !text.contains("Recv data"), "{text}");
    assert!(text.contains(&basic()), "that was asked for");
    let scene = scene.variable("GIT_TRACE_REDACT", "maybe");
    assert!(scene.fails().contains("bad boolean"));
}

#[test]
fn standard_error_and_descriptors_are_places_too() {
    for value in ["1", "2", "true"] {
        let told = Scene::new().variable("GIT_TRACE_CURL", value).works();
        assert!(
            told.contains("=> Send header: GET") && told.contains("Recv data"),
            "{value}: {told}"
        );
    }
    let told = Scene::new().variable("GIT_CURL_VERBOSE", "0").works();
    assert!(
        told.contains("=> Send header: GET") && !told.contains("Recv data"),
        "{told}"
    );
    for value in ["0", "false", ""] {
        assert_eq!(Scene::new().variable("GIT_TRACE_CURL", value).works(), "", "{value}");
    }
    let told = Scene::new().variable("GIT_TRACE_CURL", "relative").works();
    assert!(
        told.contains("unknown trace value for 'GIT_TRACE_CURL': relative"),
        "{told}"
    );
    if cfg!(unix) {
        let scene = Scene::new().variable("GIT_TRACE_CURL", "5");
        let mut shell = scene.program("sh");
        let line = format!("git -c {} ls-remote bbcloud::acme/widgets 5>trace5", scene.settings[0]);
        shell.args(["-c", &line]);
        let output = crate::bitbucket::run_limited(shell, super::LIMIT);
        assert!(output.status.success(), "{}", said(&output));
        let text = std::fs::read_to_string(scene.file("trace5")).unwrap();
        assert!(text.contains("=> Send header: GET"), "{text}");
    }
}

/// A descriptor that nobody has opened is none of the pipes to git.
#[cfg(unix)]
#[test]
fn a_trace_to_nowhere_is_no_part_of_the_conversation() {
    for number in 3..=9 {
        let scene = Scene::new().variable("GIT_TRACE_CURL", number.to_string());
        let mut shell = scene.program("sh");
        let closed = "3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";
        let line = format!("git -c {} ls-remote bbcloud::acme/widgets {closed}", scene.settings[0]);
        shell.args(["-c", &line]);
        let output = crate::bitbucket::run_limited(shell, super::LIMIT);
        assert!(output.status.success(), "{number}: {}", said(&output));
    }
}

#[test]
fn cookies_and_proxies_are_redacted_as_well() {
    use crate::proxy::{Kind, Proxy, Rules};
    let proxy = Proxy::start(Rules::new(Kind::Http).login("ada", "pr0xy"));
    let (scene, trace) = file(Scene::new());
    let scene = scene
        .set("http.proxy", format!("http://ada:pr0xy@localhost:{}", proxy.port()))
        .set("http.extraHeader", "Cookie: session=c00kie");
    scene.works();
    let text = std::fs::read_to_string(&trace).unwrap();
    assert!(text.contains("Proxy-Authorization: Basic <redacted>"), "{text}");
    assert!(text.contains("Cookie: session=<redacted>"), "{text}");
    assert!(!text.contains("c00kie") && !text.contains("pr0xy") && !text.contains("YWRhOnByMHh5"));
}
