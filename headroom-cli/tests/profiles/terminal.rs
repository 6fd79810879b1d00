//! `headroom` at a terminal, where it asks.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::harness::Run;

/// Runs it at a terminal of its own, and types each answer once it has said what stands before
/// it. All that it says is in `stdout`.
pub(crate) fn on_terminal(mut command: Command, answers: &[(&str, &str)]) -> Run {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let open = || {
        let file = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        Stdio::from(file)
    };
    let shown = format!("{command:?}");
    let mut child = command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
    // The last of our own ends of it: its end is then the end of the output.
    drop(command);
    let mut master = File::from(master);
    let mut said = String::new();
    let mut answers = answers.iter();
    let mut next = answers.next();
    let mut from = 0;
    let mut buffer = [0; 4096];
    // A terminal that nobody has open any more gives an error.
    while let Ok(count @ 1..) = master.read(&mut buffer) {
        said += &String::from_utf8_lossy(&buffer[..count]);
        while let Some((question, answer)) = next {
            let Some(at) = said[from..].find(question) else { break };
            from += at + question.len();
            master.write_all(answer.as_bytes()).unwrap();
            next = answers.next();
        }
    }
    let code = child.wait().unwrap().code();
    assert!(next.is_none(), "nobody asked {next:?}; {shown}\n{said}");
    Run { command: shown, code, stdout: said.replace('\r', ""), stderr: String::new() }
}
