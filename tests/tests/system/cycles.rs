//! The cycles of a graph, counted, and PipeWire's own loopbacks in the place of Headroom: what two
//! stages between an app and its device cost where nothing is done to the sound.

use std::ops::Sub;

use headroom_tests::{Graph, Tool};

use crate::choir::middle;

/// Counts cycles (`tests/src/bin/cycle-counter.rs`).
const COUNTER: &str = env!("CARGO_BIN_EXE_cycle-counter");
/// Two stages in one process, as Headroom's bus and master are.
const LOOPBACKS: &str = r"
context.properties = { core.daemon = false }
context.spa-libs = {
    audio.convert.* = audioconvert/libspa-audioconvert
    support.* = support/libspa-support
}
context.modules = [
    { name = libpipewire-module-rt args = { nice.level = -11 } flags = [ ifexists nofail ] }
    { name = libpipewire-module-protocol-native }
    { name = libpipewire-module-client-node }
    { name = libpipewire-module-adapter }
    { name = libpipewire-module-loopback args = {
        audio.position = [ FL FR ]
        capture.props = { node.name = loop.master media.class = Audio/Sink node.virtual = true }
        playback.props = { node.name = loop.master.out node.passive = true target.object = @DEVICE@ }
    } }
    { name = libpipewire-module-loopback args = {
        audio.position = [ FL FR ]
        capture.props = { node.name = loop.main media.class = Audio/Sink node.virtual = true }
        playback.props = { node.name = loop.main.out node.passive = true target.object = loop.master }
    } }
]
";
/// The sink of the first of them, and what the second plays with.
pub(crate) const LOOPBACK: &str = "loop.main";
pub(crate) const LOOPBACK_OUT: &str = "loop.master.out";

/// Starts PipeWire's own loopbacks, to `device`.
pub(crate) fn loopbacks(graph: &Graph, device: &str) -> Tool {
    let file = graph.directory().join("loopbacks.conf");
    std::fs::write(&file, LOOPBACKS.replace("@DEVICE@", device)).expect("a graph's directory");
    let file = file.to_str().expect("a path of letters");
    let loopbacks = graph.start_tool("pipewire", &["-c", file]);
    graph.wait_for("the loopbacks", |dump| dump.node(LOOPBACK).map(|_| ()));
    loopbacks
}

/// What a graph has done since its cycles were first counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cycles {
    /// How many there were.
    pub(crate) all: u64,
    /// At the end of so many a node that was called had not done its work.
    pub(crate) missed: u64,
    /// And these were so many dropouts.
    pub(crate) xruns: u64,
}

impl Sub for Cycles {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            all: self.all - before.all,
            missed: self.missed - before.missed,
            xruns: self.xruns - before.xruns,
        }
    }
}

/// Counts the cycles of a graph for as long as it lives.
#[derive(Debug)]
pub(crate) struct CycleCounter {
    tool: Tool,
}

/// Where a stretch of counting began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    line: usize,
    cycles: Cycles,
}

impl CycleCounter {
    pub(crate) fn start(graph: &Graph) -> Self {
        let counter = Self { tool: graph.start_tool(COUNTER, &[]) };
        graph.wait_for("the first cycles to be counted", |_| {
            counter.lines().last().is_some_and(|line| line.0.all > 0).then_some(())
        });
        counter
    }

    /// Where it stands, once it has spoken `times` more often; it speaks ten times a second.
    pub(crate) fn after(&self, graph: &Graph, times: usize) -> Mark {
        let before = self.lines().len();
        graph.wait_for("cycles to be counted", |_| {
            let lines = self.lines();
            let last = lines.last().filter(|_| lines.len() >= before + times)?;
            Some(Mark { line: lines.len(), cycles: last.0 })
        })
    }

    /// What there was between two marks, and after how many microseconds a cycle was done if there was
    /// any.
    pub(crate) fn between(&self, from: Mark, to: Mark) -> (Cycles, Option<f64>) {
        // In a tenth of a second without a cycle none is done.
        let done_after_us: Vec<f64> = self.lines()[from.line..to.line]
            .iter()
            .map(|line| line.1)
            .filter(|us| *us > 0.0)
            .collect();
        let done_after_us = (!done_after_us.is_empty()).then(|| middle(&done_after_us));
        (to.cycles - from.cycles, done_after_us)
    }

    /// Whether that node has not done its work in some cycle.
    pub(crate) fn blames(&self, node: &str) -> bool {
        let log = self.tool.log();
        let mut culprits = log.lines().filter_map(|line| line.split_once(" us; ")).map(|it| it.1);
        culprits.any(|all| {
            all.split(", ").any(|one| one.rsplit_once(' ').is_some_and(|it| it.0 == node))
        })
    }

    fn lines(&self) -> Vec<(Cycles, f64)> {
        let log = self.tool.log();
        // The last line may not be whole.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole.lines().filter_map(read).collect()
    }
}

/// A line of the counter's.
fn read(line: &str) -> Option<(Cycles, f64)> {
    let (figures, _) = line.split_once(" us;")?;
    let (all, rest) = figures.split_once(" cycles, ")?;
    let (missed, rest) = rest.split_once(" missed in ")?;
    let (xruns, done_after_us) = rest.split_once(" xruns, done after ")?;
    let [all, missed, xruns] = [all, missed, xruns].map(|number| number.parse().ok());
    let cycles = Cycles { all: all?, missed: missed?, xruns: xruns? };
    Some((cycles, done_after_us.parse().ok()?))
}

#[test]
fn what_the_counter_says_is_read() {
    let line = "3024 cycles, 38 missed in 2 xruns, done after 107 us; app 37, speakers 1";
    assert_eq!(read(line), Some((Cycles { all: 3_024, missed: 38, xruns: 2 }, 107.0)));
    assert_eq!(read("stdbuf cycle-counter"), None);
}
