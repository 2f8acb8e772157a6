//! What is measured: the operations that people wait for, over the networks that they wait on.

use std::time::Duration;

/// One line of the table.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) work: Work,
    /// Of the network; nothing means that there is no proxy on the way either.
    pub(crate) round_trip: Option<Duration>,
    pub(crate) rounds: usize,
    /// Whether `make bench-quick` has it.
    pub(crate) quick: bool,
    /// Whether the product's requests go through an agent.
    pub(crate) agent: bool,
}

/// What git is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// List a repository with so many refs.
    List {
        refs: usize,
    },
    /// Fetch from it when nothing has changed.
    FetchNothing {
        refs: usize,
    },
    /// The same, with the secret from git's credential helper for both.
    FetchWithHelper,
    FetchCommit,
    PushCommit,
    /// Clone so many megabytes; none is a handful of files.
    Clone {
        megabytes: usize,
    },
    Push {
        megabytes: usize,
    },
    CloneSubmodules,
    FetchSubmodules,
    /// Read so many files of a partial clone, one after the other.
    LazyBlobs {
        blobs: usize,
    },
    /// Fetch where both sides have long histories of their own.
    Negotiate,
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, work, millis: Option<u64>, rounds, quick| {
        cases.push(Case {
            name: name.to_owned(),
            work,
            round_trip: millis.map(Duration::from_millis),
            rounds,
            quick,
            agent: false,
        });
    };
    for millis in [0, 30, 60, 100] {
        let quick = millis == 0 || millis == 60;
        let some = Some(millis);
        add("fetch, nothing new", Work::FetchNothing { refs: 1 }, some, 15, quick);
        add("ls-remote", Work::List { refs: 1 }, some, 9, millis == 0);
        if millis != 60 {
            add(
                "fetch, nothing new, 1,000 refs",
                Work::FetchNothing { refs: 1000 },
                some,
                9,
                false,
            );
            add("ls-remote, 1,000 refs", Work::List { refs: 1000 }, some, 9, false);
            add(
                "fetch, nothing new, 100,000 refs",
                Work::FetchNothing { refs: 100_000 },
                some,
                3,
                false,
            );
            add("ls-remote, 100,000 refs", Work::List { refs: 100_000 }, some, 5, false);
        }
    }
    for millis in [0, 60] {
        let some = Some(millis);
        add(
            "fetch, nothing new, git's credential helper",
            Work::FetchWithHelper,
            some,
            9,
            millis == 0,
        );
        add("fetch of a commit", Work::FetchCommit, some, 9, true);
        add("push of a commit", Work::PushCommit, some, 9, true);
        add("clone, small", Work::Clone { megabytes: 0 }, some, 9, true);
        add("clone with 20 submodules", Work::CloneSubmodules, some, 3, false);
        add(
            "fetch with 20 submodules, nothing new",
            Work::FetchSubmodules,
            some,
            5,
            false,
        );
        add("fetch, long divergent histories", Work::Negotiate, some, 5, false);
    }
    for millis in [0, 60] {
        let work = Work::LazyBlobs { blobs: 10 };
        add("ten lazy blobs of a partial clone", work, Some(millis), 5, false);
    }
    add("clone, 100 MB", Work::Clone { megabytes: 100 }, None, 5, false);
    add("clone, 1 GB", Work::Clone { megabytes: 1000 }, None, 3, false);
    add("push, 100 MB", Work::Push { megabytes: 100 }, None, 5, false);
    add("push, 1 GB", Work::Push { megabytes: 1000 }, None, 3, false);
    cases.extend(with_agent());
    cases
}

/// What people do again and again, over the warm connections of an agent.
fn with_agent() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, work, millis: Option<u64>, rounds, quick| {
        cases.push(Case {
            name: format!("{name}, agent"),
            work,
            round_trip: millis.map(Duration::from_millis),
            rounds,
            quick,
            agent: true,
        });
    };
    for millis in [0, 30, 60, 100] {
        let some = Some(millis);
        add(
            "fetch, nothing new",
            Work::FetchNothing { refs: 1 },
            some,
            15,
            millis == 60,
        );
        add("fetch of a commit", Work::FetchCommit, some, 9, false);
        add("push of a commit", Work::PushCommit, some, 9, false);
        add(
            "ten lazy blobs of a partial clone",
            Work::LazyBlobs { blobs: 10 },
            some,
            5,
            false,
        );
        add(
            "fetch with 20 submodules, nothing new",
            Work::FetchSubmodules,
            some,
            5,
            false,
        );
    }
    add("clone, 1 GB", Work::Clone { megabytes: 1000 }, None, 3, false);
    add("push, 1 GB", Work::Push { megabytes: 1000 }, None, 3, false);
    cases
}
