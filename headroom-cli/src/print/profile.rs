//! Profiles for people: which there are, what one says, and what has become of them.

use std::fmt::Write;

use headroom_client::ipc::{self, Match, Profile, ProfileDetail, Reloaded, Rule, Setting};

use super::Paint;
use super::setting::{as_it_is, values_table};
use super::text::{COLUMNS, column, plain, wrapped, wrapped_from};

/// Longer names are cut.
const LONGEST_NAME: usize = 32;
const FROM: usize = 8;
/// The names of the first part of a profile are so wide, with the space behind them.
const HEADS: usize = 15;

/// Which profile is meant by the one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InForce {
    /// That of the daemon.
    Now,
    /// The one that it would begin with.
    AtTheStart,
}

/// A profile, and what the protocol does not tell of it.
#[derive(Debug)]
pub(crate) struct ListedProfile<'p> {
    pub(crate) profile: &'p Profile,
    /// It is in the user's own folder.
    pub(crate) is_yours: bool,
    /// What there is under the same name behind it.
    pub(crate) shadows: Option<String>,
}

/// Every profile, one a line, and what is to be known of them below.
pub(crate) fn profile_list(
    used: &str,
    listed: &[ListedProfile<'_>],
    in_force: InForce,
    paint: Paint,
) -> String {
    let widths = listed.iter().map(|listed| listed.profile.name.chars().count());
    let name_width = widths.max().unwrap_or(0).clamp("Profile".len(), LONGEST_NAME);
    let indent = 2 + name_width + 2 + FROM + 2;
    let head = format!("  {:name_width$}  {:FROM$}  What it is for", "Profile", "From");
    let mut text = format!("{}\n", paint.dim(head));
    for ListedProfile { profile, is_yours, .. } in listed {
        let is_used = profile.name == used;
        let from = match profile.origin {
            ipc::ProfileOrigin::Embedded => "Headroom",
            _ if *is_yours => "you",
            _ => "a file",
        };
        let mark = if is_used { "*" } else { " " };
        let (name, from) = (column(&profile.name, name_width), column(from, FROM));
        let is_never_good = profile.fault.is_some() && profile.description.is_empty();
        let description = if is_never_good { "(cannot be used)" } else { &profile.description };
        let description = wrapped_from(indent, description, COLUMNS, indent);
        let row = format!("{mark} {name}  {from}  {description}");
        let row = row.trim_end();
        let _ = writeln!(text, "{}", if is_used { paint.bold(row) } else { row.to_owned() });
    }
    let legend = match in_force {
        InForce::Now => "* is in force.",
        InForce::AtTheStart => "* will be in force when headroomd starts.",
    };
    let _ = writeln!(text, "\n{}", paint.dim(legend));
    for ListedProfile { profile, shadows, .. } in listed {
        if let Some(behind) = shadows {
            let note = format!("{}: takes the place of another: {behind}", profile.name);
            let _ = writeln!(text, "{}", paint.dim(wrapped(&note, COLUMNS, 2)));
        }
        for trouble in troubles(profile) {
            let _ = writeln!(text, "{}", paint.warning(trouble));
        }
    }
    text
}

/// A profile that was put in force, or was already, and what is on top of it.
pub(crate) fn profile_in_force(
    profile: &Profile,
    already: bool,
    settings: &[Setting],
    paint: Paint,
) -> String {
    let name = paint.bold(plain(&profile.name));
    let mut text = if already {
        format!("{name} is in force already\n")
    } else {
        format!("{name} is in force: {}\n", plain(&profile.description))
    };
    let mut overridden = settings.iter().filter(|setting| setting.overridden).peekable();
    if overridden.peek().is_some() {
        text += "What you have set stays on top (`headroom unset --all` takes it back):\n";
    }
    for setting in overridden {
        let _ = writeln!(text, "  {}", as_it_is(setting, Paint::Plain));
    }
    for trouble in troubles(profile) {
        let _ = writeln!(text, "{}", paint.warning(trouble));
    }
    text
}

/// A profile that was chosen while the device that is heard has another one by what it says.
pub(crate) fn profile_of_device_instead(
    profile: &Profile,
    devices: &ipc::Devices,
    paint: Paint,
) -> String {
    let (name, used) = (paint.bold(plain(&profile.name)), paint.bold(plain(&devices.used)));
    format!("{name} is chosen; on the device that is heard it has {used} in force\n")
}

/// All that a profile says.
pub(crate) fn profile_detail(
    detail: &ProfileDetail,
    in_force: Option<InForce>,
    paint: Paint,
) -> String {
    let ProfileDetail { profile, settings, rules, default_route } = detail;
    let mut text = format!("{}\n\n", paint.bold(plain(&profile.name)));
    let mut line = |name: &str, value: &str| {
        let value = wrapped_from(HEADS, value, COLUMNS, HEADS);
        let _ = writeln!(text, "{}{value}", paint.dim(format!("{name:HEADS$}")));
    };
    line("What it is for", &profile.description);
    line("From", profile.path.as_deref().unwrap_or("part of Headroom"));
    line(
        "In force",
        match in_force {
            Some(InForce::Now) => "yes",
            Some(InForce::AtTheStart) => "when headroomd starts",
            None => "no",
        },
    );
    for (n, rule) in rules.iter().enumerate() {
        line(if n == 0 { "Rules" } else { "" }, &rule_text(rule));
    }
    line("Other apps", default_route.as_str());
    text.push('\n');
    text += &values_table(settings, paint);
    let mut troubles = troubles(profile).into_iter().peekable();
    if troubles.peek().is_some() {
        text.push('\n');
    }
    for trouble in troubles {
        let _ = writeln!(text, "{}", paint.warning(trouble));
    }
    text
}

/// What came of reading all files again.
pub(crate) fn reloaded(reloaded: &Reloaded) -> String {
    let mut text = String::new();
    for (what, names) in [("read", &reloaded.reloaded), ("gone", &reloaded.removed)] {
        if !names.is_empty() {
            let _ = writeln!(text, "{what}: {}", plain(&names.join(", ")));
        }
    }
    if text.is_empty() && reloaded.failed.is_empty() {
        text = format!("nothing has changed in {} profiles\n", reloaded.profiles.len());
    }
    text
}

/// What is wrong with a profile, and what is read otherwise than written.
fn troubles(profile: &Profile) -> Vec<String> {
    let fault = profile.fault.iter().map(|fault| &fault.message);
    let told = fault.chain(&profile.warnings);
    told.map(|told| wrapped(&format!("! {}: {told}", profile.name), COLUMNS, 2)).collect()
}

/// Which streams, and where they go.
fn rule_text(rule: &Rule) -> String {
    let Match { process_binary, application_name, portal_app_id, media_role } = &rule.matches;
    let lists = [
        ("program", process_binary),
        ("app", application_name),
        ("sandbox", portal_app_id),
        ("role", media_role),
    ];
    let lists: Vec<String> = lists
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| format!("{name} {}", list.join(" or ")))
        .collect();
    format!("{}: {}", lists.join(", and "), rule.route.as_str())
}
