#!/usr/bin/env bash
# The units under a real systemd: three logins, a crash, and an uninstall, as a user has them.
#
#   tests/login/run.sh [DIRECTORY]   the programs are there (else target/release)
#
# Makes a machine of namespaces (mounts, processes, control groups, network, shared memory) with a user
# in it, whose systemd is started as logind starts it: the distribution's own PipeWire, WirePlumber and
# bus come up as at any login, sandboxed by their units, and ours is installed by ./install and enabled as
# the README says. Nothing of the machine that this runs on is touched, and what that starts for its own
# users is not started; a control group and an empty directory are there until the end. It takes root,
# and a kernel that lets root make such a machine; elsewhere it says that nothing was judged, and ends
# with 0. So it does where a program is missing, but with CI=true that is a failure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=scripts/say.sh
. scripts/say.sh

# Another user is to go through all that is made here.
umask 022
programs=$(cd "${1:-${CARGO_TARGET_DIR:-target}/release}" && pwd)
LONGEST_S=300
# For what lies around the logins: making the machine, and what it says at the end.
MORE_S=60

cannot() {
    loud "NOT JUDGED: the units did not run under a real systemd: $1."
    exit 0
}

missing() {
    ! in_ci || die "The units did not run under a real systemd: $1."
    cannot "$1"
}

((EUID == 0)) || cannot "that takes root"
systemd=/lib/systemd/systemd
[[ -x $systemd ]] || missing "systemd is not installed"
for unit in pipewire.service wireplumber.service dbus.service; do
    [[ -e /usr/lib/systemd/user/$unit ]] || missing "this system has no unit $unit of the user's"
done
for program in unshare setpriv ffmpeg jq pgrep pw-cat pw-record pw-metadata; do
    command -v "$program" >/dev/null || missing "$program is not installed"
done
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[[ -n $groups ]] || cannot "no cgroup2 is mounted"

# Whatever is left of the machine ends with its first process; then its groups are empty.
# shellcheck disable=SC2317 # It is called, by the trap.
clear_up() {
    local directory process
    for process in $machine $clock; do
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    [[ -z $work ]] || rm -rf "$work"
    for ((tries = 0; tries < 50; tries++)); do
        while IFS= read -r directory; do
            rmdir "$directory" 2>/dev/null || true
        done < <(find "$group" -depth -type d 2>/dev/null)
        [[ -d $group ]] || return 0
        sleep 0.1
    done
}
group=$groups/headroom-login-$$ work='' machine='' clock=''
trap clear_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$group" 2>/dev/null || cannot "$groups cannot be written"
work=$(mktemp -d -p /tmp headroom-login.XXXXXX)
namespaces=(--mount --propagation private --pid --fork --kill-child --cgroup --net --ipc)
unshare "${namespaces[@]}" true 2>/dev/null || cannot "namespaces cannot be made here"
setpriv --inh-caps=+sys_nice --ambient-caps=+sys_nice true 2>/dev/null ||
    cannot "the right to real-time priority cannot be given here"

# In a group of its own, which becomes the root of all groups in there. Both are waited for, as a shell
# hears no signal while it waits for what is in its foreground.
(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec unshare "${namespaces[@]}" "$here/machine.sh" "$programs" "$systemd" "$work" "$LONGEST_S"
) &
machine=$!
sleep "$((LONGEST_S + MORE_S))" &
clock=$!
wait -n "$machine" "$clock" || status=$?
kill -0 "$clock" 2>/dev/null || die "The machine of the logins has not ended within $((LONGEST_S + MORE_S)) s."
((${status:-0} != 77)) || cannot "nobody can log in to a machine of namespaces here"
exit "${status:-0}"
