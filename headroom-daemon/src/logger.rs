//! Log lines on standard error: `headroomd: level: what happened`, one write each.
//!
//! No time stamps: the journal has them. Called from hr-graph, hr-events and main, never
//! from the audio thread.

use std::io::Write;

use log::{LevelFilter, Log, Metadata, Record};

use crate::args::LogLevel;

struct Stderr;

static STDERR: Stderr = Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let line = line(record);
            // Without a standard error there is nobody to tell.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

/// What happens needs no level before it; what is wrong does.
fn line(record: &Record) -> String {
    match record.level() {
        log::Level::Info => format!("headroomd: {}\n", record.args()),
        level => {
            format!("headroomd: {}: {}\n", level.as_str().to_ascii_lowercase(), record.args())
        }
    }
}

/// Sends all log lines to standard error from now on.
pub fn install(level: LogLevel) {
    log::set_max_level(match level {
        LogLevel::Error => LevelFilter::Error,
        LogLevel::Warn => LevelFilter::Warn,
        LogLevel::Info => LevelFilter::Info,
        LogLevel::Debug => LevelFilter::Debug,
    });
    // A second call finds it installed, which is what it wants.
    let _ = log::set_logger(&STDERR);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_says_how_wrong() {
        let at = |level| {
            line(&Record::builder().level(level).args(format_args!("the sink has gone")).build())
        };
        assert_eq!(at(log::Level::Info), "headroomd: the sink has gone\n");
        assert_eq!(at(log::Level::Warn), "headroomd: warn: the sink has gone\n");
    }
}
