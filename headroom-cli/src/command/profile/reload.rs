//! `headroom profile reload`: has the daemon read the files again.

use headroom_client::{Client, daemon_address};

use crate::args::ReloadArgs;
use crate::failure::Failure;
use crate::print;

pub(crate) fn run(args: &ReloadArgs) -> Result<(), Failure> {
    let reloaded = Client::connect(&daemon_address()?)?.profile_reload()?;
    if args.json {
        print::json(&reloaded)?;
    } else {
        print::result(&print::reloaded(&reloaded))?;
        for profile in &reloaded.profiles {
            let fault = profile.fault.as_ref().filter(|_| reloaded.failed.contains(&profile.name));
            if let Some(fault) = fault {
                print::failure(&Failure::refused(&fault.message));
            }
        }
    }
    // Not all that was asked for has been done.
    if reloaded.failed.is_empty() { Ok(()) } else { Err(Failure::told()) }
}
