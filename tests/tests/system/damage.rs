//! What can become of the file of a profile: edits, good and bad, drawn at random.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use headroom_signals::Random;
use headroom_tests::Saving;

/// No edit of the file itself is a checkout: that would write a repository into its folder.
const WAYS: [Saving; 3] = [Saving::InPlace, Saving::Renamed, Saving::Swapped];
/// More than is ever read of a profile.
const HUGE_BYTES: u64 = 1 << 30;

/// The file of a profile, in a folder of profiles.
pub(crate) struct Victim {
    pub(crate) name: &'static str,
    folder: PathBuf,
    file: PathBuf,
    random: Random,
    edits: usize,
}

/// What the file holds after an edit that is told apart from all others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Holds {
    /// A valid profile of this description, with this ceiling.
    Good { description: String, ceiling_dbtp: f32 },
    /// A profile with a value that is not allowed, which any good message quotes.
    Bad { quoted: String },
    /// Nothing: it has gone.
    Gone,
}

impl Victim {
    /// The file of the profile `name` in `folder`, which it makes.
    pub(crate) fn new(folder: &Path, name: &'static str, seed: u64) -> Victim {
        fs::create_dir_all(folder).expect("a folder of profiles");
        let file = folder.join(format!("{name}.toml"));
        Victim { name, folder: folder.to_owned(), file, random: Random::new(seed), edits: 0 }
    }

    /// How many edits there have been.
    pub(crate) fn edits(&self) -> usize {
        self.edits
    }

    /// A whole number from 0 up to, but not, `below`.
    pub(crate) fn draw(&mut self, below: usize) -> usize {
        self.random.below(below)
    }

    /// A valid profile that there has not been before.
    pub(crate) fn write_good(&mut self) -> Holds {
        let (text, holds) = self.good();
        self.save(&text);
        holds
    }

    /// A profile with an error that there has not been before.
    pub(crate) fn write_bad(&mut self) -> Holds {
        let (text, _) = self.good();
        let quoted = format!("no-number-{}", self.edits);
        self.save(&text.replace("ceiling_dbtp = ", &format!("ceiling_dbtp = {quoted:?} # ")));
        Holds::Bad { quoted }
    }

    /// Takes it away.
    pub(crate) fn delete(&mut self) -> Holds {
        self.edits += 1;
        self.clear();
        Holds::Gone
    }

    /// Anything.
    pub(crate) fn edit(&mut self) {
        match self.draw(20) {
            0..=3 => drop(self.write_good()),
            4 | 5 => drop(self.write_bad()),
            6 => drop(self.delete()),
            7..=9 => self.write_truncated(),
            10..=12 => self.write_garbled(),
            13 => self.save(""),
            14 => self.grow_huge(),
            15 => self.replace(|file, _| fs::create_dir(file)),
            16 => self.link(),
            17 => self.replace(|file, _| make_pipe(file)),
            18 => self.replace_folder(),
            _ => self.write_beside(),
        }
    }

    fn good(&mut self) -> (String, Holds) {
        self.edits += 1;
        // A tenth is a number that text and float agree on.
        let ceiling_dbtp = -(self.draw(120) as f32) / 10.0;
        let description = format!("edit {}", self.edits);
        let text = format!(
            "name = \"{}\"\ndescription = {description:?}\n\n[agc]\nenabled = false\n\n\
             [limiter]\nceiling_dbtp = {ceiling_dbtp:.1}\n",
            self.name
        );
        (text, Holds::Good { description, ceiling_dbtp })
    }

    fn save(&mut self, text: &str) {
        let way = WAYS[self.draw(WAYS.len())];
        // Nothing can be written into, or renamed over, a directory or a pipe.
        if !self.file.is_file() {
            self.clear();
        }
        way.save(&self.file, text).unwrap_or_else(|error| panic!("{way:?}: {error}"));
    }

    fn write_truncated(&mut self) {
        let (text, _) = self.good();
        let end = self.draw(text.len());
        self.save(&text[..end]);
    }

    fn write_garbled(&mut self) {
        let (text, _) = self.good();
        let mut bytes = text.into_bytes();
        for _ in 0..=self.draw(4) {
            let place = self.draw(bytes.len());
            bytes[place] = self.draw(256) as u8;
        }
        self.replace(|file, _| fs::write(file, bytes));
    }

    fn grow_huge(&mut self) {
        let (text, _) = self.good();
        // Comments that are valid but for their length, or a hole.
        let is_hole = self.draw(2) == 0;
        self.replace(|file, _| {
            if is_hole {
                return File::create(file)?.set_len(HUGE_BYTES);
            }
            fs::write(file, text + &"# as long as it is wide\n".repeat(50_000))
        });
    }

    fn link(&mut self) {
        let (text, _) = self.good();
        let to = self.draw(4);
        self.replace(|file, folder| match to {
            0 => symlink(file, file),
            1 => symlink("/dev/zero", file),
            2 => symlink(folder.join("nowhere"), file),
            _ => {
                // As those who keep their settings in a repository do.
                let elsewhere = folder.with_file_name("dotfiles");
                fs::write(&elsewhere, text)?;
                symlink(&elsewhere, file)
            }
        });
    }

    /// Puts something else in its place.
    fn replace(&mut self, put: impl FnOnce(&Path, &Path) -> io::Result<()>) {
        self.edits += 1;
        self.clear();
        put(&self.file, &self.folder).expect("put in its place");
    }

    /// The whole folder is moved away, and another takes its place.
    fn replace_folder(&mut self) {
        let (text, _) = self.good();
        let away = self.folder.with_extension("away");
        let _ = fs::remove_dir_all(&away);
        fs::rename(&self.folder, &away).expect("moved away");
        if self.draw(2) == 0 {
            fs::rename(&away, &self.folder).expect("moved back");
        } else {
            fs::create_dir(&self.folder).expect("made anew");
        }
        self.save(&text);
    }

    /// Something happens to another file of the folder.
    fn write_beside(&mut self) {
        self.edits += 1;
        let other = ["other.toml", ".night.toml.swp", "night.toml~"][self.draw(3)];
        let other = self.folder.join(other);
        if other.exists() {
            fs::remove_file(other).expect("removed");
        } else {
            fs::write(other, "name = \"other\"\ndescription = \"beside it\"\n").expect("written");
        }
    }

    fn clear(&self) {
        let Ok(about) = fs::symlink_metadata(&self.file) else { return };
        let cleared =
            if about.is_dir() { fs::remove_dir(&self.file) } else { fs::remove_file(&self.file) };
        cleared.expect("cleared away");
    }
}

/// A pipe that nobody writes into: whoever opens it waits, and so must nobody.
fn make_pipe(path: &Path) -> io::Result<()> {
    let made = Command::new("mkfifo").arg(path).status()?;
    if made.success() { Ok(()) } else { Err(io::Error::other("mkfifo has failed")) }
}
