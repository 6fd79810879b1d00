//! The two PipeWire streams of an insert, and the audio callback between them.
//!
//! Apps link to the capture stream, which is a sink to them; WirePlumber links the playback
//! stream to the next stage. Each cycle PipeWire calls the capture stream's process, which
//! triggers the playback stream's, which takes both buffers and hands the samples to
//! [`Insert::process`]: no ring between the two, no latency of their own.
//!
//! Everything here runs on hr-graph but for the two `process` closures. Those run on
//! PipeWire's data thread, where a stream may only be looked at: its reference counts are
//! not atomic, so no clone, no drop and no upgrade happens there.

use std::sync::Arc;

use pipewire as pw;
use pw::buffer::Buffer;
use pw::core::CoreRc;
use pw::properties::properties;
use pw::spa::param::ParamType;
use pw::spa::utils::Direction;
use pw::stream::{Stream, StreamFlags, StreamListener, StreamRc, StreamState};

use super::InsertId;
use super::channels::Channels;
use super::gate::Gate;
use super::notice::{Notice, Notices, Side, StreamNotice};
use super::pods::{self, Latency, LatencyOf};
use super::standing::Standing;
use crate::audio::{Insert, Volume};

/// PipeWire's `PW_STREAM_FLAG_ASYNC`, which the bindings lack. Without it PipeWire 1.x gives
/// the capture stream one buffer, which is still in use when the next cycle wants it: every
/// second quantum is silent. 0.3.65 does not know the flag and passes over it.
const ASYNC: u32 = 1 << 10;
/// The longest block of either generation, in frames; what is longer becomes silence.
pub(super) const MAX_FRAMES: usize = 16_384;

/// What an insert is called in the graph.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Node name of the sink; the playback's is this with `.out`.
    pub(super) node: &'static str,
    /// What people see.
    pub(super) description: &'static str,
    /// Key under which WirePlumber remembers the volume: constant, and each insert its own.
    pub(super) media: &'static str,
    /// Whether it may be the default.
    pub(super) standing: Standing,
}

/// The way of the sound through an insert.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'a> {
    /// The channels that come in, and are processed.
    pub(super) input: &'a Channels,
    /// The channels that go out: those and perhaps more, which are silent.
    pub(super) output: &'a Channels,
    /// The name of the sink that they go to.
    pub(super) target: &'a str,
}

/// An insert's streams. Dropping it takes them out of the graph.
pub(super) struct Streams {
    // A listener unhooks itself from its stream when it is dropped, so it must go first:
    // fields are dropped in this order.
    _listeners: [StreamListener<()>; 4],
    gate: Arc<Gate>,
    capture: StreamRc,
    playback: StreamRc,
}

impl Streams {
    /// Makes both streams and connects them, the playback towards the sink named `target`.
    pub(super) fn connect(
        core: &CoreRc,
        id: InsertId,
        names: &Names,
        way: Way<'_>,
        insert: Insert,
        notices: &Notices,
    ) -> Result<Streams, pw::Error> {
        let playback_name = format!("{}.out", names.node);
        let places = way.input.places_in(way.output).ok_or(pw::Error::CreationFailed)?;
        let capture = StreamRc::new(
            core.clone(),
            names.node,
            properties! {
                *pw::keys::MEDIA_TYPE => "Audio",
                *pw::keys::MEDIA_CLASS => "Audio/Sink",
                *pw::keys::NODE_NAME => names.node,
                *pw::keys::NODE_DESCRIPTION => names.description,
                *pw::keys::MEDIA_NAME => names.media,
                // Both groups: 0.3.65 schedules the pair together by node.group only, and
                // WirePlumber knows by node.link-group that one must not be linked to the other.
                *pw::keys::NODE_GROUP => names.node,
                *pw::keys::NODE_LINK_GROUP => names.node,
                *pw::keys::NODE_VIRTUAL => "true",
                *pw::keys::PRIORITY_SESSION => names.standing.priority(),
                *pw::keys::PRIORITY_DRIVER => "0",
                // Its volume is the device's. (WirePlumber 0.4 remembers it all the same.)
                "state.restore-props" => "false",
                "resample.disable" => "true",
            },
        )?;
        let playback = StreamRc::new(
            core.clone(),
            &playback_name,
            properties! {
                *pw::keys::MEDIA_TYPE => "Audio",
                *pw::keys::MEDIA_CATEGORY => "Playback",
                *pw::keys::NODE_NAME => playback_name.as_str(),
                *pw::keys::NODE_DESCRIPTION => format!("{} output", names.description),
                *pw::keys::MEDIA_NAME => format!("{} output", names.media),
                *pw::keys::NODE_GROUP => names.node,
                *pw::keys::NODE_LINK_GROUP => names.node,
                *pw::keys::NODE_VIRTUAL => "true",
                // Without it the graph runs for ever with nothing playing; `out` is not known
                // to 0.3.65.
                *pw::keys::NODE_PASSIVE => "true",
                "target.object" => way.target,
                // Ours to say, at every start anew.
                "state.restore-target" => "false",
                "state.restore-props" => "false",
                "resample.disable" => "true",
            },
        )?;

        let gate = Arc::new(Gate::default());
        let listeners = [
            process_capture(&capture, &playback, &gate)?,
            process_playback(&playback, &capture, insert, places, &gate)?,
            listen(&capture, id, Side::Capture, notices)?,
            listen(&playback, id, Side::Playback, notices)?,
        ];
        let streams = Streams { _listeners: listeners, gate, capture, playback };

        let format = pods::format(&way.input.numbers);
        let flags = StreamFlags::AUTOCONNECT | StreamFlags::MAP_BUFFERS | StreamFlags::RT_PROCESS;
        let mut format_params = [format.pod().ok_or(pw::Error::CreationFailed)?];
        streams.capture.connect(
            Direction::Input,
            None,
            flags | StreamFlags::from_bits_retain(ASYNC),
            &mut format_params,
        )?;
        let format = pods::format(&way.output.numbers);
        let mut format_params = [format.pod().ok_or(pw::Error::CreationFailed)?];
        streams.playback.connect(
            Direction::Output,
            None,
            flags | StreamFlags::TRIGGER,
            &mut format_params,
        )?;
        Ok(streams)
    }

