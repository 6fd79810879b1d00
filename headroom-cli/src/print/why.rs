//! Why an app sounds as it does, for people.

use std::fmt::Write;

use headroom_client::ipc::{Chain, Decided, Decider, OwnVolume, Stream, StreamWhy, Why};

use super::Paint;
use super::route::{contest, meant};
use super::status::rounded;
use super::text::{COLUMNS, plain, wrapped_from};
use super::verb::in_verbs;

/// The names in front of the lines are so wide, with what is before and behind them.
const HEADS: usize = 13;

/// Every stream that was meant, or what would decide of an app that has none.
pub(crate) fn why(whom: &str, why: &Why, paint: Paint) -> String {
    let mut text = String::new();
    for (n, stream) in why.streams.iter().enumerate() {
        if n > 0 {
            text.push('\n');
        }
        one(&mut text, stream, paint);
    }
    if why.more > 0 {
        let _ = writeln!(text, "\nand {} more: name one by its number", why.more);
    }
    if let Some(expected) = &why.expected {
        let _ = writeln!(text, "{} plays nothing now", paint.bold(plain(whom)));
        line(&mut text, "Would go", &goes(expected), paint);
        place(&mut text, expected, paint);
    }
    text
}

fn one(text: &mut String, why: &StreamWhy, paint: Paint) {
    let StreamWhy { stream, decided, chain, notes } = why;
    let _ = writeln!(text, "{} (stream {})", paint.bold(plain(&stream.app)), stream.id);
    if let Some(title) = stream.media_name.as_deref().filter(|title| !title.is_empty()) {
        line(text, "Plays", title, paint);
    }
    line(text, "Is", &identity(stream), paint);
    line(text, "Goes", &goes(decided), paint);
    place(text, decided, paint);
    line(text, "Linked to", stream.sink.as_deref().unwrap_or("nothing"), paint);
    if stream.contested {
        line(text, "Contested", &contest(stream.contest.as_ref()), paint);
    }
    match chain {
        Some(chain) => done(text, chain, paint),
        None if stream.bus.is_none() => line(text, "Sound", "passes Headroom by", paint),
        None => line(text, "Sound", "nothing is measured now", paint),
    }
    if let Some(volume) = own_volume(stream) {
        line(text, "Volume", &volume, paint);
    }
    for note in notes {
        line(text, "Note", &in_verbs(note), paint);
    }
}

fn line(text: &mut String, name: &str, value: &str, paint: Paint) {
    let value = wrapped_from(HEADS, value, COLUMNS, HEADS);
    let width = HEADS - 2;
    let _ = writeln!(text, "  {}{value}", paint.dim(format!("{name:width$}")));
}

/// Everything that a rule can name it by, in the words of a rule.
fn identity(stream: &Stream) -> String {
    let said = [
        ("program", &stream.process_binary),
        ("app", &stream.application_name),
        ("portal", &stream.portal_app_id),
        ("role", &stream.media_role),
    ];
    let said = said.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let mut parts: Vec<String> = said.map(|(name, value)| format!("{name} {value}")).collect();
    parts.extend(stream.pid.map(|pid| format!("pid {pid}")));
    if let Some(channels) = stream.channels {
        parts.push(format!("{channels} channel{}", if channels == 1 { "" } else { "s" }));
    }
    if parts.is_empty() { "it says nothing of itself".to_owned() } else { parts.join(", ") }
}

/// What the app's own slider says, and what becomes of it on a bus.
fn own_volume(stream: &Stream) -> Option<String> {
    let volume = match stream.volume_db.iter().flatten().copied().reduce(f32::max).map(rounded) {
        _ if stream.muted => "muted".to_owned(),
        Some(0.0) => "0.0 dB".to_owned(),
        Some(volume_db) => format!("{volume_db:+.1} dB"),
        None if stream.volume_db.is_empty() => return None,
        None => "silent".to_owned(),
    };
    Some(match stream.own_volume {
        Some(OwnVolume::Kept) => format!("{volume} by the app's own slider, which is kept"),
        Some(_) => format!("{volume} by the app's own slider, approximately"),
        None => format!("{volume} by the app's own slider"),
    })
}

fn goes(decided: &Decided) -> String {
    let profile = decided.profile.as_deref().unwrap_or("in force");
    let by = match decided.by {
        Decider::Pin => "you chose it for this stream".to_owned(),
        Decider::UserRule => "by a rule of yours".to_owned(),
        Decider::ProfileRule => format!("by a rule of the profile {profile}"),
        Decider::DefaultRoute => format!("by the default route of the profile {profile}"),
        _ => decided.because.clone(),
    };
    match &decided.route {
        Some(route) => format!("{route}, {by}"),
        None => format!("left alone: {by}"),
    }
}

/// Where that is said.
fn place(text: &mut String, decided: &Decided, paint: Paint) {
    if let Some(matched) = &decided.matched {
        line(text, "Because", &format!("{}: {}", decided.because, meant(matched)), paint);
    }
    let line_in = |file: &str| match decided.line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    };
    let place = match (&decided.path, &decided.profile, decided.line) {
        (Some(path), _, _) => line_in(path),
        (None, Some(_), Some(line)) => format!("line {line} of the profile in Headroom itself"),
        (None, Some(_), None) => "nothing else is said in the profile".to_owned(),
        (None, None, _) => return,
    };
    line(text, "Said in", &place, paint);
}

fn done(text: &mut String, chain: &Chain, paint: Paint) {
    let of = match (&chain.bus, chain.streams) {
        (Some(bus), 1) => format!("bus {bus}, which it has for itself"),
        (Some(bus), streams) => format!("bus {bus}, which {streams} streams share"),
        (None, 1) => "the master alone".to_owned(),
        (None, streams) => format!("the master alone, with {streams} streams"),
    };
    line(text, "Through", &of, paint);
    let lufs = |value: Option<f32>| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{:.1} LUFS", rounded(value)))
    };
    let db = |value: Option<f32>| match value.map(rounded) {
        None => "-".to_owned(),
        Some(0.0) => "0.0 dB".to_owned(),
        Some(value) => format!("{value:+.1} dB"),
    };
    let mut loudness = Vec::new();
    if chain.bus.is_some() {
        loudness.push(format!("in {}", lufs(chain.input_lufs)));
    }
    loudness
        .push(format!("out {} (with all else that goes to the device)", lufs(chain.output_lufs)));
    line(text, "Loudness", &loudness.join(", "), paint);
    let takes_off = |value: Option<f32>| db(value.map(|reduction| -reduction));
    let mut parts = Vec::new();
    if chain.bus.is_some() {
        parts.push(format!("AGC {}", db(chain.agc_gain_db)));
        parts.push(format!("burst guard {}", takes_off(chain.guard_reduction_db)));
        parts.push(format!("compressor {}", takes_off(chain.compressor_reduction_db)));
        if let Some(makeup_db) = chain.compressor_makeup_db {
            parts.push(format!("make-up {}", db(Some(makeup_db))));
        }
    }
    parts.push(format!("limiter {}", takes_off(chain.limiter_reduction_db)));
    let gain = format!("{} ({})", db(chain.gain_db), parts.join(", "));
    line(text, "Gain", &gain, paint);
    let latency = match chain.latency_ms {
        Some(ms) => format!("+{ms:.1} ms ({} frames)", chain.latency_frames),
        None => format!("+{} frames", chain.latency_frames),
    };
    line(text, "Latency", &latency, paint);
}
