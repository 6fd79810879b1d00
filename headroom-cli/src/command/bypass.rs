//! `headroom bypass on|off|toggle`: lets the sound pass untouched, or no longer.

use headroom_client::{Client, daemon_address};

use crate::args::BypassArgs;
use crate::failure::Failure;
use crate::print;

pub(crate) fn run(args: &BypassArgs) -> Result<(), Failure> {
    let now = Client::connect(&daemon_address()?)?.bypass_set(args.to)?;
    if args.json {
        print::json(&now)
    } else {
        print::result(if now.bypass { "bypass is on\n" } else { "bypass is off\n" })
    }
}
