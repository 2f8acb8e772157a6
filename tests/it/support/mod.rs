//! What the tests of the whole product share: real git in an environment of its own, against a local Bitbucket.

pub(crate) mod canary;
pub(crate) mod fixture;
pub(crate) mod product;
pub(crate) mod program;
pub(crate) mod run;
pub(crate) mod scene;
pub(crate) mod skip;
pub(crate) mod state;
pub(crate) mod wait;
