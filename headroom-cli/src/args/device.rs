//! What was typed behind `headroom device`.

use clap::Subcommand;

/// Give a device or a jack a profile of its own, such as one for headphones
///
/// What is set here counts before what a profile says of devices. `headroom profile use` still
/// counts at once, on the device that is heard, until another one is.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  headroom device set --port headphones night
  headroom device set --here night
  headroom device list")]
pub(crate) enum DeviceArgs {
    List(DeviceListArgs),
    Set(DeviceSetArgs),
    Unset(DeviceUnsetArgs),
}

/// Show the device that is heard, what it is called, and which profile each device gets
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom device list")]
pub(crate) struct DeviceListArgs {
    /// Print JSON, as the op `device.list` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Put a profile in force whenever a device is heard
///
/// It counts at once if that device is heard now, and is kept. Setting the same devices again
/// changes their profile. Of several entries for a device, the one that was set last counts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom device set --port headphones night
  headroom device set --node 'bluez_output.*' podcast
  headroom device set --others default")]
pub(crate) struct DeviceSetArgs {
    /// Which profile
    #[arg(value_name = "PROFILE")]
    pub(crate) profile: String,

    #[command(flatten)]
    pub(crate) which: Which,

    /// Print JSON, as the op `device.set` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Take back what was set for a device
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom device unset --port headphones
  headroom device unset --others")]
pub(crate) struct DeviceUnsetArgs {
    #[command(flatten)]
    pub(crate) which: Which,

    /// Print JSON, as the op `device.unset` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which devices: one pattern of every kind that is given must match.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Which {
    /// The jack that the sound goes to: its kind (headphones, speaker, hdmi, headset), its name or
    /// what people call it; * stands for any letters, ? for one
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Vec<String>,

    /// The name of the sink, such as 'alsa_output.usb-*'
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Vec<String>,

    /// What people call the device, such as 'Built-in*'
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,

    /// The device, and the jack of it, that is heard now
    #[arg(long, conflicts_with_all = ["port", "node", "name", "others"])]
    pub(crate) here: bool,

    /// Every device that nothing else is said of
    #[arg(long, conflicts_with_all = ["port", "node", "name"])]
    pub(crate) others: bool,
}
