//! `headroom profile edit NAME`: the user's editor on a copy, checked before it replaces anything.
//!
//! The copy is a draft in a hidden folder inside the user's folder of profiles, under its right
//! name, where nobody takes it for a profile. It stays there only if it cannot be used yet. A
//! profile that was chosen by its file is edited there, and its draft is beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use headroom_profile::{Entry, read_file};
use tempfile::TempDir;

use super::delete::asking;
use crate::args::EditArgs;
use crate::ask::{self, Otherwise};
use crate::daemon;
use crate::editor::Editor;
use crate::failure::Failure;
use crate::on_disk::{self, OnDisk, place, text_of, validated};
use crate::print;

pub(crate) fn run(args: &EditArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let on_disk = OnDisk::read(extra);
    let entry = on_disk.entry(&args.name)?;
    // It would go on counting before one in the user's folder.
    let chosen = on_disk.counts_before_own(entry.name()).map(Path::to_owned);
    let in_place = chosen.is_some();
    let path = chosen.map_or_else(|| on_disk.user_file(entry.name()), Ok)?;
    let editor = Editor::find()?;
    let own = present(&path)?;
    let before = match &own {
        Some(text) => text.clone(),
        None => text_of(entry.name(), &entry.counts().origin)?,
    };
    let draft = Draft::begin(&path, &before, in_place)?;
    let Some((text, draft)) = edit_until_good(&editor, entry.name(), &before, draft)? else {
        return print::result(&format!("{} is unchanged\n", entry.name()));
    };
    if present(&path)? != own && !is_to_be_replaced(&path)? {
        let what = format!("{} has been changed by somebody else meanwhile", path.display());
        return Err(draft.keep(Failure::refused(what)));
    }
    if let Err(failure) = on_disk::write_own(&path, &text) {
        return Err(draft.keep(failure));
    }
    daemon::tell_of_files();
    drop(draft);
    print::result(&format!("saved {}\n{}", path.display(), whats_behind(entry, own.is_some())))
}

/// The user's own version as it is now.
fn present(path: &Path) -> Result<Option<String>, Failure> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read_file(path).map(Some).map_err(Failure::refused),
    }
}

/// A text that can be used; nothing if it is the one that there was before.
fn edit_until_good(
    editor: &Editor,
    name: &str,
    before: &str,
    draft: Draft,
) -> Result<Option<(String, Draft)>, Failure> {
    loop {
        let edited = editor.edit(&draft.path);
        let text = match read_file(&draft.path) {
            Ok(text) => text,
            Err(error) => return Err(draft.keep(Failure::refused(error))),
        };
        match edited {
            Err(failure) if text == before => return Err(failure),
            Err(failure) => return Err(draft.keep(failure)),
            Ok(()) if text == before => return Ok(None),
            Ok(()) => {}
        }
        let Err(error) = validated(name, &format!("{name}.toml"), &text) else {
            return Ok(Some((text, draft)));
        };
        if !ask::is_possible() {
            return Err(draft.keep(Failure::refused(error)));
        }
        print::failure(&Failure::refused(error));
        let question = format!("Edit it again? (It is kept in {} if not.)", draft.path.display());
        if !ask::yes(&question, Otherwise::Yes).map_err(asking)? {
            return Err(draft.keep(Failure::refused(format!("{name} is as it was before"))));
        }
    }
}

fn is_to_be_replaced(path: &Path) -> Result<bool, Failure> {
    let question = format!(
        "{} has been changed by somebody else meanwhile. Replace that with yours?",
        path.display()
    );
    Ok(ask::is_possible() && ask::yes(&question, Otherwise::No).map_err(asking)?)
}

/// What a first version of one's own hides.
fn whats_behind(entry: &Entry, had_own: bool) -> String {
    if had_own {
        return String::new();
    }
    format!("it takes the place of the one before: {}\n", place(&entry.counts().origin))
}

/// What is being edited. It vanishes unless it is kept.
struct Draft {
    folder: TempDir,
    path: PathBuf,
    /// Not in the user's folder, where an import would bring it.
    in_place: bool,
}

impl Draft {
    fn begin(path: &Path, text: &str, in_place: bool) -> Result<Draft, Failure> {
        let parent = path.parent().unwrap_or(Path::new("."));
        let making =
            |error| Failure::refused(format!("making a draft in {}: {error}", parent.display()));
        fs::create_dir_all(parent).map_err(making)?;
        let folder =
            tempfile::Builder::new().prefix(".draft-").tempdir_in(parent).map_err(making)?;
        let path = folder.path().join(path.file_name().unwrap_or_default());
        fs::write(&path, text).map_err(making)?;
        Ok(Draft { folder, path, in_place })
    }

    /// Leaves it where it is, and tells the user the way on; unless the editor has done away
    /// with it.
    fn keep(self, failure: Failure) -> Failure {
        let Draft { folder, path, in_place } = self;
        if !path.exists() {
            return failure;
        }
        let _ = folder.keep();
        let path = path.display();
        failure.with_hint(if in_place {
            format!("what you wrote is kept in {path}")
        } else {
            format!("what you wrote is kept: headroom profile import --force {path}")
        })
    }
}
