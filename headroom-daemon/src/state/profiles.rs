//! The profiles that there are, each as it was last good, and what is wrong with its file now.
//!
//! A scan of the folders comes in as a [`Library`]; what it changes goes out as names. What is
//! in force, and who is told, is decided by the callers.

mod shown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headroom_ipc as ipc;
use headroom_profile::{Entry, FolderWarning, Folders, Levels, Library, Loaded, Origin, Profile};

use super::wire;
use shown::{about, cut, fault, never_good};

/// What is in force where nothing else can be. It is part of the program.
pub(crate) const DEFAULT: &str = "default";

/// Whether somebody is changing files while they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stillness {
    /// Nobody is, so that what is not there is gone.
    AtRest,
    /// Somebody is. What is not there may be on its way: nothing is given up for that, and another
    /// look has to follow.
    InMotion,
}

/// Every profile, by name.
#[derive(Debug)]
pub(crate) struct KnownProfiles {
    folders: Arc<Folders>,
    known: BTreeMap<String, Known>,
    folder_warnings: Vec<FolderWarning>,
}

/// A profile as it was last good.
#[derive(Debug, PartialEq)]
struct Known {
    about: ipc::Profile,
    /// Nothing where its file was never good.
    good: Option<Loaded>,
}

/// What a scan has found to be otherwise than before, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// New, or with other content, or good again.
    pub(crate) reloaded: Vec<String>,
    /// Its file cannot be used as it is now.
    pub(crate) failed: Vec<String>,
    /// No longer there.
    pub(crate) removed: Vec<String>,
    /// What was read from a file that is no longer there, whether or not there is another
    /// version behind it.
    pub(crate) lost: Vec<Lost>,
}

/// A profile whose file has gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Its name.
    pub(crate) name: String,
    /// The file.
    pub(crate) file: PathBuf,
}

impl KnownProfiles {
    /// What the first scan has found.
    pub(super) fn new(folders: Arc<Folders>, library: Library) -> KnownProfiles {
        let mut profiles =
            KnownProfiles { folders, known: BTreeMap::new(), folder_warnings: Vec::new() };
        profiles.take(library, Stillness::AtRest);
        profiles
    }

    pub(crate) fn folders(&self) -> &Arc<Folders> {
        &self.folders
    }

    /// A profile as it was last good.
    pub(crate) fn profile(&self, name: &str) -> Option<&Profile> {
        Some(&self.good(name)?.profile)
    }

    /// The same, and where it came from.
    pub(crate) fn good(&self, name: &str) -> Option<&Loaded> {
        self.known.get(name)?.good.as_ref()
    }

    /// What clients see of one.
    pub(crate) fn about(&self, name: &str) -> Option<&ipc::Profile> {
        self.known.get(name).map(|known| &known.about)
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.known.keys().map(String::as_str).collect()
    }

    /// What clients see of all, sorted by name, while this one is in force, without what is said of
    /// devices.
    pub(super) fn shown(&self, used: String) -> ipc::Profiles {
        let profiles = self.known.values().map(|known| known.about.clone()).collect();
        let folders = self.folders.paths().iter().map(|path| path.display().to_string());
        ipc::Profiles { used, profiles, folders: folders.collect(), ..ipc::Profiles::default() }
    }

    /// The profiles whose files cannot be used as they are now.
    pub(crate) fn at_fault(&self) -> impl Iterator<Item = (&str, &ipc::ProfileFault)> {
        self.known
            .iter()
            .filter_map(|(name, known)| Some((name.as_str(), known.about.fault.as_ref()?)))
    }

    /// A profile with all that it says, under the overrides of these levels.
    pub(crate) fn detail(&self, name: &str, levels: &Levels) -> Option<ipc::ProfileDetail> {
        let Known { about, good } = self.known.get(name)?;
        let profile = &good.as_ref()?.profile;
        Some(ipc::ProfileDetail {
            profile: about.clone(),
            settings: levels.values_with(profile),
            rules: profile.rules.iter().map(wire::rule).collect(),
            default_route: wire::route(&profile.default_route.route),
        })
    }

    /// Folders whose profiles are not all known.
    pub(crate) fn folder_warnings(&self) -> &[FolderWarning] {
        &self.folder_warnings
    }

