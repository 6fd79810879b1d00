//! `headroom unset KEY|SECTION|--all`: takes overrides back.

use headroom_client::ipc::SettingValues;
use headroom_client::{Client, daemon_address};
use headroom_profile::SETTINGS;

use crate::args::UnsetArgs;
use crate::failure::Failure;
use crate::on_disk::is_below;
use crate::print::{self, Paint};

pub(crate) fn run(args: &UnsetArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    match &args.key {
        Some(key) if !is_section(key) => one(&mut client, key, args),
        section => several(&mut client, section.as_deref(), args),
    }
}

fn one(client: &mut Client, key: &str, args: &UnsetArgs) -> Result<(), Failure> {
    let before = client.setting_get(key)?;
    let now = client.setting_clear(key)?;
    if args.json {
        print::json(&now)
    } else if before.overridden {
        print::result(&print::taken_back(&now, Paint::for_stdout()))
    } else {
        print::result(&format!("nothing to take back: {key} is as the profile has it\n"))
    }
}

fn several(client: &mut Client, section: Option<&str>, args: &UnsetArgs) -> Result<(), Failure> {
    let before = client.setting_list(section)?;
    let SettingValues { settings } = client.setting_reset(section)?;
    if args.json {
        return print::json(&SettingValues { settings });
    }
    let was_overridden =
        |key: &str| before.settings.iter().any(|setting| setting.key == key && setting.overridden);
    let mut text = String::new();
    for setting in settings.iter().filter(|setting| was_overridden(&setting.key)) {
        text += &print::taken_back(setting, Paint::for_stdout());
    }
    match section {
        _ if !text.is_empty() => print::result(&text),
        Some(section) => print::result(&format!(
            "nothing to take back: all of {section} is as the profile has it\n"
        )),
        None => print::result("nothing to take back: every setting is as the profile has it\n"),
    }
}

/// Whether there are keys in it.
fn is_section(key: &str) -> bool {
    SETTINGS.iter().any(|setting| is_below(setting.key, key))
}
