//! `headroom promote on|off|toggle`: the main bus is the default sink, or the user's own is.

use std::thread;
use std::time::{Duration, Instant};

use headroom_client::ipc::{Device, Promotion};
use headroom_client::{Client, daemon_address};

use crate::args::PromoteArgs;
use crate::failure::Failure;
use crate::print;

/// WirePlumber makes a sink the default within some 20 ms, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(1);
const BETWEEN: Duration = Duration::from_millis(10);

pub(crate) fn run(args: &PromoteArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    let asked = client.promote_set(args.to)?;
    let now = in_force(&mut client, asked)?;
    if args.json {
        return print::json(&now);
    }
    print::result(&format!("{}\n", print::promotion(&now)))
}

/// What is asked for is WirePlumber's to do: waits until it is so, or for as long as one waits.
fn in_force(client: &mut Client, asked: Device) -> Result<Device, Failure> {
    let (mut now, began) = (asked, Instant::now());
    while !is_in_force(&now) && began.elapsed() < LONGEST {
        thread::sleep(BETWEEN);
        now = client.sink_list()?.device;
    }
    Ok(now)
}

/// Whether the default sink is the one that is wanted. Where there is none, nobody will make one.
fn is_in_force(device: &Device) -> bool {
    let Some(name) = &device.default_sink else { return true };
    match device.promotion {
        Some(Promotion::On) => print::is_ours(name),
        Some(Promotion::Off) => !print::is_ours(name),
        _ => true,
    }
}
