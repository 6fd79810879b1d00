//! Every profile that there is, by name: what the program holds, and what the folders of
//! profiles hold on top.
//!
//! The daemon scans at its start and whenever a folder has changed; `headroom profile` scans
//! with no daemon at all. A file that is bad costs nothing but itself: it keeps its error, and
//! the good version behind it is still there. This reads the disk and must not be called with a
//! lock held.

mod folder;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

pub use folder::{FolderWarning, MAX_FILES_IN_FOLDER};

use crate::embedded::embedded;
use crate::folders::Folders;
use crate::load::{LoadError, Loaded, Origin, load_embedded, load_file};
use crate::spelling::nearest;
use folder::files_of;

/// The profiles of a scan. See the module.
#[derive(Debug, Default)]
pub struct Library {
    entries: BTreeMap<String, Entry>,
    warnings: Vec<FolderWarning>,
}

/// Every version of the profile of one name.
#[derive(Debug)]
pub struct Entry {
    name: String,
    /// Never empty.
    versions: Vec<Version>,
}

/// A profile as one place has it.
#[derive(Debug)]
pub struct Version {
    /// The place.
    pub origin: Origin,
    /// What is there.
    pub content: Result<Loaded, LoadError>,
}

impl Library {
    /// Reads what is embedded, and every `*.toml` in every folder that does not begin with a
    /// dot. Whatever is on the disk, there is a library, and in it what is embedded.
    #[must_use]
    pub fn scan(folders: &Folders) -> Library {
        let mut library = Library::default();
        for (name, text) in embedded() {
            let content = load_embedded(name, text);
            library.put(name, Version { origin: Origin::Embedded, content });
        }
        for folder in folders.paths() {
            library.scan_folder(folder);
        }
        if let Some(file) = folders.file() {
            library.scan_file(file);
        }
        library
    }

    /// The names, sorted by their bytes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The profile of this name, in all its versions.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Every profile, sorted by name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Gives every profile away, sorted by name.
    pub fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.entries.into_values()
    }

    /// What of the folders is not in here, and why.
    #[must_use]
    pub fn warnings(&self) -> &[FolderWarning] {
        &self.warnings
    }

    /// The profile of this name as the place that counts has it.
    ///
    /// # Errors
    /// There is none of this name, or that place holds no valid profile, even where a place
    /// behind it does.
    pub fn load(mut self, name: &str) -> Result<Loaded, LoadError> {
        let not_found = self.not_found(name);
        let last = self.entries.get_mut(name).and_then(|entry| entry.versions.pop());
        last.ok_or(not_found)?.content
    }

    /// The refusal for a name that is not here.
    #[must_use]
    pub fn not_found(&self, name: &str) -> LoadError {
        let names: Vec<&str> = self.names().collect();
        LoadError::NotFound {
            name: name.to_owned(),
            known: names.join(", "),
            nearest: nearest(name, &names).map(str::to_owned),
        }
    }

    fn scan_folder(&mut self, folder: &Path) {
        let files = match files_of(folder) {
            Ok((files, count)) => {
                if count > files.len() {
                    let path = folder.to_owned();
                    self.warnings.push(FolderWarning::Crowded { path, files: count });
                }
                files
            }
            // A path that leads through a file is no folder either.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) && !folder.exists() =>
            {
                return;
            }
            Err(error) => {
                let (path, why) = (folder.to_owned(), error.to_string());
                self.warnings.push(FolderWarning::Unreadable { path, why });
                return;
            }
        };
        for file in files {
            let path = folder.join(file);
            if path.file_stem().is_some_and(|stem| stem.as_encoded_bytes().ends_with(b".toml")) {
                self.warnings.push(FolderWarning::NameIsAFile { path });
            } else {
                self.scan_file(&path);
            }
        }
    }

    fn scan_file(&mut self, path: &Path) {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else {
            self.warnings.push(FolderWarning::NameIsNotText { path: path.to_owned() });
            return;
        };
        let content = match fs::metadata(path) {
            // A pipe would keep whoever opens it waiting, maybe for ever.
            Ok(about) if !about.is_file() => {
                Err(LoadError::NotAFile { path: path.to_owned(), is_folder: about.is_dir() })
            }
            Ok(_) => load_file(path),
            Err(source) => Err(LoadError::Read { path: path.to_owned(), source }),
        };
        // Gone since the folder was listed: nothing is there.
        let is_gone = match &content {
            Err(LoadError::Read { source, .. }) => {
                source.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err()
            }
            _ => false,
        };
        if !is_gone {
            self.put(name, Version { origin: Origin::File(path.to_owned()), content });
        }
    }

    fn put(&mut self, name: &str, version: Version) {
        let entry = self.entries.entry(name.to_owned());
        let new = || Entry { name: name.to_owned(), versions: Vec::new() };
        entry.or_insert_with(new).versions.push(version);
    }
}

