//! What is remembered from one run of the daemon to the next.
//!
//! ```text
//! start: StateFile::read ──► Remembered ──► the state
//!
//! the state, under the lock ──► Slot: the newest Remembered ──► hr-store ──► StateFile::write
//! ```
//!
//! [`Remembered`] is plain data and [`format`](mod@headroom_profile::remembered::format) is what it
//! looks like as text; the command line reads it too, so both are in `headroom-profile`.
//! [`StateFile`] is the files, [`Slot`] what waits to be written, [`StoreThread`] the one thread
//! that writes to storage: nobody else waits for that, however slow it is.
//!
//! What must be on disk *before* something is done is the [`journal`](crate::journal), a file of its
//! own beside this one: hr-store writes it as soon as it is asked, and gives its word back.

mod directory;
mod file;
mod slot;
mod thread;
mod whole;

pub use directory::{NoDirectory, StateDirectory};
pub use file::{Found, StateFile};
pub use headroom_profile::remembered::{
    AgcGain, ChosenOn, MOST_DEVICE_BYTES, MOST_DEVICES, MOST_ROUTE_BYTES, MOST_ROUTES, Remembered,
    UserDevice, UserRoute,
};
pub use slot::Slot;
pub use thread::{Disk, StoreThread};
