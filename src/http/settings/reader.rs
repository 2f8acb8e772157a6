//! Configuration and variables of one address together: where git has both, the variable wins.
//!
//! It must not know what a setting means.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::environment::{Environment, Variable};
use crate::git::config::Config;
use crate::git::url_match::HttpConfig;
use crate::report::Failure;

pub(super) struct Reader<'a> {
    pub(super) http: HttpConfig<'a>,
    pub(super) config: &'a Config,
    pub(super) environment: &'a Environment,
    pub(super) warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(url: &Url, config: &'a Config, environment: &'a Environment) -> Self {
        Self {
            http: config.http(url),
            config,
            environment,
            warnings: Vec::new(),
        }
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// The text of `variable`, else of `http.<name>`.
    pub(super) fn text(&self, name: &str, variable: &Variable) -> Option<String> {
        match self.environment.text(variable) {
            Some(text) => Some(text.to_owned()),
            None => self.http.text(name),
        }
    }

    /// The path in `variable`, else in `http.<name>`; `None` for an empty one.
    pub(super) fn path(&self, name: &str, variable: &Variable) -> Result<Option<PathBuf>, Failure> {
        if self.environment.has(variable) {
            return Ok(self.environment.path(variable));
        }
        Ok(self.http.path(name)?.filter(|path| !path.as_os_str().is_empty()))
    }

    /// The number in the first of `variables` that has one, else in `http.<name>`; `None` if it is negative.
    pub(super) fn number(&mut self, name: &str, variables: &[&Variable]) -> Result<Option<u64>, Failure> {
        let mut number = self.http.number(name)?;
        for variable in variables.iter().rev() {
            let Some(text) = self.environment.os(variable) else {
                continue;
            };
            match text.to_str().and_then(|text| text.trim_start().parse().ok()) {
                Some(given) => number = Some(given),
                None => self.warn(format!("failed to parse {}", variable.name)),
            }
        }
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    }

    /// Like [`Reader::number`], in seconds.
    pub(super) fn seconds(&mut self, name: &str, variables: &[&Variable]) -> Result<Option<Duration>, Failure> {
        Ok(self.number(name, variables)?.map(Duration::from_secs))
    }

    /// Like [`Reader::number`], cut to what fits.
    pub(super) fn count(&mut self, name: &str, variables: &[&Variable]) -> Result<Option<u32>, Failure> {
        Ok(self
            .number(name, variables)?
            .map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
    }
}
