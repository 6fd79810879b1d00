//! `headroomd --forget`: takes out of WirePlumber's files what it remembers of Headroom's sinks, for
//! an uninstall that leaves nothing.
//!
//! WirePlumber keeps a list of every sink that was ever the default, and the volume and the target
//! of every stream. It reads these files at its start and writes them a second after something has
//! changed; so an uninstall stops it for the moment, where it can.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::graph::InsertId;

/// The defaults that were asked for, the newest first: `KEY`, `KEY.0`, `KEY.1` and so on.
const DEFAULTS: &str = "default-nodes";
const DEFAULT_KEY: &str = "default.configured.audio.sink";
/// What is remembered of streams and of sinks without a card, by WirePlumber 0.4 and 0.5.
const STREAMS: [&str; 2] = ["restore-stream", "stream-properties"];
/// What our streams and sinks are called in those: the media names, and all that is made of them.
const MEDIA: [&str; 6] = [
    "Headroom",
    "Headroom output",
    "Headroom (stereo)",
    "Headroom (stereo) output",
    "Headroom master",
    "Headroom master output",
];

/// Where WirePlumber remembers things: `wireplumber` beside our own directory.
pub(crate) fn wireplumber_folder(own: &Path) -> Option<PathBuf> {
    Some(own.parent()?.join("wireplumber"))
}

/// Takes out what is of ours. Gives the files that have changed.
///
/// # Errors
/// A file cannot be read or written, and which.
pub(crate) fn in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for name in [DEFAULTS, STREAMS[0], STREAMS[1]] {
        let path = folder.join(name);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            text => text?,
        };
        let without =
            if name == DEFAULTS { without_defaults(&text) } else { without_streams(&text) };
        if without != text {
            let new = path.with_file_name(format!("{name}.new"));
            fs::write(&new, without)?;
            fs::rename(&new, &path)?;
            changed.push(path);
        }
    }
    Ok(changed)
}

fn is_ours(sink: &str) -> bool {
    InsertId::of_node(sink).is_some()
}

