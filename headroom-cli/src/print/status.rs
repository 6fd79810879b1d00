//! `headroom status` for people: 80 columns, the most asked first.

use std::fmt::Write;

use headroom_client::ipc::{Device, Fold, Graph, Promotion, Status, StreamStatus, UsedBy};

use super::Paint;
use super::route::contest;
use super::setting::amount;
use super::text::{COLUMNS, column, cut, plain, wrapped, wrapped_from};
use super::verb::in_verbs;

/// The names of the first part are so wide, with the space behind them.
const NAMES: usize = 11;

const APP: usize = 24;
const ROUTE: usize = 11;
const BUS: usize = 8;
const GAIN: usize = 9;
const GAPS: usize = 2 * 4;
const TITLE: usize = COLUMNS - APP - ROUTE - BUS - GAIN - GAPS;

/// Everything that a person asks first.
pub(crate) fn status(status: &Status, paint: Paint) -> String {
    let mut text = String::new();
    let name = paint.bold(format!("headroomd {}", plain(&status.version)));
    let _ = writeln!(
        text,
        "{name}, up {}, protocol {}, pid {}\n",
        duration(status.uptime_ms),
        status.protocol,
        status.pid
    );
    let mut line = |name: &str, value: &str| {
        let value = wrapped_from(NAMES, value, COLUMNS, NAMES);
        let _ = writeln!(text, "{}{value}", paint.dim(format!("{name:NAMES$}")));
    };
    line("Profile", &format!("{}{}", status.profile, why_in_force(status.profile_by)));
    let is_bypassed = if status.bypass { "on: the sound passes untouched" } else { "off" };
    line("Bypass", is_bypassed);
    line("Device", &device(&status.device, status.device_description.as_deref()));
    if let Some(name) = &status.device.preferred_sink {
        line("Sink", &format!("{name}, whenever it is there (headroom sink follow undoes it)"));
    }
    match status.device.promotion {
        Some(Promotion::On) => line("Default", "Headroom, where new apps start (promoted)"),
        Some(Promotion::Contested) => {
            line("Default", "contested: another program keeps setting another default");
        }
        _ => {}
    }
    line("PipeWire", &graph(&status.graph));
    for (n, change) in status.overrides.iter().enumerate() {
        let name = if n == 0 { "Overrides" } else { "" };
        let [value, before] =
            [&change.value, &change.profile_value].map(|value| amount(&change.key, value));
        let aside = if change.in_force { "" } else { ", set aside" };
        line(name, &format!("{} = {value} (profile: {before}{aside})", change.key));
    }

    text.push('\n');
    if status.streams.is_empty() {
        let _ = writeln!(text, "{}", paint.dim("No app has opened a stream."));
    } else {
        let head =
            format!("{:APP$}  {:ROUTE$}  {:BUS$}  {:>GAIN$}  Plays", "App", "Route", "Bus", "Gain");
        let _ = writeln!(text, "{}", paint.dim(head));
        for stream in &status.streams {
            let _ = writeln!(text, "{}", row(stream, paint));
        }
        for stream in &status.streams {
            if let Some(Fold { from, to }) = stream.folded {
                let line = format!(
                    "{}: its {from} channels are folded into {to}, for there are no more",
                    plain(&stream.app)
                );
                let _ = write!(text, "{}", paint.dim(wrapped(&line, COLUMNS, 2)));
                text.push('\n');
            }
        }
    }
    for stream in status.streams.iter().filter(|stream| stream.contested) {
        let who = contest(stream.contest.as_ref());
        let line = format!(
            "! {} ({}) is contested: {who} (headroom why {} says more)",
            stream.app, stream.id, stream.id
        );
        let _ = write!(text, "\n{}", paint.warning(wrapped(&line, COLUMNS, 2)));
    }
    for warning in &status.warnings {
        let line =
            wrapped(&format!("! {}: {}", warning.about, in_verbs(&warning.message)), COLUMNS, 2);
        let _ = write!(text, "\n{}", paint.warning(line));
    }
    let is_any_contested = status.streams.iter().any(|stream| stream.contested);
    if is_any_contested || !status.warnings.is_empty() {
        text.push('\n');
    }
    text
}

