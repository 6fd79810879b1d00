//! Which folders to watch, so that no change of a profile is missed, and which changes are about
//! profiles.
//!
//! Every folder on the way to one of profiles is watched, but for its own sake alone: what happens
//! in the folders above is none of our business and may happen all the time. A folder that is not
//! there is waited for in the nearest one above it that is. Looks at the disk, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use headroom_profile::Folders;

/// The most files elsewhere, linked to from a folder of profiles, that are watched there.
const MOST_LINKED: usize = 256;
/// The most links that a path may lead through, as for Linux itself.
const MOST_LINKS_IN_A_ROW: usize = 40;

/// How much of a place is watched, the most last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// A link: that it is replaced, moved or deleted. Not where it leads.
    Link,
    /// A folder: that it is moved or deleted. Nothing of what happens in it.
    Itself,
    /// And that something comes into being in it.
    Arrivals,
    /// And whatever changes in it.
    Changes,
}

/// What to watch, and which one it was: another of the same name is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Watched {
    /// Without links in it, but for the last of [`Asked::Link`].
    pub(super) path: PathBuf,
    pub(super) asked: Asked,
    device: u64,
    inode: u64,
}

/// What to watch and what to make of what happens there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// By device and inode: events of one folder come under one name only.
    watched: BTreeMap<(u64, u64), Watched>,
    /// The folders of profiles, as this and all below by the names that events come under.
    folders: BTreeSet<PathBuf>,
    /// The files that profiles are links to, and the one that is in no folder.
    files: BTreeSet<PathBuf>,
    /// What has to come into being next, for a way to lead on.
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

/// Where a path leads, by a name without links.
enum End {
    Folder(PathBuf),
    File(PathBuf),
    Nowhere,
}

impl Plan {
    /// The plan for the disk as it is now.
    pub(super) fn of(folders: &Folders) -> Plan {
        let mut plan = Plan::default();
        for folder in folders.paths() {
            if let Some(name) = plan.watch_folder(folder) {
                plan.folders.insert(name);
            }
        }
        for folder in plan.folders.clone() {
            plan.watch_links_in(&folder);
        }
        if let Some((folder, name)) = folders.file().and_then(|file| {
            let name = file.file_name()?;
            Some((plan.watch_folder(file.parent()?)?, name))
        }) {
            let file = folder.join(name);
            plan.files.insert(file.clone());
            if file.is_symlink() {
                plan.watch_link(&file);
            }
        }
        plan
    }

    /// All that is to be watched.
    pub(super) fn watched(&self) -> BTreeSet<Watched> {
        self.watched.values().cloned().collect()
    }

    /// What a change at a path is about.
    pub(super) fn about(&self, path: &Path) -> About {
        // Of everything, as the ear has it where events were lost; or of what is watched for its
        // own sake, or of what was waited for.
        let is_watched = |path: &Path| self.watched.values().any(|watched| watched.path == path);
        if path == Path::new("/") || self.awaited.contains(path) || is_watched(path) {
            return About::Folder;
        }
        let is_in_folder = path.parent().is_some_and(|parent| self.folders.contains(parent));
        let is_profile = is_in_folder && is_profile_name(path) || self.files.contains(path);
        // A link that is made or changed leads to another file.
        if is_profile && path.is_symlink() {
            About::Folder
        } else if is_profile {
            About::Profile
        } else {
            About::Nothing
        }
    }

