//! Who is meant by a name: what `headroom status` shows, the program, or the sandbox's name.
//!
//! Rules match what a stream says of itself, so a name becomes the pattern of one kind: that by which
//! it means something now. `route` asks; nothing here talks to the daemon.

use headroom_client::ipc::{Error, Match, RuleOrigin, Rules, Stream};
use headroom_profile::{Identity, wire};

/// Makes a pattern of one kind.
type Kind = fn(String) -> Match;

/// The kinds of patterns that a mere name may be, the first that means something counts.
const KINDS: [Kind; 3] = [
    |name| Match { process_binary: vec![name], ..Match::default() },
    |name| Match { application_name: vec![name], ..Match::default() },
    |name| Match { portal_app_id: vec![name], ..Match::default() },
];

/// The streams that a match is about.
pub(super) fn meant<'s>(matches: &Match, streams: &'s [Stream]) -> Vec<&'s Stream> {
    let matches = wire::match_back(matches);
    let is_meant = |stream: &&Stream| {
        let said = Identity {
            process_binary: stream.process_binary.as_deref(),
            application_name: stream.application_name.as_deref(),
            portal_app_id: stream.portal_app_id.as_deref(),
            media_role: stream.media_role.as_deref(),
        };
        // The daemon also knows an app by its name without the title that it plays: the one it shows.
        let shown = said.application_name.and(Some(stream.app.as_str()));
        matches.is_about(&said) || matches.is_about(&Identity { application_name: shown, ..said })
    };
    streams.iter().filter(is_meant).collect()
}

/// The match of what is there and called so: as it was typed, or else in its own spelling.
pub(super) fn among_streams(name: &str, streams: &[Stream]) -> Option<Match> {
    let said = streams.iter().flat_map(names);
    candidates(name, said).find(|matches| !meant(matches, streams).is_empty())
}

/// The match of the user's rule that is called so.
pub(super) fn among_rules(name: &str, rules: &Rules) -> Option<Match> {
    let of_user = of_user(rules);
    let said = of_user.iter().flat_map(|matches| patterns(matches));
    candidates(name, said).find(|matches| of_user.contains(&matches))
}

/// What a name can be: as it was typed first, and then as it is spelt by somebody.
fn candidates<'n>(
    name: &'n str,
    said: impl Iterator<Item = &'n str>,
) -> impl Iterator<Item = Match> {
    let spellings = said.filter(move |said| said.eq_ignore_ascii_case(name));
    let spellings = [name].into_iter().chain(spellings);
    spellings.flat_map(|name| KINDS.map(|kind| kind(name.to_owned())))
}

/// The name that nothing is called by, as a program's: one that is to come.
pub(super) fn to_come(name: &str) -> Match {
    KINDS[0](name.to_owned())
}

/// That no stream is meant by a match, with the one that perhaps was.
pub(super) fn nothing_meant(matches: &Match, streams: &[Stream]) -> String {
    let mut known: Vec<&str> = Vec::new();
    for name in streams.iter().flat_map(names) {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    let typed = patterns(matches).next().unwrap_or_default();
    let nearest = Error::not_found("match", "app", typed, &known).details.and_then(|it| it.nearest);
    let nearest = nearest.map(|name| format!(", did you mean {name:?}?")).unwrap_or_default();
    format!("nothing that is there now is meant{nearest}")
}

/// That the user has no rule of that name, with the one that perhaps was meant.
pub(super) fn no_rule(name: &str, rules: &Rules) -> String {
    let of_user = of_user(rules);
    let known: Vec<&str> = of_user.iter().flat_map(|matches| patterns(matches)).collect();
    Error::not_found("match", "rule of yours about", name, &known).message
}

fn of_user(rules: &Rules) -> Vec<&Match> {
    let rules = rules.rules.iter().filter(|rule| rule.origin == RuleOrigin::User);
    rules.map(|rule| &rule.matches).collect()
}

fn names(stream: &Stream) -> impl Iterator<Item = &str> {
    let said = [&stream.process_binary, &stream.application_name, &stream.portal_app_id];
    [stream.app.as_str()].into_iter().chain(said.into_iter().flatten().map(String::as_str))
}

fn patterns(matches: &Match) -> impl Iterator<Item = &str> {
    let Match { process_binary, application_name, portal_app_id, media_role } = matches;
    let lists = [process_binary, application_name, portal_app_id, media_role];
    lists.into_iter().flatten().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_client::ipc::{Route, RoutedBy, Rule};

    fn stream(app: &str, program: &str, name: &str) -> Stream {
        Stream {
            id: 412,
            app: app.into(),
            media_name: None,
            process_binary: Some(program.into()),
            application_name: Some(name.into()),
            portal_app_id: Some("org.example.Player".into()),
            media_role: None,
            pid: None,
            route: Route::Processed,
            routed_by: RoutedBy::DefaultRoute,
            bus: None,
            sink: None,
            contested: false,
            playing: true,
            channels: None,
            rule: None,
            contest: None,
            volume_db: Vec::new(),
            muted: false,
            folded: None,
            own_volume: None,
        }
    }

    #[test]
    fn a_name_means_what_is_called_so_by_whatever_of_its_names() {
        // As shown: the name without the title that it plays.
        let streams = [stream("Web Player", "chromium-bin", "Web Player - A song")];
        for (name, kind, pattern) in [
            ("chromium-bin", 0, "chromium-bin"),
            ("chromium*", 0, "chromium*"),
            ("Web Player", 1, "Web Player"),
            ("web player", 1, "Web Player"),
            ("Web*", 1, "Web*"),
            ("org.example.player", 2, "org.example.Player"),
        ] {
            let wanted = KINDS[kind](pattern.to_owned());
            assert_eq!(among_streams(name, &streams), Some(wanted), "{name}");
        }
        assert_eq!(among_streams("mpv", &streams), None);
        let none = nothing_meant(&to_come("Web Plaier"), &streams);
        assert_eq!(none, "nothing that is there now is meant, did you mean \"Web Player\"?");
    }

    #[test]
    fn a_rule_is_found_by_the_name_that_it_was_made_with() {
        let rule = |kind: usize, name: &str, origin| Rule {
            matches: KINDS[kind](name.to_owned()),
            route: Route::Bypass,
            origin,
        };
        let rules = Rules {
            rules: vec![
                rule(1, "Firefox", RuleOrigin::User),
                rule(0, "mpv", RuleOrigin::User),
                rule(0, "steam", RuleOrigin::Profile),
            ],
            default_route: Route::Processed,
        };
        assert_eq!(among_rules("Firefox", &rules), Some(KINDS[1]("Firefox".into())));
        assert_eq!(among_rules("firefox", &rules), Some(KINDS[1]("Firefox".into())));
        assert_eq!(among_rules("mpv", &rules), Some(KINDS[0]("mpv".into())));
        assert_eq!(among_rules("steam", &rules), None, "it is not the user's");
        let said = no_rule("Fierfox", &rules);
        assert_eq!(said, "there is no rule of yours about \"Fierfox\", did you mean \"Firefox\"?");
    }
}