fn row(stream: &StreamStatus, paint: Paint) -> String {
    let gain = match stream.gain_db.map(rounded) {
        None => "-".to_owned(),
        Some(0.0) => "0.0 dB".to_owned(),
        Some(gain_db) => format!("{gain_db:+.1} dB"),
    };
    let row = format!(
        "{}  {}  {}  {gain:>GAIN$}  ",
        column(&stream.app, APP),
        column(stream.route.as_str(), ROUTE),
        column(stream.bus.as_deref().unwrap_or("-"), BUS),
    );
    let title = title(stream.media_name.as_deref().unwrap_or_default());
    if stream.contested {
        // Something else keeps moving it away.
        row + &paint.warning("contested")
    } else if stream.playing {
        (row + &cut(title, TITLE)).trim_end().to_owned()
    } else {
        paint.dim(row + "(silent)")
    }
}

/// What is played, without the folders of a file: its end says more than its beginning.
fn title(media_name: &str) -> &str {
    match media_name.rsplit_once('/') {
        Some((folders, file)) if folders.is_empty() || folders.starts_with('/') => file,
        _ => media_name,
    }
}

fn device(device: &Device, description: Option<&str>) -> String {
    let Some(name) = description.or(device.device_sink.as_deref()) else {
        return "none".to_owned();
    };
    let mut text = name.to_owned();
    if let Some(port) = &device.port {
        let _ = write!(text, ", {}", port.description.as_deref().unwrap_or(&port.name));
    }
    if let Some(rate_hz) = device.rate_hz {
        let _ = write!(text, ", {} kHz", f64::from(rate_hz) / 1000.0);
    }
    if let Some(quantum_frames) = device.quantum_frames {
        let _ = write!(text, ", quantum {quantum_frames}");
    }
    match device.latency_ms {
        Some(latency_ms) => {
            let _ = write!(text, ", latency +{latency_ms:.1} ms");
        }
        None => {
            let _ = write!(text, ", latency +{} frames", device.latency_frames);
        }
    }
    text
}

fn graph(graph: &Graph) -> String {
    let part = |name: &str, is_there: bool, version: Option<&str>, absent: &str| {
        let name = if name.is_empty() { String::new() } else { format!("{name} ") };
        match (is_there, version) {
            (true, Some(version)) => format!("{name}{version}"),
            (true, None) => format!("{name}connected"),
            (false, _) => format!("{name}{absent}"),
        }
    };
    let pipewire =
        part("", graph.pipewire_connected, graph.pipewire_version.as_deref(), "is not running");
    if !graph.pipewire_connected {
        return pipewire;
    }
    let session = part(
        "WirePlumber",
        graph.wireplumber_connected,
        graph.wireplumber_version.as_deref(),
        "is not running, so nothing is linked",
    );
    format!("{pipewire}, {session}")
}

/// Behind the name of a profile that is not simply the one that was chosen.
fn why_in_force(by: Option<UsedBy>) -> &'static str {
    match by {
        Some(UsedBy::Device) => ", the profile of this device",
        Some(UsedBy::DefaultDevice) => ", the profile of every other device",
        Some(UsedBy::ByHand) => ", as you chose, until another device is heard",
        Some(UsedBy::StandIn) => ", in place of the one that you chose",
        _ => "",
    }
}

/// What rounds to nothing is nothing: no "-0.0".
pub(super) fn rounded(number: f32) -> f32 {
    if number.abs() < 0.05 { 0.0 } else { number }
}

/// The two largest units of a time.
fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_by_its_name_and_any_other_title_as_it_is() {
        assert_eq!(title("/home/me/Music/An Album/07 A Song.flac"), "07 A Song.flac");
        assert_eq!(title("/song.wav"), "song.wav");
        for other in ["AC/DC - Thunderstruck", "A film", ""] {
            assert_eq!(title(other), other);
        }
    }

    #[test]
    fn a_time_has_its_two_largest_units() {
        for (ms, shown) in [
            (999, "0 s"),
            (59_999, "59 s"),
            (61_000, "1 min 1 s"),
            (3_720_000, "1 h 2 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(ms), shown);
        }
    }
}