    /// Takes over what a scan has found. What is good is taken over; what is bad keeps what was
    /// last good and says why.
    pub(crate) fn take(&mut self, library: Library, stillness: Stillness) -> News {
        let mut news = News::default();
        let mut before = std::mem::take(&mut self.known);
        self.folder_warnings = library.warnings().to_vec();
        for entry in library.into_entries() {
            let name = entry.name().to_owned();
            let old = before.remove(&name);
            let places: Vec<&Origin> = entry.versions().iter().map(|v| &v.origin).collect();
            let gone = old.as_ref().and_then(file_of).filter(|file| {
                !places.iter().any(|place| matches!(place, Origin::File(path) if path == file))
            });
            let gone = gone.filter(|_| !old.as_ref().is_some_and(|old| self.is_out_of_sight(old)));
            let is_replaced = old.as_ref().is_some_and(|old| self.is_replaced(old, &entry));
            if gone.is_some() && stillness == Stillness::InMotion && !is_replaced {
                self.known.extend(old.map(|old| (name, old)));
                continue;
            }
            if let Some(file) = gone {
                news.lost.push(Lost { name: name.clone(), file: file.to_owned() });
            }
            let new = match &old {
                Some(old) if self.is_out_of_sight(old) && !is_replaced => self.unseen(old),
                _ => known(entry, old.as_ref()),
            };
            match (&old, new.about.fault.as_ref()) {
                (Some(old), _) if *old == new => {}
                (Some(old), Some(_)) if old.about.fault == new.about.fault => {
                    news.reloaded.push(name.clone());
                }
                (_, Some(_)) => news.failed.push(name.clone()),
                (_, None) => news.reloaded.push(name.clone()),
            }
            self.known.insert(name, new);
        }
        for (name, old) in before {
            if self.is_out_of_sight(&old) {
                let new = self.unseen(&old);
                if old != new {
                    news.failed.push(name.clone());
                }
                self.known.insert(name, new);
            } else if stillness == Stillness::InMotion {
                self.known.insert(name, old);
            } else {
                if let Some(file) = file_of(&old) {
                    news.lost.push(Lost { name: name.clone(), file: file.to_owned() });
                }
                news.removed.push(name);
            }
        }
        news
    }

    /// A folder that cannot be looked into has not lost its files.
    fn is_out_of_sight(&self, known: &Known) -> bool {
        self.unreadable(known).is_some()
    }

    /// Whether there is a good version where it counts more than where this one was read.
    fn is_replaced(&self, known: &Known, entry: &Entry) -> bool {
        let old = known.good.as_ref().map(|old| self.weight(&old.origin));
        entry.good().is_some_and(|good| Some(self.weight(&good.origin)) > old)
    }

    /// How much a place counts: what is embedded least, a file of its own most.
    fn weight(&self, origin: &Origin) -> usize {
        let folders = self.folders.paths();
        match origin {
            Origin::Embedded => 0,
            Origin::File(file) if self.folders.file() == Some(file) => folders.len() + 1,
            Origin::File(file) => {
                let place = folders.iter().position(|folder| file.parent() == Some(folder));
                place.map_or(0, |place| place + 1)
            }
        }
    }

    fn unreadable(&self, known: &Known) -> Option<&FolderWarning> {
        let file = file_of(known)?;
        self.folder_warnings.iter().find(|warning| match warning {
            FolderWarning::Unreadable { path, .. } => file.parent() == Some(path),
            _ => false,
        })
    }

    fn unseen(&self, known: &Known) -> Known {
        let message = self.unreadable(known).map(ToString::to_string).unwrap_or_default();
        let fault = Some(ipc::ProfileFault { message: cut(&message), line: None, column: None });
        let about = ipc::Profile { fault, ..known.about.clone() };
        Known { about, good: known.good.clone() }
    }
}

/// The file that a profile was last read from.
fn file_of(known: &Known) -> Option<&Path> {
    match &known.good.as_ref()?.origin {
        Origin::File(path) => Some(path),
        Origin::Embedded => None,
    }
}

