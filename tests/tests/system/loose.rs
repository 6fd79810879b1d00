//! Somebody cuts links or destroys nodes of ours, or tells them of an error: WirePlumber leaves what is
//! cut as it is, and no app would be heard any more.

use headroom_client::Client;
use headroom_tests::{Graph, on_every_generation};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_heard, tones};

/// A script for WirePlumber's own interpreter: tells a node's client that something is wrong with it, as
/// WirePlumber does where a link fails.
const TELL_OF_AN_ERROR: &str = r#"
local all = ObjectManager { Interest { type = "node" }, Interest { type = "client" } }
all:connect("installed", function ()
  for node in all:iterate { type = "node" } do
    for client in all:iterate { type = "client" } do
      if node.properties["node.name"] == "NODE"
          and node.properties["client.id"] == tostring(client["bound-id"]) then
        client:send_error(node["bound-id"], -32, "something is wrong")
        print("told")
      end
    end
  end
  Core.sync(Core.quit)
end)
all:activate()
"#;

fn app(graph: &Graph) -> headroom_tests::Client {
    let file = graph.write_programme("tones.wav", RATE_HZ, &tones(90.0, 0.1));
    graph.play(&file).name("app").start()
}

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
        let is_told = told.len() == 1 && told[0].bus.is_some() && !told[0].contested;
        let is_through = dump.targets_of("app") == [BUS]
            && dump.targets_of(&format!("{BUS}.out")) == [MASTER]
            && dump.targets_of(&format!("{MASTER}.out")) == [DEVICE];
        (is_told && is_through).then_some(())
    });
    graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
    assert_heard(graph.record(DEVICE), &format!("{}: {what}", graph.generation()));
}

#[test]
fn an_output_of_ours_that_is_cut_off_is_tied_up_again() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (mut daemon, mut client, _) = steered(&graph, &[]);
        let _app = app(&graph);
        wait_until_heard(&graph, &mut client, "the app to be heard through us");
        for output in [MASTER, BUS].map(|name| format!("{name}.out")) {
            cut(&graph, &output);
            daemon.wait_for_log(&format!("{output} stays linked to nothing"));
            wait_until_heard(&graph, &mut client, &format!("the app again after {output} was cut"));
        }
    });
}

#[test]
fn a_node_of_ours_that_somebody_destroys_is_made_anew() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (mut daemon, mut client, _) = steered(&graph, &[]);
        let _app = app(&graph);
        wait_until_heard(&graph, &mut client, "the app to be heard through us");
        for (node, insert) in [(MASTER.to_owned(), MASTER), (format!("{BUS}.out"), BUS)] {
            graph.tool("pw-cli", &["destroy", &graph.node(&node).id.to_string()]);
            daemon.wait_for_log(&format!("{insert} is not in the graph any more"));
            wait_until_heard(&graph, &mut client, &format!("the app again without that {node}"));
        }
    });
}

#[test]
fn a_word_of_an_error_to_a_node_of_ours_costs_nothing() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (daemon, mut client, _) = steered(&graph, &[]);
        let _app = app(&graph);
        wait_until_heard(&graph, &mut client, "the app to be heard through us");
        let before = graph.node(BUS).serial;
        let script = graph.audio_file("tell.lua");
        for node in [BUS, MASTER].into_iter().flat_map(|name| [name.into(), format!("{name}.out")])
        {
            std::fs::write(&script, TELL_OF_AN_ERROR.replace("NODE", &node)).expect("a script");
            let said = graph.tool("wpexec", &[&script.display().to_string()]);
            assert_eq!(said.trim(), "told", "{node}");
        }
        wait_until_heard(&graph, &mut client, "the app as before");
        assert_eq!(graph.node(BUS).serial, before, "the same sink");
        let log = daemon.log();
        assert!(log.contains("something is wrong"), "{log}");
        assert_eq!(log.matches("connected to PipeWire").count(), 1, "{log}");
    });
}

#[test]
fn an_app_that_is_cut_off_from_us_is_linked_again_also_where_it_comes_by_itself() {
    on_every_generation(|generation| {
        for arguments in [&[][..], &["--promote"]] {
            let graph = Graph::start(generation);
            let (_daemon, mut client, _) = steered(&graph, arguments);
            let _app = app(&graph);
            wait_until_heard(&graph, &mut client, "the app to be heard through us");
            cut(&graph, "app");
            let what = format!("the app again after it was cut off, {arguments:?}");
            wait_until_heard(&graph, &mut client, &what);
        }
    });
}
