//! What each measurement begins with: a graph at a rate, `headroomd` on it, and an app through it.

use std::time::Duration;

use headroom_client::Client;
use headroom_client::ipc::Address;
use headroom_tests::{Client as App, Daemon, Device, Generation, Graph, Setup};

/// The sink of the main bus, as apps see it.
pub(crate) const BUS: &str = "headroom.main";
/// The sink of the master.
pub(crate) const MASTER: &str = "headroom.master";
/// The device sink.
pub(crate) const DEVICE: &str = "speakers";

/// A daemon may be slow on a busy machine; one that hangs is found by what is not heard.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) graph: Graph,
    pub(crate) client: Client,
    pub(crate) daemon: Daemon,
    pub(crate) rate_hz: u32,
}

impl Stage {
    /// A graph that runs at this rate, and `headroomd` with these arguments.
    pub(crate) fn at(generation: &'static Generation, rate_hz: u32, arguments: &[&str]) -> Stage {
        let device = Device::named(DEVICE).rate_hz(rate_hz);
        let graph = Setup::default().devices([device]).start(generation);
        graph.force_rate(rate_hz);
        let mut daemon = graph.headroomd(arguments);
        daemon.wait_for_log("ready");
        let place = Address::Path(graph.directory().join("run/headroom/control.sock"));
        let client = Client::connect_within(&place, CALL_TIMEOUT).expect("headroomd is ready");
        Stage { graph, client, daemon, rate_hz }
    }

    /// Plays planar channels to the bus, and waits until they flow to the device.
    pub(crate) fn play(&self, channels: &[Vec<f32>]) -> App {
        let file = self.graph.write_programme("app.wav", self.rate_hz, channels);
        let app = self.graph.play(&file).name("app").target(BUS).start();
        app.wait_until_linked_to(BUS);
        self.graph.wait_for_flow(&format!("{BUS}.out"), MASTER);
        self.graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
        app
    }
}
