//! `headroom sink list|use|follow`: which sink the sound ends up at.

use headroom_client::ipc::Device;
use headroom_client::{Client, daemon_address};

use crate::args::{SinkArgs, SinkListArgs};
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &SinkArgs) -> Result<(), Failure> {
    match args {
        SinkArgs::List(args) => list(args),
        SinkArgs::Use(args) => wish(Some(&args.name), args.json),
        SinkArgs::Follow(args) => wish(None, args.json),
    }
}

fn list(args: &SinkListArgs) -> Result<(), Failure> {
    let sinks = Client::connect(&daemon_address()?)?.sink_list()?;
    if args.json {
        return print::json(&sinks);
    }
    print::result(&print::sinks(&sinks, Paint::for_stdout()))
}

fn wish(name: Option<&str>, json: bool) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    let device: Device = client.sink_use(name).map_err(|error| {
        let is_refused = error.code().is_some();
        let failure = Failure::from(error);
        if is_refused {
            failure.with_hint(
                "headroom sink list shows them all, and headroom sink follow follows your default",
            )
        } else {
            failure
        }
    })?;
    if json {
        return print::json(&device);
    }
    print::result(&format!("{}\n", print::wished_sink(&device)))
}
