//! `headroom bridge stdio` and `headroom bridge files DIR`: the protocol for programs that have no
//! MessagePack, or no sockets.

use headroom_client::daemon_address;

use crate::args::BridgeArgs;
use crate::bridge;
use crate::failure::Failure;

pub(crate) fn run(args: &BridgeArgs) -> Result<(), Failure> {
    let address = daemon_address()?;
    match args {
        BridgeArgs::Stdio(_) => bridge::stdio(address),
        BridgeArgs::Files(args) => bridge::files(address, &args.directory),
    }
}
