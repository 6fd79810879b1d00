//! Text that came from apps, cut and padded for a terminal.

use unicode_width::UnicodeWidthChar;

/// The width that everything fits in.
pub(crate) const COLUMNS: usize = 80;

/// The text without what would steer the terminal: control characters, and those that turn the
/// direction of writing.
pub(crate) fn plain(text: &str) -> String {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if steers(letter) { ' ' } else { letter }).collect()
}

fn width_of(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

/// The text in so many columns at most, with an ellipsis where it was cut.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    let text = plain(text);
    if width_of(&text) <= columns {
        return text;
    }
    let mut taken = String::new();
    let mut width = 0;
    for letter in text.chars() {
        width += letter.width().unwrap_or(0);
        if width >= columns {
            break;
        }
        taken.push(letter);
    }
    taken.truncate(taken.trim_end().len());
    taken + "…"
}

/// The text in exactly so many columns.
pub(crate) fn column(text: &str, columns: usize) -> String {
    let mut text = cut(text, columns);
    let width = width_of(&text);
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(width)));
    text
}

/// The text in lines of so many columns, the second and all after it indented.
pub(crate) fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    wrapped_from(0, text, columns, indent)
}

/// The same behind what is `start` columns wide.
pub(crate) fn wrapped_from(start: usize, text: &str, columns: usize, indent: usize) -> String {
    let mut wrapped = String::new();
    let mut width = start;
    for word in plain(text).split_whitespace() {
        let next = width_of(word);
        if wrapped.is_empty() {
            width += next;
        } else if width + 1 + next > columns {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            width = indent + next;
        } else {
            wrapped.push(' ');
            width += 1 + next;
        }
        wrapped.push_str(word);
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_app_calls_itself_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[31mb\n\u{9b}2J\u{202e}c"), "a [31mb  2J c");
    }

    #[test]
    fn a_column_is_as_wide_as_it_says_in_any_script() {
        for (text, shown) in [
            ("mpv", "mpv   "),
            ("mpv Media Player", "mpv M…"),
            ("音楽プレーヤー", "音楽… "),
            ("mpv a film", "mpv a…"),
            ("abcde fgh", "abcde…"),
            ("abcd efgh", "abcd… "),
        ] {
            let column = column(text, 6);
            assert_eq!(column, shown);
            assert_eq!(width_of(&column), 6, "{column:?}");
        }
    }

    #[test]
    fn long_text_is_wrapped_between_words() {
        assert_eq!(wrapped("one two three four", 9, 2), "one two\n  three\n  four");
        // The rest of the line counts, before it and under it.
        assert_eq!(wrapped_from(4, "one two three four", 14, 4), "one two\n    three four");
    }
}
