//! `headroom watch` for people: one event, one line.

use headroom_client::ipc::{
    BusMeters, Change, Daemon, DaemonChange, Device, Event, MasterMeters, Meters, MetersChange,
    Profile, ProfileChange, Promotion, RoutingChange, SettingChange, Sink, SinksChange, Stream,
    Topic,
};

use super::Paint;
use super::route::contest;
use super::setting::as_it_is;
use super::status::rounded;
use super::text::plain;
use super::verb::in_verbs;

/// What has happened, in one line without its end.
pub(crate) fn event_line(event: &Event, paint: Paint) -> String {
    let topic = paint.dim(format!("{:8}", event.topic.as_str()));
    let text = plain(&what(&event.change));
    let is_warning = matches!(
        event.change,
        Change::Daemon(DaemonChange::PipewireLost(_) | DaemonChange::Overflow(_))
            | Change::Profile(ProfileChange::Failed(_))
    );
    let text = if is_warning { paint.warning(text) } else { text };
    format!("{topic}  {text}")
}

fn what(change: &Change) -> String {
    match change {
        Change::Daemon(change) => daemon(change),
        Change::Profile(change) => profile(change),
        Change::Setting(change) => setting(change),
        Change::Routing(change) => routing(change),
        Change::Sinks(change) => sinks(change),
        Change::Meters(MetersChange::Tick(meters)) => tick(meters),
        Change::Unknown { event, data, .. } => format!("{event} {data}"),
    }
}

fn daemon(change: &DaemonChange) -> String {
    match change {
        DaemonChange::Started(daemon) => format!("headroomd {} has started", daemon.version),
        DaemonChange::Changed(daemon) => surroundings(daemon),
        DaemonChange::Shutdown(shutdown) => format!("headroomd ends: {}", shutdown.reason),
        DaemonChange::PipewireLost(_) => "PipeWire has gone".to_owned(),
        DaemonChange::PipewireBack(daemon) => {
            let version = daemon.graph.pipewire_version.as_deref().unwrap_or_default();
            format!("PipeWire {version} is connected")
        }
        DaemonChange::Overflow(overflow) => {
            let (topic, lost, total_lost) = (overflow.topic, overflow.lost, overflow.total_lost);
            format!("{lost} events of {topic} were lost, {total_lost} in all")
        }
    }
}

fn surroundings(daemon: &Daemon) -> String {
    let wireplumber = if daemon.graph.wireplumber_connected { "is there" } else { "is not there" };
    match daemon.warnings.last() {
        Some(warning) => format!("warning about {}: {}", warning.about, in_verbs(&warning.message)),
        None => format!("no warnings, WirePlumber {wireplumber}"),
    }
}

fn profile(change: &ProfileChange) -> String {
    match change {
        ProfileChange::Used(Profile { name, description, .. }) => {
            format!("{name} is in force: {description}")
        }
        ProfileChange::Reloaded(profiles) => {
            format!("{} profiles were read, {} is in force", profiles.profiles.len(), profiles.used)
        }
        ProfileChange::Failed(Profile { name, fault, .. }) => {
            let why = fault.as_ref().map_or("", |fault| &fault.message);
            format!("{name} cannot be used as it is now: {why}")
        }
    }
}

fn setting(change: &SettingChange) -> String {
    match change {
        SettingChange::Changed(setting) if setting.overridden => as_it_is(setting, Paint::Plain),
        SettingChange::Changed(setting) => {
            format!("{}, as the profile has it", as_it_is(setting, Paint::Plain))
        }
        SettingChange::Replaced(settings) => {
            let overrides = settings.settings.iter().filter(|setting| setting.overridden).count();
            format!("{} settings, {overrides} of them overridden", settings.settings.len())
        }
        SettingChange::BypassChanged(bypass) => {
            format!("bypass is {}", if bypass.bypass { "on" } else { "off" })
        }
    }
}

