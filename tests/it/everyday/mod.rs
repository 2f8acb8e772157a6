//! What people do with more than one repository at once: submodules, work trees, many remotes, and programs that poll.

mod many;
mod submodules;
