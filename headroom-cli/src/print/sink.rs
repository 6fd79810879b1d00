//! Which sink the sound ends up at, for people.

use std::fmt::Write;

use headroom_client::ipc::{Device, Promotion, Sink, SinkKind, Sinks};

use super::Paint;
use super::text::{COLUMNS, column, cut, plain, wrapped};

const NAME: usize = 40;
const DESCRIPTION: usize = COLUMNS - NAME - 2 - 2;

/// Every sink that sound can end up at, and what is wanted.
pub(crate) fn sinks(sinks: &Sinks, paint: Paint) -> String {
    let Sinks { device, sinks } = sinks;
    let mut text = String::new();
    let is_ours = |sink: &&Sink| matches!(sink.kind, SinkKind::Bus | SinkKind::Master);
    let mut others = sinks.iter().filter(|sink| !is_ours(sink)).peekable();
    if others.peek().is_none() {
        let _ = writeln!(text, "{}", paint.dim("There is no sink that sound can end up at."));
    } else {
        let _ = writeln!(text, "{}", paint.dim(format!("  {:NAME$}  Is called", "Sink")));
    }
    for sink in others {
        let is_heard = device.device_sink.as_ref() == Some(&sink.name);
        let mark = if is_heard { "*" } else { " " };
        // A name that is to be typed is never cut.
        let name = plain(&sink.name);
        let name = if name.len() > NAME { name } else { column(&name, NAME) };
        let _ = writeln!(text, "{mark} {name}  {}", cut(&sink.description, DESCRIPTION));
    }
    text.push('\n');
    if device.device_sink.is_some() {
        let _ = writeln!(text, "* is heard.");
    }
    let wished = [Some(wished_sink(device)), promoted(device).map(str::to_owned)];
    for line in wished.into_iter().flatten() {
        let _ = writeln!(text, "{}", wrapped(&line, COLUMNS, 0));
    }
    text
}

/// Where the sound is to end up.
pub(crate) fn wished_sink(device: &Device) -> String {
    match &device.preferred_sink {
        Some(name) => {
            format!("The sound ends up at {} whenever it is there, as you chose.", plain(name))
        }
        None => "The sound follows your default sink.".to_owned(),
    }
}

/// Whether this is the name of a sink of Headroom's.
pub(crate) fn is_ours(sink: &str) -> bool {
    sink.starts_with("headroom.")
}

/// What is to be said of promotion to the one who has asked for it, or for it no longer.
pub(crate) fn promotion(device: &Device) -> String {
    let default_sink = device.default_sink.as_deref().unwrap_or_default();
    let is_late = match device.promotion {
        Some(Promotion::On) => !default_sink.is_empty() && !is_ours(default_sink),
        Some(Promotion::Contested) => false,
        _ => is_ours(default_sink),
    };
    let is_on = device.promotion == Some(Promotion::On);
    match promoted(device) {
        _ if is_late => format!(
            "promotion is {}, but the default sink is still {}: WirePlumber has not changed it yet \
             (headroom doctor says whether it runs)",
            if is_on { "on" } else { "off" },
            plain(default_sink),
        ),
        Some(told) => told.to_owned(),
        None => "promotion is off: your default sink is your own".to_owned(),
    }
}

/// What is to be said of promotion; nothing while nobody wants it.
fn promoted(device: &Device) -> Option<&'static str> {
    match device.promotion? {
        Promotion::On => Some("promotion is on: apps start at Headroom, which is the default sink"),
        Promotion::Contested => Some(
            "promotion is contested: another program has set another default again and again, and \
             it is left so until `headroom promote on` asks anew",
        ),
        _ => None,
    }
}
