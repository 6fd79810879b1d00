//! A tool that goes on while a test does, such as `pw-metadata --monitor`.

use std::path::Path;
use std::sync::Arc;

use crate::process::Process;
use crate::site::Site;

/// A running tool. It is killed when it is dropped.
#[derive(Debug)]
pub struct Tool {
    process: Process,
    site: Arc<Site>,
}

impl Tool {
    pub(crate) fn start(site: &Arc<Site>, program: &str, arguments: &[&str]) -> Self {
        // Into a file it would keep its lines to itself until it ends.
        let mut words = vec!["-oL".to_owned(), site.program(program).display().to_string()];
        words.extend(arguments.iter().map(ToString::to_string));
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        let log = format!("{name}-{}", site.next_number());
        let process = site.start(&log, &site.program("stdbuf"), &words);
        Self { process, site: site.clone() }
    }

    /// Everything that it has printed.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until it has printed `text`.
    ///
    /// # Panics
    ///
    /// When it has not by a generous deadline.
    pub fn wait_for_log(&self, text: &str) {
        let what = format!("{} to print {text:?}", self.process.command_line());
        self.site.wait_until(&what, || self.log().contains(text).then_some(()));
    }

    /// Ends it with SIGKILL.
    pub fn kill(mut self) {
        self.process.kill();
    }
}
