//! Waiting for news: inotify where the kernel sees every change, looking again and again where it
//! does not.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::statfs;
use rustix::io::Errno;

use super::ChannelError;
use super::layout::Layout;
use crate::deadline::{Deadline, timespec};

/// File systems that other machines or a host write to without this kernel's knowledge: NFS, SMB
/// (three numbers), 9P, FUSE (with virtiofs and sshfs), Ceph, AFS (two), Coda, VirtualBox, VMware,
/// Lustre, OCFS2, GFS2.
const SHARED: [u32; 15] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x0102_1997,
    0x6573_5546,
    0x00c3_6400,
    0x5346_414f,
    0x6b41_4653,
    0x7375_7245,
    0x786f_4256,
    0xbacb_acbc,
    0x0bd0_0bd0,
    0x7461_636f,
    0x0116_1970,
];

/// How a channel hears of news.
#[derive(Debug)]
pub(super) enum Watch {
    /// The kernel tells.
    Kernel(OwnedFd),
    /// It is looked at again and again.
    Polling,
}

/// Which way is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Best,
    Polling,
}

impl Watch {
    /// Watches from now on.
    pub(super) fn begin(layout: &Layout, wanted: Wanted) -> Watch {
        let told = wanted == Wanted::Best && sees_all_changes(layout.folder());
        told.then(|| kernel(layout.folder()))
            .and_then(Result::ok)
            .map_or(Watch::Polling, Watch::Kernel)
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Watch::Kernel(inotify) => Some(inotify.as_fd()),
            Watch::Polling => None,
        }
    }

    /// Waits until it is worth looking again, or the time is over.
    pub(super) fn wait(
        &self,
        layout: &Layout,
        interval: Duration,
        deadline: Deadline,
    ) -> Result<(), ChannelError> {
        let Watch::Kernel(inotify) = self else {
            let pause = deadline.left().map_or(interval, |left| left.min(interval));
            std::thread::sleep(pause);
            return Ok(());
        };
        while !self.drain(layout) {
            let left = deadline.left().map(timespec);
            let mut files = [PollFd::from_borrowed_fd(inotify.as_fd(), PollFlags::IN)];
            match poll(&mut files, left.as_ref()) {
                Ok(0) => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    return Err(ChannelError::io("waiting for", layout.folder())(error.into()));
                }
            }
        }
        Ok(())
    }

    /// Takes all the news that there are. Says whether some of them may be about messages.
    pub(super) fn drain(&self, layout: &Layout) -> bool {
        let Watch::Kernel(inotify) = self else { return true };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(inotify, &mut buffer);
        let mut concerns = false;
        // Until nothing is left; an error is told by the files themselves.
        while let Ok(event) = events.next() {
            // Without a name: news were lost, or the directory itself has gone.
            concerns |= event.file_name().is_none_or(|name| layout.concerns(name.to_bytes()));
        }
        concerns
    }
}

fn kernel(folder: &Path) -> Result<OwnedFd, Errno> {
    let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let news = WatchFlags::MODIFY
        | WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF;
    inotify::add_watch(&inotify, folder, news)?;
    Ok(inotify)
}

/// Whether whoever writes in this directory does so through this kernel.
fn sees_all_changes(folder: &Path) -> bool {
    // What cannot be asked is a sandbox that does not let us.
    statfs(folder).is_ok_and(|fs| !is_shared(fs.f_type.cast_unsigned()))
}

#[allow(clippy::cast_possible_truncation, reason = "the numbers have 32 bits on every machine")]
fn is_shared(kind: u64) -> bool {
    SHARED.contains(&(kind as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_channel::Side;

    #[test]
    fn network_shares_are_polled_and_local_disks_are_not() {
        let (nfs, cifs, sshfs) = (0x6969, 0xff53_4d42, 0x6573_5546);
        assert!([nfs, cifs, sshfs].into_iter().all(is_shared));
        // As some kernels give it: sign-extended.
        assert!(is_shared(0xffff_ffff_ff53_4d42));
        let (ext4, tmpfs, btrfs, xfs, overlay) =
            (0xef53, 0x0102_1994, 0x9123_683e, 0x5846_5342, 0x794c_7630);
        assert!(![ext4, tmpfs, btrfs, xfs, overlay].into_iter().any(is_shared));
    }

    #[test]
    fn where_the_kernel_cannot_watch_it_is_polled() {
        let folder = tempfile::tempdir().unwrap();
        let begin = |path: &Path, wanted| Watch::begin(&Layout::new(path, Side::Backend), wanted);
        assert!(begin(folder.path(), Wanted::Best).descriptor().is_some());
        assert!(begin(folder.path(), Wanted::Polling).descriptor().is_none());
        // A directory that cannot be watched: here, because it is not there.
        assert!(begin(&folder.path().join("not"), Wanted::Best).descriptor().is_none());
        assert!(kernel(&folder.path().join("not")).is_err());
    }
}
