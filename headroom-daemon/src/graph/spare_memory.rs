//! Keeps no memory that nothing needs: what is resident all day is the listener's.
//!
//! glibc holds on to what was freed, and zeroes what it hands out from an arena, which makes
//! every page of a buffer resident. The buffers of the inserts are made for the longest block,
//! 16 times the usual one: straight from the system, the rest of them costs nothing.
//! Called by hr-graph, and by hr-profiles behind each scan; other C libraries are left as they
//! are.

/// From this size on a block comes straight from the system, untouched.
#[cfg(target_env = "gnu")]
const LARGE_BYTES: i32 = 32 * 1024;

/// Asks for large blocks to come from the system, from now on and in the whole process.
pub(super) fn keep_little() {
    #[cfg(target_env = "gnu")]
    // SAFETY: a setting of glibc's allocator, which takes it at any time and from any thread.
    unsafe {
        nix::libc::mallopt(nix::libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}

/// Gives back what was taken for a while and has been freed.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer and moves nothing that is in use.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
