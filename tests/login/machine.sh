#!/usr/bin/env bash
# The machine of run.sh, as its first process: what lies where, who the user is, and three logins.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=scripts/say.sh
. scripts/say.sh
programs=$1 systemd=$2 work=$3 longest_s=$4
# How it ends where nobody can log in here, Headroom or not.
NO_MACHINE=77
# need COMMAND...: what such a machine is made of.
need() { "$@" || exit "$NO_MACHINE"; }

user=1777
# Whoever started this may have the right to real-time priority; this user has what is given below.
ulimit -r 0
need mount -t proc proc /proc

# A checkout and programs that the user can read and run, whoever owns them outside.
need mount -t tmpfs -o mode=755 tmpfs "$work"
mkdir -p "$work"/checkout/{built,tests}
cp -r install scripts contrib profiles "$work/checkout/"
cp -r tests/login "$work/checkout/tests/"
install -m 755 "$programs/headroom" "$programs/headroomd" "$work/checkout/built/"
ffmpeg -v error -f lavfi -i "sine=frequency=440:duration=$longest_s" -ac 2 "$work/tone.wav"
chmod -R a+rX "$work"

# Nothing is left outside, and what others have put there is not seen.
need mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/work
need mount --move "$work" /run/work
work=/run/work
checkout=$work/checkout
cd "$checkout"
for shared in /tmp /var/tmp /dev/shm; do
    [[ ! -d $shared ]] || need mount -t tmpfs -o mode=1777 tmpfs "$shared"
done
# What the real machine starts for all its users is no business of this one.
for enabled in /etc/systemd/user /etc/xdg/systemd/user; do
    [[ ! -d $enabled || -L $enabled ]] || need mount -t tmpfs -o mode=755 tmpfs "$enabled"
done
# What systemd looks for to know that it runs the machine, and where WirePlumber looks for who sits at it.
mkdir -p /run/systemd/{system,seats,sessions,users,machines}
need mount -t cgroup2 cgroup2 /sys/fs/cgroup
# No sound card of the real machine is to be heard.
[[ ! -d /dev/snd ]] || need mount -t tmpfs -o mode=755 tmpfs /dev/snd
cp /etc/passwd /run/passwd
echo "listener:x:$user:$user::/run/home:/bin/bash" >>/run/passwd
need mount --bind /run/passwd /etc/passwd
install -d -m 700 -o "$user" -g "$user" /run/home /run/user /run/user/"$user"
export_for_user=(
    HOME=/run/home USER=listener LOGNAME=listener SHELL=/bin/bash PATH=/usr/bin:/bin LANG=C.UTF-8
    XDG_RUNTIME_DIR=/run/user/"$user"
)

# as_user COMMAND...: as a login's first process has it.
as_user() {
    setpriv --reuid="$user" --regid="$user" --clear-groups "${rights[@]}" \
        env -i "${export_for_user[@]}" "$@"
}

# listener PART: what the user does, in what is left of the time.
listener() {
    local status=0
    as_user CHECKOUT="$checkout" TONE="$work/tone.wav" \
        timeout --kill-after=5 "$((SECONDS < longest_s ? longest_s - SECONDS : 1))" \
        tests/login/listener.sh "$1" || status=$?
    ((status != 124 && status != 137)) || loud "The logins take more than $longest_s s: it is in $1, and is ended."
    ((status == 0)) || tell
    return "$status"
}

# What was said by those who write to no terminal.
tell() {
    local who
    for who in manager home/wireplumber home/headroomd; do
        [[ -s /run/$who.log ]] || continue
        note "--- what ${who##*/} has said:"
        tail -n 40 "/run/$who.log" >&2
    done
}

# session PART: a login, what the listener does in it, and the logout.
session() {
    local group=/sys/fs/cgroup/session-$1 manager status=0
    mkdir "$group"
    chown "$user" "$group" "$group"/cgroup.{procs,threads,subtree_control}
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        as_user "$systemd" --user --log-target=console >>"/run/manager.log" 2>&1
    ) &
    manager=$!
    if [[ $1 == first ]]; then
        listener arrive || status=$?
        # It ends with 1 where it has waited in vain. Anything else is a fault of the test.
        ((status != 1)) || exit "$NO_MACHINE"
    fi
    ((status != 0)) || listener "$1" || status=$?
    ((status == 0)) || exit "$status"
    # The logout.
    as_user systemctl --user exit
    wait "$manager" || true
    [[ ! -e /run/home/.local/state/headroom/journal.toml ]] ||
        die "the logout has left something to be put back:" "$(</run/home/.local/state/headroom/journal.toml)"
}

# The right to real-time priority, which distributions give to those who hear sound: by a limit or by
# another process. Here it is the capability that both come to.
rights=(--inh-caps=+sys_nice --ambient-caps=+sys_nice)
session first
session second
rights=()
session third
