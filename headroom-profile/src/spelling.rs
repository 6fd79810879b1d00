//! "Did you mean": the word that was probably meant.
//!
//! Called wherever a name in a profile, or of one, is not known.

/// The word of `words` that is spelt most like `word`, if any is near enough to be meant.
pub(crate) fn nearest<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
    const NEAR_ENOUGH: f64 = 0.6;
    // A key of a thousand letters is no misspelling, and comparing it takes a while.
    const LONGEST_WORD: usize = 64;
    if word.len() > LONGEST_WORD {
        return None;
    }
    words
        .iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), *candidate))
        .filter(|(likeness, _)| *likeness >= NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