    /// Id of the sink that apps link to, once it is in the graph.
    pub(super) fn sink_id(&self) -> Option<u32> {
        node_id(&self.capture)
    }

    /// Has WirePlumber think of the sink in that way. Says whether it does.
    pub(super) fn set_standing(&self, standing: Standing) -> bool {
        standing.give_to(&self.capture)
    }

    /// Id of the playback stream, once it is in the graph.
    pub(super) fn output_id(&self) -> Option<u32> {
        node_id(&self.playback)
    }

    /// Moves the volume of the sink, as the user would.
    ///
    /// On the stream itself. PipeWire 0.3.65 stops listening to a client that sets a parameter
    /// of a node until the node has answered, and goes deaf for good if the node is the client's
    /// own. Says whether it has been done; before the first sound PipeWire 1.x has no volume to
    /// move.
    pub(super) fn set_volume(&self, volume: &Volume, channels: usize) -> bool {
        let count = channels.min(volume.channels.len()) as u32;
        let mut gains = volume.channels;
        let mut muted = if volume.muted { 1.0_f32 } else { 0.0 };
        // SAFETY: the stream lives as long as `self`. The arguments are controls of an id, a
        // count and that many floats each, which are copied, and a 0 that ends the list. (The
        // bindings' `set_control` leaves the 0 out.)
        let result = unsafe {
            pw::sys::pw_stream_set_control(
                self.capture.as_raw_ptr(),
                pw::spa::sys::SPA_PROP_channelVolumes,
                count,
                gains.as_mut_ptr(),
                pw::spa::sys::SPA_PROP_mute,
                1_u32,
                &raw mut muted,
                0_u32,
            )
        };
        if result < 0 {
            log::debug!("setting the volume of {}: error {result}", self.capture.name());
        }
        result >= 0
    }

