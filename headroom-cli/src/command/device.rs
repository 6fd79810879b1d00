//! `headroom device list|set|unset`: which profile is in force on which device.

use headroom_client::ipc::{DeviceMatch, Port};
use headroom_client::{Client, daemon_address};

use crate::args::{DeviceArgs, DeviceListArgs, DeviceSetArgs, DeviceUnsetArgs, Which};
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &DeviceArgs) -> Result<(), Failure> {
    match args {
        DeviceArgs::List(args) => list(args),
        DeviceArgs::Set(args) => set(args),
        DeviceArgs::Unset(args) => unset(args),
    }
}

fn list(args: &DeviceListArgs) -> Result<(), Failure> {
    let devices = Client::connect(&daemon_address()?)?.device_list()?;
    if args.json {
        return print::json(&devices);
    }
    print::result(&print::devices(&devices, Paint::for_stdout()))
}

fn set(args: &DeviceSetArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    let matches = matches(&mut client, &args.which)?;
    let meant = print::meant_device(matches.as_ref());
    let devices = client.device_set(matches, &args.profile).map_err(Failure::of_profile)?;
    if args.json {
        return print::json(&devices);
    }
    print::result(&format!("{meant}: {}\n{}", args.profile, print::now_in_force(&devices)))
}

fn unset(args: &DeviceUnsetArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    let matches = matches(&mut client, &args.which)?;
    let meant = print::meant_device(matches.as_ref());
    let devices = client.device_unset(matches)?;
    if args.json {
        return print::json(&devices);
    }
    let now = print::now_in_force(&devices);
    print::result(&format!("{meant}: nothing is set any more\n{now}"))
}

/// Which devices are meant; nothing for every other.
fn matches(client: &mut Client, which: &Which) -> Result<Option<DeviceMatch>, Failure> {
    let Which { port, node, name, here, others } = which;
    if *others {
        return Ok(None);
    }
    if *here {
        let heard = client.device_list()?.heard.ok_or_else(|| {
            Failure::refused("no device is heard now")
                .with_hint("name one: --port, --node or --name")
        })?;
        let kind = |port: Port| port.kind.unwrap_or(port.name);
        return Ok(Some(DeviceMatch {
            node_name: vec![heard.node_name],
            port: heard.port.map(kind).into_iter().collect(),
            ..DeviceMatch::default()
        }));
    }
    Ok(Some(DeviceMatch { node_name: node.clone(), description: name.clone(), port: port.clone() }))
}
