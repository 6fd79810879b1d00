//! Which folders to watch, so that no change of a profile is missed, and which changes are about
//! profiles.
//!
//! A folder that is not there is waited for in the nearest one above it that is. Looks at the
//! disk, and changes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use headroom_profile::Folders;

/// The most files elsewhere, linked to from a folder of profiles, that are watched there.
const MOST_LINKED: usize = 256;
/// The most links that lead to one another, as few as would surprise nobody.
const MOST_LINKS_IN_A_ROW: usize = 8;

/// A folder to watch, and which one it was: another of the same name is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Watched {
    pub(super) path: PathBuf,
    device: u64,
    inode: u64,
}

/// What to watch and what to make of what happens there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// No two are the same folder under two names: events come under one of them only.
    pub(super) watched: BTreeSet<Watched>,
    /// The files that profiles are links to, under the names that their folders are watched by.
    linked: BTreeSet<PathBuf>,
    /// Where links lead that lead nowhere yet: what has to come into being next.
    awaited: BTreeSet<PathBuf>,
}

/// What a change is about, the most far-reaching last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    /// Something else in a folder that is watched.
    Nothing,
    /// A profile.
    Profile,
    /// A folder, so that others may have to be watched.
    Folder,
}

impl Plan {
    /// The plan for the disk as it is now.
    pub(super) fn of(folders: &Folders) -> Plan {
        let mut plan = Plan::default();
        let of_file = folders.file().and_then(Path::parent);
        for folder in folders.paths().iter().map(PathBuf::as_path).chain(of_file) {
            plan.watch_for(folder);
        }
        for folder in folders.paths() {
            plan.watch_links_in(folder);
        }
        if let Some(file) = folders.file().filter(|file| file.is_symlink()) {
            plan.watch_link(file);
        }
        plan
    }

    /// What a change at a path is about.
    pub(super) fn about(&self, folders: &Folders, path: &Path) -> About {
        let is_above = |place: &PathBuf| place.starts_with(path);
        let of_file = folders.file().and_then(Path::parent);
        if folders.paths().iter().any(is_above) || of_file.is_some_and(|p| p.starts_with(path)) {
            return About::Folder;
        }
        // A folder on the way to one that is linked to: with it, everything below has moved.
        let is_on_the_way = |end: &PathBuf| end != path && end.starts_with(path);
        if self.awaited.contains(path) || self.linked.iter().chain(&self.awaited).any(is_on_the_way)
        {
            return About::Folder;
        }
        let is_in_folder =
            path.parent().is_some_and(|parent| folders.paths().iter().any(|f| f == parent));
        let is_profile = is_in_folder && is_profile_name(path) || folders.file() == Some(path);
        // A link that is made or changed leads to another file.
        if is_profile && path.is_symlink() {
            About::Folder
        } else if is_profile || self.linked.contains(path) {
            About::Profile
        } else {
            About::Nothing
        }
    }

    fn watch_for(&mut self, folder: &Path) {
        let Some(nearest) = folder.ancestors().find(|path| path.is_dir()) else { return };
        self.watch(nearest);
        if nearest != folder {
            self.await_end_of(folder, MOST_LINKS_IN_A_ROW);
        }
        let Some(parent) = folder.parent().filter(|_| nearest == folder) else { return };
        // A folder that is moved away says so itself, but not where the one above it is, and not
        // where it is a link. Others than `headroom` are busy with other things.
        if folder.is_symlink() || parent.file_name().is_some_and(|name| name == "headroom") {
            self.watch(parent);
        }
    }

    fn watch_links_in(&mut self, folder: &Path) {
        let Ok(files) = fs::read_dir(folder) else { return };
        for file in files.flatten() {
            let is_link = file.file_type().is_ok_and(|kind| kind.is_symlink());
            if is_link && is_profile_name(&file.path()) {
                self.watch_link(&file.path());
            }
        }
    }