    /// Tells the graph how late each side is, for players to keep picture and sound together.
    pub(super) fn report_latency(&self, of: LatencyOf, latency: Latency) {
        let stream = match of {
            LatencyOf::Downstream => &self.capture,
            LatencyOf::Upstream => &self.playback,
        };
        let bytes = pods::latency(of, latency);
        if let Some(pod) = bytes.pod()
            && let Err(error) = stream.update_params(&mut [pod])
        {
            log::warn!("telling the graph the latency of {}: {error}", stream.name());
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        // Each of the two callbacks reaches for the other's stream, which has no node any more once
        // it is disconnected: 1.4.2 follows the null pointer.
        self.gate.shut();
        // Both before any listener goes: 0.3.65 takes the process callback away without
        // waiting for the data thread to leave it.
        for stream in [&self.playback, &self.capture] {
            if let Err(error) = stream.disconnect() {
                log::debug!("disconnecting {}: {error}", stream.name());
            }
        }
    }
}

fn node_id(stream: &Stream) -> Option<u32> {
    Some(stream.node_id()).filter(|id| *id != pw::constants::ID_ANY)
}

/// What happens to a stream outside the audio thread becomes a notice.
fn listen(
    stream: &Stream,
    insert: InsertId,
    side: Side,
    notices: &Notices,
) -> Result<StreamListener<()>, pw::Error> {
    let (of_state, of_param) = (notices.clone(), notices.clone());
    stream
        .add_local_listener::<()>()
        .state_changed(move |_, (), _, state| {
            let notice = match state {
                StreamState::Error(error) => StreamNotice::Failed(error),
                StreamState::Unconnected | StreamState::Connecting => return,
                StreamState::Paused => StreamNotice::Paused,
                StreamState::Streaming => StreamNotice::Streaming,
            };
            of_state.push(Notice::Stream(insert, side, notice));
        })
        .param_changed(move |_, (), id, pod| {
            let notice = match (ParamType::from_raw(id), pod) {
                (ParamType::Props, Some(pod)) => Some(StreamNotice::Volume(pods::read_volume(pod))),
                (ParamType::Latency, Some(pod)) => {
                    pods::read_latency(pod).map(|(of, latency)| StreamNotice::Latency(of, latency))
                }
                (ParamType::Format, Some(_)) => Some(StreamNotice::Format),
                _ => None,
            };
            if let Some(notice) = notice {
                of_param.push(Notice::Stream(insert, side, notice));
            }
        })
        .register()
}

/// The capture stream's callback: the cycle goes on in the playback stream's.
fn process_capture(
    capture: &Stream,
    playback: &StreamRc,
    gate: &Arc<Gate>,
) -> Result<StreamListener<()>, pw::Error> {
    let (playback, gate) = (playback.clone(), gate.clone());
    capture
        .add_local_listener::<()>()
        .process(move |capture, ()| {
            let Some(_inside) = gate.enter() else { return };
            if playback.trigger_process().is_err() {
                // The playback is not running (yet, or for this cycle): what came in would
                // come out late once it is.
                while capture.dequeue_buffer().is_some() {}
            }
        })
        .register()
}

/// The playback stream's callback: the one place where sound is processed.
fn process_playback(
    playback: &Stream,
    capture: &StreamRc,
    mut insert: Insert,
    places: Vec<usize>,
    gate: &Arc<Gate>,
) -> Result<StreamListener<()>, pw::Error> {
    let (capture, gate) = (capture.clone(), gate.clone());
    playback
        .add_local_listener::<()>()
        .process(move |playback, ()| {
            let Some(_inside) = gate.enter() else { return };
            let mut input = None;
            // The newest; older ones go back to PipeWire as they are replaced.
            while let Some(buffer) = capture.dequeue_buffer() {
                input = Some(buffer);
            }
            let Some(mut output) = playback.dequeue_buffer() else { return };
            let rate_hz = playback.time().map_or(0, |time| time.rate().denom);
            process(&mut insert, &places, rate_hz, input.as_mut(), &mut output);
        })
        .register()
}

/// Processes one cycle from one buffer into the other, each plane to its place. Whatever does not
/// fit is silence, never what the buffer held before.
///
/// Real-time safe: yes.
fn process(
    insert: &mut Insert,
    places: &[usize],
    rate_hz: u32,
    input: Option<&mut Buffer>,
    output: &mut Buffer,
) {
    let frames = match &input {
        Some(_) => usize::MAX,
        None => usize::try_from(output.requested()).unwrap_or(0),
    };
    let mut empty: [pw::spa::buffer::Data; 0] = [];
    let inputs = input.map_or(empty.as_mut_slice(), Buffer::datas_mut);
    let outputs = output.datas_mut();

    // All planes of a block are of one length: what the shortest of them holds.
    let mut frames = frames;
    for data in inputs.iter_mut() {
        frames = frames.min(samples_in(data).len());
    }
    for data in outputs.iter_mut() {
        frames = frames.min(data.as_raw().maxsize as usize / size_of::<f32>());
    }

    let fits = inputs.len() == places.len()
        && places.len() <= headroom_dsp::MAX_CHANNELS
        && places.iter().all(|place| *place < outputs.len());
    let mut planes: [&mut [f32]; headroom_dsp::MAX_CHANNELS] = Default::default();
    for (index, data) in outputs.iter_mut().enumerate() {
        let chunk = data.chunk_mut();
        *chunk.offset_mut() = 0;
        *chunk.size_mut() = (frames * size_of::<f32>()) as u32;
        *chunk.stride_mut() = size_of::<f32>() as i32;
        let Some(plane) = data
            .data()
            .and_then(|bytes| bytemuck::try_cast_slice_mut::<u8, f32>(bytes).ok())
            .and_then(|samples| samples.get_mut(..frames))
        else {
            continue;
        };
        let from = places.iter().position(|place| *place == index).filter(|_| fits);
        let samples = from.and_then(|from| inputs.get_mut(from)).map(samples_in);
        match samples.and_then(|samples| samples.get(..frames)) {
            Some(samples) => plane.copy_from_slice(samples),
            None => plane.fill(0.0),
        }
        if let Some(slot) = from.and_then(|from| planes.get_mut(from)) {
            *slot = plane;
        }
    }
    let block = planes.get_mut(..places.len()).unwrap_or_default();
    if fits {
        insert.process(rate_hz, block);
    } else {
        insert.silence(block);
    }
}

/// The samples that a buffer's plane holds in this cycle.
fn samples_in(data: &mut pw::spa::buffer::Data) -> &[f32] {
    let (offset, size) = (data.chunk().offset() as usize, data.chunk().size() as usize);
    let Some(bytes) = data.data() else { return &[] };
    let offset = offset.min(bytes.len());
    let end = offset.saturating_add(size).min(bytes.len());
    let whole = (end - offset) / size_of::<f32>() * size_of::<f32>();
    bytes
        .get(offset..offset + whole)
        .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
        .unwrap_or_default()
}