/// The list of defaults without ours, numbered without a gap.
fn without_defaults(text: &str) -> String {
    let number = |line: &str| -> Option<usize> {
        let (key, _) = line.split_once('=')?;
        match key.strip_prefix(DEFAULT_KEY)? {
            "" => Some(0),
            rest => Some(rest.strip_prefix('.')?.parse::<usize>().ok()? + 1),
        }
    };
    let mut sinks: Vec<(usize, &str)> = text
        .lines()
        .filter_map(|line| Some((number(line)?, line.split_once('=')?.1)))
        .filter(|(_, sink)| !is_ours(sink))
        .collect();
    sinks.sort_by_key(|(number, _)| *number);
    let mut sinks = sinks.into_iter().enumerate().map(|(place, (_, sink))| match place {
        0 => format!("{DEFAULT_KEY}={sink}\n"),
        place => format!("{DEFAULT_KEY}.{}={sink}\n", place - 1),
    });
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if number(line).is_some() {
            // Where the first stood, all of them stand; the others have moved there.
            out.extend(sinks.by_ref());
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The streams without ours, and without the targets of others that were ours.
fn without_streams(text: &str) -> String {
    text.lines().filter_map(stream_line).map(|line| line + "\n").collect()
}

/// A line as it is to be, if it is to be at all.
fn stream_line(line: &str) -> Option<String> {
    let Some((key, value)) = line.split_once('=') else { return Some(line.to_owned()) };
    let key = unescaped(key);
    // `Class:property:value`, and in 0.4 one more word that says what is remembered of it.
    let mut words = key.splitn(3, ':').skip(1);
    let is_about_ours = words.next().zip(words.next()).is_some_and(|(property, name)| {
        let named = |ours: &str| {
            name.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        match property {
            "media.name" => MEDIA.into_iter().any(named),
            "node.name" => InsertId::ALL
                .map(InsertId::node_name)
                .into_iter()
                .any(|ours| named(ours) || named(&format!("{ours}.out"))),
            "application.name" => named("Headroom"),
            _ => false,
        }
    });
    if is_about_ours || (key.ends_with(":target") && is_ours(value)) {
        return None;
    }
    Some(without_target(line, value).unwrap_or_else(|| line.to_owned()))
}

/// A line of 0.5, whose value is JSON, without a target that was ours.
fn without_target(line: &str, value: &str) -> Option<String> {
    let mut json: serde_json::Value = serde_json::from_str(&value.replace("\\\\", "\\")).ok()?;
    let fields = json.as_object_mut()?;
    is_ours(fields.get("target")?.as_str()?).then(|| fields.remove("target"))?;
    let key = &line[..line.len() - value.len()];
    Some(format!("{key}{}", json.to_string().replace('\\', "\\\\")))
}

/// WirePlumber escapes what the format of its files has no word for in a key.
fn unescaped(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut letters = key.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => out.push(match letters.next() {
                Some('s') => ' ',
                Some('e') => '=',
                Some('o') => '[',
                Some('c') => ']',
                Some(other) => other,
                None => '\\',
            }),
            (letter, false) => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_goes_from_the_list_of_defaults_and_the_others_move_up() {
        let text = "[default-nodes]\ndefault.configured.audio.sink=headroom.main\n\
                    default.configured.audio.source=mic\ndefault.configured.audio.sink.0=speakers\n\
                    default.configured.audio.sink.1=headroom.master\n\
                    default.configured.audio.sink.2=hdmi\n";
        let without = "[default-nodes]\ndefault.configured.audio.sink=speakers\n\
                       default.configured.audio.sink.0=hdmi\ndefault.configured.audio.source=mic\n";
        assert_eq!(without_defaults(text), without);
        assert_eq!(without_defaults(without), without);
        let alone = "[default-nodes]\ndefault.configured.audio.sink=headroom.main\n";
        assert_eq!(without_defaults(alone), "[default-nodes]\n");
    }

    #[test]
    fn our_volumes_go_and_targets_that_were_ours_and_nothing_else() {
        let of_0_4 = "[restore-stream]\nAudio/Sink:media.name:Headroom\\smaster:mute=false\n\
                      Audio/Sink:media.name:Headroom:channelVolumes=1.0;1.0;\n\
                      Audio/Sink:media.name:Headroom\\s(stereo):mute=false\n\
                      Output/Audio:application.name:mpd:target=headroom.stereo\n\
                      Output/Audio:application.name:mpv:target=headroom.main\n\
                      Output/Audio:application.name:mpv:volume=0.5\n\
                      Output/Audio:application.name:vlc:target=hdmi\n\
                      Audio/Sink:media.name:Headroomy:mute=false\n";
        let without = "[restore-stream]\nOutput/Audio:application.name:mpv:volume=0.5\n\
                       Output/Audio:application.name:vlc:target=hdmi\n\
                       Audio/Sink:media.name:Headroomy:mute=false\n";
        assert_eq!(without_streams(of_0_4), without);
        let of_0_5 = "[stream-properties]\nAudio/Sink:node.name:headroom.main={\"mute\":false}\n\
                      Output/Audio:application.name:mpv={\"mute\":false, \"target\":\"headroom.main\"}\n\
                      Output/Audio:application.name:vlc={\"target\":\"hdmi\", \"volume\":1.000000}\n";
        let without = "[stream-properties]\nOutput/Audio:application.name:mpv={\"mute\":false}\n\
                       Output/Audio:application.name:vlc={\"target\":\"hdmi\", \"volume\":1.000000}\n";
        assert_eq!(without_streams(of_0_5), without);
    }

    #[test]
    fn only_files_that_have_something_of_ours_are_written() {
        let folder = tempfile::tempdir().expect("a directory");
        assert_eq!(
            in_folder(folder.path()).expect("nothing there is fine"),
            [""; 0].map(PathBuf::from)
        );
        let (defaults, streams) = (folder.path().join(DEFAULTS), folder.path().join(STREAMS[0]));
        fs::write(&defaults, "[default-nodes]\ndefault.configured.audio.sink=headroom.main\n")
            .expect("written");
        fs::write(&streams, "[restore-stream]\nOutput/Audio:node.name:x:mute=true\n")
            .expect("written");
        assert_eq!(in_folder(folder.path()).expect("done"), std::slice::from_ref(&defaults));
        assert_eq!(fs::read_to_string(defaults).expect("there"), "[default-nodes]\n");
    }
}
