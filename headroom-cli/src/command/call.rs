//! `headroom call OP [JSON]`: any request of the protocol, for people who try things.
//!
//! Nothing is checked here: the daemon says what is wrong, and a newer one may know more ops.

use headroom_client::ipc::Value;
use headroom_client::{Client, ClientError, daemon_address};

use crate::args::CallArgs;
use crate::failure::Failure;
use crate::print;

pub(crate) fn run(args: &CallArgs) -> Result<(), Failure> {
    let given = match &args.args {
        None => Value::Map(Vec::new()),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            Failure::usage(format!("{text} is no JSON: {error}"))
                .with_hint(r#"quote it for the shell: '{"key": "agc.target_lufs"}'"#)
        })?,
    };
    let mut client = Client::connect(&daemon_address()?)?;
    let ticket = client.send_raw(&args.op, &given)?;
    match client.wait(ticket) {
        Ok(result) => print::json(&result),
        Err(ClientError::Refused(error)) => {
            Err(Failure::refused(format!("{}: {}", error.code, error.message)))
        }
        Err(error) => Err(error.into()),
    }
}
