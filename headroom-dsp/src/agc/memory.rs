//! What the AGC knows of the programme: the last blocks that counted, and what became of
//! them on their way through the gain and the compressor.
//!
//! The blocks are those of BS.1770 (400 ms, one every 100 ms), gated as there, so that what
//! is steered is what a meter will read. Only programme is remembered: silence, a passing
//! burst and the noise between two sentences leave no trace. A lasting change of level is
//! told from those by how long it lasts, and then replaces the memory at once.

use super::ring::Ring;
use crate::units::Lufs;

/// Blocks that are remembered at a patience of 1: 12 s of programme, a block every 100 ms.
const BLOCKS: usize = 120;
/// Patience is no less than this, or a sentence would count for a programme, and no more than
/// this: a minute of programme is remembered at the most.
const LEAST_PATIENCE: f32 = 0.5;
/// The memory of one who has no patience at all: 3 s.
const LEAST_BLOCKS: f32 = 0.25;
const MOST_PATIENCE: f32 = 5.0;
const MOST_BLOCKS: usize = 600;
/// Each doubling of patience also lets a scene stand this much further over the programme.
const SLACK_LU: f32 = 4.5;
/// Sub-blocks in a block: 4 of 100 ms.
const OVERLAP: usize = 4;
/// The gate of the programme: what lies this far below it is a pause.
const PAUSE_LU: f32 = 20.0;
/// The relative gate of BS.1770.
const RELATIVE_GATE: f64 = 0.1;
/// What lies this far above the programme, and this far above the loudest block of it, waits
/// until it has lasted. By the first alone, what swells and was first heard in a trough would
/// be known for its troughs for ever.
const LOUD_LU: f32 = 6.0;
const LOUDER_LU: f32 = 5.0;
/// A louder programme is believed when it fills most of 1.7 s (a blast of 1.2 s, which may reach
/// into 13 sub-blocks, does not), or, where it comes and goes, a good part of 6 s.
const LOUD_SOON: (usize, usize) = (14, 17);
const LOUD_OFTEN: (usize, usize) = (24, 60);
/// Where patience lets it stand beside the old one: still more than a blast reaches into.
const LOUD_OFTEN_BESIDE: usize = 16;
/// A quieter programme is believed after 3 s in which nothing came near the old one.
const QUIET_BLOCKS: usize = 30;
const QUIET_MEAN_LU: f32 = 4.0;
const QUIET_PEAK_LU: f32 = 2.5;
/// With more patience than 1, where an old programme stands beside a louder one, and with less,
/// it gives way once the louder has lasted as long as a quieter one must: all of it over the old
/// one, and by this on average.
const LOUDER_MEAN_LU: f32 = 4.0;
/// How near the newest block's gain (as a factor of power) another must be to count for the
/// compressor's effect: within about 2 dB.
const NEAR_GAIN_NEPERS: f64 = 0.46;
/// Less than this passes no limiter: nothing is divided by 0.
const LEAST_PASSES: f32 = 0.01;
/// What lies in the gate is a programme, and no pause, when 6 s of it vary like one.
const FAINT_BLOCKS: usize = 60;
const FAINT_SPREAD_LU: f32 = 4.0;

/// Mean squares of one stretch of sound at the three places that matter to the AGC.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Power {
    /// As it came in.
    pub(crate) input: f64,
    /// Behind the AGC, as the compressor sees it.
    pub(crate) levelled: f64,
    /// Behind compressor and make-up.
    pub(crate) compressed: f64,
    /// Behind the limiter to come, too; burst guard and trim left out.
    pub(crate) output: f64,
    /// `output`, if what the limiter gets were a decibel louder.
    pub(crate) louder: f64,
    /// `output`, weighted by how much of a change of level the compressor lets through then.
    pub(crate) sloped: f64,
    /// Behind compressor, make-up and trim: what the burst guard finds.
    pub(crate) unguarded: f64,
}

