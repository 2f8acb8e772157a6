//! When the secret expires: as an argument says, or as the user answers at the terminal.

use jiff::civil::Date;

use crate::credential::expiry::Expiry;
use crate::credential::prompt::{Echo, Note, Person};
use crate::report::{Failure, Kind};
use crate::secret::kind::Kind as SecretKind;

/// How often the question is asked before what is likely is assumed.
const TIMES: usize = 3;

/// Returns what `--expires` says.
pub(super) fn of_argument(text: &str, today: Date) -> Result<Expiry, Failure> {
    parse(text, today).map_err(|message| {
        Failure::new(Kind::Usage, message)
            .hint("write the last day as in '--expires 2027-12-31', or use '--expires unknown'")
    })
}

fn parse(text: &str, today: Date) -> Result<Expiry, String> {
    let expiry = Expiry::parse(text, today)
        .ok_or_else(|| format!("'{text}' is not a date, a number of days, 'never' or 'unknown'"))?;
    match expiry.passed(today) {
        Some(expired) => Err(format!("a secret that {expired} cannot be used")),
        None => Ok(expiry),
    }
}

/// Asks `person`. Nothing typed stands for what is likely of a secret of `kind`.
pub(super) fn ask(person: &dyn Person, kind: SecretKind, today: Date) -> Result<Expiry, Failure> {
    let likely = Expiry::assumed(kind, today);
    let question = format!("Expires on (a date, a number of days, 'never' or 'unknown') [{likely}]: ");
    for _ in 0..TIMES {
        let Some(answer) = person.ask(&question, Echo::On, &[])? else {
            break;
        };
        if answer.text.trim().is_empty() {
            break;
        }
        match parse(&answer.text, today) {
            Ok(expiry) => return Ok(expiry),
            Err(message) => person.tell(&Note::Warning(message)),
        }
    }
    Ok(likely)
}
