//! The page of the program itself: what git does with it, its commands, and everything that it heeds.

use clap::Command;
use clap_mangen::Man;

use super::layout::Page;
use crate::environment::{setting, variable};

const DESCRIPTION: &str = "\
Git starts this program for every remote whose URL begins with `bbcloud::`. It turns the short address into \
authenticated HTTPS requests to Bitbucket Cloud: `bbcloud::acme/widgets` is `https://bitbucket.org/acme/widgets.git`, \
and `bbcloud::acme/widgets/wiki` its wiki.

The secret - an API token, an access token or an app password - comes from the URL, from BBCLOUD_TOKEN or \
BBCLOUD_TOKEN_FILE, from the keychain of the operating system, from git's credential helpers, or from you, in this \
order. It is never in an argument, in a file of this program, in a message or in a trace.

People start it for the commands below, also as `git remote-bbcloud <command>`.";

const ADDRESSES: &str = "\
After `bbcloud::` stands `<workspace>/<repository>`, with `/wiki` for its wiki. `.git`, a slash at the end, `user@` in \
front and `{uuid}`s are understood, and so is what people paste: an https address of Bitbucket or one of a page below \
it, `git@bitbucket.org:...` and `ssh://...`.";

/// What somebody does, and how.
const EXAMPLES: [(&str, &str); 6] = [
    ("Sign in, once:", "git-remote-bbcloud login"),
    (
        "Clone a repository and its wiki:",
        "git clone bbcloud::acme/widgets\ngit clone bbcloud::acme/widgets/wiki",
    ),
    (
        "Let a repository that exists use it:",
        "git remote set-url origin bbcloud::acme/widgets",
    ),
    (
        "On a build server, with the secret in a variable or a file:",
        "BBCLOUD_TOKEN=... git clone bbcloud::acme/widgets\nBBCLOUD_TOKEN_FILE=/run/secrets/token git clone bbcloud::acme/widgets",
    ),
    (
        "Find out why it does not work:",
        "git-remote-bbcloud doctor --for acme/widgets",
    ),
    (
        "Ask the REST API with the same secret:",
        "git-remote-bbcloud api /repositories/acme/widgets/commits",
    ),
];

/// Files and what is in them.
const FILES: [(&str, &str); 3] = [
    (
        "$XDG_CONFIG_HOME/git-remote-bbcloud/accounts.json",
        "the list of accounts that `login` has made, without their secrets (`~/.config` where XDG_CONFIG_HOME is unset)",
    ),
    (
        "$XDG_CACHE_HOME/git-remote-bbcloud/",
        "what repositories advertise, kept for a day; no secrets and no refs (`~/.cache` where XDG_CACHE_HOME is unset)",
    ),
    ("~/.netrc", "user names and passwords of hosts, as curl has it"),
];

/// Returns the page of the program; `command` is the whole command line, built.
pub(super) fn page(command: &Command) -> String {
    let mut page = Page::new("git-remote-bbcloud");
    page.section("NAME");
    page.text("git-remote-bbcloud - Connect git to repositories of Bitbucket Cloud");
    page.section("SYNOPSIS");
    page.verbatim(
        "git clone bbcloud::<workspace>/<repository>[/wiki]\n\
         git remote add <name> bbcloud::<workspace>/<repository>[/wiki]\n\
         git-remote-bbcloud <command> [<options>]",
    );
    page.section("DESCRIPTION");
    page.prose(DESCRIPTION);
    let man = Man::new(command.clone());
    page.rendered(|out| man.render_subcommands_section(out));
    page.section("ADDRESSES");
    page.text(ADDRESSES);
    page.section("EXAMPLES");
    for (what, how) in EXAMPLES {
        page.prose(what);
        page.verbatim(how);
    }
    page.section("ENVIRONMENT");
    for variable in variable::ALL {
        page.term(variable.name, variable.meaning);
    }
    page.section("CONFIGURATION");
    page.text(
        "Everything that git knows of `http.*` and `credential.*` is read from git's configuration, per URL and with \
         git's precedence; see git-config(1). What is this program's own:",
    );
    for setting in setting::ALL {
        let wins = setting
            .variable
            .map(|variable| format!(". `{}` wins over it", variable.name));
        let trusted = if setting.trusted {
            ". Never read from a repository's own configuration"
        } else {
            ""
        };
        page.term(
            setting.name,
            &format!("{}{}{trusted}", setting.meaning, wins.unwrap_or_default()),
        );
    }
    page.section("FILES");
    for (file, meaning) in FILES {
        page.term(file, meaning);
    }
    exit_status(&mut page);
    page.section("SEE ALSO");
    let pages = command.get_subcommands().filter(|command| !command.is_hide_set());
    let mut pages: Vec<_> = pages.map(|command| format!("{}(1)", super::name(command))).collect();
    pages.extend(["gitremote-helpers(7)", "gitcredentials(7)", "git-config(1)"].map(str::to_owned));
    page.text(&pages.join(", "));
    page.finish()
}

/// Adds what scripts want to know.
pub(super) fn exit_status(page: &mut Page) {
    page.section("EXIT STATUS");
    page.term("0", "it is done");
    page.term("1", "it failed, and standard error says why");
    page.term("2", "the command line, an address or a setting cannot be used");
    page.term("128", "it was started by git, and failed");
}

#[cfg(test)]
mod tests {
    use super::super::super::definition;
    use super::*;

    #[test]
    fn everything_that_is_heeded_is_on_the_page() {
        let mut command = definition();
        command.build();
        let page = page(&command).replace("\\-", "-");
        let variables = variable::ALL.iter().map(|variable| variable.name);
        for name in variables.chain(setting::ALL.iter().map(|setting| setting.name)) {
            assert!(page.contains(name), "{name}");
        }
        for command in super::super::super::COMMANDS {
            assert!(page.contains(&format!("git-remote-bbcloud-{command}(1)")), "{command}");
        }
        for section in [
            "SYNOPSIS",
            "EXAMPLES",
            "ENVIRONMENT",
            "CONFIGURATION",
            "FILES",
            "EXIT STATUS",
        ] {
            assert!(page.contains(section), "{section}");
        }
    }
}
