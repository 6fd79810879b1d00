//! `headroom why APP|STREAM`: what has decided where it goes, and what is done to it.

use headroom_client::ipc::Code;
use headroom_client::{Client, daemon_address};

use crate::args::WhyArgs;
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &WhyArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    let why = match args.whom.parse() {
        Ok(stream) => client.why_stream(stream)?,
        Err(_) => client.why_app(&args.whom).map_err(|error| {
            let is_unknown = error.code() == Some(Code::NotFound);
            let failure = Failure::from(error);
            let hint = "headroom route list shows what plays";
            if is_unknown { failure.with_hint(hint) } else { failure }
        })?,
    };
    if args.json {
        return print::json(&why);
    }
    print::result(&print::why(&args.whom, &why, Paint::for_stdout()))
}
