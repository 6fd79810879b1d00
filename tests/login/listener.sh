#!/usr/bin/env bash
# What the user of machine.sh does in each of three logins, and what must then be so. `arrive` is the
# part of the first that has nothing of ours in it.
set -euo pipefail
cd "$CHECKOUT"
# shellcheck source=scripts/say.sh
. scripts/say.sh
export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
bin=$HOME/.local/bin
remembered=${XDG_STATE_HOME:-$HOME/.local/state}

# wait_for WHAT COMMAND...: until it succeeds, at most 20 seconds.
wait_for() {
    local what=$1 end=$((SECONDS + 20))
    shift
    while ! "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || die "waited in vain for $what:" "$* ($("$@" 2>&1 | tail -n 5))"
        sleep 0.1
    done
}
must() {
    local what=$1
    shift
    "$@" >/dev/null || die "$what: $*"
}

# quietly WHAT COMMAND...: what it says is for when it fails.
quietly() {
    local what=$1
    shift
    "$@" >"$HOME/said" 2>&1 || die "$what failed: $*" "$(<"$HOME/said")"
}

has() { [[ $(systemctl --user show "$1" --property "$2" --value) == "$3" ]]; }
status() { timeout 10 "$bin/headroom" status --json | jq -e "$1"; }
default_is() { pw-metadata -n default 0 default.audio.sink | grep -qF "\"name\":\"$1\""; }
configured() { pw-metadata -n default 0 default.configured.audio.sink; }
process() { systemctl --user show headroomd.service --property MainPID --value; }

# real_time PROCESS: whether one of its threads goes before ordinary work.
real_time() {
    local stat
    for stat in /proc/"$1"/task/*/stat; do
        # Field 41, counted behind the name.
        awk '{ sub(/.*\) /, ""); if ($39 == 1 || $39 == 2) found = 1 } END { exit !found }' "$stat" && return 0
    done
    return 1
}

# heard: the device sounds, by ffmpeg's word.
heard() {
    local level
    rm -f "$HOME/heard.wav"
    timeout -s INT 1 pw-record -P '{ stream.capture.sink = true }' --target speakers \
        --format f32 "$HOME/heard.wav" || true
    level=$(ffmpeg -i "$HOME/heard.wav" -af volumedetect -f null - 2>&1 |
        sed -n 's/.*mean_volume: \(-*[0-9]*\).*/\1/p')
    [[ -n $level ]] && ((level > -40))
}

plays() {
    pw-cat -p "$TONE" &
    player=$!
    trap 'kill "$player" 2>/dev/null || true' EXIT
}
stops() {
    kill "$player"
    wait "$player" 2>/dev/null || true
}

through_us='.streams | any(.playing and .bus != null)'

# What the unit says of the sandbox is in force for that process.
sandboxed() {
    local status=/proc/$1/status
    must "no new privileges" grep -q '^NoNewPrivs:	1$' "$status"
    must "the filter of system calls" grep -q '^Seccomp:	2$' "$status"
    must "the limit of open files" grep -q '^Max open files  *4096 ' "/proc/$1/limits"
}

# A login without Headroom, with a device to hear.
arrive() {
    mkdir -p ~/.config/pipewire/pipewire.conf.d ~/.config/systemd/user/headroomd.service.d
    cat >~/.config/pipewire/pipewire.conf.d/speakers.conf <<'END'
context.objects = [ { factory = adapter, args = { factory.name = support.null-audio-sink
    node.name = speakers, media.class = Audio/Sink, priority.session = 1000
    audio.position = [ FL FR ], monitor.channel-volumes = true, object.linger = true } } ]
END
    # There is no journal in this machine.
    printf '[Service]\nStandardError=append:%%h/headroomd.log\n' \
        >~/.config/systemd/user/headroomd.service.d/log.conf
    # Nor anybody who gives the right to real-time priority when asked.
    printf '[Service]\nAmbientCapabilities=CAP_SYS_NICE\n' \
        >~/.config/systemd/user/headroomd.service.d/right.conf
    mkdir -p ~/.config/systemd/user/wireplumber.service.d
    printf '[Service]\nStandardError=append:%%h/wireplumber.log\n' \
        >~/.config/systemd/user/wireplumber.service.d/log.conf
    wait_for "the login" systemctl --user is-active default.target
    systemctl --user daemon-reload
    # As the distribution does it for all its users.
    quietly "enabling PipeWire" systemctl --user enable pipewire.socket pipewire.service wireplumber.service
    systemctl --user restart pipewire.service wireplumber.service
    wait_for "the device" default_is speakers
}