impl Entry {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every version, the one that counts last.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The version that counts, good or bad.
    #[must_use]
    pub fn counts(&self) -> &Version {
        self.versions.last().expect("an entry is made with its first version")
    }

    /// The good version that counts most.
    #[must_use]
    pub fn good(&self) -> Option<&Loaded> {
        self.versions.iter().rev().find_map(|version| version.content.as_ref().ok())
    }

    /// Gives away the good version that counts most.
    #[must_use]
    pub fn into_good(self) -> Option<Loaded> {
        self.versions.into_iter().rev().find_map(|version| version.content.ok())
    }

    /// Why the version that counts cannot be used, if it cannot.
    #[must_use]
    pub fn fault(&self) -> Option<&LoadError> {
        self.counts().content.as_ref().err()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    fn profile(name: &str, target_lufs: i32) -> String {
        format!("name = {name:?}\ndescription = \"d\"\n[agc]\ntarget_lufs = {target_lufs}\n")
    }

    /// Two folders, the second of which counts more.
    fn folders() -> (tempfile::TempDir, [PathBuf; 2], Folders) {
        let root = tempfile::tempdir().expect("a directory");
        let paths = ["a", "b"].map(|name| root.path().join(name));
        for path in &paths {
            fs::create_dir(path).expect("made");
        }
        let folders = Folders::only(&paths);
        (root, paths, folders)
    }

    fn target(loaded: &Loaded) -> f32 {
        loaded.profile.agc.target_lufs
    }

    #[test]
    fn a_later_folder_replaces_an_earlier_one_and_what_is_embedded() {
        let (_root, [a, b], folders) = folders();
        fs::write(a.join("default.toml"), profile("default", -20)).expect("written");
        fs::write(a.join("mine.toml"), profile("mine", -21)).expect("written");
        fs::write(b.join("mine.toml"), profile("mine", -22)).expect("written");
        let library = Library::scan(&folders);
        let entry = |name| library.get(name).expect("it is there");
        assert_eq!(target(entry("default").good().expect("good")), -20.0);
        assert_eq!(entry("default").versions().len(), 2);
        assert_eq!(target(entry("mine").good().expect("good")), -22.0);
        assert_eq!(entry("mine").counts().origin, Origin::File(b.join("mine.toml")));
        assert_eq!(entry("transparent").counts().origin, Origin::Embedded);
        assert_eq!(library.warnings(), []);
    }

    #[test]
    fn a_bad_file_keeps_its_error_and_the_good_version_behind_it_is_there() {
        let (_root, [a, b], folders) = folders();
        fs::write(a.join("mine.toml"), profile("mine", -21)).expect("written");
        fs::write(b.join("mine.toml"), "name = \"mine\"\ndescription = 3\n").expect("written");
        fs::write(b.join("other.toml"), profile("another", -20)).expect("written");
        let library = Library::scan(&folders);
        let mine = library.get("mine").expect("it is there");
        let fault = mine.fault().expect("bad").to_string();
        assert!(fault.contains("mine.toml:2:15: description is 3"), "{fault}");
        assert_eq!(target(mine.good().expect("the one behind it")), -21.0);
        let other = library.get("other").expect("it goes by the name of its file");
        assert!(other.good().is_none() && other.fault().is_some());
        let refused = library.load("mine").expect_err("what counts is bad").to_string();
        assert_eq!(refused, fault);
    }

    #[test]
    fn what_is_no_profile_by_its_name_is_not_looked_at() {
        let (_root, [a, _], folders) = folders();
        for name in [".mine.toml", ".#mine.toml", "mine.toml~", "mine.toml.swp", "4913", "mine"] {
            fs::write(a.join(name), profile("mine", -21)).expect("written");
        }
        let embedded: Vec<String> = embedded().map(|(name, _)| name.to_owned()).collect();
        let mut names: Vec<String> = Library::scan(&folders).names().map(str::to_owned).collect();
        names.sort_by_key(|name| embedded.iter().position(|known| known == name));
        assert_eq!(names, embedded);
    }

    #[test]
    fn a_name_that_would_be_taken_for_a_file_is_left_out_with_a_warning() {
        let (_root, [a, _], folders) = folders();
        let path = a.join("mine.toml.toml");
        fs::write(&path, profile("mine.toml", -21)).expect("written");
        let library = Library::scan(&folders);
        assert!(library.get("mine.toml").is_none());
        assert_eq!(library.warnings(), [FolderWarning::NameIsAFile { path }]);
        assert!(library.warnings()[0].to_string().contains("mine.toml.toml is left out"));
    }

    #[test]
    fn whatever_lies_in_a_folder_gives_an_error_and_nobody_waits_for_it() {
        let (root, [a, b], folders) = folders();
        fs::create_dir(a.join("folder.toml")).expect("made");
        symlink(a.join("loop.toml"), a.join("loop.toml")).expect("linked");
        symlink(root.path().join("nowhere"), a.join("nowhere.toml")).expect("linked");
        symlink("/dev/zero", a.join("endless.toml")).expect("linked");
        fs::write(root.path().join("real"), profile("linked", -21)).expect("written");
        symlink(root.path().join("real"), a.join("linked.toml")).expect("linked");
        fs::remove_dir(&b).expect("removed");
        symlink(&b, &b).expect("linked");
        let library = Library::scan(&folders);
        let fault =
            |name: &str| library.get(name).expect("it is there").fault().expect("bad").to_string();
        assert!(fault("folder").contains("it is a folder"), "{}", fault("folder"));
        assert!(fault("loop").contains("reading profile"), "{}", fault("loop"));
        assert!(fault("nowhere").contains("No such file"), "{}", fault("nowhere"));
        assert!(fault("endless").contains("no regular file"), "{}", fault("endless"));
        assert!(library.get("linked").expect("it is there").good().is_some());
        let [FolderWarning::Unreadable { path, .. }] = library.warnings() else {
            panic!("{:?}", library.warnings())
        };
        assert_eq!(*path, b);
    }

    #[test]
    fn a_folder_with_too_many_files_is_read_as_far_as_the_limit() {
        let (_root, [a, _], folders) = folders();
        for n in 0..MAX_FILES_IN_FOLDER + 3 {
            fs::write(a.join(format!("n{n:05}.toml")), "").expect("written");
        }
        let library = Library::scan(&folders);
        let [FolderWarning::Crowded { files, .. }] = library.warnings() else {
            panic!("no warning")
        };
        assert_eq!(*files, MAX_FILES_IN_FOLDER + 3);
        assert!(library.get("n00255").is_some() && library.get("n00256").is_none());
    }

    #[test]
    fn one_file_counts_before_every_folder() {
        let (root, [_, b], folders) = folders();
        let file = root.path().join("mine.toml");
        fs::write(b.join("mine.toml"), profile("mine", -22)).expect("written");
        fs::write(&file, profile("mine", -23)).expect("written");
        let folders = folders.with_file(&file);
        let target_of_mine =
            || target(Library::scan(&folders).get("mine").expect("there").good().expect("good"));
        assert_eq!(target_of_mine(), -23.0);
        fs::remove_file(&file).expect("removed");
        assert_eq!(target_of_mine(), -22.0);
    }

    #[test]
    fn a_misspelt_name_is_told_the_right_one_among_all() {
        let (_root, [a, _], folders) = folders();
        fs::write(a.join("bedroom.toml"), profile("bedroom", -21)).expect("written");
        let said = Library::scan(&folders).load("bedrom").expect_err("no such").to_string();
        assert!(said.contains("did you mean \"bedroom\"?"), "{said}");
    }
}
