#!/usr/bin/env bash
# The units under a real systemd: a login, a crash, a second login and an uninstall, as a user has them.
#
#   tests/login/run.sh [DIRECTORY]   the programs are there (else target/release)
#
# Makes a machine of namespaces (mounts, processes, control groups) with a user in it, whose systemd is
# started as logind starts it: the distribution's own PipeWire, WirePlumber and bus come up as at any
# login, sandboxed by their units, and ours is installed by ./install and enabled as the README says.
# Nothing of the machine that this runs on is touched. It takes root, systemd and a cgroup2; where one of
# these is missing it says so, does nothing and ends with 0.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=scripts/say.sh
. scripts/say.sh

programs=$(cd "${1:-${CARGO_TARGET_DIR:-target}/release}" && pwd)
LONGEST_S=120

cannot() {
    loud "The units did NOT run under a real systemd: $1."
    exit 0
}

((EUID == 0)) || cannot "that takes root"
systemd=/lib/systemd/systemd
[[ -x $systemd ]] || cannot "systemd is not installed"
for unit in pipewire.service wireplumber.service dbus.service; do
    [[ -e /usr/lib/systemd/user/$unit ]] || cannot "this system has no unit $unit of the user's"
done
for program in unshare setpriv ffmpeg jq pw-cat pw-record pw-metadata; do
    command -v "$program" >/dev/null || cannot "$program is not installed"
done
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[[ -n $groups ]] || cannot "no cgroup2 is mounted"
group=$groups/headroom-login-$$
mkdir "$group" 2>/dev/null || cannot "$groups cannot be written"

# Whatever is left of the machine ends with its first process; then its groups are empty.
# shellcheck disable=SC2317 # It is called, by the trap.
clear_up() {
    local directory
    rm -rf "$work"
    for ((tries = 0; tries < 50; tries++)); do
        while IFS= read -r directory; do
            rmdir "$directory" 2>/dev/null || true
        done < <(find "$group" -depth -type d 2>/dev/null)
        [[ -d $group ]] || return 0
        sleep 0.1
    done
}
work=$(mktemp -d)
trap clear_up EXIT
unshare --mount --pid --fork --kill-child --cgroup true 2>/dev/null ||
    cannot "namespaces cannot be made here"
setpriv --inh-caps=+sys_nice --ambient-caps=+sys_nice true 2>/dev/null ||
    cannot "the right to real-time priority cannot be given here"

# In a group of its own, which becomes the root of all groups in there.
(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec timeout --signal=KILL "$LONGEST_S" \
        unshare --mount --propagation private --pid --fork --kill-child --cgroup \
        "$here/machine.sh" "$programs" "$systemd" "$work"
) || status=$?
((${status:-0} != 77)) || cannot "nobody can log in to a machine of namespaces here"
exit "${status:-0}"
