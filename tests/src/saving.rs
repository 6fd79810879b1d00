//! How a file gets new contents: in the ways in which editors and other programs save.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

/// A way of saving a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saving {
    /// The file is truncated and written again: `echo >`, nano.
    InPlace,
    /// Another file is written beside it and renamed over it: gedit, Kate, most programs.
    Renamed,
    /// The old file is moved away, a new one written in its place, and the old one deleted, while
    /// a swap file lies beside it: vim.
    Swapped,
    /// `git checkout` of a commit that holds the new contents; the directory becomes a repository if
    /// it is none.
    Checkout,
}

impl Saving {
    /// All of them.
    pub const ALL: [Saving; 4] =
        [Saving::InPlace, Saving::Renamed, Saving::Swapped, Saving::Checkout];

    /// Saves `text` as `path`. Returns the moment at which the file was closed.
    ///
    /// # Errors
    ///
    /// When the file or its directory cannot be written.
    pub fn save(self, path: &Path, text: &str) -> io::Result<Instant> {
        match self {
            Saving::InPlace => write_and_close(path, text),
            Saving::Renamed => {
                let beside = with_ending(path, ".tmp");
                write_and_close(&beside, text)?;
                // It is nobody's new file before it has the name.
                fs::rename(&beside, path)?;
                Ok(Instant::now())
            }
            Saving::Swapped => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let swap = path.with_file_name(format!(".{name}.swp"));
                let probe = path.with_file_name("4913");
                let backup = with_ending(path, "~");
                write_and_close(&swap, "b0VIM 9.0")?;
                write_and_close(&probe, "")?;
                fs::remove_file(&probe)?;
                if path.exists() {
                    fs::rename(path, &backup)?;
                }
                let closed = write_and_close(path, text)?;
                let _ = fs::remove_file(&backup);
                fs::remove_file(&swap)?;
                Ok(closed)
            }
            Saving::Checkout => Checkout::of(path)?.save(text),
        }
    }
}

/// A directory of profiles that is a repository of git.
struct Checkout<'a> {
    directory: &'a Path,
    file: &'a Path,
}

impl<'a> Checkout<'a> {
    fn of(file: &'a Path) -> io::Result<Self> {
        let directory = file.parent().unwrap_or(Path::new("/"));
        let checkout = Self { directory, file };
        if !directory.join(".git").exists() {
            checkout.git(&["init", "--quiet"])?;
        }
        Ok(checkout)
    }

    /// Commits `text` without touching the working tree, and checks that commit out.
    fn save(&self, text: &str) -> io::Result<Instant> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A commit needs an index and objects, but the directory that is watched stays as it is.
        let outside = tempfile::tempdir()?;
        let (tree, index) = (outside.path().join("tree"), outside.path().join("index"));
        fs::create_dir(&tree)?;
        fs::write(tree.join(&name), text)?;
        let work_tree = format!("--work-tree={}", tree.display());
        let git_dir = format!("--git-dir={}", self.directory.join(".git").display());
        let apart = |words: &[&str]| {
            let words: Vec<&str> =
                [&*work_tree, &*git_dir].into_iter().chain(words.iter().copied()).collect();
            self.git_with(&words, Some(&index))
        };
        apart(&["add", "--", &name])?;
        let tree = apart(&["write-tree"])?;
        let commit = apart(&["commit-tree", "-m", "another text", &tree])?;
        // What is there now is not part of any commit the first time.
        self.git(&["checkout", "--quiet", "--force", "--detach", &commit])?;
        closed_at(self.file)
    }

    fn git(&self, words: &[&str]) -> io::Result<String> {
        self.git_with(words, None)
    }

    fn git_with(&self, words: &[&str], index: Option<&Path>) -> io::Result<String> {
        let mut command = Command::new("git");
        command.current_dir(self.directory).args(words);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A listener");
            command.env(format!("GIT_{role}_EMAIL"), "listener@example.org");
        }
        // Nobody's settings but those of git itself.
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        let output = command.output()?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("git {words:?}: {}", complaint.trim())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn write_and_close(path: &Path, text: &str) -> io::Result<Instant> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    Ok(Instant::now())
}

/// When a file that another program has written was closed: when it was last written to, which is
/// a tick of the kernel's clock or a few microseconds before.
fn closed_at(path: &Path) -> io::Result<Instant> {
    let written = fs::metadata(path)?.modified()?;
    let (now, here) = (SystemTime::now(), Instant::now());
    let ago = now.duration_since(written).unwrap_or_default();
    here.checked_sub(ago).ok_or_else(|| io::Error::other("written before this machine was started"))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_saving_leaves_the_new_text_and_nothing_beside_it() {
        for way in Saving::ALL {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("night.toml");
            for text in ["first\n", "second, which is longer\n", "third\n"] {
                let begun = Instant::now();
                let closed = way.save(&path, text).unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), text, "{way:?}");
                // The kernel's clock for files ticks every 4 ms or so.
                let early = begun.saturating_duration_since(closed);
                assert!(early.as_millis() <= 10 && closed <= Instant::now(), "{way:?}");
            }
            let mut names: Vec<_> = fs::read_dir(directory.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .filter(|name| name != ".git")
                .collect();
            names.sort();
            assert_eq!(names, ["night.toml"], "{way:?}");
        }
    }
}
