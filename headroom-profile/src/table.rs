//! Reading one table of a profile: what every section, rule and per-app entry needs to take
//! its keys and to say, with its place, what is wrong with the others.
//!
//! Knows TOML and places; what the keys mean is its callers' business.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::place::{Line, Place, Problem, ProfileError, Warning};
use crate::setting::Given;
use crate::spelling::nearest;

/// What was found while reading one file. Reading goes on after an error, so that the first
/// one in the file's order is the one that is told.
pub(crate) struct Findings<'t> {
    file: &'t str,
    text: &'t str,
    /// How far lines have been counted: an offset, and the line that it is in. Entries come in
    /// order, so that the text is gone through once for all of them.
    counted: (usize, usize),
    errors: Vec<(usize, Problem)>,
    of_the_whole: Vec<Problem>,
    warnings: Vec<(usize, Warning)>,
}

impl<'t> Findings<'t> {
    pub(crate) fn of(file: &'t str, text: &'t str) -> Findings<'t> {
        let counted = (0, 1);
        let (errors, of_the_whole, warnings) = Default::default();
        Findings { file, text, counted, errors, of_the_whole, warnings }
    }

    pub(crate) fn error(&mut self, at: &Range<usize>, problem: Problem) {
        self.errors.push((at.start, problem));
    }

    /// An error that has no place of its own; told when nothing else is wrong.
    pub(crate) fn error_of_the_whole(&mut self, problem: Problem) {
        self.of_the_whole.push(problem);
    }

    pub(crate) fn warning(&mut self, at: &Range<usize>, key: &str, message: String) {
        let place = Place::of(self.file, self.text, at.start);
        self.warnings.push((at.start, Warning { place, key: key.to_owned(), message }));
    }

    /// The line that something begins in.
    pub(crate) fn line(&mut self, at: &Range<usize>) -> Line {
        let (from, line) = if at.start >= self.counted.0 { self.counted } else { (0, 1) };
        let passed = self.text.as_bytes().get(from..at.start).unwrap_or_default();
        let line = line + passed.iter().filter(|byte| **byte == b'\n').count();
        self.counted = (at.start, line);
        Line(line)
    }

    pub(crate) fn unknown_key(&mut self, at: &Range<usize>, key: String, allowed: &[&str]) {
        let last = key.rsplit('.').next().unwrap_or(&key);
        let nearest = nearest(last, allowed).or_else(|| elsewhere(last)).map(str::to_owned);
        self.error(at, Problem::UnknownKey { key, allowed: allowed.join(", "), nearest });
    }

    pub(crate) fn not_allowed(&mut self, at: &Range<usize>, key: &str, allowed: String) {
        let offending = self.quote(at);
        let problem =
            Problem::NotAllowed { key: key.to_owned(), offending, allowed, nearest: None };
        self.error(at, problem);
    }

    /// The text of a value as the file has it, cut where it is long.
    pub(crate) fn quote(&self, at: &Range<usize>) -> String {
        const LONGEST_QUOTE: usize = 40;
        let text = self.text.get(at.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            return "nothing".to_owned();
        }
        let mut quote: String = line.chars().take(LONGEST_QUOTE).collect();
        if quote.len() < text.trim_end().len() {
            quote.push_str("...");
        }
        quote
    }

    /// The first error in the file's order, or the warnings in that order.
    pub(crate) fn verdict(mut self) -> Result<Vec<Warning>, ProfileError> {
        let whole = self.of_the_whole.into_iter().map(|problem| (0, problem)).next();
        let first = self.errors.into_iter().min_by_key(|(offset, _)| *offset).or(whole);
        if let Some((offset, problem)) = first {
            let place = Place::of(self.file, self.text, offset);
            return Err(ProfileError { place, problem: Box::new(problem) });
        }
        self.warnings.sort_by_key(|(offset, _)| *offset);
        Ok(self.warnings.into_iter().map(|(_, warning)| warning).collect())
    }
}

/// A setting of another section that has exactly this last part.
fn elsewhere(last: &str) -> Option<&'static str> {
    crate::SETTINGS
        .iter()
        .map(|setting| setting.key)
        .find(|key| key.rsplit('.').next() == Some(last) && last != "enabled")
}

/// A value as a setting may take it.
pub(crate) fn given<'v>(value: &'v DeValue<'_>) -> Given<'v> {
    match value {
        DeValue::Boolean(value) => Given::Switch(*value),
        DeValue::String(word) => Given::Word(word),
        DeValue::Float(_) | DeValue::Integer(_) => {
            number(value).map_or(Given::Other, Given::Number)
        }
        _ => Given::Other,
    }
}

/// A number of either kind that TOML has.
pub(crate) fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| n as f64)
        }
        _ => None,
    }
}

/// A table, or an error that says that one must stand here.
pub(crate) fn expect_table<'v, 'i>(
    value: &'v Spanned<DeValue<'i>>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Option<&'v DeTable<'i>> {
    let table = value.get_ref().as_table();
    if table.is_none() {
        findings.not_allowed(&value.span(), key, "a table".to_owned());
    }
    table
}

/// The tables of an array of tables, or an error that says what must stand here.
pub(crate) fn expect_tables<'v, 'i>(
    value: &'v Spanned<DeValue<'i>>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Vec<(&'v DeTable<'i>, Range<usize>)> {
    let Some(array) = value.get_ref().as_array() else {
        findings.not_allowed(&value.span(), key, format!("tables headed [[{key}]]"));
        return Vec::new();
    };
    let mut tables = Vec::with_capacity(array.len());
    for entry in array.iter() {
        if let Some(table) = expect_table(entry, key, findings) {
            tables.push((table, entry.span()));
        }
    }
    tables
}

/// A string that is not empty, or an error.
pub(crate) fn expect_text<'v>(
    value: &'v Spanned<DeValue<'_>>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Option<&'v str> {
    let text = value.get_ref().as_str().filter(|text| !text.is_empty());
    if text.is_none() {
        findings.not_allowed(&value.span(), key, "a text in quotes".to_owned());
    }
    text
}

/// `true` or `false`, or an error.
pub(crate) fn expect_switch(
    value: &Spanned<DeValue<'_>>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Option<bool> {
    let switch = value.get_ref().as_bool();
    if switch.is_none() {
        findings.not_allowed(&value.span(), key, "true or false".to_owned());
    }
    switch
}
