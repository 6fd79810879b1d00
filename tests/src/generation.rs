//! The PipeWire generations that this machine can run, as `scripts/generations.sh` describes them.
//!
//! A graph is started on one of them; a test runs on all of them, side by side.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use crate::machine::Stretch;

/// One PipeWire with its WirePlumber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    fields: BTreeMap<String, String>,
}

impl Generation {
    /// Every generation that this machine can run; on Debian 12 two, elsewhere often one.
    ///
    /// `HEADROOM_GENERATION=system` in the environment leaves only the one of that name.
    ///
    /// # Panics
    ///
    /// When there is none, or when `CI` is set and one is missing that this system should have.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Generation>> = OnceLock::new();
        ALL.get_or_init(|| {
            let mut all = describe();
            if let Ok(only) = std::env::var("HEADROOM_GENERATION") {
                all.retain(|generation| generation.name() == only);
                assert!(!all.is_empty(), "HEADROOM_GENERATION is {only:?}, which is not there");
            }
            assert!(!all.is_empty(), "there is no PipeWire here: run scripts/deps.sh test");
            all
        })
    }

    /// `system` or `backports`.
    pub fn name(&self) -> &str {
        self.field("name")
    }

    /// The version of PipeWire, as numbers: `(1, 4, 2)`.
    pub fn pipewire(&self) -> (u32, u32, u32) {
        version(self.field("pipewire"))
    }

    /// The version of WirePlumber, as numbers: `(0, 5, 8)`.
    pub fn wireplumber(&self) -> (u32, u32, u32) {
        version(self.field("wireplumber"))
    }

    /// Where `pipewire`, `wireplumber`, `pw-cat` and the others are.
    pub fn programs(&self) -> &Path {
        Path::new(self.field("programs"))
    }

    pub(crate) fn pipewire_data(&self) -> &Path {
        Path::new(self.field("pipewire-data"))
    }

    pub(crate) fn wireplumber_data(&self) -> &Path {
        Path::new(self.field("wireplumber-data"))
    }

    pub(crate) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().filter_map(|(name, value)| Some((name.strip_prefix("env.")?, &**value)))
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (pipewire, wireplumber) = (self.field("pipewire"), self.field("wireplumber"));
        write!(f, "{} (PipeWire {pipewire}, WirePlumber {wireplumber})", self.name())
    }
}

/// Runs `body` on every generation, side by side in time, and fails when any of them fails.
///
/// One call at a time in a process: two graphs are what two cores can play on time. How long it has
/// taken is printed, for whoever looks for the longest.
///
/// # Panics
///
/// When a body panics, with the generation's name before its message; on a machine whose host takes
/// its cores away meanwhile, when it panics twice.
#[allow(clippy::print_stdout, reason = "beside the verdict of a test")]
pub fn on_every_generation(body: impl Fn(&'static Generation) + Sync) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing behind that could harm the next one.
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());

    let (body, began) = (&body, Instant::now());
    let failures: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = Generation::all()
            .iter()
            .map(|generation| {
                let run = move || run(body, generation);
                let thread = std::thread::Builder::new()
                    .name(generation.name().into())
                    .spawn_scoped(scope, run)
                    .expect("a thread for each generation");
                (generation, thread)
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|(generation, thread)| match thread.join() {
                Ok(Ok(())) => None,
                Ok(Err(panic)) | Err(panic) => {
                    // All of it has been printed as it happened, above the test's own failure.
                    let first = message(&*panic).lines().next().unwrap_or_default().to_owned();
                    Some(format!("on {generation}: {first}"))
                }
            })
            .collect()
    });
    println!("took {:.1} s", began.elapsed().as_secs_f64());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs it on one generation, and once more where it failed while the host took the cores away.
#[allow(clippy::print_stdout, reason = "beside the verdict of a test")]
fn run(body: impl Fn(&'static Generation), on: &'static Generation) -> std::thread::Result<()> {
    let stretch = Stretch::begin();
    let result = catch_unwind(AssertUnwindSafe(|| body(on)));
    match stretch.was_stolen().filter(|_| result.is_err()) {
        Some(part) => {
            println!("{on}: failed while the host took {:.0} %: ONCE MORE", part * 100.0);
            catch_unwind(AssertUnwindSafe(|| body(on)))
        }
        None => result,
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else {
        "panicked without a message"
    }
}

fn describe() -> Vec<Generation> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/generations.sh");
    let script = script.canonicalize().unwrap_or(script);
    let mut command = Command::new(&script);
    let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    if ci {
        command.arg("--expect-both");
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("{}: {error}", script.display()),
    };
    assert!(
        output.status.success(),
        "this system should have a second generation of PipeWire, and with CI set it must: run \
         scripts/deps.sh test\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(stanzas: &str) -> Vec<Generation> {
    stanzas
        .split("\n\n")
        .map(|stanza| {
            let fields = stanza.lines().filter_map(|line| line.split_once('='));
            Generation { fields: fields.map(|(k, v)| (k.to_owned(), v.to_owned())).collect() }
        })
        .filter(|generation| !generation.fields.is_empty())
        .collect()
}

fn version(text: &str) -> (u32, u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

/// A program of the generation, or the system's own where it has none.
pub(crate) fn find_program(generation: &Generation, name: &str) -> PathBuf {
    let own = generation.programs().join(name);
    if own.exists() {
        return own;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: run scripts/deps.sh test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_become_generations() {
        let all = parse(
            "name=system\npipewire=0.3.65\n\nname=backports\npipewire=1.4.2\nenv.A=/x y\nenv.B=2\n",
        );
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].pipewire(), (0, 3, 65));
        assert_eq!(all[1].environment().collect::<Vec<_>>(), [("A", "/x y"), ("B", "2")]);
    }

    #[test]
    fn a_panic_on_one_generation_fails_the_test_with_its_name() {
        let result = catch_unwind(|| {
            on_every_generation(|generation| {
                assert!(generation != Generation::all().last().unwrap(), "made to fail");
            });
        });
        let panic = result.unwrap_err();
        assert!(message(&*panic).contains(Generation::all().last().unwrap().name()));
        assert!(message(&*panic).contains("made to fail"));
    }
}
