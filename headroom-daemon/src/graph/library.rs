//! Which libpipewire this process runs with, which need not be the one it was built with.

use std::ffi::CStr;

use pipewire as pw;

/// From this version on `client.conf` gives the data thread its priority, and asking for
/// `client-rt.conf` only earns a warning.
const RT_IN_CLIENT_CONF: (u32, u32, u32) = (1, 3, 81);

/// Version of the library, as it says itself.
pub(super) fn version() -> String {
    // SAFETY: takes nothing, may be called at any time, and returns a static string that
    // ends in 0. (The bindings have no safe name for it.)
    let version = unsafe { CStr::from_ptr(pw::sys::pw_get_library_version()) };
    version.to_string_lossy().into_owned()
}

/// Whether the configuration with the real-time module must be asked for by name.
pub(super) fn needs_client_rt_conf(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) < RT_IN_CLIENT_CONF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_older_libraries_are_asked_for_client_rt_conf() {
        assert!(needs_client_rt_conf("0.3.65"));
        assert!(needs_client_rt_conf("1.0.5"));
        assert!(needs_client_rt_conf("1.2.7"));
        assert!(!needs_client_rt_conf("1.3.81"));
        assert!(!needs_client_rt_conf("1.4.2"));
        assert!(!needs_client_rt_conf("2.0"));
    }
}
