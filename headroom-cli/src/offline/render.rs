//! A file through the chain into another file.
//!
//! Three threads: one decodes and meters what comes in, this one runs the chain, one meters
//! what goes out and encodes it. The output is as long as the input and aligned with it: what
//! the chain is late is cut off at the start and brought out by silence at the end.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender};

use headroom_dsp::{Chain, ChainMeters, ChainParams, Db, Layout};

use super::measures::{FileMeter, PART_FRAMES};
use super::queue::{empty_blocks, join, queue, receive, start};
use super::{Gains, Measures, Point, Timeline};
use crate::audio::{Block, ChannelMap, OutputFile, ReadError, Sink, SinkSpec, Source, WriteError};
use crate::interrupt::Interrupt;

/// What is to be rendered.
pub(crate) struct RenderJob {
    pub(crate) source: Source,
    pub(crate) output: OutputFile,
    pub(crate) spec: SinkSpec,
    pub(crate) params: ChainParams,
}

/// What came of it. The output has no name yet.
pub(crate) struct Rendered {
    pub(crate) output: OutputFile,
    pub(crate) frames: u64,
    pub(crate) bad_samples: u64,
    pub(crate) input_measures: Measures,
    pub(crate) output_measures: Measures,
    pub(crate) gains: Gains,
    pub(crate) timeline: Timeline,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("starting a thread: {0}")]
    Thread(#[from] io::Error),
    #[error("preparing the chain: {0}")]
    Prepare(#[from] headroom_dsp::PrepareError),
    #[error("interrupted by signal {0}")]
    Interrupted(u8),
}

/// Runs the job. `progress` is called with the frames done so far.
pub(crate) fn render(
    job: RenderJob,
    interrupt: &Interrupt,
    mut progress: impl FnMut(u64),
) -> Result<Rendered, RenderError> {
    let RenderJob { source, output, spec, params } = job;
    let SinkSpec { rate_hz, channels, .. } = spec;
    let mut process = Process::prepare(rate_hz, channels, &params)?;
    let sink = Sink::begin(output, &spec)?;

    let (to_process, decoded) = queue();
    let (to_encode, processed) = queue();
    let (give_back, empty) = empty_blocks(channels.count());
    let decoder = start("hr-decode", move || decode(source, &empty, &to_process))?;
    let encoder =
        start("hr-encode", move || encode(sink, rate_hz, channels, &processed, &give_back))?;

    let stopped = || interrupt.signal().is_some();
    while let Some(mut block) = receive(&decoded, stopped) {
        if stopped() {
            break;
        }
        process.run(&mut block);
        progress(process.frames_in);
        // An encoder that is gone says why when it is joined.
        if to_encode.send(block).is_err() {
            break;
        }
    }
    if let Some(signal) = interrupt.signal() {
        drop(to_encode);
        // Ends at once and takes the unfinished file with it; the decoder may be waiting for
        // a file that says nothing, and is left to itself.
        let _ = join(encoder);
        return Err(RenderError::Interrupted(signal));
    }
    drop(decoded);
    let mut tail = Block::for_channels(channels.count());
    process.bring_out(&mut tail);
    let tail_taken = to_encode.send(tail);
    drop(to_encode);
    let encoded = join(encoder);
    let decoded = join(decoder);
    // What broke first is what is told: an encoder that fails stops the decoder, but not the
    // other way round.
    let (sink, output_measures) = encoded?;
    let (bad_samples, input_measures) = decoded?;
    debug_assert!(tail_taken.is_ok());
    Ok(Rendered {
        output: sink.complete()?,
        frames: process.frames_in,
        bad_samples,
        input_measures,
        output_measures,
        gains: process.gains,
        timeline: process.timeline,
    })
}

fn decode(
    mut source: Source,
    empty: &Receiver<Block>,
    to_process: &SyncSender<Block>,
) -> Result<(u64, Measures), ReadError> {
    let mut meter = FileMeter::prepare(source.rate_hz(), source.channels());
    while let Ok(mut block) = empty.recv() {
        source.read(&mut block)?;
        if block.frames() == 0 {
            break;
        }
        meter.process(&block);
        if to_process.send(block).is_err() {
            break;
        }
    }
    Ok((source.bad_samples(), meter.finish()))
}

fn encode(
    mut sink: Sink,
    rate_hz: u32,
    channels: ChannelMap,
    processed: &Receiver<Block>,
    give_back: &SyncSender<Block>,
) -> Result<(Sink, Measures), WriteError> {
    let mut meter = FileMeter::prepare(rate_hz, channels);
    for block in processed {
        meter.process(&block);
        sink.write(&block)?;
        // At the end there is one block more than go round, and nobody who takes them.
        let _ = give_back.try_send(block);
    }
    Ok((sink, meter.finish()))
}

/// The chain, and what is noted of it.
struct Process {
    chain: Chain,
    layout: Layout,
    rate_hz: u32,
    /// How many frames of the output are still to be cut off at its start.
    cut_frames: usize,
    frames_in: u64,
    gains: Gains,
    timeline: Timeline,
}

impl Process {
    fn prepare(
        rate_hz: u32,
        channels: ChannelMap,
        params: &ChainParams,
    ) -> Result<Process, headroom_dsp::PrepareError> {
        let layout = channels.layout();
        let chain = Chain::prepare(rate_hz, layout, PART_FRAMES, params)?;
        let cut_frames = chain.latency_frames();
        Ok(Process {
            chain,
            layout,
            rate_hz,
            cut_frames,
            frames_in: 0,
            gains: Gains::none(),
            timeline: Timeline::new(),
        })
    }

    /// A block of the input becomes one of the output; at the start a shorter one.
    fn run(&mut self, block: &mut Block) {
        self.frames_in += block.frames() as u64;
        self.process(block, Noted::Yes);
    }

    /// The end of the output: as many frames as the chain is late.
    fn bring_out(&mut self, block: &mut Block) {
        block.clear();
        block.append_silence(self.chain.latency_frames());
        self.process(block, Noted::No);
    }

    fn process(&mut self, block: &mut Block, noted: Noted) {
        let total = block.frames();
        let mut from = 0;
        while from < total {
            let (mut planes, frames) = block.slices_mut(from, PART_FRAMES);
            self.chain.process(&mut planes[..self.layout.len()]);
            from += frames;
            let meters = self.chain.take_meters();
            self.gains.add(&meters);
            if noted == Noted::Yes {
                let done = self.frames_in - (total - from) as u64;
                self.timeline.add(self.point(done, &meters));
            }
        }
        let cut = self.cut_frames.min(total);
        block.drop_front(cut);
        self.cut_frames -= cut;
    }

    fn point(&self, frames: u64, meters: &ChainMeters) -> Point {
        let ChainMeters { bus, master } = meters;
        let reduction =
            bus.guard_reduction.0 + bus.compressor_reduction.0 + master.limiter_reduction.0;
        Point {
            time_s: frames as f64 / f64::from(self.rate_hz),
            input: bus.input.momentary,
            output: master.output.momentary,
            agc_gain: bus.agc_gain,
            reduction: Db(reduction),
        }
    }
}

/// Whether a stretch becomes part of the timeline; the silence behind the end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noted {
    Yes,
    No,
}
