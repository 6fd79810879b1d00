//! Questions to the person at the terminal.

use std::io::{self, BufRead, IsTerminal, Write, stderr, stdin};

/// What is meant by an answer that is only a new line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    Yes,
    No,
}

/// Whether there is somebody to ask.
pub(crate) fn is_possible() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks until it is answered. At the end of the input the answer is no.
pub(crate) fn yes(question: &str, otherwise: Otherwise) -> io::Result<bool> {
    let choices = match otherwise {
        Otherwise::Yes => "[Y/n]",
        Otherwise::No => "[y/N]",
    };
    loop {
        let mut err = stderr().lock();
        write!(err, "{question} {choices} ")?;
        err.flush()?;
        let mut answer = String::new();
        if stdin().lock().read_line(&mut answer)? == 0 {
            writeln!(err)?;
            return Ok(false);
        }
        match answer.trim().to_lowercase().as_str() {
            "" => return Ok(otherwise == Otherwise::Yes),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}
