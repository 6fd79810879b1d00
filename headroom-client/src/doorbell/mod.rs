//! "Something has changed, look again": from any program of this user to all of them, also with
//! no daemon running.
//!
//! A program that shows what is on the disk has a [`Doorbell`], and looks again when it is rung. A
//! program that changes it rings: [`notify`]. `headroom profile new` and its like do, and
//! `headroom watch` prints a line. A program that talks to the daemon needs no bell for what the
//! daemon tells it: that is what a [`Subscription`](crate::Subscription) is for.
//!
//! ```
//! use std::time::Duration;
//! use headroom_client::doorbell::{Cause, Doorbell, notify_in};
//!
//! # let folder = tempfile::tempdir()?;
//! # let bells = folder.path().join("bells");
//! let mut bell = Doorbell::bind_in(&bells)?; // Doorbell::bind() for the bells of Headroom
//! assert_eq!(notify_in(&bells, Cause::Profile), 1); // notify(Cause::Profile)
//! let ring = bell.wait(Duration::from_secs(10)).expect("somebody has rung");
//! assert!(ring.is_about(Cause::Profile));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In a program with an event loop, the bell is a descriptor ([`AsFd`](std::os::fd::AsFd)) that is
//! readable when somebody has rung; then [`try_take`](Doorbell::try_take). However often it was
//! rung meanwhile, that is one [`Ring`] with a count and the set of causes.
//!
//! # For other languages
//!
//! A bell is a Unix stream socket `$XDG_RUNTIME_DIR/headroom/bell/UID-PID-NONCE.sock`. To ring it,
//! connect and write `profile`, `state` or `all`, and a new line. To have one, bind a socket
//! under a name that begins with a dot, listen, and then rename it to `UID-PID-NONCE.sock`, where
//! NONCE is 16 random hexadecimal digits. A socket of such a name that refuses connections may be
//! removed by anyone who rings.
//!
//! # What is promised
//!
//! - The ringer waits for nobody. A listener that is stopped hears it when it goes on.
//! - No ring is lost: up to [`MAX_WAITING_RINGS`] wait for a listener, and one that had more is
//!   told to look at everything.
//! - A bell costs nothing while nobody rings, and ringing where nobody listens is one look at a
//!   directory.
//! - Only bells of this user are touched, and only one that nobody listens to is removed.

mod bell;
mod name;
mod notify;
mod place;
mod ring;

pub use bell::{Cleaner, Doorbell, MAX_WAITING_RINGS};
pub use notify::{notify, notify_at, notify_in};
pub use place::DoorbellError;
pub use ring::{Cause, Ring};
