//! The profiles that are part of the program, so that it has sound settings with no file at
//! all. They are the files of `profiles/`, word for word.

/// Every embedded profile: its name and the text of its file, the default first.
pub fn embedded() -> impl Iterator<Item = (&'static str, &'static str)> {
    EMBEDDED.iter().copied()
}

const EMBEDDED: &[(&str, &str)] = &[
    ("default", include_str!("../../profiles/default.toml")),
    ("night", include_str!("../../profiles/night.toml")),
    ("quiet-hours", include_str!("../../profiles/quiet-hours.toml")),
    ("speech", include_str!("../../profiles/speech.toml")),
    ("podcast", include_str!("../../profiles/podcast.toml")),
    ("movie", include_str!("../../profiles/movie.toml")),
    ("music", include_str!("../../profiles/music.toml")),
    ("gaming", include_str!("../../profiles/gaming.toml")),
    ("broadcast-14", include_str!("../../profiles/broadcast-14.toml")),
    ("commute", include_str!("../../profiles/commute.toml")),
    ("party", include_str!("../../profiles/party.toml")),
    ("spike-protection", include_str!("../../profiles/spike-protection.toml")),
    ("transparent", include_str!("../../profiles/transparent.toml")),
    ("bypass-all", include_str!("../../profiles/bypass-all.toml")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Profile;

    #[test]
    fn every_embedded_profile_is_valid_without_a_warning() {
        for (name, text) in embedded() {
            let checked = Profile::parse(&format!("{name}.toml"), text)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(checked.warnings, [], "{name}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles");
        let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the folder of shipped profiles")
            .map(|entry| entry.expect("a directory entry").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        let in_program: BTreeSet<String> = embedded().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(on_disk, in_program);
    }

    #[test]
    fn the_default_profile_is_the_default_of_the_chain() {
        let loaded = crate::load("default").expect("the default profile");
        assert_eq!(loaded.profile.chain_params(), headroom_dsp::ChainParams::default());
    }

    #[test]
    fn the_transparent_profile_only_limits() {
        let params = crate::load("transparent").expect("it is embedded").profile.chain_params();
        assert!(!params.bus.agc.enabled && !params.bus.compressor.enabled);
        assert!(params.master.limiter.enabled && params.master.limiter.soft.is_none());
    }
}
