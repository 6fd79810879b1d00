//! The user's default sink: which one it is, which device that makes ours, and what is to be
//! written to become the default and to give it back.
//!
//! WirePlumber keeps two values: the sink that was asked for (configured) and the one that it
//! came to (actual). Pure: what the metadata says goes in, what is to be written comes out.

use crate::journal::{FormerDefault, Note};

/// Key of the default sink that somebody asked for.
pub(super) const CONFIGURED: &str = "default.configured.audio.sink";
/// Key of the default sink that WirePlumber came to.
pub(super) const ACTUAL: &str = "default.audio.sink";
/// Key under which we leave the default sink that was there before us, for ourselves after a
/// crash. Others pass over it.
pub(super) const FORMER: &str = "headroom.former.audio.sink";

/// The name in a value such as `{"name":"alsa_output.pci"}`.
pub(super) fn name_in(value: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(value).ok()?;
    Some(value.get("name")?.as_str()?.to_owned())
}

/// A value with this name.
pub(super) fn value_of(name: &str) -> String {
    serde_json::json!({ "name": name }).to_string()
}

/// What the metadata says of the default sink. Names only; `is_ours` tells which are ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DefaultSink {
    pub(super) configured: Option<String>,
    pub(super) actual: Option<String>,
    /// The default before ours: the configured one where there was one.
    former_configured: Option<String>,
    /// The device that was heard before ours became the default.
    former_actual: Option<String>,
    /// We were the default and were not there to give it back.
    left_behind: bool,
}

impl DefaultSink {
    /// With what a run before this one had noted of the default, and not put back.
    pub(super) fn after(former: Option<&FormerDefault>) -> DefaultSink {
        DefaultSink {
            former_configured: former.and_then(|former| former.configured.clone()),
            former_actual: former.and_then(|former| former.actual.clone()),
            left_behind: former.is_some(),
            ..DefaultSink::default()
        }
    }

    /// What is to be noted before ours becomes the default.
    pub(super) fn note(&self) -> Note {
        let (configured, actual) = (self.former_configured.clone(), self.former_actual.clone());
        Note::FormerDefault(FormerDefault { configured, actual })
    }

    /// Takes a metadata value. Anything else than the keys above is passed over.
    pub(super) fn takes(&mut self, key: &str, value: Option<&str>, is_ours: impl Fn(&str) -> bool) {
        let name = value.and_then(name_in);
        match key {
            CONFIGURED => {
                self.configured = name;
                match &self.configured {
                    Some(name) if is_ours(name) => {}
                    // Whoever else is asked for is the default that ours came after.
                    other => self.former_configured.clone_from(other),
                }
            }
            ACTUAL => {
                self.actual = name;
                if let Some(name) = &self.actual
                    && !is_ours(name)
                {
                    self.former_actual = Some(name.clone());
                }
            }
            FORMER => {
                self.left_behind |= value.is_some();
                if self.former_configured.is_none() {
                    self.former_configured = name.filter(|name| !name.is_empty());
                }
            }
            _ => {}
        }
    }

    /// The device sink that sound shall go to: the default one, or while that is one of ours
    /// the one from before.
    pub(super) fn wanted_device(&self, is_ours: impl Fn(&str) -> bool) -> Option<&str> {
        match &self.actual {
            Some(name) if !is_ours(name) => Some(name),
            _ => self.former_configured.as_deref().or(self.former_actual.as_deref()),
        }
    }

    /// What was configured before ours; nothing if nobody had asked for one.
    pub(super) fn former_configured(&self) -> Option<&str> {
        self.former_configured.as_deref()
    }

    /// The sink to hand the default back to.
    pub(super) fn former(&self) -> Option<&str> {
        self.former_configured.as_deref().or(self.former_actual.as_deref())
    }

    /// Whether an earlier run of ours became the default and was killed before it could give
    /// it back.
    pub(super) fn was_left_behind(&self) -> bool {
        self.left_behind
    }

