//! One JSON line per change, as waybar and the like take it from a `custom` module:
//!
//! ```json
//! "custom/headroom": {"exec": "status_bar", "return-type": "json", "on-click": "headroom bypass toggle"}
//! ```
//!
//! `cargo run -p headroom-client --example status_bar`

#![allow(clippy::print_stdout, reason = "a bar reads it")]

use std::io::Write;

use headroom_client::ipc::{Mirror, Topic};
use headroom_client::{Subscription, daemon_address};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let topics = [Topic::Setting, Topic::Profile, Topic::Routing];
    let mut subscription = Subscription::to(&daemon_address()?, &topics);
    let mut shown = String::new();
    while subscription.next().is_some() {
        let line = if subscription.is_connected() {
            bar(subscription.mirror())
        } else {
            json!({"text": "off", "alt": "off", "class": "off",
                "tooltip": "headroomd is not running"})
            .to_string()
        };
        if line != shown {
            // A bar that has gone ends this program.
            writeln!(std::io::stdout(), "{line}")?;
            shown = line;
        }
    }
    Ok(())
}

fn bar(mirror: &Mirror) -> String {
    let bypass = mirror.setting.as_ref().is_some_and(|setting| setting.state.bypass);
    let profile = mirror.profile.as_ref().map_or("", |profile| &profile.state.used);
    let streams = mirror.routing.as_ref().map_or(&[][..], |routing| &routing.state.streams);
    let playing: Vec<String> = streams
        .iter()
        .filter(|stream| stream.playing)
        .map(|stream| format!("{}: {}", stream.app, stream.route.as_str()))
        .collect();
    let state = if bypass { "bypass" } else { "on" };
    let tooltip = if playing.is_empty() { "nothing plays".to_owned() } else { playing.join("\n") };
    json!({"text": profile, "alt": state, "class": state, "tooltip": tooltip}).to_string()
}