    /// Watches what is in a folder, and gives the name that it is told under.
    fn watch_folder(&mut self, folder: &Path) -> Option<PathBuf> {
        match self.follow(folder) {
            End::Folder(place) => self.watch(&place, Asked::Changes),
            End::File(_) | End::Nowhere => None,
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
        if self.files.len() + self.awaited.len() >= MOST_LINKED {
            return;
        }
        if let End::File(file) = self.follow(link)
            && let (Some(folder), Some(name)) = (file.parent(), file.file_name())
            && let Some(known) = self.watch(folder, Asked::Changes)
        {
            self.files.insert(known.join(name));
        }
    }

    /// Goes along a path as the kernel does, and watches every folder and link on the way for its
    /// own sake. Where it leads nowhere, it is waited for there: as by somebody whose dotfiles are
    /// yet to be fetched.
    fn follow(&mut self, path: &Path) -> End {
        let mut links = MOST_LINKS_IN_A_ROW;
        let mut here = PathBuf::from("/");
        let mut ahead = parts_from_the_last(path);
        while let Some(part) = ahead.pop() {
            if part == ".." {
                here.pop();
                continue;
            }
            let next = here.join(part);
            let about = fs::symlink_metadata(&next);
            match about {
                Ok(about) if about.is_symlink() => {
                    // Where everything in the folder is watched, its links are, too.
                    if !self.folders.contains(&here) {
                        self.watch_as(&next, Asked::Link, &about);
                    }
                    let (Some(left), Ok(end)) = (links.checked_sub(1), fs::read_link(&next)) else {
                        return End::Nowhere;
                    };
                    links = left;
                    if end.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    ahead.append(&mut parts_from_the_last(&end));
                }
                Ok(about) if about.is_dir() => {
                    self.watch_as(&next, Asked::Itself, &about);
                    here = next;
                }
                Ok(_) if ahead.is_empty() => return End::File(next),
                _ => {
                    if let (Some(known), Some(name)) =
                        (self.watch(&here, Asked::Arrivals), next.file_name())
                    {
                        self.awaited.insert(known.join(name));
                    }
                    return End::Nowhere;
                }
            }
        }
        End::Folder(here)
    }

    /// Gives the name that what happens in it is told under.
    fn watch(&mut self, path: &Path, asked: Asked) -> Option<PathBuf> {
        let about = fs::symlink_metadata(path).ok()?;
        Some(self.watch_as(path, asked, &about))
    }

    fn watch_as(&mut self, path: &Path, asked: Asked, about: &Metadata) -> PathBuf {
        let (device, inode) = (about.dev(), about.ino());
        let new = || Watched { path: path.to_owned(), asked, device, inode };
        let known = self.watched.entry((device, inode)).or_insert_with(new);
        known.asked = known.asked.max(asked);
        known.path.clone()
    }
}

fn parts_from_the_last(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::new("..").to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(part).collect()
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

    /// A place of its own, by its name without links.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().expect("a directory");
        let real = fs::canonicalize(root.path()).expect("it is there");
        (root, real)
    }

    /// What is watched in a place, and how much of it.
    fn watched(plan: &Plan, root: &Path) -> Vec<(String, Asked)> {
        let below = |watched: Watched| {
            let name = watched.path.strip_prefix(root).ok()?.to_str()?.to_owned();
            Some((name, watched.asked))
        };
        plan.watched().into_iter().filter_map(below).collect()
    }

    fn names(names: &[(&str, Asked)]) -> Vec<(String, Asked)> {
        names.iter().map(|(name, asked)| ((*name).to_owned(), *asked)).collect()
    }

    #[test]
    fn a_folder_that_is_not_there_is_waited_for_above() {
        use Asked::{Arrivals, Changes, Itself};
        let (_root, root) = place();
        let folder = root.join("a/headroom/profiles");
        let folders = Folders::only(std::slice::from_ref(&folder));
        let plan = Plan::of(&folders);
        assert_eq!(watched(&plan, &root), names(&[("", Arrivals)]));
        assert_eq!(plan.about(&root.join("a")), About::Folder);
        assert_eq!(plan.about(&root.join("b")), About::Nothing);
        fs::create_dir_all(&folder).expect("made");
        let plan = Plan::of(&folders);
        let on_the_way = [("", Itself), ("a", Itself), ("a/headroom", Itself)];
        let all = [&on_the_way[..], &[("a/headroom/profiles", Changes)]].concat();
        assert_eq!(watched(&plan, &root), names(&all));
        assert_eq!(plan.about(&folder), About::Folder);
        assert_eq!(plan.about(&folder.join("x.toml")), About::Profile);
        for other in [".x.toml", "x.toml~", ".x.toml.swp", "4913"] {
            assert_eq!(plan.about(&folder.join(other)), About::Nothing, "{other}");
        }
        assert_eq!(plan.about(&root.join("a/headroom/x.toml")), About::Nothing);
    }

    #[test]
    fn every_folder_above_is_watched_for_its_own_sake_up_to_the_root() {
        let (_root, root) = place();
        let folder = root.join("home/config/headroom/profiles");
        fs::create_dir_all(&folder).expect("made");
        let plan = Plan::of(&Folders::only(std::slice::from_ref(&folder)));
        for above in folder.ancestors().skip(1).filter(|above| above.parent().is_some()) {
            let it = plan.watched().into_iter().find(|watched| watched.path == above);
            assert_eq!(it.map(|it| it.asked), Some(Asked::Itself), "{}", above.display());
            assert_eq!(plan.about(above), About::Folder);
        }
        assert_eq!(plan.about(Path::new("/")), About::Folder, "events were lost");
    }

