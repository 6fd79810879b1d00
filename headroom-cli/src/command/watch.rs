//! `headroom watch [TOPIC...]`: every change as it happens, through restarts of the daemon.

use headroom_client::ipc::Topic;
use headroom_client::{Subscription, Update, endpoint};

use crate::args::WatchArgs;
use crate::failure::Failure;
use crate::print::{self, Paint, Reader};

pub(crate) fn run(args: &WatchArgs) -> Result<(), Failure> {
    let mut topics = args.topics.clone();
    if topics.is_empty() {
        topics.extend(Topic::ALL.iter().filter(|topic| topic.is_state()));
    }
    let paint = Paint::for_stdout();
    let mut was_connected = false;
    let subscription = Subscription::to(&endpoint()?, &topics).with_max_hz(args.max_hz);
    for update in subscription {
        match update {
            Update::Event(event) => {
                let reader = if args.json {
                    print::json_line(&event)?
                } else {
                    print::part(&(print::event_line(&event, paint) + "\n"))?
                };
                if reader == Reader::HasGone {
                    break;
                }
            }
            Update::Connected { hello, is_restarted } => {
                if was_connected {
                    let what = if is_restarted { "was started again" } else { "is back" };
                    print::note_line(&format!("headroomd {} {what}", hello.version));
                }
                was_connected = true;
            }
            Update::Resynchronised(topics) => {
                let names: Vec<&str> = topics.iter().map(|topic| topic.as_str()).collect();
                print::note_line(&format!(
                    "changes were lost; caught up with {}",
                    names.join(", ")
                ));
            }
            Update::Disconnected(why) if was_connected => {
                print::note_line(&format!("{why}; waiting for it"));
            }
            Update::Disconnected(why) => return Err(why.into()),
        }
    }
    Ok(())
}
