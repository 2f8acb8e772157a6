//! The commands around the helper, as people use them: `migrate`, `setup`, and git-lfs beside them.

mod forms;
mod lfs;
mod lfs_places;
mod migrate;
mod programs;
mod setup;
mod spellings;
mod together;
