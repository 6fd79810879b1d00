//! What happens in the graph, in plain words for the log.

use crate::audio::Volume;
use crate::graph::{GraphEvent, Heard};

/// How the graph ended, for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it was told to.
    Fine,
    /// Another headroomd is there.
    AlreadyRunning {
        /// Its process, if PipeWire knows it.
        pid: Option<u32>,
    },
    /// By itself.
    Broken,
}

/// Turns events into log lines, and remembers how it ended.
#[derive(Debug, Default)]
pub(crate) struct Report {
    refused: Option<Option<u32>>,
    stopped: bool,
}

impl Report {
    pub(crate) fn take(&mut self, event: &GraphEvent) {
        match event {
            GraphEvent::InsertMade { insert, channels, .. } => {
                log::info!("made the sink {} with {channels} channels", insert.node_name());
            }
            GraphEvent::AlreadyRunning { pid } => self.refused = Some(*pid),
            GraphEvent::Stopped => self.stopped = true,
            GraphEvent::Trouble(text) => log::warn!("{text}"),
            other => {
                if let Some(text) = words(other) {
                    log::info!("{text}");
                }
            }
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match (self.refused, self.stopped) {
            (Some(pid), _) => Verdict::AlreadyRunning { pid },
            (None, true) => Verdict::Fine,
            (None, false) => Verdict::Broken,
        }
    }
}

fn words(event: &GraphEvent) -> Option<String> {
    Some(match event {
        GraphEvent::WaitingForPipeWire => {
            "PipeWire is not there: waiting for it (is it running for this user?)".into()
        }
        GraphEvent::Connected { server, library } => {
            format!("connected to PipeWire {server} (library {library})")
        }
        GraphEvent::WaitingForSessionManager => {
            "WirePlumber is not there: waiting for it, nothing is linked without it".into()
        }
        GraphEvent::SessionManager { version } => match version {
            Some(version) => format!("WirePlumber {version} is there"),
            None => "WirePlumber is there".into(),
        },
        GraphEvent::NoDeviceSink => "there is no sink to play to: waiting for one".into(),
        GraphEvent::DeviceSink(sink) => {
            let description =
                if sink.description.is_empty() { &sink.name } else { &sink.description };
            format!("the sound goes to {description} ({})", sink.name)
        }
        GraphEvent::Heard(Heard { sink, port: Some(port) }) => {
            let jack = port.description.as_deref().unwrap_or(&port.name);
            format!("the sound comes out of {jack} ({}) of {}", port.name, sink.name)
        }
        GraphEvent::Ready => "ready".into(),
        GraphEvent::Promoted { former } => match former {
            Some(former) => format!("promoted: Headroom is the default sink, in place of {former}"),
            None => "promoted: Headroom is the default sink".into(),
        },
        GraphEvent::Demoted { now } => format!(
            "Headroom is not the default sink any more; that is {}",
            now.as_deref().unwrap_or("unknown")
        ),
        GraphEvent::Volume { insert, volume, channels } => {
            format!("volume of {} is {}", insert.node_name(), percent(volume, *channels))
        }
        GraphEvent::Latency { frames, rate_hz } => format!(
            "latency: {frames} frames at {rate_hz} Hz ({:.2} ms)",
            f64::from(*frames) * 1_000.0 / f64::from((*rate_hz).max(1))
        ),
        GraphEvent::Running { insert, running: true } => {
            format!("{} is running: something plays", insert.node_name())
        }
        GraphEvent::Running { insert, running: false } => {
            format!("{} rests: nothing plays", insert.node_name())
        }
        GraphEvent::Unnoted(true) => "storage does not answer: what would have to be put back after a crash is changed once it \
             does".into(),
        GraphEvent::PromotionContested => {
            "another default sink was set again and again: it is left alone".into()
        }
        GraphEvent::PromotionRefused => {
            "Headroom is not made the default sink: what was the default before it cannot be noted"
                .into()
        }
        GraphEvent::PreferenceOverruled => {
            "another default sink was chosen: it counts from now on, as the device sink".into()
        }
        GraphEvent::Lost => "the connection to PipeWire has broken: waiting for it".into(),
        GraphEvent::InsertMade { .. }
        | GraphEvent::AlreadyRunning { .. }
        | GraphEvent::Census(_)
        | GraphEvent::Heard(Heard { port: None, .. })
        | GraphEvent::DefaultSink(_)
        | GraphEvent::Quantum(_)
        | GraphEvent::Unnoted(false)
        | GraphEvent::Trouble(_)
        | GraphEvent::Stopped => return None,
    })
}

/// A volume as a slider shows it: the cube root, in percent; one number where all agree.
fn percent(volume: &Volume, channels: usize) -> String {
    let of = |linear: &f32| format!("{:.0} %", linear.max(0.0).cbrt() * 100.0);
    let mut shown: Vec<String> = volume.channels.iter().take(channels).map(of).collect();
    shown.dedup();
    let muted = if volume.muted { ", muted" } else { "" };
    format!("{}{muted}", shown.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_reads_as_on_the_slider() {
        let mut volume = Volume::FULL;
        assert_eq!(percent(&volume, 2), "100 %");
        volume.channels[0] = 0.125;
        assert_eq!(percent(&volume, 2), "50 % / 100 %");
        volume.muted = true;
        assert_eq!(percent(&volume, 1), "50 %, muted");
    }

    #[test]
    fn an_end_that_nobody_asked_for_is_not_fine() {
        let mut report = Report::default();
        assert_eq!(report.verdict(), Verdict::Broken);
        report.take(&GraphEvent::Stopped);
        assert_eq!(report.verdict(), Verdict::Fine);
        report.take(&GraphEvent::AlreadyRunning { pid: Some(7) });
        assert_eq!(report.verdict(), Verdict::AlreadyRunning { pid: Some(7) });
    }

    #[test]
    fn ready_is_said_as_such() {
        assert_eq!(words(&GraphEvent::Ready).as_deref(), Some("ready"));
    }
}
