//! The user's default sink: which one it is, which device that makes ours, and what is to be
//! written to become the default and to give it back.
//!
//! WirePlumber keeps two values: the sink that was asked for (configured) and the one that it
//! came to (actual). Pure: what the metadata says goes in, what is to be written comes out.

use super::is_ours;
use super::model::Model;
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

/// A sink that is there and not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Device<'g> {
    pub(super) name: &'g str,
    pub(super) priority: i32,
    pub(super) serial: u64,
}

/// All sinks that are there and not ours.
#[derive(Debug, Clone, Default)]
pub(super) struct Devices<'g>(Vec<Device<'g>>);

impl<'g> Devices<'g> {
    pub(super) fn of(model: &'g Model) -> Devices<'g> {
        let theirs = model.sinks().filter(|(_, node)| !is_ours(&node.name));
        Devices(
            theirs
                .map(|(_, node)| Device {
                    name: &node.name,
                    priority: node.priority,
                    serial: node.serial,
                })
                .collect(),
        )
    }

    fn named(&self, name: &str) -> Option<&Device<'g>> {
        self.0.iter().find(|device| device.name == name)
    }

    /// The one of highest `priority.session`; of equals the oldest.
    pub(super) fn best(&self) -> Option<&Device<'g>> {
        self.0.iter().max_by_key(|device| (device.priority, std::cmp::Reverse(device.serial)))
    }
}

