//! Waiting for what comes, and for what does not.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headroom_client::{FileChannel, FileChannelOptions, Kind};
use serde_json::json;

use crate::place::{Place, message, numbers};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_response_is_waited_for_and_no_response_is_waited_for_no_longer_than_told() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            backend
                .poll(Duration::from_secs(60), |backend, received| {
                    let request = message(received);
                    assert_eq!(request.kind, Kind::Request);
                    backend.send_response(&request.id, &request.payload).unwrap();
                    match request.method.as_deref() {
                        Some("stop") => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }
                })
                .unwrap();
        });
        for n in 0..50 {
            let id = frontend.send_request("echo", &n).unwrap();
            let response = frontend.wait_response(&id, PATIENCE).unwrap().unwrap();
            assert_eq!(response.payload, json!(n));
        }
        let id = frontend.send_request("stop", &0).unwrap();
        assert!(frontend.wait_response(&id, PATIENCE).unwrap().is_some());
    });
    let begun = Instant::now();
    let id = frontend.send_request("nobody answers", &0).unwrap();
    assert_eq!(frontend.wait_response(&id, Duration::from_millis(30)).unwrap(), None);
    assert!(!frontend.wait(Duration::from_millis(30)).unwrap());
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[test]
fn poll_leaves_what_it_did_not_come_to() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    for n in 0..5 {
        backend.send_event("n", &n).unwrap();
    }
    let mut seen = Vec::new();
    frontend
        .poll(Duration::from_secs(60), |_, received| {
            seen.push(message(received).payload.as_u64().unwrap());
            if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(seen, [0, 1]);
    assert_eq!(numbers(&mut frontend), [2, 3, 4]);
}

#[test]
fn without_inotify_it_is_looked_at_again_and_again() {
    let place = Place::new();
    let mut backend = place.backend();
    let every = Duration::from_millis(5);
    let mut frontend = FileChannelOptions::new().polling(every).frontend(place.path()).unwrap();
    assert!(frontend.descriptor().unwrap().is_none());
    let is_waiting = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_waiting.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            backend.send_event("n", &1).unwrap();
        });
        is_waiting.store(true, Ordering::Release);
        assert!(frontend.wait(PATIENCE).unwrap());
    });
    assert_eq!(numbers(&mut frontend), [1]);
    assert!(!frontend.wait(Duration::from_millis(20)).unwrap());
}

#[test]
fn the_kernel_tells_of_news_and_of_nothing_else() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.short(300), place.frontend());
    assert!(numbers(&mut frontend).is_empty());
    let is_told = |channel: &mut FileChannel| {
        let files = channel.descriptor().unwrap().unwrap();
        let mut files =
            [rustix::event::PollFd::from_borrowed_fd(files, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut files, Some(&now)).unwrap() == 1
    };
    assert!(!is_told(&mut frontend));
    for n in 0..20 {
        backend.send_event("n", &n).unwrap();
        assert!(is_told(&mut frontend), "also over a rotation");
        assert_eq!(message(frontend.recv_one().unwrap().unwrap()).payload, json!(n));
        assert_eq!(frontend.recv_one().unwrap(), None);
        assert!(!is_told(&mut frontend), "its own cursor is no news");
        backend.send_event("n", &n).unwrap();
        assert_eq!(numbers(&mut frontend), [n]);
        assert!(!is_told(&mut frontend), "nor with a batch");
    }
}
