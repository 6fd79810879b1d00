//! A directory for a channel, and what a test looks at in it.

use std::path::PathBuf;

use headroom_client::{FileChannel, FileChannelOptions, Message, Received};
use serde_json::Value;

pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("channel")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn backend(&self) -> FileChannel {
        FileChannel::backend(self.path()).unwrap()
    }

    pub(crate) fn frontend(&self) -> FileChannel {
        FileChannel::frontend(self.path()).unwrap()
    }

    /// Another front end beside the first.
    pub(crate) fn reader(&self, name: &str) -> FileChannel {
        FileChannelOptions::new().reader(name).frontend(self.path()).unwrap()
    }

    /// A backend whose files are short.
    pub(crate) fn short(&self, segment_bytes: u64) -> FileChannel {
        let options = FileChannelOptions::new().segment_bytes(segment_bytes);
        options.limit_bytes(segment_bytes * 8).backend(self.path()).unwrap()
    }

    /// The files of messages of the backend and their bytes.
    pub(crate) fn files(&self) -> Vec<(String, u64)> {
        let entries = std::fs::read_dir(self.path()).unwrap().map(Result::unwrap);
        let mut files: Vec<(String, u64)> = entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())
            })
            .filter(|(name, _)| name.starts_with("backend.") && name.ends_with(".jsonl"))
            .collect();
        files.sort();
        files
    }
}

/// Everything that has come.
pub(crate) fn all(channel: &mut FileChannel) -> Vec<Received> {
    let mut all = Vec::new();
    loop {
        let batch = channel.recv().unwrap();
        if batch.is_empty() {
            return all;
        }
        all.extend(batch);
    }
}

pub(crate) fn message(received: Received) -> Message {
    match received {
        Received::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// The payloads of everything that has come; all of it must be messages.
pub(crate) fn payloads(channel: &mut FileChannel) -> Vec<Value> {
    all(channel).into_iter().map(|received| message(received).payload).collect()
}

/// The same as numbers.
pub(crate) fn numbers(channel: &mut FileChannel) -> Vec<u64> {
    payloads(channel).iter().map(|payload| payload.as_u64().unwrap()).collect()
}
