//! A newer daemon says things that this version has never heard of.

use headroom_client::{Subscription, Update};
use headroom_ipc::*;

use super::peer::{PATIENCE, Peer, beside, bypass, listen, place};

#[test]
fn unknown_topics_events_fields_words_and_codes_are_survived() {
    let (mut client, mut peer) = Peer::pair();
    let daemon = beside(move || {
        let request = peer.request().unwrap();
        let id = request.id.unwrap();
        peer.send_json(
            r#"{"topic":"buses","event":"bus_changed","seq":3,"data":{"name":"voice"}}"#,
        );
        peer.send_json(r#"{"progress":{"id":1,"done_percent":40}}"#);
        peer.send_json(r#"{"id":99,"result":{"of":"nobody"}}"#);
        peer.send_json(&format!(
            r#"{{"id":{id},"took_us":3,"result":{{"bypass":true,"until":{{"s":[1]}}}}}}"#
        ));
        let request = peer.request().unwrap();
        let id = request.id.unwrap();
        peer.send_json(&format!(
            r#"{{"id":{id},"error":{{"code":"TIRED","message":"not now","details":{{"of":1}},"x":[]}}}}"#
        ));
        peer.answer("ping", &Pong {});
        peer
    });
    assert!(client.bypass_set(BypassTo::On).unwrap().bypass);
    let refused = client.ping().unwrap_err();
    assert_eq!((refused.code(), refused.to_string()), (Some(Code::Unknown), "not now".into()));
    client.ping().unwrap();
    let _peer = daemon.join().unwrap();
    assert_eq!(client.next_event(std::time::Duration::ZERO).unwrap(), None);
}

#[test]
fn an_unknown_event_of_a_known_topic_counts_and_the_mirror_goes_on() {
    let (_folder, address) = place();
    let listener = listen(&address);
    let daemon = beside(move || {
        let mut peer = Peer::accept(&listener);
        peer.send_json(
            r#"{"topic":"daemon","event":"hello","data":{"daemon":"headroomd","version":"1.9.0",
                "protocol":1,"run_id":"r","pid":1,"colour":"green","limits":{"max_body_bytes":1,
                "max_connections":1,"queue_messages":1,"queue_meters":1,"stalled_after_ms":1,
                "max_colours":7}}}"#,
        );
        let request = peer.request().unwrap();
        peer.send_json(&format!(
            r#"{{"id":{},"result":{{"topics":[{{"topic":"setting","seq":7}},
                {{"topic":"buses","seq":1}}],"snapshot":{{"setting":{{"seq":7,"state":
                {{"bypass":false,"settings":[],"colour":"blue"}}}},"buses":{{"seq":1,"state":[]}}}}}}}}"#,
            request.id.unwrap()
        ));
        peer.send_json(r#"{"topic":"setting","event":"painted","seq":8,"data":{"colour":"red"}}"#);
        peer.send_json(
            r#"{"topic":"setting","event":"bypass_changed","seq":9,"data":{"bypass":true,"by":"x"}}"#,
        );
        peer.request()
    });
    let mut subscription = Subscription::to(&address, &[Topic::Setting]);
    let mut updates = Vec::new();
    for _ in 0..3 {
        updates.push(subscription.next_within(PATIENCE).unwrap());
    }
    assert!(matches!(&updates[0], Update::Connected { is_restarted: false, .. }), "{updates:?}");
    let Update::Event(unknown) = &updates[1] else { panic!("{updates:?}") };
    assert_eq!(unknown.change.event(), "painted");
    let Update::Event(known) = &updates[2] else { panic!("{updates:?}") };
    assert_eq!(known.change, bypass(true).into());
    let setting = subscription.mirror().setting.as_ref().unwrap();
    assert_eq!((setting.seq, setting.state.bypass), (9, true));
    drop(subscription);
    assert_eq!(daemon.join().unwrap(), None, "no snapshot was needed");
}
