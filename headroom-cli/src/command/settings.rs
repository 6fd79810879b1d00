//! `headroom settings [SECTION] [--changed]`: settings as a table, in force or as they would be.

use headroom_client::ipc::SettingValues;

use crate::args::SettingsArgs;
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::OnDisk;
use crate::print::{self, Paint};

pub(crate) fn run(args: &SettingsArgs) -> Result<(), Failure> {
    let section = args.section.as_deref();
    let SettingValues { mut settings } = match daemon::connect_if_running() {
        Some(mut client) => client.setting_list(section)?,
        None => {
            let on_disk = OnDisk::read_as(&[], &args.folders.profile_dir);
            let settings = on_disk.section(section)?;
            on_disk.say_so();
            settings
        }
    };
    if args.changed {
        settings.retain(|setting| setting.overridden);
    }
    if args.json {
        print::json(&SettingValues { settings })
    } else if settings.is_empty() {
        print::result("Every setting is as the profile has it.\n")
    } else {
        print::result(&print::settings_table(&settings, Paint::for_stdout()))
    }
}
