//! Any text gives a profile or an error and never a panic, and no profile that is given can
//! make the chain's parameters leave their ranges.

use headroom_profile::{Kind, Profile, SETTINGS, embedded};

/// xorshift64*: the same edits on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

const SCRAPS: &[&str] = &[
    "\n",
    "=",
    "[",
    "]",
    "[[",
    "\"",
    "'''",
    "{",
    "}",
    ".",
    ",",
    "#",
    "-",
    "nan",
    "-inf",
    "1e999",
    "0xffffffffffffffffff",
    "1979-05-27",
    "\u{0}",
    "\u{7f}",
    "ü",
    "\u{feff}",
    "\r",
    "\\u0000",
    "agc",
    "limiter.soft",
    "enabled = false\n",
    "route = \"\"",
    "[per_app]\n",
    "[[rules]]\n",
    "match = { process_binary = [1] }",
    "99999999999999999999999999",
    "[[per_app.rules]]\n",
];

fn edit(text: &mut String, random: &mut Random) {
    let mut from = random.below(text.len() + 1);
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    let mut to = (from + random.below(12)).min(text.len());
    while !text.is_char_boundary(to) {
        to += 1;
    }
    match random.below(4) {
        0 => text.replace_range(from..to, ""),
        1 => text.insert_str(from, SCRAPS[random.below(SCRAPS.len())]),
        2 => text.replace_range(from..to, SCRAPS[random.below(SCRAPS.len())]),
        _ => {
            let piece = text[from..to].repeat(random.below(4));
            text.insert_str(from, &piece);
        }
    }
}

#[test]
fn no_edit_of_a_profile_makes_the_reader_panic() {
    let fixtures = [
        ("evening", include_str!("data/evening.toml")),
        ("calls", include_str!("data/calls.toml")),
    ];
    let originals: Vec<(&str, &str)> = embedded().chain(fixtures).collect();
    let mut random = Random(0x5EED_F00D);
    let (mut read, mut refused) = (0, 0);
    for round in 0..20_000 {
        let (name, original) = originals[round % originals.len()];
        let mut text = original.to_owned();
        for _ in 0..=random.below(4) {
            edit(&mut text, &mut random);
        }
        match Profile::parse(&format!("{name}.toml"), &text) {
            Ok(checked) => {
                read += 1;
                let _ = checked.profile.chain_params();
                assert_eq!(checked.profile.name, name);
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
                assert!(error.place.line >= 1 && error.place.column >= 1);
            }
        }
    }
    // Both happen, so that neither half of the test is empty.
    assert!(read > 500 && refused > 5_000, "{read} read, {refused} refused");
}

#[test]
fn deep_and_long_texts_are_refused_and_not_followed() {
    // On a stack as small as those that the daemon reads profiles on.
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let refused = small.spawn(deep_and_long_texts_are_refused).expect("a thread");
    refused.join().expect("they are refused");
}

fn deep_and_long_texts_are_refused() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{b = ".repeat(100_000)),
        format!("[{}]", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("a = {}{}", "[".repeat(79), "]".repeat(79)),
        format!("{} = 1", "k".repeat(1 << 20)),
        format!("name = \"{}\"", "n".repeat(1 << 20)),
    ] {
        let error = Profile::parse("default.toml", &text).expect_err("no profile").to_string();
        assert_eq!(error.lines().count(), 1);
    }
}

#[test]
fn ranges_are_ranges() {
    for setting in SETTINGS {
        if let Kind::Number(min, max) | Kind::NumberOrAuto(min, max) = setting.kind {
            assert!(min < max, "{}", setting.key);
        }
    }
}
