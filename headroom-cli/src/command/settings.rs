//! `headroom settings [SECTION] [--changed]`: settings as a table.

use headroom_client::ipc::SettingValues;
use headroom_client::{Client, endpoint};

use crate::args::SettingsArgs;
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &SettingsArgs) -> Result<(), Failure> {
    let SettingValues { mut settings } =
        Client::connect(&endpoint()?)?.setting_list(args.section.as_deref())?;
    if args.changed {
        settings.retain(|setting| setting.overridden);
    }
    if args.json {
        print::json(&SettingValues { settings })
    } else if settings.is_empty() {
        print::result("No setting has been changed.\n")
    } else {
        print::result(&print::settings_table(&settings, Paint::for_stdout()))
    }
}
