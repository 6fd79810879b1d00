//! The units of systemd, without systemd: their own lines are driven as it drives them.

use std::fs::{self, DirBuilder};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use headroom_client::ipc::PromoteTo;
use headroom_client::{Address, Client};
use headroom_tests::{Deadline, Device, Graph, Setup, on_every_generation, poll};

use crate::defaults::{choose_default, default_is};
use crate::restoring::journal;
use crate::setting::{BUS, DEVICE};

/// The least that a word to the service manager may take before it is taken for none.
const A_WORD: Duration = Duration::from_secs(20);

/// A unit file as it is installed.
struct Unit(String);

impl Unit {
    fn read(name: &str) -> Unit {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/systemd").join(name);
        let text = fs::read_to_string(path).expect("the unit");
        let program = headroom_tests::program("headroomd").canonicalize().expect("built");
        let programs = program.parent().expect("a folder").display().to_string();
        Unit(text.replace("@BINDIR@", &programs))
    }

    /// All values of a key.
    fn values(&self, key: &str) -> Vec<&str> {
        let lines = self.0.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        lines.collect()
    }

    /// The one value of a key.
    fn value(&self, key: &str) -> &str {
        match self.values(key)[..] {
            [value] => value,
            ref others => panic!("{key} has the values {others:?}"),
        }
    }

    /// The words of a command line; systemd takes the quotes and the sign in front away.
    fn words(&self, key: &str) -> Vec<String> {
        let line = self.value(key).trim_start_matches(['-', '@', ':', '+', '!']);
        assert!(!line.contains(['\\', '\'', '$', '%']), "more than this test understands: {line}");
        let mut words = vec![String::new()];
        for (number, part) in line.split('"').enumerate() {
            let is_quoted = number % 2 == 1;
            let mut pieces = part.split(|letter: char| letter == ' ' && !is_quoted);
            words.last_mut().expect("one").push_str(pieces.next().unwrap_or_default());
            words.extend(pieces.map(str::to_owned));
        }
        words.retain(|word| !word.is_empty());
        words
    }
}

/// What the test does in place of systemd.
struct Manager<'g> {
    graph: &'g Graph,
    service: Unit,
    socket: UnixListener,
    place: PathBuf,
    heard: UnixDatagram,
}

impl<'g> Manager<'g> {
    /// Makes what the socket unit says, and the place where the service is to tell how it is.
    fn new(graph: &'g Graph) -> Manager<'g> {
        let run = graph.directory().join("run");
        let socket = Unit::read("headroomd.socket");
        let place = socket.value("ListenStream").replace("%t", &run.display().to_string());
        let place = PathBuf::from(place);
        let mode = |key: &str| u32::from_str_radix(socket.value(key), 8).expect("octal");
        DirBuilder::new()
            .mode(mode("DirectoryMode"))
            .create(place.parent().expect("a directory"))
            .expect("made");
        let listener = UnixListener::bind(&place).expect("bound");
        let heard = UnixDatagram::bind(run.join("notify")).expect("bound");
        heard.set_read_timeout(Some(A_WORD)).expect("a limit");
        let service = Unit::read("headroomd.service");
        assert_eq!(service.value("Type"), "notify");
        Manager { graph, service, socket: listener, place, heard }
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = self.graph.command(Path::new("sh"));
        // The socket is descriptor 3, and the variables name this very process.
        let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
        command.args(["-c", script, "sh"]).args(words);
        for pair in self.service.values("Environment") {
            let (name, value) = pair.trim_matches('"').split_once('=').expect("a pair");
            command.env(name, value);
        }
        command
    }

    fn start(&self) -> Service {
        let mut command = self.command(&self.service.words("ExecStart"));
        let log = self.graph.directory().join("log/unit");
        let log = fs::File::options().create(true).append(true).open(log).expect("a log");
        let socket = self.socket.try_clone().expect("a second handle");
        command.env("NOTIFY_SOCKET", self.graph.directory().join("run/notify"));
        command.stdin(Stdio::from(OwnedFd::from(socket))).stderr(log);
        let service = Service(command.spawn().expect("it starts"));
        assert_eq!(self.word(), "READY=1");
        service
    }

    /// What the service tells next.
    fn word(&self) -> String {
        let mut text = [0; 256];
        let length = self.heard.recv(&mut text).expect("a word of headroomd");
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    }

    /// What systemd runs whenever the service has ended, and how.
    fn after(&self, result: &str) {
        let words = self.service.words("ExecStopPost");
        let (program, arguments) = words.split_first().expect("a program");
        let mut command = self.graph.command(Path::new(program));
        let output = command.args(arguments).env("SERVICE_RESULT", result).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn client(&self) -> Client {
        Client::connect(&Address::Path(self.place.clone())).expect("it serves at the unit's socket")
    }
}

/// The main process of the service. It is killed when it is dropped.
struct Service(Child);

impl Service {
    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    fn wait(&mut self) -> ExitStatus {
        poll(Deadline::generous(), || self.0.try_wait().expect("a child")).expect("it ends")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_units_start_end_and_put_back_as_systemd_would_have_them() {
    on_every_generation(|generation| {
        let devices = [Device::named(DEVICE), Device::named("headphones").priority(500)];
        let graph = Setup::default().devices(devices).start(generation);
        choose_default(&graph, "headphones");
        let manager = Manager::new(&graph);

        let mut service = manager.start();
        manager.client().promote_set(PromoteTo::On).expect("always");
        default_is(&graph, Some(BUS), BUS);
        service.signal("KILL");
        assert!(!service.wait().success());
        assert!(journal(&graph).exists());
        manager.after("signal");
        default_is(&graph, Some("headphones"), "headphones");
        assert!(!journal(&graph).exists());

        // The manager starts it again: it is as it was, at the same socket.
        assert!(manager.service.value("Restart").starts_with("on-"));
        let mut service = manager.start();
        default_is(&graph, Some(BUS), BUS);
        drop(manager.client());
        service.signal("TERM");
        assert_eq!(manager.word(), "STOPPING=1");
        assert!(service.wait().success());
        default_is(&graph, Some("headphones"), "headphones");
        assert!(!journal(&graph).exists());
        manager.after("success");
        default_is(&graph, Some("headphones"), "headphones");
        assert!(manager.place.exists(), "the socket is the manager's");
    });
}
