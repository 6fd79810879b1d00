#!/usr/bin/env bash
# The machine of run.sh, as its first process: what lies where, who the user is, and two logins.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=scripts/say.sh
. scripts/say.sh
programs=$1 systemd=$2 work=$3
# How it ends where nobody can log in here, Headroom or not.
NO_MACHINE=77
trap 'exit "$NO_MACHINE"' ERR

user=1777
mount -t proc proc /proc
# A checkout and programs that the user can read, whoever owns them outside.
checkout=$work/checkout
mkdir -p "$checkout/built"
chmod 755 "$work"
cp -r install scripts contrib profiles "$checkout/"
install -m 755 "$programs/headroom" "$programs/headroomd" "$checkout/built/"
chmod -R a+rX "$checkout"
ffmpeg -v error -f lavfi -i "sine=frequency=440:duration=120" -ac 2 "$work/tone.wav"

mount -t tmpfs -o mode=755 tmpfs /run
# What systemd looks for to know that it runs the machine, and where WirePlumber looks for who sits at it.
mkdir -p /run/systemd/{system,seats,sessions,users,machines}
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# No sound card of the real machine is to be heard.
[[ ! -d /dev/snd ]] || mount -t tmpfs -o mode=755 tmpfs /dev/snd
cp /etc/passwd /run/passwd
echo "listener:x:$user:$user::/run/home:/bin/bash" >>/run/passwd
mount --bind /run/passwd /etc/passwd
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
    [[ $1 != first ]] || as_user CHECKOUT="$checkout" "$here/listener.sh" arrive || exit "$NO_MACHINE"
    as_user CHECKOUT="$checkout" TONE="$work/tone.wav" "$here/listener.sh" "$1" || status=$?
    if ((status != 0)); then
        note "--- what systemd has said:"
        tail -n 30 /run/manager.log >&2 || true
        note "--- what headroomd has said:"
        tail -n 40 /run/home/headroomd.log >&2 || true
        exit "$status"
    fi
    # The logout.
    as_user systemctl --user exit
    wait "$manager" || true
    [[ ! -e /run/home/.local/state/headroom/journal.toml ]] ||
        die "the logout has left something to be put back:" "$(</run/home/.local/state/headroom/journal.toml)"
}

# The right to real-time priority, which distributions give to those who hear sound: by a limit or by
# another process. Here it is the capability that both come to.
trap - ERR
rights=(--inh-caps=+sys_nice --ambient-caps=+sys_nice)
session first
session second
rights=()
session third