/// What the metadata says of the default sink. Names only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DefaultSink {
    pub(super) configured: Option<String>,
    pub(super) actual: Option<String>,
    /// The value of the configured one, letter by letter.
    spelling: Option<String>,
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

    /// Ours was asked for before anything was heard, and this one before it.
    pub(super) fn came_after(&mut self, configured: String) {
        self.former_configured = Some(configured);
    }

    /// What is to be noted before ours becomes the default.
    pub(super) fn note(&self) -> Note {
        let (configured, actual) = (self.former_configured.clone(), self.former_actual.clone());
        Note::FormerDefault(FormerDefault { configured, actual })
    }

    /// Takes a metadata value. Anything else than the keys above is passed over.
    pub(super) fn takes(&mut self, key: &str, value: Option<&str>) {
        let name = value.and_then(name_in);
        match key {
            CONFIGURED => {
                self.configured = name;
                self.spelling = value.map(str::to_owned);
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

    /// The device sink that sound shall go to: the preferred one where it is there, else the
    /// default one, and while that is one of ours the one from before. What is away is stood in
    /// for by the best that is there. Nothing while WirePlumber is about to choose.
    pub(super) fn wanted_device<'g>(
        &self,
        preferred: Option<&str>,
        devices: &Devices<'g>,
    ) -> Option<&'g str> {
        if let Some(device) = preferred.and_then(|name| devices.named(name)) {
            return Some(device.name);
        }
        match &self.actual {
            // One that has just gone is followed by another within moments.
            Some(name) if !is_ours(name) => devices.named(name).map(|device| device.name),
            _ => {
                let device = match &self.former_configured {
                    Some(name) => devices.named(name).or(devices.best()),
                    None => self.nobodys_choice(devices),
                };
                device.map(|device| device.name)
            }
        }
    }

    /// Where nobody has asked for a default it is the one that was heard, until a better one comes.
    fn nobodys_choice<'d, 'g>(&self, devices: &'d Devices<'g>) -> Option<&'d Device<'g>> {
        let best = devices.best();
        let Some(heard) = self.former_actual.as_deref().and_then(|name| devices.named(name)) else {
            return best;
        };
        let has_come =
            best.filter(|best| best.priority > heard.priority && best.serial > heard.serial);
        Some(has_come.unwrap_or(heard))
    }

    /// The value that asks for the same sink once more. WirePlumber thinks anew only where a value
    /// is another than before, letter by letter.
    pub(super) fn asked_for_once_more(&self) -> Option<String> {
        let name = self.configured.as_deref()?;
        let value = value_of(name);
        let is_so_already = self.spelling.as_deref() == Some(&value);
        Some(if is_so_already { value.replacen(':', ": ", 1) } else { value })
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
        self.spelling = None;
        self.actual = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The best comes first; the serials say who came first.
    const ALL: [(&str, i32, u64); 3] = [("speakers", 3, 1), ("headphones", 2, 2), ("hdmi", 1, 3)];

    fn devices(all: &[(&'static str, i32, u64)]) -> Devices<'static> {
        let device = |(name, priority, serial): &(&'static str, i32, u64)| Device {
            name,
            priority: *priority,
            serial: *serial,
        };
        Devices(all.iter().map(device).collect())
    }

    fn wanted(default: &DefaultSink) -> Option<&'static str> {
        default.wanted_device(None, &devices(&ALL))
    }

    fn with(values: &[(&str, &str)]) -> DefaultSink {
        let mut default = DefaultSink::default();
        for (key, name) in values {
            default.takes(key, Some(&value_of(name)));
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
    fn the_same_sink_is_asked_for_in_other_letters() {
        let mut default = DefaultSink::default();
        assert_eq!(default.asked_for_once_more(), None);
        let mut spelling = "{ \"name\": \"a: b\" }".to_owned();
        for _ in 0..4 {
            default.takes(CONFIGURED, Some(&spelling));
            let again = default.asked_for_once_more().expect("one is asked for");
            assert_ne!(again, spelling);
            assert_eq!(name_in(&again).as_deref(), Some("a: b"));
            spelling = again;
        }
    }

    #[test]
    fn the_device_is_the_default_and_never_ours() {
        let mut default = with(&[(ACTUAL, "speakers")]);
        assert_eq!(wanted(&default), Some("speakers"));
        default.takes(ACTUAL, Some(&value_of("headphones")));
        assert_eq!(wanted(&default), Some("headphones"));
        default.takes(CONFIGURED, Some(&value_of("headroom.main")));
        default.takes(ACTUAL, Some(&value_of("headroom.main")));
        assert_eq!(wanted(&default), Some("headphones"));
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
        assert_eq!(wanted(&restarted), Some("speakers"));
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
        restarted.takes(CONFIGURED, Some(&value_of("headroom.main")));
        restarted.takes(ACTUAL, Some(&value_of("speakers")));
        assert!(restarted.was_left_behind());
        assert_eq!(restarted.former_configured(), Some("headphones"));
        assert!(!DefaultSink::after(None).was_left_behind());
    }

    #[test]
    fn a_default_that_is_unplugged_is_still_the_one_to_go_back_to() {
        let mut default = with(&[(CONFIGURED, "headphones"), (ACTUAL, "headphones")]);
        default.takes(CONFIGURED, Some(&value_of("headroom.main")));
        default.takes(ACTUAL, Some(&value_of("headroom.main")));
        default.forget_current();
        assert_eq!(wanted(&default), Some("headphones"));
    }

    #[test]
    fn the_preferred_one_counts_while_it_is_there_and_the_best_stands_in_for_what_is_away() {
        let promoted = with(&[
            (CONFIGURED, "headphones"),
            (ACTUAL, "headphones"),
            (CONFIGURED, "headroom.main"),
            (ACTUAL, "headroom.main"),
        ]);
        let plain = with(&[(ACTUAL, "headphones")]);
        let all = devices(&ALL);
        for default in [&promoted, &plain] {
            assert_eq!(default.wanted_device(Some("hdmi"), &all), Some("hdmi"));
            assert_eq!(default.wanted_device(Some("headset"), &all), Some("headphones"), "away");
        }
        let without = devices(&[ALL[0], ALL[2]]);
        assert_eq!(promoted.wanted_device(None, &without), Some("speakers"), "the best");
        assert_eq!(plain.wanted_device(None, &without), None, "WirePlumber is about to choose");
        assert_eq!(promoted.wanted_device(None, &devices(&[])), None);
    }

    #[test]
    fn where_nobody_chose_a_better_device_that_comes_is_followed_and_one_that_was_there_is_not() {
        let promoted = with(&[
            (ACTUAL, "headphones"),
            (CONFIGURED, "headroom.main"),
            (ACTUAL, "headroom.main"),
        ]);
        assert_eq!(wanted(&promoted), Some("headphones"), "as it was");
        let plugged = devices(&[("speakers", 3, 9), ALL[1]]);
        assert_eq!(promoted.wanted_device(None, &plugged), Some("speakers"));
        let worse = devices(&[("hdmi", 1, 9), ALL[1]]);
        assert_eq!(promoted.wanted_device(None, &worse), Some("headphones"));
    }
}
