# shellcheck shell=bash
# What cargo needs to find headers of PipeWire 0.3.68 or later. Sourced:  . scripts/build-env.sh
# Where the system's own are new enough it changes nothing. On Debian 12 it points pkg-config at the headers of the
# backports (scripts/backports.sh) and leaves the library the system's, which is what is linked and run.

headroom_build_env() {
    local here backports
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || return 1
    if pkg-config --atleast-version=0.3.68 libpipewire-0.3 2>/dev/null; then
        return 0
    fi
    if ! backports=$("$here/backports.sh" path); then
        printf '!!! libpipewire-0.3 is %s, but the build needs headers of 0.3.68 or later: scripts/deps.sh build\n' \
            "$(pkg-config --modversion libpipewire-0.3 2>/dev/null || echo missing)" >&2
        return 1
    fi
    export PKG_CONFIG_PATH="$backports/build-headers${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
}
headroom_build_env
