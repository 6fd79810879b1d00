//! What one message costs: to write it, to read it. `cargo bench -p headroom-ipc`
//!
//! A round trip of `ping` or `setting.get` has a daemon read a request and write a reply; that
//! is what of it this crate is answerable for.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use headroom_ipc::{
    Accepts, Answer, Call, MetersChange, Mirror, PREFIX_BYTES, Ping, Pong, ServerFrame,
    ServerMessage, Setting, SettingGet, SettingValue, decode_request, encode_request,
};

/// The fastest of several runs, per call.
fn ns(mut work: impl FnMut()) -> f64 {
    const CALLS: u32 = 20_000;
    let run = |work: &mut dyn FnMut()| {
        let begin = Instant::now();
        (0..CALLS).for_each(|_| work());
        begin.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..15).map(|_| run(&mut work)).fold(f64::INFINITY, f64::min)
}

fn both<C: Call>(call: &C, reply: &C::Reply, bar_ns: f64) {
    let request = encode_request(1, call).expect("short");
    let answer = ServerFrame::reply(Some(1), reply);
    let daemon = ns(|| {
        let read = decode_request(black_box(&request[PREFIX_BYTES..])).expect("a request");
        black_box(read.op);
        black_box(ServerFrame::reply(read.id, black_box(reply)));
    });
    let client = ns(|| {
        black_box(encode_request(1, black_box(call)).expect("short"));
        let message = ServerMessage::decode(black_box(answer.body())).expect("a reply");
        let ServerMessage::Reply { answer, .. } = message else { panic!("no reply") };
        black_box(Answer::result::<C::Reply>(answer).expect("a result").is_ok());
    });
    let verdict = if daemon <= bar_ns { "ok" } else { "OVER THE BAR" };
    println!(
        "{:<12} daemon reads and writes {daemon:6.0} ns (at most {bar_ns:.0}: {verdict}), \
         client {client:6.0} ns, {} + {} bytes",
        C::OP,
        request.len(),
        answer.bytes().len()
    );
}

fn main() {
    both(&Ping {}, &Pong {}, 2000.0);
    let setting = Setting {
        key: "agc.target_lufs".into(),
        value: SettingValue::Number(-16.5),
        profile_value: SettingValue::Number(-18.0),
        overridden: true,
        set_aside: None,
        accepts: Accepts::number(-40.0, -8.0),
    };
    both(&SettingGet { key: "agc.target_lufs".into() }, &setting, 3000.0);

    let mut mirror = Mirror::full();
    let publish = ns(|| {
        let event = mirror.publish(MetersChange::Tick(headroom_ipc::Meters::default()));
        black_box(ServerFrame::event(&event).expect("short"));
    });
    println!("meters tick  published and written {publish:6.0} ns");
}