/// What is to be known of a profile after a scan.
fn known(entry: Entry, old: Option<&Known>) -> Known {
    let name = entry.name().to_owned();
    let fault = entry.fault().map(fault);
    let origin = entry.counts().origin.clone();
    // What was read from the very file that is bad now stays, before anything behind it, and also
    // where other bad ones are before it.
    let versions = entry.versions();
    let good = versions.iter().rposition(|version| version.content.is_ok());
    let kept = old.and_then(|old| old.good.as_ref()).filter(|last_good| {
        let now = versions.iter().rposition(|version| version.origin == last_good.origin);
        now.is_some_and(|now| versions[now].content.is_err() && good.is_none_or(|good| good < now))
    });
    let good = match kept {
        Some(kept) => Some(kept.clone()),
        None => entry.into_good(),
    };
    let about = match &good {
        Some(loaded) => about(loaded, fault),
        None => never_good(name, &origin, fault),
    };
    Known { about, good }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Folders of profiles, the last of which counts most, and what is known of them.
    struct Setup {
        root: tempfile::TempDir,
        profiles: KnownProfiles,
    }

    fn start() -> Setup {
        let root = tempfile::tempdir().expect("a directory");
        let paths = ["a", "b"].map(|name| root.path().join(name));
        for path in &paths {
            fs::create_dir(path).expect("made");
        }
        let folders = Arc::new(Folders::only(&paths));
        let library = Library::scan(&folders);
        Setup { root, profiles: KnownProfiles::new(folders, library) }
    }

    impl Setup {
        fn write(&mut self, file: &str, target_lufs: &str) {
            let text = format!(
                "name = \"mine\"\ndescription = \"d\"\n[agc]\ntarget_lufs = {target_lufs}\n"
            );
            fs::write(self.root.path().join(file), text).expect("written");
        }

        fn scan(&mut self) -> News {
            self.scan_when(Stillness::AtRest)
        }

        fn scan_when(&mut self, stillness: Stillness) -> News {
            let folders = self.profiles.folders().clone();
            self.profiles.take(Library::scan(&folders), stillness)
        }

        fn target(&self) -> Option<f32> {
            self.profiles.profile("mine").map(|profile| profile.agc.target_lufs)
        }

        fn fault(&self) -> Option<&str> {
            let about = self.profiles.about("mine").expect("it is known");
            about.fault.as_ref().map(|fault| fault.message.as_str())
        }
    }

    #[test]
    fn the_last_good_version_stays_where_two_places_are_bad() {
        let mut it = start();
        it.write("a/mine.toml", "-21");
        it.write("b/mine.toml", "\"never good\"");
        it.scan();
        assert_eq!(it.target(), Some(-21.0));
        it.write("a/mine.toml", "\"bad now\"");
        it.scan();
        assert_eq!(it.target(), Some(-21.0), "as it was last good");
        assert!(it.fault().is_some_and(|fault| fault.contains("b/mine.toml")), "what counts");
        it.write("a/mine.toml", "-22");
        it.scan();
        assert_eq!(it.target(), Some(-22.0));
        it.write("b/mine.toml", "-23");
        it.scan();
        assert_eq!((it.target(), it.fault()), (Some(-23.0), None));
    }

    #[test]
    fn a_folder_out_of_sight_keeps_its_profile_until_there_is_one_that_counts_more() {
        let mut it = start();
        it.write("a/mine.toml", "-21");
        it.scan();
        // A link to itself cannot be looked into, whoever looks.
        let (a, away) = (it.root.path().join("a"), it.root.path().join("away"));
        fs::rename(&a, &away).expect("moved");
        std::os::unix::fs::symlink(&a, &a).expect("linked");
        assert_eq!(it.scan().failed, ["mine"]);
        assert_eq!(it.target(), Some(-21.0));
        it.write("b/mine.toml", "\"bad\"");
        it.scan();
        assert_eq!(it.target(), Some(-21.0), "a bad one takes no place");
        it.write("b/mine.toml", "-23");
        assert_eq!(it.scan().reloaded, ["mine"]);
        assert_eq!((it.target(), it.fault()), (Some(-23.0), None));
    }

    #[test]
    fn what_is_gone_is_given_up_when_nobody_is_changing_files_any_more() {
        let mut it = start();
        it.write("a/mine.toml", "-21");
        it.write("b/mine.toml", "-22");
        it.write("b/other.toml", "-18");
        it.scan();
        let files = ["a/mine.toml", "b/mine.toml", "b/other.toml"].map(|f| it.root.path().join(f));
        fs::remove_file(&files[1]).expect("removed");
        fs::remove_file(&files[2]).expect("removed");
        assert_eq!(it.scan_when(Stillness::InMotion), News::default());
        assert_eq!(it.target(), Some(-22.0), "another version behind it changes nothing");
        assert!(it.profiles.about("other").is_some());
        // What is there counts at once, whoever else is busy.
        it.write("b/mine.toml", "-23");
        it.write("b/new.toml", "\"bad\"");
        let news = it.scan_when(Stillness::InMotion);
        assert_eq!((news.reloaded, news.failed), (vec!["mine".into()], vec!["new".into()]));
        assert_eq!(it.target(), Some(-23.0));
        fs::remove_file(&files[1]).expect("removed");
        assert_eq!(it.scan_when(Stillness::InMotion), News::default());
        let news = it.scan();
        assert_eq!((news.reloaded, news.removed), (vec!["mine".into()], vec!["other".into()]));
        assert_eq!(news.lost.len(), 1);
        assert_eq!(it.target(), Some(-21.0));
    }
}
