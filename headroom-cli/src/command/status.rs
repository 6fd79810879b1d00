//! `headroom status`: what a person asks first.

use headroom_client::{Client, endpoint};

use crate::args::StatusArgs;
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let status = Client::connect(&endpoint()?)?.status()?;
    if args.json {
        print::json(&status)
    } else {
        print::result(&print::status(&status, Paint::for_stdout()))
    }
}
