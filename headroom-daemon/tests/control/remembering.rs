//! Storage that does not answer is nobody's business but hr-store's.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use headroom_daemon::graph::{GraphCommand, GraphEvent};
use headroom_daemon::journal::Journal;
use headroom_daemon::step::Input;
use headroom_daemon::store::{Disk, Remembered, StoreThread};
use headroom_ipc::{SettingAmount, SettingSet};

use crate::daemon::Daemon;

/// A disk that says when it hangs, and hangs until it is let go.
struct Hanging {
    hangs: Sender<()>,
    let_go: Receiver<()>,
    written: Sender<Remembered>,
}

impl Disk for Hanging {
    fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
        let _ = self.hangs.send(());
        // Let go for good once the test has dropped its end.
        let _ = self.let_go.recv();
        let _ = self.written.send(remembered.clone());
        Ok(())
    }

    fn write_journal(&mut self, _: &Journal) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn storage_that_hangs_delays_no_request_and_not_the_graph() {
    let daemon = Daemon::start();
    let ((hangs, is_hanging), (let_go, gone), (write, written)) =
        (bounded(8), bounded::<()>(0), bounded(8));
    let disk = Hanging { hangs, let_go: gone, written: write };
    let store =
        StoreThread::spawn(daemon.slot.clone(), Arc::default(), disk, |_| {}).expect("a thread");
    let mut peer = daemon.peer();
    let mut set = |hold_ms: u16| {
        let amount = SettingAmount::Value(f32::from(hold_ms).into());
        let begun = Instant::now();
        peer.call(&SettingSet { key: "limiter.hold_ms".into(), amount }).expect("answered");
        begun.elapsed()
    };
    set(1);
    daemon.commands.try_recv().expect("the graph was told");
    is_hanging.recv_timeout(Duration::from_secs(60)).expect("the first is being written");
    let mut took: Vec<Duration> = (2..=1_000)
        .map(|hold_ms| {
            let took = set(hold_ms);
            // The graph has been told before the reply.
            let Ok(GraphCommand::SetParams(params)) = daemon.commands.try_recv() else {
                panic!("the graph was not told");
            };
            assert_eq!(params.master.limiter.hold_ms, f32::from(hold_ms));
            daemon.engine.step(Input::Graph(&GraphEvent::Quantum(u32::from(hold_ms))));
            took
        })
        .collect();
    took.sort();
    println!(
        "999 requests while storage hangs: median {:?}, at worst {:?}",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    assert!(took[took.len() - 1] < Duration::from_secs(1), "{:?}", took.last());
    assert!(written.is_empty(), "it still hangs");
    drop(let_go);
    store.stop(Instant::now() + Duration::from_secs(60));
    let written: Vec<Remembered> = written.try_iter().collect();
    let hold_ms = |remembered: &Remembered| remembered.overrides["limiter.hold_ms"].clone();
    assert_eq!(written.iter().map(hold_ms).collect::<Vec<_>>(), [1.0.into(), 1_000.0.into()]);
}
