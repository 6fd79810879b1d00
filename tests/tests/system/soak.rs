//! Hundreds of things that happen on a desktop, one after the other in no order: afterwards every
//! stream is where Headroom says it is, and nothing has been left behind.
//!
//! `HEADROOM_SEED` in the environment gives the events of another day; the seed is printed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headroom_client::ipc::{BypassTo, Match, Route};
use headroom_client::{Address, Client};
use headroom_signals::Random;
use headroom_tests::{
    Daemon, Device, Dump, Ended, Generation, Graph, Service, let_pass, on_every_generation, poll,
};

use crate::control::steered;
use crate::setting::{DEVICE, RATE_HZ, tones};

/// Where the events come from, unless another seed is given.
const SEED: u64 = 20_240_229;
const EVENTS: usize = 300;
const EVENTS_OF_A_SOAK: usize = 2_000;
/// After so many events it has all the memory that it will ever need.
const WARM: usize = 100;
const MOST_GROWTH_BYTES: u64 = 1024 * 1024;
/// How long it may take until everything has gone where it is to go.
const SETTLES_WITHIN: Duration = Duration::from_secs(15);

const APPS: [&str; 5] = ["browser", "game", "player", "chat", "bell"];
const PROFILES: [&str; 5] = ["default", "night", "gaming", "bypass-all", "speech"];
const OTHER_DEVICES: [&str; 3] = ["headphones", "hdmi", "headset"];
const MOST_STREAMS: usize = 5;
/// How many of a hundred events start WirePlumber again, which takes seconds.
const RESTARTS_PERCENT: usize = 2;

fn route(random: &mut Random) -> Route {
    [Route::Processed, Route::Protected, Route::Bypass][random.below(3)].clone()
}

/// The desktop, and who sits at it.
struct Desktop<'g> {
    generation: &'static Generation,
    graph: &'g Graph,
    client: Client,
    random: Random,
    streams: Vec<headroom_tests::Client>,
    plugged: Vec<&'static str>,
    routed: Vec<&'static str>,
    started: usize,
    happened: BTreeMap<&'static str, usize>,
}

impl<'g> Desktop<'g> {
    /// One thing happens. Gives what it was.
    fn one_event(&mut self) {
        let kind = match self.random.below(100) {
            0..RESTARTS_PERCENT => self.restart(),
            n if n < 22 => self.start_stream(),
            n if n < 38 => self.stop_stream(),
            n if n < 52 => self.route_stream(),
            n if n < 64 => self.route_app(),
            n if n < 74 => self.change_default(),
            n if n < 82 => self.plug(),
            n if n < 90 => self.unplug(),
            n if n < 97 => self.change_profile(),
            _ => self.bypass(),
        };
        *self.happened.entry(kind).or_default() += 1;
        self.mourn();
    }

    /// WirePlumber 0.4.13 falls over its own feet now and then when devices come and go.
    fn mourn(&mut self) {
        if self.graph.has_died(Service::WirePlumber) {
            println!("{}: WirePlumber has died by itself", self.generation);
            self.restart();
            *self.happened.entry("WirePlumber died").or_default() += 1;
        }
    }