impl Power {
    pub(crate) fn add(&mut self, other: &Power) {
        self.input += other.input;
        self.levelled += other.levelled;
        self.compressed += other.compressed;
        self.output += other.output;
        self.louder += other.louder;
        self.sloped += other.sloped;
        self.unguarded += other.unguarded;
    }

    /// The AGC's gain on it, as a factor of power.
    fn gain(&self) -> f64 {
        if self.input > 0.0 { self.levelled / self.input } else { 1.0 }
    }

    pub(crate) fn scale(&mut self, factor: f64) {
        self.input *= factor;
        self.levelled *= factor;
        self.compressed *= factor;
        self.output *= factor;
        self.louder *= factor;
        self.sloped *= factor;
        self.unguarded *= factor;
    }
}

/// What a sub-block was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Below the silence threshold.
    #[default]
    Silence,
    /// Over the silence threshold, yet in the gate of the programme.
    Faint,
    /// The programme.
    Programme,
    /// Far over the programme.
    Loud,
}

/// The programme as it is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Programme {
    /// Gated loudness of what came in, in LUFS.
    pub(super) input_lufs: f32,
    /// In front of the compressor, the blocks whose gain is near today's counting most.
    pub(super) levelled_lufs: f32,
    /// The same behind it.
    pub(super) compressed_lufs: f32,
    /// The same behind the limiter.
    pub(super) output_lufs: f32,
    /// How much of a change in front of the compressor comes out behind it, 0 to 1.
    pub(super) slope: f32,
    /// How much of a change in front of the limiter comes out behind it, 0 to 1.
    pub(super) passes: f32,
}

impl Programme {
    /// What the limiter takes of it, 0 or more.
    pub(super) fn limited_lu(&self) -> f32 {
        (self.compressed_lufs - self.output_lufs).max(0.0)
    }
}

/// The memory. Nothing in it allocates.
#[derive(Debug)]
pub(super) struct Memory {
    patience: f32,
    /// So many blocks at the most.
    remembered: usize,
    blocks: Ring<Power, MOST_BLOCKS>,
    sub_blocks: Ring<Power, OVERLAP>,
    kinds: Ring<Kind, { LOUD_OFTEN.1 }>,
    loud: Ring<Power, { LOUD_OFTEN.1 }>,
    faint: Ring<Power, FAINT_BLOCKS>,
    programme: Option<Programme>,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory {
            patience: 1.0,
            remembered: BLOCKS,
            blocks: Ring::new(),
            sub_blocks: Ring::new(),
            kinds: Ring::new(),
            loud: Ring::new(),
            faint: Ring::new(),
            programme: None,
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Memory { patience: self.patience, remembered: self.remembered, ..Memory::new() };
    }

    /// How long a programme is remembered, and how long another must last to be believed: 1 for
    /// 12 s and 3 s.
    pub(super) fn set_patience(&mut self, patience: f32) {
        let patience = if patience.is_finite() { patience } else { 1.0 };
        self.patience = patience.clamp(LEAST_PATIENCE, MOST_PATIENCE);
        self.remembered =
            (BLOCKS as f32 * patience.clamp(LEAST_BLOCKS, MOST_PATIENCE)).round() as usize;
    }

    /// How much further than at a patience of 1 a scene may stand over the programme.
    pub(super) fn slack_lu(&self) -> f32 {
        SLACK_LU * self.patience.max(1.0).log2()
    }

    /// So many blocks, at today's patience.
    fn patient(&self, blocks: usize) -> usize {
        (blocks as f32 * self.patience).round() as usize
    }

    /// So many blocks, or fewer where there is little patience.
    fn hasty(&self, blocks: usize) -> usize {
        (blocks as f32 * self.patience.min(1.0)).ceil() as usize
    }

    /// What is known, if any programme has been heard.
    pub(super) fn programme(&self) -> Option<Programme> {
        self.programme
    }

