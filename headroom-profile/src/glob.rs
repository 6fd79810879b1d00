//! Patterns of rules: exact, or a glob where they hold `*` (any letters, or none) or `?` (one
//! letter).
//!
//! `rules` asks it for every stream and every pattern, so it must never take long, whatever the
//! pattern: it goes back to the last star only, and is done in at most as many steps as the
//! pattern has letters times those of the text.

/// Whether a pattern means this text. All of it: a pattern for a part is written with stars.
#[must_use]
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return pattern == text;
    }
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // What stands behind the last star, and the text from where that star ends so far.
    let mut star = None;
    loop {
        let rest = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = rest;
                star = Some((pattern.clone(), text.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(letter)) if wanted == letter => {}
            _ => {
                // The star takes one letter more.
                let Some((behind, taken_to)) = &mut star else { return false };
                if taken_to.next().is_none() {
                    return false;
                }
                (pattern, text) = (behind.clone(), taken_to.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_stars_is_exact() {
        assert!(glob_matches("mpv", "mpv"));
        for other in ["", "MPV", "mpv2", "xmpv", "mp"] {
            assert!(!glob_matches("mpv", other), "{other}");
        }
        assert!(glob_matches("", "") && !glob_matches("", "a"));
        assert!(glob_matches("[a-z]", "[a-z]") && !glob_matches("[a-z]", "b"), "no other signs");
    }

    #[test]
    fn a_star_is_any_letters_and_a_question_mark_is_one() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "anything"),
            ("steam*", "steam"),
            ("steam*", "steam_app_42"),
            ("*.exe", "game.exe"),
            ("*a*b*", "xaxxbx"),
            ("a?c", "abc"),
            ("?", "ü"),
            ("a*?", "ab"),
            ("**?**", "x"),
            ("*ab", "aab"),
            ("*aab*", "aaab"),
        ] {
            assert!(glob_matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("steam*", "Steam"),
            ("steam*", "mysteam"),
            ("?", ""),
            ("?", "ab"),
            ("a?c", "ac"),
            ("*a*b*", "ba"),
            ("a*?", "a"),
            ("*.exe", "game.exe.bak"),
            ("a*", ""),
        ] {
            assert!(!glob_matches(pattern, text), "{pattern} {text}");
        }
    }

    /// Every pattern and text of so many letters, against the definition by cases.
    #[test]
    fn it_says_what_the_definition_says() {
        fn by_cases(pattern: &[char], text: &[char]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, None) => true,
                (Some(('*', behind)), _) => {
                    by_cases(behind, text) || (!text.is_empty() && by_cases(pattern, &text[1..]))
                }
                (Some((wanted, behind)), Some((letter, rest))) => {
                    (*wanted == '?' || wanted == letter) && by_cases(behind, rest)
                }
                _ => false,
            }
        }
        fn words(letters: &[char], longest: usize) -> Vec<String> {
            let mut all = vec![String::new()];
            let mut from = 0;
            for _ in 0..longest {
                let to = all.len();
                for n in from..to {
                    all.extend(
                        letters
                            .iter()
                            .map(|letter| format!("{}{letter}", all[n]))
                            .collect::<Vec<_>>(),
                    );
                }
                from = to;
            }
            all
        }
        let mut matching = 0;
        for pattern in words(&['a', 'b', '*', '?'], 5) {
            for text in words(&['a', 'b'], 5) {
                let letters = |word: &str| word.chars().collect::<Vec<_>>();
                let expected = by_cases(&letters(&pattern), &letters(&text));
                assert_eq!(glob_matches(&pattern, &text), expected, "{pattern} {text}");
                matching += u32::from(expected);
            }
        }
        assert!(matching > 1_000, "{matching}");
    }

    #[test]
    fn no_pattern_takes_long() {
        // Each star that is tried at every place multiplies the steps of a matcher that goes back
        // to all of them: this one would take longer than anyone lives.
        let stars = "a*".repeat(128);
        let text = "a".repeat(256);
        let began = std::time::Instant::now();
        for _ in 0..100 {
            assert!(!glob_matches(&format!("{stars}b"), &text));
            assert!(glob_matches(&stars, &text));
            assert!(!glob_matches(&format!("{}b", "*".repeat(255)), &text));
            assert!(!glob_matches(&format!("{}b", "*?".repeat(120)), &text));
        }
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }
}
