//! What the service manager is told, where one has started the daemon: that clients can connect,
//! and that it stops.
//!
//! Called by `daemon`. Without a manager (no `NOTIFY_SOCKET`) nothing happens.

use sd_notify::NotifyState;

/// Clients can connect.
pub(crate) fn ready() {
    tell(&NotifyState::Ready);
}

/// The daemon puts everything back and ends.
pub(crate) fn stopping() {
    tell(&NotifyState::Stopping);
}

fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        log::warn!("telling the service manager {state}: {error}");
    }
}