    fn start_stream(&mut self) -> &'static str {
        if self.streams.len() >= MOST_STREAMS {
            return self.stop_stream();
        }
        let app = APPS[self.random.below(APPS.len())];
        self.started += 1;
        let play = self.graph.play(&self.graph.audio_file("tones.wav"));
        let play = play.name(&format!("{app}-{}", self.started)).property("application.name", app);
        self.streams.push(play.start());
        "stream started"
    }

    fn stop_stream(&mut self) -> &'static str {
        if self.streams.is_empty() {
            return self.start_stream();
        }
        let which = self.random.below(self.streams.len());
        self.streams.swap_remove(which).stop();
        "stream stopped"
    }

    fn route_stream(&mut self) -> &'static str {
        let Ok(told) = self.client.stream_list() else { return "nothing" };
        if told.streams.is_empty() {
            return self.start_stream();
        }
        let which = self.random.below(told.streams.len());
        let to = (self.random.below(4) > 0).then(|| route(&mut self.random));
        // It may have ended a moment ago.
        let _ = self.client.route_stream(told.streams[which].id, to);
        "stream sent elsewhere"
    }

    fn route_app(&mut self) -> &'static str {
        let app = APPS[self.random.below(APPS.len())];
        let matches = Match { application_name: vec![app.to_owned()], ..Match::default() };
        if let Some(place) = self.routed.iter().position(|routed| *routed == app) {
            self.client.route_unset(matches).expect("it is there");
            self.routed.swap_remove(place);
        } else {
            let to = route(&mut self.random);
            self.client.route_set(matches, to).expect("a route");
            self.routed.push(app);
        }
        "route of the user"
    }

    fn change_default(&mut self) -> &'static str {
        let mut devices = vec![DEVICE];
        devices.extend(&self.plugged);
        let device = devices[self.random.below(devices.len())];
        let value = format!("{{ \"name\": \"{device}\" }}");
        let key = "default.configured.audio.sink";
        self.graph.tool("pw-metadata", &["0", key, &value, "Spa:String:JSON"]);
        "default changed"
    }

    fn plug(&mut self) -> &'static str {
        let free = OTHER_DEVICES.iter().find(|name| !self.plugged.contains(name));
        let Some(name) = free else { return self.unplug() };
        let priority = if self.random.chance(0.5) { 2_000 } else { 500 };
        self.graph.plug(Device::named(name).priority(priority));
        self.plugged.push(name);
        "device plugged"
    }

    fn unplug(&mut self) -> &'static str {
        if self.plugged.is_empty() {
            return self.plug();
        }
        let which = self.random.below(self.plugged.len());
        let name = self.plugged.swap_remove(which);
        self.graph.unplug(name);
        "device unplugged"
    }

    fn change_profile(&mut self) -> &'static str {
        let profile = PROFILES[self.random.below(PROFILES.len())];
        self.client.profile_use(profile).expect("a shipped profile");
        "profile changed"
    }

    fn bypass(&mut self) -> &'static str {
        self.client.bypass_set(BypassTo::Toggle).expect("done");
        "bypass"
    }

    fn restart(&mut self) -> &'static str {
        // WirePlumber 0.4 that alone was started again links nothing in a graph without hardware.
        let with_pipewire = self.generation.wireplumber() < (0, 5, 0);
        self.graph.kill_service(Service::WirePlumber);
        if with_pipewire {
            self.graph.kill_service(Service::PipeWire);
            self.streams.clear();
            self.graph.start_service(Service::PipeWire);
        }
        self.graph.start_service(Service::WirePlumber);
        if with_pipewire { "PipeWire started again" } else { "WirePlumber started again" }
    }

    /// Waits until every stream is linked to one sink, that which Headroom tells, and that is where
    /// its route leads.
    fn assert_where_it_says(&mut self, after: usize) {
        self.mourn();
        let deadline = headroom_tests::Deadline::after(SETTLES_WITHIN);
        let mut last = String::new();
        let settled = poll(deadline, || {
            let dump = self.graph.dump();
            last = self.what_is_wrong(&dump)?;
            last.is_empty().then_some(())
        });
        if settled.is_none() {
            let entries = self.graph.dump().metadata.remove("default").unwrap_or_default();
            panic!("after {after} events: {last}\n{entries:#?}\n{}", self.graph.report());
        }
    }

    /// What of it is not as it should be; empty where all is well.
    fn what_is_wrong(&mut self, dump: &Dump) -> Option<String> {
        let status = self.client.status().ok()?;
        let told = self.client.stream_list().ok()?.streams;
        let mut wrong = Vec::new();
        if told.len() != self.streams.len() || status.streams.len() != told.len() {
            wrong.push(format!("{} streams told of {}", told.len(), self.streams.len()));
        }
        for stream in &self.streams {
            let name = stream.name();
            let linked = dump.targets_of(name);
            let is_it = |node: &&headroom_tests::Node| node.name == name;
            let serial = dump.nodes.iter().find(is_it).map(|node| node.serial);
            let Some(told) = told.iter().find(|told| Some(told.id) == serial) else {
                wrong.push(format!("{name} is not told of: {told:?}"));
                continue;
            };
            let is_routed = match (&told.route, &linked[..]) {
                (Route::Processed, [sink]) => *sink == crate::setting::BUS,
                (Route::Protected, [sink]) => *sink == crate::setting::MASTER,
                (Route::Bypass, [sink]) => !sink.starts_with("headroom."),
                _ => false,
            };
            if told.sink.as_deref() != linked.first().copied() || linked.len() != 1 {
                wrong.push(format!("{name} is linked to {linked:?}, told {:?}", told.sink));
            } else if !is_routed || told.contested {
                wrong.push(format!("{name} is at {linked:?}: {told:?}"));
            }
        }
        Some(wrong.join("; "))
    }

    /// Everything is as it was before the first event, but for what has been left behind.
    fn tidy_up(&mut self) {
        self.streams.drain(..).for_each(headroom_tests::Client::stop);
        for name in self.plugged.drain(..) {
            self.graph.unplug(name);
        }
        for app in self.routed.drain(..) {
            let matches = Match { application_name: vec![app.to_owned()], ..Match::default() };
            self.client.route_unset(matches).expect("it is there");
        }
        self.client.profile_use("default").expect("used");
        self.client.bypass_set(BypassTo::Off).expect("done");
        self.mourn();
        self.graph.tool("pw-metadata", &["-d", "0", "default.configured.audio.sink"]);
        self.graph.wait_for("the inserts to be linked as at first", |dump| {
            dump.is_linked("headroom.master.out", DEVICE).then_some(())
        });
    }
}