    /// Input loudness below which a moment is a pause.
    pub(super) fn gate_lufs(&self, silence_lufs: f32) -> f32 {
        self.programme.map_or(silence_lufs, |p| silence_lufs.max(p.input_lufs - PAUSE_LU))
    }

    /// Takes the next 100 ms.
    pub(super) fn push(&mut self, sub_block: Power, silence_lufs: f32) {
        self.sub_blocks.push(sub_block);
        let kind = self.kind_of(lufs(sub_block.input), silence_lufs);
        self.kinds.push(kind);
        if self.sub_blocks.len() < OVERLAP {
            return;
        }
        let mut block = Power::default();
        for part in self.sub_blocks.iter() {
            block.add(part);
        }
        block.scale(1.0 / OVERLAP as f64);
        match self.block_kind(lufs(block.input), silence_lufs) {
            Kind::Loud => self.hear_loud(block),
            Kind::Programme => self.hear_programme(block),
            Kind::Faint => self.hear_faint(block),
            Kind::Silence => self.faint.clear_if(|faint| faint.len() < FAINT_BLOCKS / 4),
        }
    }

    fn kind_of(&self, level_lufs: f32, silence_lufs: f32) -> Kind {
        match self.programme {
            _ if level_lufs <= silence_lufs => Kind::Silence,
            Some(p) if level_lufs > self.loud_lufs(&p) => Kind::Loud,
            Some(p) if level_lufs <= p.input_lufs - PAUSE_LU => Kind::Faint,
            _ => Kind::Programme,
        }
    }

    /// What is louder is no moment of this programme.
    fn loud_lufs(&self, programme: &Programme) -> f32 {
        let loudest = self.blocks.iter().fold(0.0_f64, |loudest, block| loudest.max(block.input));
        (programme.input_lufs + LOUD_LU).max(lufs(loudest) + LOUDER_LU)
    }

    /// A block that a loud sub-block reaches into is not the programme's, whatever it reads.
    fn block_kind(&self, level_lufs: f32, silence_lufs: f32) -> Kind {
        if self.kinds.latest(OVERLAP).any(|k| *k == Kind::Loud) {
            return Kind::Loud;
        }
        self.kind_of(level_lufs, silence_lufs)
    }

    fn hear_loud(&mut self, block: Power) {
        self.faint.clear();
        self.loud.push(block);
        let count = |within| self.kinds.latest(within).filter(|k| **k == Kind::Loud).count();
        // The newest must still be loud: what has just ended was a burst.
        let goes_on = self.kinds.latest(2).all(|k| *k == Kind::Loud);
        // Where the way back is long, as what follows would be taken for a pause, haste would
        // take a blast for the programme.
        let far =
            self.programme.is_some_and(|p| lufs(block.input) > p.input_lufs + PAUSE_LU - LOUDER_LU);
        let needed = |blocks| if far { blocks } else { self.hasty(blocks) };
        let (most, of) = (needed(LOUD_SOON.0), needed(LOUD_SOON.1));
        let soon = goes_on && count(of) >= most;
        let kept = self.remembered.saturating_sub(BLOCKS);
        // Only a programme that is kept whole can stand beside another.
        let enough = if kept >= BLOCKS { LOUD_OFTEN_BESIDE } else { needed(LOUD_OFTEN.0) };
        let often = count(needed(LOUD_OFTEN.1)) >= enough;
        if soon || often {
            // With more patience the loud part is a part of the programme, and not yet another.
            self.blocks.keep_latest(kept);
            // The oldest blocks still hold some of the programme before.
            let fresh = if soon { most - OVERLAP } else { enough };
            for block in self.loud.latest(fresh) {
                self.blocks.push(*block);
            }
            self.forget_doubts();
            self.measure();
        }
    }

