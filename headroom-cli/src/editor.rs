//! The user's editor, on one file.

use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGQUIT};
use signal_hook::flag;

use crate::failure::Failure;

/// What is tried where the user has named none, in this order.
const USUAL: &[&str] = &["sensible-editor", "nano", "vi"];

/// What a shell ends with where there is no such program.
const NOT_FOUND: i32 = 127;

/// The editor that the user has chosen, with its arguments.
#[derive(Debug)]
pub(crate) struct Editor {
    command: String,
    /// Nobody edits now, so that Ctrl-C means us.
    is_idle: Arc<AtomicBool>,
}

impl Editor {
    /// The one that `$VISUAL` or `$EDITOR` names, else a usual one.
    pub(crate) fn find() -> Result<Editor, Failure> {
        let named = |name| env::var(name).ok().filter(|command| !command.trim().is_empty());
        let usual = || USUAL.iter().find(|name| is_in_path(name)).map(|name| (*name).to_owned());
        let command =
            named("VISUAL").or_else(|| named("EDITOR")).or_else(usual).ok_or_else(|| {
                Failure::refused("neither VISUAL nor EDITOR names an editor")
                    .with_hint("name one, such as: export EDITOR=nano")
            })?;
        // Ctrl-C in an editor is the editor's, and reaches all on the terminal.
        let is_idle = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGQUIT] {
            flag::register_conditional_default(signal, Arc::clone(&is_idle))
                .map_err(|error| Failure::refused(format!("listening to signals: {error}")))?;
        }
        Ok(Editor { command, is_idle })
    }

    /// Waits until the user is done with this file.
    pub(crate) fn edit(&self, path: &Path) -> Result<(), Failure> {
        let command = &self.command;
        self.is_idle.store(false, Ordering::SeqCst);
        // By the shell, as everywhere: the command may have arguments, quotes and variables.
        let ended = Command::new("sh")
            .args(["-c", &format!("{command} \"$@\""), command])
            .arg(path)
            .status();
        self.is_idle.store(true, Ordering::SeqCst);
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) if status.code() == Some(NOT_FOUND) => {
                Err(Failure::refused(format!("the editor ({command}) failed: there is none"))
                    .with_hint("VISUAL and EDITOR say which it is"))
            }
            Ok(status) => Err(Failure::refused(format!("the editor ({command}) failed: {status}"))),
            Err(error) => {
                Err(Failure::refused(format!("starting the editor ({command}): {error}")))
            }
        }
    }
}

fn is_in_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}
