//! Devices are pulled, plugged and renamed while sound plays, and their ids are given to others: no
//! stream is lost, and none is sent to the wrong device.

use headroom_client::Client;
use headroom_client::ipc::{Match, Route, Status};
use headroom_tests::{Device, Dump, Graph, Setup, on_every_generation};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_heard, tones};

/// The device that the listener has put an app at by hand.
const HEADPHONES: &str = "headphones";

fn play(graph: &Graph, name: &str) -> headroom_tests::Client {
    let file = graph.audio_file("tones.wav");
    if !file.exists() {
        graph.write_programme("tones.wav", RATE_HZ, &tones(90.0, 0.1));
    }
    graph.play(&file).name(name).property("application.name", name).start()
}

/// Waits until every app is linked to one sink, which is the one that Headroom tells, and that to
/// where it is to go.
fn wait_until_at(graph: &Graph, client: &mut Client, apps: &[(&str, &str)]) {
    graph.wait_for(&format!("{apps:?}, and to be told so"), |dump| {
        let told = client.stream_list().ok()?.streams;
        let is_at = |(app, sink): &(&str, &str)| {
            let is_told = |stream: &headroom_client::ipc::Stream| {
                stream.app == *app && stream.sink.as_deref() == Some(sink)
            };
            dump.targets_of(app) == [*sink] && told.iter().any(is_told)
        };
        (told.len() == apps.len() && apps.iter().all(is_at)).then_some(())
    });
}

/// The names of the devices that nobody asked for begin with this.
const STRANGER: &str = "stranger";

/// Plugs devices until the id that one has had is given to another object.
fn plug_until_the_id_is_given_again(graph: &Graph, id: u32, first: usize) {
    for number in first..first + 40 {
        graph.plug(Device::named(&format!("{STRANGER}-{number}")).priority(10));
        if graph.dump().ids.contains(&id) {
            println!("{}: the id {id} is given again", graph.generation());
            return;
        }
    }
    panic!("the id {id} is not given again");
}

/// Which streams are at a stranger.
fn at_a_stranger(dump: &Dump) -> Vec<&str> {
    let is_stranger = |name: &&str| name.starts_with(STRANGER);
    let streams = dump.nodes.iter().filter(|node| node.media_class.starts_with("Stream/Output"));
    let names = streams.map(|node| &*node.name);
    names.filter(|name| dump.targets_of(name).iter().any(is_stranger)).collect()
}

#[test]
fn devices_come_and_go_under_streams_and_no_stream_is_lost_or_at_a_stranger() {
    on_every_generation(|generation| {
        let graph = Setup::default()
            .devices([Device::named(DEVICE), Device::named(HEADPHONES).priority(500)])
            .start(generation);
        // WirePlumber remembers where one of them was put, and would put those that come later there.
        let [by_hand, _app, _bypassed] =
            ["by hand", "app", "bypassed"].map(|name| play(&graph, name));
        by_hand.wait_until_linked_to(DEVICE);
        let (node, serial) = (by_hand.node().id.to_string(), graph.node(HEADPHONES).serial);
        graph.tool("pw-metadata", &[&node, "target.object", &serial.to_string(), "Spa:Id"]);
        by_hand.wait_until_linked_to(HEADPHONES);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let bypassed = Match { application_name: vec!["bypassed".to_owned()], ..Match::default() };
        client.route_set(bypassed, Route::Bypass).expect("a route");
        let output = format!("{MASTER}.out");
        let apps = |app: &'static str, device: &'static str, by_hand: &'static str| {
            [("app", app), ("bypassed", device), ("by hand", by_hand)]
        };
        wait_until_at(&graph, &mut client, &apps(BUS, DEVICE, HEADPHONES));

        // The device of one app goes, and a stranger gets its id: nobody is sent there.
        let id = graph.node(HEADPHONES).id;
        graph.unplug(HEADPHONES);
        plug_until_the_id_is_given_again(&graph, id, 0);
        graph.wait_for("every app to be somewhere else than at the stranger", |dump| {
            let told = client.stream_list().ok()?.streams;
            let is_well = |app: &str| {
                let linked = dump.targets_of(app);
                let told = told.iter().find(|told| told.app == app);
                linked.len() == 1
                    && !linked[0].starts_with(STRANGER)
                    && told.and_then(|told| told.sink.as_deref()) == Some(linked[0])
            };
            ["app", "bypassed", "by hand"].into_iter().all(is_well).then_some(())
        });
        graph.wait_for_flow(&output, DEVICE);
        assert_heard(graph.record(DEVICE), &format!("{generation}: a stranger was plugged"));

        // The device that is heard goes, and with it the id that the master was linked to.
        let id = graph.node(DEVICE).id;
        graph.plug(Device::named("hdmi").priority(700));
        graph.unplug(DEVICE);
        plug_until_the_id_is_given_again(&graph, id, 40);
        graph.wait_for_flow(&output, "hdmi");
        graph.wait_for_link("bypassed", "hdmi");
        assert_heard(graph.record("hdmi"), &format!("{generation}: {DEVICE} has gone"));
        assert_eq!(at_a_stranger(&graph.dump()), [""; 0]);

        // It comes back under another name, as a card does in another port.
        graph.plug(Device::named("speakers-2").priority(1_500));
        graph.wait_for_flow(&output, "speakers-2");
        graph.wait_for_link("bypassed", "speakers-2");
        graph.wait_for_link("app", BUS);
        assert_eq!(at_a_stranger(&graph.dump()), [""; 0]);
        assert_heard(graph.record("speakers-2"), &format!("{generation}: it has another name"));
    });
}

#[test]
fn every_device_may_go_at_once_and_come_back_as_in_a_suspend() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let bypassed = Match { application_name: vec!["bypassed".to_owned()], ..Match::default() };
        client.route_set(bypassed, Route::Bypass).expect("a route");
        let (_app, _bypassed) = (play(&graph, "app"), play(&graph, "bypassed"));
        let apps = [("app", BUS), ("bypassed", DEVICE)];
        wait_until_at(&graph, &mut client, &apps);
        for round in 0..3 {
            graph.unplug(DEVICE);
            // Nothing is heard; nobody is asked anything in vain.
            let status = client.status().expect("a status");
            assert_eq!(status.streams.len(), 2, "{status:?}");
            let warned = |status: &Status| status.warnings.iter().any(|it| it.about == "device");
            graph.wait_for("it to be told that there is none", |_| {
                let status = client.status().expect("a status");
                (status.device.device_sink.is_none() && warned(&status)).then_some(())
            });
            graph.plug(Device::named(DEVICE));
            graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
            wait_until_at(&graph, &mut client, &apps);
            let status = client.status().expect("a status");
            assert_eq!(status.device.device_sink.as_deref(), Some(DEVICE));
            assert!(!warned(&status), "{status:?}");
            let what = format!("{generation}: round {round}");
            assert_heard(graph.record(DEVICE), &what);
        }
    });
}
