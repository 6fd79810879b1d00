//! The listener's default sink: set as the panel of a desktop does, and looked at.

use std::time::Duration;

use headroom_tests::{Deadline, Generation, Graph, Tool, poll};

pub(crate) const CONFIGURED: &str = "default.configured.audio.sink";
/// How long a graph may take to tell who listens of a change, before it is taken to tell nobody.
const A_WORD: Duration = Duration::from_secs(5);
/// How many graphs may go dumb before that is something else.
const MOST_GRAPHS: usize = 4;

/// Sets a default, and waits for nothing.
pub(crate) fn set_default(graph: &Graph, name: &str) {
    let value = format!("{{ \"name\": \"{name}\" }}");
    graph.tool("pw-metadata", &["0", CONFIGURED, &value, "Spa:String:JSON"]);
}

/// Sets a default where nobody else wants another.
pub(crate) fn choose_default(graph: &Graph, name: &str) {
    set_default(graph, name);
    graph.wait_for(&format!("{name} to be the default"), |dump| {
        (dump.default_sink().as_deref() == Some(name)).then_some(())
    });
}

/// Waits until the default is as said: who was asked for, and who it is.
pub(crate) fn default_is(graph: &Graph, configured: Option<&str>, actual: &str) {
    graph.wait_for(&format!("{configured:?} to be configured, {actual} the default"), |dump| {
        let is_so = dump.configured_default_sink().as_deref() == configured
            && dump.default_sink().as_deref() == Some(actual);
        is_so.then_some(())
    });
}

/// Nobody is told any more of what changes.
#[derive(Debug)]
pub(crate) struct Dumb;

/// Somebody who listens beside headroomd.
///
/// A client that leaves PipeWire at the wrong moment takes the ears of all others along: nobody is
/// told of a change in the metadata from then on (`restarts` makes that happen on purpose). What
/// this one is not told of headroomd cannot know either.
pub(crate) struct Ear(Tool);

impl Ear {
    pub(crate) fn of(graph: &Graph) -> Ear {
        let tool = graph.start_tool("pw-metadata", &["-n", "default", "--monitor", "0"]);
        tool.wait_for_log("default.audio.sink");
        Ear(tool)
    }

    /// How often it was told that this one was asked for.
    pub(crate) fn count(&self, name: &str) -> usize {
        let name = format!("\"{name}\"");
        let is_it = |line: &&str| line.contains(CONFIGURED) && line.contains(&name);
        self.0.log().lines().filter(is_it).count()
    }

    /// All that it was told of, up to a last line of ours.
    pub(crate) fn log(&self, graph: &Graph) -> Result<String, Dumb> {
        graph.tool("pw-metadata", &["0", "the.end", "1"]);
        let end = || self.0.log().contains("the.end").then_some(());
        poll(Deadline::after(A_WORD), end).ok_or(Dumb)?;
        Ok(self.0.log())
    }

    /// Sets a default, and makes sure that those who listen are told.
    pub(crate) fn hears(&self, graph: &Graph, name: &str) -> Result<(), Dumb> {
        let before = self.count(name);
        set_default(graph, name);
        poll(Deadline::after(A_WORD), || (self.count(name) > before).then_some(())).ok_or(Dumb)
    }
}

/// Runs a test on a graph that tells of changes, and once more where one has gone dumb under it.
pub(crate) fn on_a_graph_that_tells(
    generation: &'static Generation,
    test: impl Fn() -> Result<(), Dumb>,
) {
    for _ in 0..MOST_GRAPHS {
        if test().is_ok() {
            return;
        }
        println!("{generation}: the graph has gone dumb, and the test begins again");
    }
    panic!("{generation}: {MOST_GRAPHS} graphs have told nobody of a default");
}
