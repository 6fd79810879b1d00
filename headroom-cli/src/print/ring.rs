//! A ring of the doorbell, for people and as JSON.

use headroom_client::doorbell::{Cause, Ring};
use serde::Serialize;

use super::Paint;

/// What was rung for, in one line without its end.
pub(crate) fn ring_line(ring: &Ring, paint: Paint) -> String {
    let causes: Vec<&str> = ring.causes().map(what).collect();
    let times = match ring.count() {
        1 => String::new(),
        count => format!(" ({count} times)"),
    };
    format!("{}  {}{times}", paint.dim(format!("{:8}", "bell")), causes.join("; "))
}

fn what(cause: Cause) -> &'static str {
    match cause {
        Cause::Profile => "files of profiles have changed",
        Cause::State => "what is remembered has changed",
        Cause::All => "anything may have changed on the disk",
    }
}

/// The same beside the events of IPC.md, and in their form. It comes from no daemon, so it has no
/// number.
#[derive(Debug, Serialize)]
pub(crate) struct RingEvent {
    topic: &'static str,
    event: &'static str,
    data: RingData,
}

#[derive(Debug, Serialize)]
struct RingData {
    causes: Vec<&'static str>,
    count: usize,
}

impl RingEvent {
    pub(crate) fn of(ring: &Ring) -> RingEvent {
        let causes = ring.causes().map(Cause::as_str).collect();
        RingEvent { topic: "bell", event: "rung", data: RingData { causes, count: ring.count() } }
    }
}
