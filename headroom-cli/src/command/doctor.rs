//! `headroom doctor [--fix]`: what is wrong with the sound, what it means, and what mends it.

use serde::Serialize;

use crate::args::DoctorArgs;
use crate::doctor::{self, Finding, Sights};
use crate::failure::Failure;
use crate::print::{self, Paint};

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    well: bool,
    findings: &'a [Finding],
    /// What `--fix` has done.
    mended: Vec<&'a str>,
    /// What it could not do.
    not_mended: Vec<&'a str>,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    let sights = Sights::gather();
    let mut findings = doctor::judge(&sights);
    let mut done = Vec::new();
    if args.fix {
        done = doctor::mend(&sights, &findings);
        if !done.is_empty() {
            findings = doctor::judge(&Sights::gather());
        }
    }
    let well = doctor::is_well(&findings) && done.iter().all(Result::is_ok);
    if args.json {
        let mended = done.iter().filter_map(|done| done.as_deref().ok()).collect();
        let not_mended =
            done.iter().filter_map(|done| done.as_ref().err().map(String::as_str)).collect();
        print::json(&Report { well, findings: &findings, mended, not_mended })?;
    } else {
        print::result(&print::doctor(&findings, &done, well, Paint::for_stdout()))?;
    }
    if well { Ok(()) } else { Err(Failure::told()) }
}