/// What there is in a graph: nodes, clients, how many ports and links, and what is said in it but of
/// Headroom's own streams.
#[derive(Debug, PartialEq)]
struct Inventory {
    nodes: Vec<String>,
    clients: Vec<String>,
    ports: usize,
    links: usize,
    sayings: Vec<String>,
}

impl Inventory {
    fn of(dump: &Dump) -> Inventory {
        let mut nodes: Vec<String> = dump.nodes.iter().map(|node| node.name.clone()).collect();
        nodes.sort();
        let mut clients = dump.clients.clone();
        clients.sort();
        let entries = dump.metadata.get("default").cloned().unwrap_or_default();
        let is_ours = |subject: u32| {
            dump.nodes.iter().any(|node| node.id == subject && node.name.starts_with("headroom."))
        };
        let of_others = entries.iter().filter(|entry| !is_ours(entry.subject));
        let mut sayings: Vec<String> =
            of_others.map(|entry| format!("{} {}", entry.subject, entry.key)).collect();
        sayings.sort();
        Inventory { nodes, clients, ports: dump.ports.len(), links: dump.links.len(), sayings }
    }
}

/// The least memory that it comes to within a few seconds: what was needed for a moment is given
/// back.
fn resident_bytes(daemon: &Daemon, enough: u64) -> u64 {
    let mut least = u64::MAX;
    let deadline = headroom_tests::Deadline::after(Duration::from_secs(6));
    poll(deadline, || {
        least = least.min(daemon.usage().resident_bytes);
        let_pass(Duration::from_millis(100));
        (least <= enough).then_some(())
    });
    least
}

fn seed() -> u64 {
    let given = std::env::var("HEADROOM_SEED").ok();
    given.map_or(SEED, |text| text.parse().expect("HEADROOM_SEED is a whole number"))
}

fn soak(generation: &'static Generation) {
    let is_long = std::env::var_os("HEADROOM_LONG").is_some();
    let (seed, events) = (seed(), if is_long { EVENTS_OF_A_SOAK } else { EVENTS });
    println!("{generation}: {events} events, HEADROOM_SEED={seed}");
    let graph = Graph::start(generation);
    graph.write_programme("tones.wav", RATE_HZ, &tones(240.0, 0.05));
    let empty = Inventory::of(&graph.dump());
    let (daemon, client, _place): (Daemon, Client, Address) = steered(&graph, &[]);
    let before = graph.wait_for("Headroom to be there", |dump| {
        dump.is_linked("headroom.master.out", DEVICE).then(|| Inventory::of(dump))
    });
    let mut desktop = Desktop {
        generation,
        graph: &graph,
        client,
        random: Random::new(seed),
        streams: Vec::new(),
        plugged: Vec::new(),
        routed: Vec::new(),
        started: 0,
        happened: BTreeMap::new(),
    };
    let began = Instant::now();
    let mut warm_bytes = 0;
    for event in 1..=events {
        desktop.one_event();
        if event % WARM == 0 {
            desktop.assert_where_it_says(event);
            println!("{generation}: {event} events after {:.0?}", began.elapsed());
        }
        if event == WARM {
            desktop.tidy_up();
            warm_bytes = resident_bytes(&daemon, 0);
        }
    }
    desktop.tidy_up();
    let bytes = resident_bytes(&daemon, warm_bytes);
    let kib = |bytes: u64| bytes / 1024;
    println!(
        "{generation}: {events} events in {:.0?}: {:?}; {} KiB resident, {} KiB after the first {WARM}",
        began.elapsed(),
        desktop.happened,
        kib(bytes),
        kib(warm_bytes)
    );
    assert!(bytes <= warm_bytes + MOST_GROWTH_BYTES, "{bytes} bytes, {warm_bytes} after {WARM}");
    let mut after = None;
    let is_as_before = poll(headroom_tests::Deadline::after(SETTLES_WITHIN), || {
        desktop.mourn();
        let now = Inventory::of(&graph.dump());
        let is_it = now == before;
        after = Some(now);
        is_it.then_some(())
    });
    assert!(is_as_before.is_some(), "before: {before:#?}\nafter: {after:#?}");
    drop(desktop);
    assert_eq!(daemon.stop(), Ended::Exited(0));
    graph.wait_for(&format!("nothing to be left but {empty:#?}"), |dump| {
        (Inventory::of(dump) == empty).then_some(())
    });
}

#[test]
fn hundreds_of_events_leave_every_stream_where_it_is_told_and_nothing_behind() {
    on_every_generation(soak);
}
