//! `headroom promote on|off|toggle`: the main bus is the default sink, or the user's own is.

use headroom_client::{Client, daemon_address};

use crate::args::PromoteArgs;
use crate::failure::Failure;
use crate::print;

pub(crate) fn run(args: &PromoteArgs) -> Result<(), Failure> {
    let now = Client::connect(&daemon_address()?)?.promote_set(args.to)?;
    if args.json {
        return print::json(&now);
    }
    let now = print::promoted(&now).unwrap_or("promotion is off: your default sink is your own");
    print::result(&format!("{now}\n"))
}