    fn watch_link(&mut self, link: &Path) {
        if self.linked.len() + self.awaited.len() >= MOST_LINKED {
            return;
        }
        match fs::canonicalize(link) {
            Ok(file) => {
                if let (Some(folder), Some(name)) = (file.parent(), file.file_name())
                    && let Some(known) = self.watch(folder)
                {
                    self.linked.insert(known.join(name));
                }
            }
            Err(_) => self.await_end_of(link, MOST_LINKS_IN_A_ROW),
        }
    }

    /// Where a link leads nowhere, it is waited for where it leads: as by somebody whose dotfiles
    /// are yet to be fetched.
    fn await_end_of(&mut self, path: &Path, most_links: usize) {
        let Some(most_links) = most_links.checked_sub(1) else { return };
        let leads_nowhere = |path: &&Path| path.is_symlink() && !path.exists();
        let Some(link) = path.ancestors().find(leads_nowhere) else { return };
        let (Ok(end), Some(parent)) = (fs::read_link(link), link.parent()) else { return };
        let end: PathBuf = match path.strip_prefix(link) {
            Ok(below) if below.as_os_str().is_empty() => parent.join(end),
            Ok(below) => parent.join(end).join(below),
            Err(_) => return,
        };
        let Some(nearest) = end.ancestors().find(|path| path.is_dir()) else { return };
        let next = end.strip_prefix(nearest).ok().and_then(|rest| rest.components().next());
        if let (Some(name), Some(next)) = (self.watch(nearest), next) {
            self.awaited.insert(name.join(next));
        }
        self.await_end_of(&end, most_links);
    }

    /// Gives the name that what happens in it is told under.
    fn watch(&mut self, path: &Path) -> Option<PathBuf> {
        let about = fs::metadata(path).ok()?;
        let (device, inode) = (about.dev(), about.ino());
        let is_same = |known: &&Watched| (known.device, known.inode) == (device, inode);
        if let Some(known) = self.watched.iter().find(is_same) {
            return Some(known.path.clone());
        }
        self.watched.insert(Watched { path: path.to_owned(), device, inode });
        Some(path.to_owned())
    }
}

