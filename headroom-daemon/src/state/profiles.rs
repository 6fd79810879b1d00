//! The profiles that there are, each as it was last good, and what is wrong with its file now.
//!
//! A scan of the folders comes in as a [`Library`]; what it changes goes out as names. What is
//! in force, and who is told, is decided by the callers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headroom_ipc as ipc;
use headroom_profile::{
    Entry, FolderWarning, Folders, Levels, Library, LoadError, Loaded, Origin, Profile,
};

use super::wire;

/// What is in force where nothing else can be. It is part of the program.
pub(crate) const DEFAULT: &str = "default";

/// Warnings of one profile that clients see; the file has the rest. With the next, this keeps a
/// list of all profiles within a message.
const MOST_WARNINGS: usize = 4;
/// What is said of a profile is cut at so many characters.
const LONGEST_TEXT: usize = 400;

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
        profiles.take(library);
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

    /// What clients see of all, sorted by name.
    pub(crate) fn all(&self) -> Vec<ipc::Profile> {
        self.known.values().map(|known| known.about.clone()).collect()
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
    pub(crate) fn take(&mut self, library: Library) -> News {
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
            if let Some(file) = gone {
                news.lost.push(Lost { name: name.clone(), file: file.to_owned() });
            }
            let new = match &old {
                Some(old) if self.is_out_of_sight(old) => self.unseen(old),
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
    let last_good = old.and_then(|old| old.good.as_ref());
    let good = match &fault {
        // What was read from the very file that is bad now stays, before anything behind it.
        Some(_) if last_good.is_some_and(|good| good.origin == origin) => last_good.cloned(),
        _ => entry.into_good(),
    };
    let about = match &good {
        Some(loaded) => about(loaded, fault),
        None => ipc::Profile {
            name,
            description: String::new(),
            origin: wire_origin(&origin),
            path: path(&origin),
            warnings: Vec::new(),
            fault,
        },
    };
    Known { about, good }
}

fn about(loaded: &Loaded, fault: Option<ipc::ProfileFault>) -> ipc::Profile {
    let mut warnings: Vec<String> = loaded
        .warnings
        .iter()
        .take(MOST_WARNINGS)
        .map(|warning| cut(&warning.to_string()))
        .collect();
    if let Some(more) = loaded.warnings.len().checked_sub(MOST_WARNINGS).filter(|more| *more > 0) {
        warnings.push(format!("and {more} more"));
    }
    ipc::Profile {
        name: loaded.profile.name.clone(),
        description: cut(&loaded.profile.description),
        origin: wire_origin(&loaded.origin),
        path: path(&loaded.origin),
        warnings,
        fault,
    }
}

fn wire_origin(origin: &Origin) -> ipc::ProfileOrigin {
    match origin {
        Origin::Embedded => ipc::ProfileOrigin::Embedded,
        Origin::File(_) => ipc::ProfileOrigin::File,
    }
}

fn path(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Embedded => None,
        Origin::File(path) => Some(path.display().to_string()),
    }
}

fn fault(error: &LoadError) -> ipc::ProfileFault {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    ipc::ProfileFault {
        message: cut(&error.to_string()),
        line: error.place().map(|place| number(place.line)),
        column: error.place().map(|place| number(place.column)),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