    #[test]
    fn a_folder_that_was_made_anew_is_another() {
        let (_root, root) = place();
        let folder = root.join("profiles");
        let folders = Folders::only(std::slice::from_ref(&folder));
        fs::create_dir(&folder).expect("made");
        let before = Plan::of(&folders);
        fs::rename(&folder, root.join("away")).expect("moved");
        fs::create_dir(&folder).expect("made");
        let after = Plan::of(&folders);
        assert_eq!(watched(&before, &root), watched(&after, &root));
        assert_ne!(before, after);
    }

    #[test]
    fn what_a_profile_is_a_link_to_is_watched_where_it_is() {
        use Asked::{Changes, Itself, Link};
        let (_root, root) = place();
        let (folder, dotfiles) = (root.join("profiles"), root.join("more/dotfiles"));
        fs::create_dir(&folder).expect("made");
        fs::create_dir_all(&dotfiles).expect("made");
        fs::write(dotfiles.join("mine"), "").expect("written");
        symlink(dotfiles.join("mine"), folder.join("mine.toml")).expect("linked");
        // The same folder under another name is watched once.
        symlink(&folder, root.join("again")).expect("linked");
        let plan = Plan::of(&Folders::only(&[folder.clone(), root.join("again")]));
        let all = [
            ("", Itself),
            ("again", Link),
            ("more", Itself),
            ("more/dotfiles", Changes),
            ("profiles", Changes),
        ];
        assert_eq!(watched(&plan, &root), names(&all));
        assert_eq!(plan.about(&dotfiles.join("mine")), About::Profile);
        assert_eq!(plan.about(&dotfiles.join("other")), About::Nothing);
        assert_eq!(plan.about(&folder.join("mine.toml")), About::Folder);
        // The folders themselves say so when they are moved away, and the link when it is.
        for itself in [&dotfiles, &root.join("more"), &root.join("again")] {
            assert_eq!(plan.about(itself), About::Folder);
        }
    }

    #[test]
    fn a_linked_file_is_known_by_the_name_that_its_folder_is_watched_by() {
        let (_root, root) = place();
        let (folder, again) = (root.join("profiles"), root.join("again"));
        fs::create_dir(&folder).expect("made");
        fs::write(folder.join("mine"), "").expect("written");
        symlink("mine", folder.join("mine.toml")).expect("linked");
        symlink(&folder, &again).expect("linked");
        let plan = Plan::of(&Folders::only(std::slice::from_ref(&again)));
        assert_eq!(plan.about(&folder.join("mine")), About::Profile);
        assert_eq!(plan.about(&folder.join("other.toml")), About::Profile);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_waited_for_where_it_leads() {
        use Asked::{Arrivals, Itself, Link};
        let (_root, root) = place();
        fs::create_dir(root.join("config")).expect("made");
        let folder = root.join("config/profiles");
        symlink("../dotfiles/headroom", &folder).expect("linked");
        let folders = Folders::only(std::slice::from_ref(&folder));
        let plan = Plan::of(&folders);
        let all = [("", Arrivals), ("config", Itself), ("config/profiles", Link)];
        assert_eq!(watched(&plan, &root), names(&all));
        assert_eq!(plan.about(&root.join("dotfiles")), About::Folder);
        assert_eq!(plan.about(&root.join("others")), About::Nothing);
        // One that leads to itself is waited for as it is, and so are two.
        fs::remove_file(&folder).expect("removed");
        symlink(&folder, &folder).expect("linked");
        let all = [("", Itself), ("config", Itself), ("config/profiles", Link)];
        assert_eq!(watched(&Plan::of(&folders), &root), names(&all));
        fs::remove_file(&folder).expect("removed");
        symlink("../one", &folder).expect("linked");
        symlink("two", root.join("one")).expect("linked");
        symlink("one", root.join("two")).expect("linked");
        assert_eq!(watched(&Plan::of(&folders), &root).len(), 5);
    }

    #[test]
    fn a_file_where_a_folder_should_be_is_waited_to_be_replaced() {
        let (_root, root) = place();
        fs::write(root.join("config"), "").expect("written");
        let folders = Folders::only(&[root.join("config/profiles")]);
        let plan = Plan::of(&folders);
        assert_eq!(watched(&plan, &root), names(&[("", Asked::Arrivals)]));
        assert_eq!(plan.about(&root.join("config")), About::Folder);
    }

    #[test]
    fn one_file_is_watched_in_its_folder() {
        let (_root, root) = place();
        let file = root.join("mine.toml");
        let plan = Plan::of(&Folders::default().with_file(&file));
        assert_eq!(watched(&plan, &root), names(&[("", Asked::Changes)]));
        assert_eq!(plan.about(&file), About::Profile);
        assert_eq!(plan.about(&root), About::Folder);
        assert_eq!(plan.about(&root.join("other.toml")), About::Nothing);
    }
}