/// As the library has it.
fn is_profile_name(path: &Path) -> bool {
    let bytes = path.file_name().unwrap_or_default().as_encoded_bytes();
    bytes.ends_with(b".toml") && !bytes.starts_with(b".")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn paths(plan: &Plan) -> Vec<&Path> {
        plan.watched.iter().map(|watched| watched.path.as_path()).collect()
    }

    #[test]
    fn a_folder_that_is_not_there_is_waited_for_above() {
        let root = tempfile::tempdir().expect("a directory");
        let folder = root.path().join("a/headroom/profiles");
        let folders = Folders::only(std::slice::from_ref(&folder));
        let plan = Plan::of(&folders);
        assert_eq!(paths(&plan), [root.path()]);
        assert_eq!(plan.about(&folders, &root.path().join("a")), About::Folder);
        assert_eq!(plan.about(&folders, &root.path().join("b")), About::Nothing);
        fs::create_dir_all(&folder).expect("made");
        let plan = Plan::of(&folders);
        assert_eq!(paths(&plan), [folder.parent().expect("a parent"), &folder]);
        assert_eq!(plan.about(&folders, &folder), About::Folder);
        assert_eq!(plan.about(&folders, &folder.join("x.toml")), About::Profile);
        for other in [".x.toml", "x.toml~", ".x.toml.swp", "4913"] {
            assert_eq!(plan.about(&folders, &folder.join(other)), About::Nothing, "{other}");
        }
        let sibling = root.path().join("a/headroom/x.toml");
        assert_eq!(plan.about(&folders, &sibling), About::Nothing);
    }

    #[test]
    fn a_folder_that_was_made_anew_is_another() {
        let root = tempfile::tempdir().expect("a directory");
        let folder = root.path().join("profiles");
        let folders = Folders::only(std::slice::from_ref(&folder));
        fs::create_dir(&folder).expect("made");
        let before = Plan::of(&folders);
        fs::rename(&folder, root.path().join("away")).expect("moved");
        fs::create_dir(&folder).expect("made");
        let after = Plan::of(&folders);
        assert_eq!(paths(&before), paths(&after));
        assert_ne!(before, after);
    }

    #[test]
    fn what_a_profile_is_a_link_to_is_watched_where_it_is() {
        let root = tempfile::tempdir().expect("a directory");
        let real = fs::canonicalize(root.path()).expect("it is there");
        let (folder, dotfiles) = (real.join("profiles"), real.join("dotfiles"));
        fs::create_dir(&folder).expect("made");
        fs::create_dir(&dotfiles).expect("made");
        fs::write(dotfiles.join("mine"), "").expect("written");
        symlink(dotfiles.join("mine"), folder.join("mine.toml")).expect("linked");
        // The same folder under another name is watched once.
        symlink(&folder, real.join("again")).expect("linked");
        let folders = Folders::only(&[folder.clone(), real.join("again")]);
        let plan = Plan::of(&folders);
        assert_eq!(paths(&plan), [real.as_path(), &dotfiles, &folder]);
        assert_eq!(plan.about(&folders, &dotfiles.join("mine")), About::Profile);
        assert_eq!(plan.about(&folders, &dotfiles.join("other")), About::Nothing);
        assert_eq!(plan.about(&folders, &folder.join("mine.toml")), About::Folder);
        // The folder itself says so when it is moved away.
        assert_eq!(plan.about(&folders, &dotfiles), About::Folder);
    }

    #[test]
    fn a_linked_file_is_known_by_the_name_that_its_folder_is_watched_by() {
        let root = tempfile::tempdir().expect("a directory");
        let real = fs::canonicalize(root.path()).expect("it is there");
        let (folder, again) = (real.join("profiles"), real.join("again"));
        fs::create_dir(&folder).expect("made");
        fs::write(folder.join("mine"), "").expect("written");
        symlink("mine", folder.join("mine.toml")).expect("linked");
        symlink(&folder, &again).expect("linked");
        let folders = Folders::only(std::slice::from_ref(&again));
        let plan = Plan::of(&folders);
        assert_eq!(paths(&plan), [real.as_path(), &again]);
        assert_eq!(plan.about(&folders, &again.join("mine")), About::Profile);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_waited_for_where_it_leads() {
        let root = tempfile::tempdir().expect("a directory");
        let real = fs::canonicalize(root.path()).expect("it is there");
        fs::create_dir(real.join("config")).expect("made");
        let folder = real.join("config/profiles");
        symlink("../dotfiles/headroom", &folder).expect("linked");
        let folders = Folders::only(std::slice::from_ref(&folder));
        let plan = Plan::of(&folders);
        let events_of = |folder: &Path| {
            let about = fs::metadata(folder).expect("it is there");
            let is_it = |w: &&Watched| (w.device, w.inode) == (about.dev(), about.ino());
            plan.watched.iter().find(is_it).expect("it is watched").path.clone()
        };
        assert_eq!(plan.about(&folders, &events_of(&real).join("dotfiles")), About::Folder);
        assert_eq!(plan.about(&folders, &events_of(&real).join("others")), About::Nothing);
        // One that leads to itself is waited for as it is, and so are two.
        fs::remove_file(&folder).expect("removed");
        symlink(&folder, &folder).expect("linked");
        assert_eq!(paths(&Plan::of(&folders)), [real.join("config")]);
        fs::remove_file(&folder).expect("removed");
        symlink("../one", &folder).expect("linked");
        symlink("two", real.join("one")).expect("linked");
        symlink("one", real.join("two")).expect("linked");
        assert!(Plan::of(&folders).watched.len() <= 2);
    }

    #[test]
    fn one_file_is_watched_in_its_folder() {
        let root = tempfile::tempdir().expect("a directory");
        let file = root.path().join("mine.toml");
        let folders = Folders::default().with_file(&file);
        let plan = Plan::of(&folders);
        assert_eq!(paths(&plan), [root.path()]);
        assert_eq!(plan.about(&folders, &file), About::Profile);
        assert_eq!(plan.about(&folders, root.path()), About::Folder);
        assert_eq!(plan.about(&folders, &root.path().join("other.toml")), About::Nothing);
    }
}
