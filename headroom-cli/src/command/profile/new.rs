//! `headroom profile new NAME`: a profile of the user's own, to begin with.

use std::fmt::Write;
use std::path::PathBuf;

use headroom_client::ipc::SettingValue;
use headroom_profile::{Profile, SETTINGS, renamed, wire};

use super::copy;
use crate::args::NewArgs;
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::{self, OnDisk, validated};
use crate::print;

pub(crate) fn run(args: &NewArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let on_disk = OnDisk::read(extra);
    let name = &args.name;
    let path = on_disk.new_file(name)?;
    let text = match &args.from {
        Some(from) => copy::text_as(&on_disk, from, name)?,
        None => blank(name)?,
    };
    on_disk::write_own(&path, &text)?;
    daemon::tell_of_files();
    print::result(&format!(
        "made {}\n`headroom profile edit {name}` changes it, `headroom profile use {name}` puts \
         it in force\n",
        path.display()
    ))
}

/// A profile that sets nothing, and shows what it could.
fn blank(name: &str) -> Result<String, Failure> {
    let mut text =
        "# What is not set here has the value that is shown. Take the # away in front of \
                    a line to\n# change it.\n\nname = \"\"\ndescription = \"A profile of my own\"\n"
            .to_owned();
    text = renamed(&text, name);
    let defaults = Profile::parse_as(name, name, &text).map_err(Failure::refused)?.profile;
    let mut section = "";
    for setting in SETTINGS {
        let (table, key) = setting.key.rsplit_once('.').unwrap_or(("", setting.key));
        // In a comment too: that it is there turns the slower tier of the limiter on.
        let comment = if table.contains('.') { "# " } else { "" };
        if table != section {
            let _ = writeln!(text, "\n{comment}[{table}]");
            section = table;
        }
        if setting.key == "limiter.soft.enabled" {
            // Saying so twice would only make two lines to change.
            continue;
        }
        let value = match wire::value(setting.value(&defaults)) {
            SettingValue::Number(number) => number.to_string(),
            other => other.to_string(),
        };
        let line = format!("# {key} = {value}");
        let _ = writeln!(text, "{line:36}# {}", setting.allowed());
    }
    validated(name, name, &text).map_err(Failure::refused)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_profile_can_have_any_letters_in_its_name() {
        let text = blank("กลางคืน").expect("made");
        assert_eq!(Profile::parse("กลางคืน.toml", &text).expect("valid").profile.name, "กลางคืน");
    }

    #[test]
    fn a_blank_profile_sets_nothing_and_shows_every_default() {
        let text = blank("mine").expect("made");
        let parsed = |text: &str| Profile::parse("mine.toml", text).expect("valid");
        let none = parsed("name = \"mine\"\ndescription = \"A profile of my own\"\n");
        assert_eq!(parsed(&text), none);
        // With every line in force it says the same, but for the table that turns a tier on.
        let all: String = text
            .lines()
            .filter(|line| line.contains('=') || line.contains('['))
            .map(|line| line.trim_start_matches("# ").to_owned() + "\n")
            .collect();
        let mut soft = none.profile.clone();
        soft.limiter.soft.enabled = true;
        assert_eq!(parsed(&all).profile, soft, "{all}");
        for setting in SETTINGS.iter().filter(|setting| setting.key != "limiter.soft.enabled") {
            let key = setting.key.rsplit_once('.').expect("dotted").1;
            assert!(text.contains(&format!("# {key} = ")), "{key}");
        }
    }
}
