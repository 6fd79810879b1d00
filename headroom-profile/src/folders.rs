//! Where profiles are looked for: the folders of the system, the user's own, and those that
//! the command line names.
//!
//! [`Library`](crate::Library) scans them; the daemon watches them; `headroom profile` writes to
//! the user's. Knows names of folders only: nothing here touches the disk.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The folders of profiles, in the order in which they are searched: a profile of a later one
/// replaces one of the same name. What is embedded in the program comes before all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    paths: Vec<PathBuf>,
    user: Option<PathBuf>,
    file: Option<PathBuf>,
}

/// Where the folders of the system are, if the environment does not say.
const DATA_DIRS: &str = "/usr/local/share:/usr/share";

/// What the environment says about folders.
#[derive(Debug, Clone, Copy, Default)]
struct Surroundings<'e> {
    data_dirs: Option<&'e OsStr>,
    config_home: Option<&'e OsStr>,
    home: Option<&'e OsStr>,
}

impl Folders {
    /// The folders of this system and this user, and then `extra`: `headroom/profiles` in each
    /// of `$XDG_DATA_DIRS` and in `$XDG_CONFIG_HOME`, as the XDG Base Directory Specification
    /// has them. A relative extra folder is meant from the current one.
    #[must_use]
    pub fn find(extra: &[PathBuf]) -> Folders {
        let [data_dirs, config_home, home] =
            ["XDG_DATA_DIRS", "XDG_CONFIG_HOME", "HOME"].map(env::var_os);
        let surroundings = Surroundings {
            data_dirs: data_dirs.as_deref(),
            config_home: config_home.as_deref(),
            home: home.as_deref(),
        };
        Folders::of(surroundings, extra)
    }

    /// These folders and no others, none of them the user's.
    #[must_use]
    pub fn only(paths: &[PathBuf]) -> Folders {
        Folders::of(
            Surroundings { data_dirs: Some(OsStr::new(":")), ..Surroundings::default() },
            paths,
        )
    }

    /// These folders in the place of all others, in this order, as another program searches them.
    /// The user's own stays the user's.
    #[must_use]
    pub fn searched_by_another(mut self, paths: &[PathBuf]) -> Folders {
        self.paths = paths.to_vec();
        self
    }

    /// And this one file, which counts before every folder.
    #[must_use]
    pub fn with_file(mut self, file: &Path) -> Folders {
        self.file = Some(absolute(file));
        self
    }

    /// The folders, the one that counts most last. They need not exist.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The folder that a user's own profiles are written to; none without a home.
    #[must_use]
    pub fn user(&self) -> Option<&Path> {
        self.user.as_deref()
    }

    /// The one file that counts before every folder.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    fn of(surroundings: Surroundings<'_>, extra: &[PathBuf]) -> Folders {
        let Surroundings { data_dirs, config_home, home } = surroundings;
        let set =
            |value: Option<&'_ OsStr>| value.filter(|value| !value.is_empty()).map(PathBuf::from);
        let data_dirs = data_dirs.filter(|dirs| !dirs.is_empty()).unwrap_or(OsStr::new(DATA_DIRS));
        // The specification has relative paths ignored.
        let config_home = set(config_home)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(set(home)?.join(".config")))
            .filter(|path| path.is_absolute());
        let user = config_home.map(|path| path.join("headroom/profiles"));
        // The first of them counts most there, the last of them here.
        let mut paths: Vec<PathBuf> = env::split_paths(data_dirs)
            .filter(|path| path.is_absolute())
            .map(|path| path.join("headroom/profiles"))
            .collect();
        paths.reverse();
        paths.extend(user.clone());
        paths.extend(extra.iter().map(|path| absolute(path)));
        // A folder that is named twice is searched where it counts most.
        let last_of = |n: usize| !paths[n + 1..].contains(&paths[n]);
        let paths = (0..paths.len()).filter(|n| last_of(*n)).map(|n| paths[n].clone()).collect();
        Folders { paths, user, file: None }
    }
}

/// The path from the root; as it is where there is no current folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(data_dirs: &str, config_home: &str, home: &str, extra: &[&str]) -> Vec<String> {
        let [data_dirs, config_home, home] = [data_dirs, config_home, home]
            .map(|value| Some(OsStr::new(value)).filter(|value| *value != "unset"));
        let surroundings = Surroundings { data_dirs, config_home, home };
        let extra: Vec<PathBuf> = extra.iter().map(PathBuf::from).collect();
        let found = Folders::of(surroundings, &extra);
        found.paths().iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn the_folder_that_counts_most_comes_last() {
        assert_eq!(
            paths("/a:/b", "/config", "/home/me", &["/x", "/y/"]),
            [
                "/b/headroom/profiles",
                "/a/headroom/profiles",
                "/config/headroom/profiles",
                "/x",
                "/y/"
            ]
        );
    }

    #[test]
    fn what_is_not_set_has_the_default_of_the_specification() {
        let expected = [
            "/usr/share/headroom/profiles",
            "/usr/local/share/headroom/profiles",
            "/home/me/.config/headroom/profiles",
        ];
        assert_eq!(paths("unset", "unset", "/home/me", &[]), expected);
        assert_eq!(paths("", "", "/home/me", &[]), expected);
    }

    #[test]
    fn relative_paths_are_ignored_in_the_environment_and_followed_on_the_command_line() {
        assert_eq!(paths("a:/b:", "config", "unset", &[]), ["/b/headroom/profiles"]);
        assert_eq!(paths(":", "unset", "me", &[]), [""; 0]);
        let here = env::current_dir().expect("a current folder").join("mine");
        assert_eq!(paths(":", "unset", "unset", &["mine"]), [here.to_str().expect("text")]);
    }

    #[test]
    fn a_folder_that_is_named_twice_is_searched_once_where_it_counts_most() {
        assert_eq!(
            paths("/a:/b:/a", "/a", "unset", &["/b/headroom/profiles"]),
            ["/a/headroom/profiles", "/b/headroom/profiles"]
        );
    }
}