fn routing(change: &RoutingChange) -> String {
    match change {
        RoutingChange::RuleChanged(rules) => {
            let default_route = rules.default_route.as_str();
            format!("{} rules, {default_route} where none matches", rules.rules.len())
        }
        RoutingChange::StreamRouted(stream) => {
            let route = stream.route.as_str();
            let now = match (&stream.bus, &stream.sink) {
                (Some(bus), _) => format!("on bus {bus}"),
                (None, Some(sink)) => format!("to {sink}"),
                (None, None) => "not linked".to_owned(),
            };
            let contested = if stream.contested {
                format!(", contested: {}", contest(stream.contest.as_ref()))
            } else {
                String::new()
            };
            format!("{}: {route}, {now}{contested}", named(stream))
        }
        RoutingChange::StreamChanged(stream) => {
            let title = stream.media_name.as_deref().unwrap_or_default();
            let state = if stream.playing { "plays" } else { "is silent" };
            format!("{} {state} {title}", named(stream)).trim_end().to_owned()
        }
        RoutingChange::StreamRemoved(removed) => format!("stream {} has gone", removed.id),
        RoutingChange::Replaced(routing) => {
            format!("{} streams, {} rules", routing.streams.len(), routing.rules.rules.len())
        }
    }
}

fn named(stream: &Stream) -> String {
    format!("{} ({})", stream.app, stream.id)
}

fn sinks(change: &SinksChange) -> String {
    match change {
        SinksChange::SinkChanged(Sink { name, muted, running, volume_db, .. }) => {
            let volume = match volume_db.iter().flatten().copied().reduce(f32::max) {
                _ if *muted => "muted".to_owned(),
                Some(volume) => format!("{:.1} dB", rounded(volume)),
                None if volume_db.is_empty() => "volume unknown".to_owned(),
                None => "silent".to_owned(),
            };
            format!("{name}: {volume}, {}", if *running { "running" } else { "at rest" })
        }
        SinksChange::SinkRemoved(removed) => format!("sink {} has gone", removed.id),
        SinksChange::DeviceChanged(device) => ends_up(device),
        SinksChange::Replaced(sinks) => {
            format!("{} sinks; {}", sinks.sinks.len(), ends_up(&sinks.device))
        }
    }
}

fn ends_up(device: &Device) -> String {
    let name = device.device_sink.as_deref().unwrap_or("no device");
    let port = device.port.as_ref().map_or_else(String::new, |port| {
        format!(" ({})", port.description.as_deref().unwrap_or(&port.name))
    });
    let mut text = format!("the sound goes to {name}{port}");
    if let (Some(rate_hz), Some(quantum_frames)) = (device.rate_hz, device.quantum_frames) {
        text += &format!(", {rate_hz} Hz, quantum {quantum_frames}");
    }
    if let Some(preferred) = &device.preferred_sink {
        text += &format!(", {preferred} is preferred");
    }
    match device.promotion {
        Some(Promotion::On) => text + ", promotion is on",
        Some(Promotion::Contested) => text + ", promotion is contested",
        _ => text,
    }
}

fn tick(meters: &Meters) -> String {
    let bus = |meters: &BusMeters| {
        format!(
            "{}: in {}, AGC {}",
            meters.bus,
            level(meters.input_short_term_lufs, "LUFS"),
            level(meters.agc_gain_db, "dB")
        )
    };
    let master = |meters: &MasterMeters| {
        format!(
            "out {}, peak {}, limiter {}",
            level(meters.output_short_term_lufs, "LUFS"),
            level(meters.sample_peak_dbfs, "dBFS"),
            level(meters.limiter_reduction_db.map(|reduction| -reduction), "dB")
        )
    };
    let parts: Vec<String> =
        meters.buses.iter().map(bus).chain(meters.master.as_ref().map(master)).collect();
    if parts.is_empty() { format!("{}: none", Topic::Meters) } else { parts.join("; ") }
}

fn level(value: Option<f32>, unit: &str) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.1} {unit}", rounded(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_client::ipc::{Overflow, Shutdown};

    #[test]
    fn colour_changes_no_word_and_marks_what_to_look_at() {
        let event =
            |change: DaemonChange| Event { topic: Topic::Daemon, seq: 1, change: change.into() };
        let ends = event(DaemonChange::Shutdown(Shutdown { reason: "SIGTERM\x1b[2J".into() }));
        let overflow = Overflow { topic: Topic::Meters, lost: 436, total_lost: 500 };
        let lost = event(DaemonChange::Overflow(overflow));
        assert_eq!(event_line(&ends, Paint::Plain), "daemon    headroomd ends: SIGTERM [2J");
        assert_eq!(
            event_line(&ends, Paint::Colour),
            "\x1b[2mdaemon  \x1b[0m  headroomd ends: SIGTERM [2J"
        );
        assert_eq!(
            event_line(&lost, Paint::Colour),
            "\x1b[2mdaemon  \x1b[0m  \x1b[33m436 events of meters were lost, 500 in all\x1b[0m"
        );
    }
}
