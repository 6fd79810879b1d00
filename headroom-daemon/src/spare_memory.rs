//! Keeps no memory that nothing needs: what is resident all day is the listener's.
//!
//! glibc holds on to what was freed, and zeroes what it hands out from an arena, which makes every
//! page of a buffer resident. The buffers of the inserts are made for
//! the longest block, 16 times the usual one: straight from the system, the rest of them costs
//! nothing. And the start runs a good part of the program that is never run again.
//!
//! Called by main, hr-graph, and hr-profiles behind each scan; other C libraries are left as they
//! are.

/// From this size on, a page, a block comes straight from the system, untouched. With 32 KiB the
/// holes that larger blocks leave in an arena came to a MiB after a thousand changes of the graph;
/// with this, to a third. At 45 changes a second, 60 such blocks are asked for: it costs nothing.
#[cfg(target_env = "gnu")]
const LARGE_BYTES: i32 = 4 * 1024;

/// Asks for large blocks to come from the system, from now on and in the whole process.
///
/// One arena for all threads (`M_ARENA_MAX`) was tried: what lives long lies scattered among what
/// the start has freed, and a third of a MiB more is resident.
pub(crate) fn keep_little() {
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

/// Gives back what the start took, the program's own pages too: what of it is needed again comes
/// back page by page from where the system keeps the file, in a microsecond each.
pub(crate) fn give_back_the_start() {
    give_back();
    // SAFETY: the callback has the signature that is asked for, and is given nothing to hold.
    unsafe {
        nix::libc::dl_iterate_phdr(Some(forget_pages), std::ptr::null_mut());
    }
}

/// Beginnings of the names of the libraries whose code the audio thread runs. It would wait for
/// pages that have to be found again, and that was heard.
const HEARD: [&[u8]; 6] =
    [b"ld-", b"libc.", b"libm.", b"libpipewire-0.3", b"libpipewire-module-client-node", b"libspa-"];

/// Whether the audio thread runs code of the file of this path; the program has none.
fn is_heard(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    HEARD.iter().any(|start| name.starts_with(start))
}

/// Lets go of the pages that are as they are in their file: all of the program's, of each library the
/// tables that it was linked with, and the code of those that no sound goes through: what the bus
/// of the desktop, which is asked for real time at the start, brings along is never run again.
unsafe extern "C" fn forget_pages(
    info: *mut nix::libc::dl_phdr_info,
    _size: usize,
    _data: *mut std::ffi::c_void,
) -> nix::libc::c_int {
    const GO_ON: nix::libc::c_int = 0;
    // SAFETY: the C library hands over a description that is valid during this call.
    let info = unsafe { &*info };
    // SAFETY: as above: so many headers are there.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    // SAFETY: asks for a number.
    let page = unsafe { nix::libc::sysconf(nix::libc::_SC_PAGESIZE) };
    let Some(page) = usize::try_from(page).ok().filter(|page| page.is_power_of_two()) else {
        return GO_ON;
    };
    let path = if info.dlpi_name.is_null() {
        b""
    } else {
        // SAFETY: a name that is valid during this call, and empty for the program.
        unsafe { std::ffi::CStr::from_ptr(info.dlpi_name) }.to_bytes()
    };
    let dynamic = headers.iter().find(|header| header.p_type == nix::libc::PT_DYNAMIC);
    let dynamic = dynamic
        .map(|header| (info.dlpi_addr as usize + header.p_vaddr as usize, header.p_memsz as usize));
    // SAFETY: the section lies where the header of this loaded object says.
    if dynamic.is_some_and(|(start, bytes)| unsafe { has_changed_text(start, bytes) }) {
        return GO_ON;
    }
    for header in headers {
        // What was ever writable has been changed since it was loaded.
        let kept = nix::libc::PF_W | if is_heard(path) { nix::libc::PF_X } else { 0 };
        if header.p_type != nix::libc::PT_LOAD || header.p_flags & kept != 0 {
            continue;
        }
        let start = info.dlpi_addr as usize + header.p_vaddr as usize;
        // Whole pages, which are nobody else's.
        let (first, end) = (start.next_multiple_of(page), start + header.p_memsz as usize);
        let length = (end & !(page - 1)).saturating_sub(first);
        if length > 0 {
            // SAFETY: pages of a file, mapped for reading and never written to: they read the
            // same when they come back. The call runs on one of them, and returns to it. The
            // kernel's own (the vDSO) refuses, and stays.
            unsafe {
                nix::libc::madvise(first as *mut _, length, nix::libc::MADV_DONTNEED);
            }
        }
    }
    GO_ON
}

/// Whether the loader has written into pages that are not writable now (`DT_TEXTREL`).
///
/// # Safety
/// A dynamic section is mapped there, of so many bytes.
unsafe fn has_changed_text(start: usize, bytes: usize) -> bool {
    /// An entry of the section: `Elf32_Dyn` or `Elf64_Dyn`, by the machine.
    #[repr(C)]
    struct Entry {
        tag: isize,
        value: usize,
    }
    const END: isize = 0;
    const TEXT_IS_RELOCATED: isize = 22;
    const FLAGS: isize = 30;
    const FLAG_TEXT_IS_RELOCATED: usize = 4;
    let entries = (start as *const Entry, bytes / size_of::<Entry>());
    // SAFETY: as promised, and the section is aligned for its entries.
    let entries = unsafe { std::slice::from_raw_parts(entries.0, entries.1) };
    entries.iter().take_while(|entry| entry.tag != END).any(|entry| {
        entry.tag == TEXT_IS_RELOCATED
            || (entry.tag == FLAGS && entry.value & FLAG_TEXT_IS_RELOCATED != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text and constants that are read again afterwards.
    fn checksum() -> u64 {
        let text = include_str!("spare_memory.rs");
        text.bytes().fold(7, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// Pages of files that are in memory.
    fn resident_file_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("readable");
        let line = status.lines().find_map(|line| line.strip_prefix("RssFile:"));
        let number = line.and_then(|rest| rest.trim().strip_suffix("kB"));
        number.expect("a number").trim().parse().expect("a number")
    }

    #[test]
    fn only_what_no_sound_goes_through_is_let_go_of() {
        for heard in [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib/x86_64-linux-gnu/libm.so.6",
            "/lib64/ld-linux-x86-64.so.2",
            "/lib/x86_64-linux-gnu/libpipewire-0.3.so.0",
            "/usr/lib/pipewire-0.3/libpipewire-module-client-node.so",
            "/usr/lib/spa-0.2/audioconvert/libspa-audioconvert.so",
        ] {
            assert!(is_heard(heard.as_bytes()), "{heard}");
        }
        for silent in ["", "/lib/libsystemd.so.0", "/lib/libgcrypt.so.20", "/lib/libdbus-1.so.3"] {
            assert!(!is_heard(silent.as_bytes()), "{silent}");
        }
    }

    #[test]
    fn what_was_given_back_is_read_again_as_it_was() {
        let before = checksum();
        let resident = resident_file_kib();
        give_back_the_start();
        let left = resident_file_kib();
        assert!(left < resident, "{left} KiB of {resident} are left");
        assert_eq!(checksum(), before);
        let caught = std::panic::catch_unwind(|| panic!("the tables of unwinding are read again"));
        assert!(caught.is_err());
    }
}