first() {
    quietly "installing it" env HEADROOM_BIN_DIR="$PWD/built" ./install
    # What the README says. Which of the two systemd starts first is chance, so it is said several times.
    local times
    for times in 1 2 3 4 5; do
        ((times == 1)) ||
            quietly "disabling it" systemctl --user disable --now headroomd.service headroomd.socket
        quietly "enabling it, time $times," systemctl --user enable --now headroomd.service headroomd.socket
    done
    must "it says that it is ready" has headroomd.service ActiveState active
    must "the socket" has headroomd.socket ActiveState active
    local main
    main=$(process)
    sandboxed "$main"

    plays
    wait_for "the app to go through it" status "$through_us"
    wait_for "its sound at the device" heard
    wait_for "real-time priority" real_time "$main"

    # A profile of the user's own is heard of, and every change of it, and what is chosen is remembered.
    local file=$HOME/.config/headroom/profiles/mine.toml
    mkdir -p "${file%/*}"
    printf 'name = "mine"\ndescription = "d"\n[agc]\ntarget_lufs = -20.0\n' >"$file"
    wait_for "the profile to be found" "$bin/headroom" profile use mine
    must "its setting" reads agc.target_lufs -20
    sed -i 's/-20.0/-23.5/' "$file"
    wait_for "the change of the profile" reads agc.target_lufs -23.5
    "$bin/headroom" promote on >/dev/null
    wait_for "Headroom to be the default" default_is headroom.main
    wait_for "both to be remembered" grep -qz "mine.*promote" "$remembered/headroom/state.toml"
    must "the journal" grep -q former_default "$remembered/headroom/journal.toml"
    must "nothing is warned of" status '.warnings == []'

    # A crash: the sound goes on, the unit puts back, and starts it again.
    : >"$HOME/headroomd.log"
    kill -KILL "$main"
    wait_for "ExecStopPost" restored
    wait_for "the unit to start it again" is_another "$main"
    wait_for "it to be ready" has headroomd.service ActiveState active
    must "one restart" has headroomd.service NRestarts 1
    wait_for "Headroom to be the default again" default_is headroom.main
    wait_for "the app to go through it again" status "$through_us"
    wait_for "the profile to be as before" reads agc.target_lufs -23.5
    sandboxed "$(process)"
    wait_for "its sound" heard

    # Stopped, it puts back, and whoever asks for it starts it.
    quietly "stopping it" systemctl --user stop headroomd.service
    must "a clean end" has headroomd.service Result success
    must "the journal is gone" test ! -e "$remembered/headroom/journal.toml"
    wait_for "the default to be the user's own" default_is speakers
    wait_for "the sound to go on" heard
    must "the socket starts it" status '.graph != null'
    must "it runs" has headroomd.service ActiveState active
    stops
}

reads() { timeout 10 "$bin/headroom" call setting.get "{\"key\": \"$1\"}" | jq -e ".value == $2"; }
is_another() { [[ $(process) != 0 && $(process) != "$1" ]]; }
# What headroomd --restore alone says.
restored() { grep -q 'everything is as it was before Headroom' "$HOME/headroomd.log"; }

# It is there after a login, as it was before the logout.
second() {
    wait_for "the login" systemctl --user is-active default.target
    wait_for "Headroom, which nobody has started" has headroomd.service ActiveState active
    wait_for "Headroom to be the default, as it was" default_is headroom.main
    plays
    wait_for "the app to go through it" status "$through_us"
    must "the profile that was chosen" reads agc.target_lufs -23.5
    wait_for "real-time priority" real_time "$(process)"
    stops
    rm ~/.config/systemd/user/headroomd.service.d/right.conf
}

# Where nobody has the right to real-time priority, it does without and says so. Then it is uninstalled.
third() {
    wait_for "the login" systemctl --user is-active default.target
    wait_for "Headroom, which nobody has started" has headroomd.service ActiveState active
    # An app that is there before the first device is told that there is none, and pw-cat ends.
    wait_for "Headroom to be the default, as it was" default_is headroom.main
    plays
    wait_for "the app to go through it" status "$through_us"
    wait_for "its sound" heard
    ! real_time "$(process)" || die "it has a priority that it has no right to"
    if "$bin/headroom" doctor >"$HOME/doctor.txt" 2>&1; then
        die "doctor says nothing of the missing priority:" "$(<"$HOME/doctor.txt")"
    fi
    must "doctor tells of it" grep -qi 'real-time' "$HOME/doctor.txt"

    quietly "uninstalling it" ./install --uninstall
    must "the unit is gone" has headroomd.service LoadState not-found
    must "nobody runs" test -z "$(pgrep -u "$UID" headroomd)"
    wait_for "the default to be the user's own" default_is speakers
    # WirePlumber 0.4 that alone was started again links nothing in a machine without hardware.
    stops
    systemctl --user restart pipewire.service wireplumber.service
    wait_for "the device" default_is speakers
    plays
    wait_for "the sound without Headroom" heard
    must "nothing of ours is configured" test -z "$(configured | grep headroom)"
    must "WirePlumber remembers nothing" test -z "$(grep -rl headroom "$remembered/wireplumber")"
    stops
}

"$1"
say "login $1: all as it should be"