    fn hear_programme(&mut self, block: Power) {
        self.faint.clear();
        if !self.kinds.latest(LOUD_OFTEN.1).any(|k| *k == Kind::Loud) {
            self.loud.clear();
        }
        self.blocks.push(block);
        self.blocks.keep_latest(self.remembered);
        let lasting = self.patient(QUIET_BLOCKS);
        if self.is_quieter(lasting) || self.is_louder(lasting) {
            self.blocks.keep_latest(lasting);
        }
        self.measure();
    }

    /// Whether nothing in the latest blocks comes near the programme.
    fn is_quieter(&self, latest: usize) -> bool {
        let Some(p) = self.programme.filter(|_| self.blocks.len() > latest) else { return false };
        let (mut mean, mut peak) = (0.0, 0.0_f64);
        for block in self.blocks.latest(latest) {
            mean += block.input;
            peak = peak.max(block.input);
        }
        mean /= latest as f64;
        lufs(mean) < p.input_lufs - QUIET_MEAN_LU && lufs(peak) < p.input_lufs - QUIET_PEAK_LU
    }

    /// Whether all of the latest blocks stand over those before them, which patience has kept, or
    /// which there is no patience for.
    fn is_louder(&self, latest: usize) -> bool {
        if self.blocks.len() < latest + latest / 2 {
            return false;
        }
        let old: f64 = self.blocks.iter().skip(latest).map(|block| block.input).sum();
        let old = old / (self.blocks.len() - latest) as f64;
        let (mut new, mut not_over) = (0.0, 0);
        for block in self.blocks.latest(latest) {
            new += block.input;
            not_over += usize::from(block.input <= old);
        }
        let pauses = if self.patience < 1.0 { latest / 5 } else { 0 };
        not_over <= pauses && lufs(new / latest as f64) > lufs(old) + LOUDER_MEAN_LU
    }

    fn hear_faint(&mut self, block: Power) {
        self.faint.push(block);
        if self.faint.len() < FAINT_BLOCKS {
            return;
        }
        let (mut low, mut high) = (f64::MAX, 0.0_f64);
        for block in self.faint.iter() {
            low = low.min(block.input);
            high = high.max(block.input);
        }
        if lufs(high) - lufs(low) >= FAINT_SPREAD_LU {
            self.blocks.clear();
            for block in self.faint.iter() {
                self.blocks.push(*block);
            }
            self.forget_doubts();
            self.measure();
        }
    }

    fn forget_doubts(&mut self) {
        self.kinds.clear();
        self.loud.clear();
        self.faint.clear();
    }

    /// BS.1770's relative gate over the remembered blocks. What the compressor did counts by
    /// how near the gain in front of it was to the newest block's: its curve is not straight.
    fn measure(&mut self) {
        let mut all = 0.0;
        for block in self.blocks.iter() {
            all += block.input;
        }
        let gate = all / self.blocks.len().max(1) as f64 * RELATIVE_GATE;
        let newest_gain = self.blocks.latest(1).map(Power::gain).sum::<f64>();
        let (mut input, mut count) = (0.0, 0.0);
        let (mut near, mut weights) = (Power::default(), 0.0);
        for block in self.blocks.iter().filter(|block| block.input > gate) {
            input += block.input;
            count += 1.0;
            let apart = (block.gain() / newest_gain).ln() / NEAR_GAIN_NEPERS;
            let weight = (-apart * apart).exp();
            let mut weighted = *block;
            weighted.scale(weight);
            near.add(&weighted);
            weights += weight;
        }
        if count > 0.0 && near.output > 0.0 && near.levelled > 0.0 && weights > 0.0 {
            near.scale(1.0 / weights);
            self.programme = Some(Programme {
                input_lufs: lufs(input / count),
                levelled_lufs: lufs(near.levelled),
                compressed_lufs: lufs(near.compressed),
                output_lufs: lufs(near.output),
                slope: (near.sloped / near.output) as f32,
                passes: (lufs(near.louder) - lufs(near.output)).clamp(LEAST_PASSES, 1.0),
            });
        }
    }
}

fn lufs(mean_square: f64) -> f32 {
    Lufs::from_mean_square(mean_square).0
}
