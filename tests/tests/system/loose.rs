//! Somebody cuts the links of our own outputs: WirePlumber leaves what is cut as it is, and no app would
//! be heard any more.

use headroom_client::Client;
use headroom_tests::{Graph, on_every_generation};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_heard, tones};

/// Cuts every link of a node's output.
fn cut(graph: &Graph, output: &str) {
    let dump = graph.dump();
    let from = dump.node(output).expect("it is there").id;
    for link in dump.links.iter().filter(|link| link.from == from) {
        graph.tool("pw-link", &["-d", &link.from_port.to_string(), &link.to_port.to_string()]);
    }
}

fn wait_until_heard(graph: &Graph, client: &mut Client, what: &str) {
    graph.wait_for(what, |dump| {
        let told = client.status().ok()?.streams;
        let is_told = told.len() == 1 && told[0].bus.is_some();
        let is_through = dump.targets_of("app") == [BUS]
            && dump.is_linked(&format!("{BUS}.out"), MASTER)
            && dump.is_linked(&format!("{MASTER}.out"), DEVICE);
        (is_told && is_through).then_some(())
    });
    graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
    assert_heard(graph.record(DEVICE), &format!("{}: {what}", graph.generation()));
}

#[test]
fn an_output_of_ours_that_is_linked_to_nothing_is_tied_up_again() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (mut daemon, mut client, _) = steered(&graph, &[]);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones(60.0, 0.1));
        let _app = graph.play(&file).name("app").start();
        wait_until_heard(&graph, &mut client, "the app to be heard through us");
        for output in [MASTER, BUS] {
            let output = format!("{output}.out");
            cut(&graph, &output);
            daemon.wait_for_log(&format!("{output} stays linked to nothing"));
            wait_until_heard(&graph, &mut client, &format!("it again after {output} was cut off"));
        }
    });
}
