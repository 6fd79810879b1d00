//! `headroom status`: what a person asks first.

use headroom_client::{Client, daemon_address};

use crate::args::StatusArgs;
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let status = Client::connect(&daemon_address()?)?.status()?;
    if args.json {
        print::json(&status)
    } else {
        print::result(&print::status(&status, Paint::for_stdout()))
    }
}
