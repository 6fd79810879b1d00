//! What counts as a change of a file: notify tells of everything that happens to one, also that
//! it is opened for reading, which is what a scan does.
//!
//! Stands between notify and the debouncer, which forgets what kind of event it was; without it
//! every scan would be followed by another, for ever.

use std::path::Path;

use notify_debouncer_mini::notify::event::{AccessKind, AccessMode, ModifyKind};
use notify_debouncer_mini::notify::{
    self, Config, Event, EventHandler, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    WatcherKind,
};

/// A watcher that tells of changes only.
#[derive(Debug)]
pub(super) struct Changes(RecommendedWatcher);

impl Watcher for Changes {
    fn new<F: EventHandler>(mut handler: F, config: Config) -> notify::Result<Changes> {
        let only_changes = move |event: notify::Result<Event>| {
            if let Some(change) = change(event) {
                handler.handle_event(change);
            }
        };
        RecommendedWatcher::new(only_changes, config).map(Changes)
    }

    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        self.0.watch(path, mode)
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.0.unwatch(path)
    }

    fn kind() -> WatcherKind {
        RecommendedWatcher::kind()
    }
}

fn change(event: notify::Result<Event>) -> Option<notify::Result<Event>> {
    let Ok(event) = event else { return Some(event) };
    if event.need_rescan() {
        // Events were lost, about no path in particular. The debouncer drops what has no path.
        return Some(Ok(event.add_path("/".into())));
    }
    let is_change = match event.kind {
        // A writer closes the file when it is done. Nobody wants to read it before that.
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Metadata(_)) => true,
        // A link that is made is never closed.
        EventKind::Create(_) | EventKind::Remove(_) => true,
        _ => false,
    };
    is_change.then_some(Ok(event))
}

#[cfg(test)]
mod tests {
    use notify_debouncer_mini::notify::event::{CreateKind, DataChange, Flag, RenameMode};

    use super::*;

    #[test]
    fn what_a_scan_does_is_no_change() {
        let is_change = |kind| change(Ok(Event::new(kind))).is_some();
        assert!(!is_change(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!is_change(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(!is_change(EventKind::Modify(ModifyKind::Data(DataChange::Any))));
        assert!(is_change(EventKind::Access(AccessKind::Close(AccessMode::Write))));
        assert!(is_change(EventKind::Modify(ModifyKind::Name(RenameMode::To))));
        assert!(is_change(EventKind::Create(CreateKind::File)));
    }

    #[test]
    fn lost_events_are_about_everything() {
        let lost = change(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert_eq!(lost.expect("a change").expect("an event").paths, [Path::new("/")]);
    }
}
