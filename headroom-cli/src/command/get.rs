//! `headroom get KEY`: one setting.

use headroom_client::{Client, endpoint};

use crate::args::GetArgs;
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &GetArgs) -> Result<(), Failure> {
    let setting = Client::connect(&endpoint()?)?.setting_get(&args.key)?;
    if args.json {
        print::json(&setting)
    } else {
        print::result(&print::setting_line(&setting, Paint::for_stdout()))
    }
}
