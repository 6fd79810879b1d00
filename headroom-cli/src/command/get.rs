//! `headroom get KEY`: one setting, in force or as it would be.

use crate::args::GetArgs;
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::OnDisk;
use crate::print::{self, Paint};

pub(crate) fn run(args: &GetArgs) -> Result<(), Failure> {
    let setting = match daemon::connect_if_running() {
        Some(mut client) => client.setting_get(&args.key)?,
        None => {
            let on_disk = OnDisk::read_as(&[], &args.folders.profile_dir);
            let setting = on_disk.setting(&args.key)?;
            on_disk.say_so();
            setting
        }
    };
    if args.json {
        print::json(&setting)
    } else {
        print::result(&print::setting_line(&setting, Paint::for_stdout()))
    }
}