    /// The default has been given back, or is ours by this run's doing.
    pub(super) fn is_not_left_behind(&mut self) {
        self.left_behind = false;
    }

    /// WirePlumber has gone: what it said no longer holds, what was before us does.
    pub(super) fn forget_current(&mut self) {
        self.configured = None;
        self.actual = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(name: &str) -> bool {
        name.starts_with("headroom.")
    }

    fn with(values: &[(&str, &str)]) -> DefaultSink {
        let mut default = DefaultSink::default();
        for (key, name) in values {
            default.takes(key, Some(&value_of(name)), ours);
        }
        default
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        assert_eq!(name_in(&value_of("a \"b\"")), Some("a \"b\"".into()));
        assert_eq!(name_in("{ \"name\": \"x\" }"), Some("x".into()));
        for bad in ["", "null", "{}", "{\"name\":3}", "nonsense"] {
            assert_eq!(name_in(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_device_is_the_default_and_never_ours() {
        let mut default = with(&[(ACTUAL, "speakers")]);
        assert_eq!(default.wanted_device(ours), Some("speakers"));
        default.takes(ACTUAL, Some(&value_of("headphones")), ours);
        assert_eq!(default.wanted_device(ours), Some("headphones"));
        default.takes(CONFIGURED, Some(&value_of("headroom.main")), ours);
        default.takes(ACTUAL, Some(&value_of("headroom.main")), ours);
        assert_eq!(default.wanted_device(ours), Some("headphones"));
    }

    #[test]
    fn the_default_goes_back_to_who_had_it() {
        let asked_for = with(&[
            (CONFIGURED, "headphones"),
            (ACTUAL, "headphones"),
            (CONFIGURED, "headroom.main"),
            (ACTUAL, "headroom.main"),
        ]);
        assert_eq!(asked_for.former(), Some("headphones"));
        assert_eq!(asked_for.former_configured(), Some("headphones"));
        let nobody_asked =
            with(&[(ACTUAL, "speakers"), (CONFIGURED, "headroom.main"), (ACTUAL, "headroom.main")]);
        assert_eq!(nobody_asked.former(), Some("speakers"));
        assert_eq!(nobody_asked.former_configured(), None);
    }

    #[test]
    fn after_a_crash_the_default_from_before_it_is_known() {
        let restarted =
            with(&[(CONFIGURED, "headroom.main"), (ACTUAL, "speakers"), (FORMER, "headphones")]);
        assert!(restarted.was_left_behind());
        assert_eq!(restarted.former_configured(), Some("headphones"));
        assert_eq!(restarted.wanted_device(ours), Some("speakers"));
    }

    #[test]
    fn after_a_crash_of_everything_the_default_from_before_it_is_in_the_journal() {
        let noted = with(&[
            (CONFIGURED, "headphones"),
            (ACTUAL, "headphones"),
            (CONFIGURED, "headroom.main"),
            (ACTUAL, "headroom.main"),
        ])
        .note();
        let Note::FormerDefault(former) = noted else { panic!("{noted:?}") };
        let mut restarted = DefaultSink::after(Some(&former));
        // WirePlumber has stored what it was asked for last.
        restarted.takes(CONFIGURED, Some(&value_of("headroom.main")), ours);
        restarted.takes(ACTUAL, Some(&value_of("speakers")), ours);
        assert!(restarted.was_left_behind());
        assert_eq!(restarted.former_configured(), Some("headphones"));
        assert!(!DefaultSink::after(None).was_left_behind());
    }

    #[test]
    fn a_default_that_is_unplugged_is_still_the_one_to_go_back_to() {
        let mut default = with(&[(CONFIGURED, "headphones"), (ACTUAL, "headphones")]);
        default.takes(CONFIGURED, Some(&value_of("headroom.main")), ours);
        default.takes(ACTUAL, Some(&value_of("headroom.main")), ours);
        default.forget_current();
        assert_eq!(default.wanted_device(ours), Some("headphones"));
    }
}
