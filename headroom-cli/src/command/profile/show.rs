//! `headroom profile show [NAME]`: all that a profile says.

use std::path::PathBuf;

use headroom_client::ipc::ProfileDetail;

use crate::args::ShowArgs;
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::OnDisk;
use crate::print::{self, InForce, Paint};

pub(crate) fn run(args: &ShowArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let (detail, used, in_force) = match daemon::connect_if_running() {
        Some(mut client) => {
            let used = client.profile_list()?.used;
            let detail = client.profile_show(args.name.as_deref()).map_err(Failure::of_profile)?;
            (detail, used, InForce::Now)
        }
        None => {
            let on_disk = OnDisk::read_as(&[], extra);
            let used = on_disk.begins_with().to_owned();
            let name = args.name.as_deref().unwrap_or(&used);
            (read_from(&on_disk, name)?, used, InForce::AtTheStart)
        }
    };
    if args.json {
        return print::json(&detail);
    }
    let in_force = (used == detail.profile.name).then_some(in_force);
    print::result(&print::profile_detail(&detail, in_force, Paint::for_stdout()))
}

fn read_from(on_disk: &OnDisk, name: &str) -> Result<ProfileDetail, Failure> {
    let entry = on_disk.entry(name)?;
    match (entry.good(), entry.fault()) {
        (Some(good), _) => Ok(on_disk.detail(entry, good)),
        (None, Some(fault)) => Err(Failure::refused(fault)
            .with_hint(format!("headroom profile edit {name} opens it in your editor"))),
        (None, None) => Err(Failure::refused(format!("there is no good version of {name}"))),
    }
}
