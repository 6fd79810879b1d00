# shellcheck shell=bash
# What Headroom needs from the system, how to see that it is there, and what each distribution calls it.
# Sourced by deps.sh. A need is met by a program or a header that works, not by a package's name, so that
# a hand-built ffmpeg or another package manager counts too.

# One need a line: sets | what it is | check | Debian and Ubuntu | Fedora | Arch
# Sets: build = compile the workspace; graph = a private PipeWire to play on (./try and ./test); test = ./test alone.
NEEDS='
build | a C compiler | have cc | gcc libc6-dev | gcc | gcc
build | pkg-config | have pkg-config | pkg-config | pkgconf-pkg-config | pkgconf
build | libclang with its headers, for bindgen | have_libclang | libclang-dev | clang-devel | clang
build | the libpipewire headers | have_pc libpipewire-0.3 | libpipewire-0.3-dev | pipewire-devel | libpipewire
build | the SPA headers | have_pc libspa-0.2 | libspa-0.2-dev | pipewire-devel | libpipewire
graph | pipewire | have pipewire | pipewire | pipewire | pipewire
graph | the PipeWire tools (pw-cat, pw-dump, pw-cli) | have pw-cat pw-record pw-dump pw-cli pw-metadata | pipewire-bin | pipewire-utils | pipewire pipewire-audio
graph | WirePlumber | have wireplumber wpctl | wireplumber | wireplumber | wireplumber
graph | a D-Bus daemon | have dbus-daemon | dbus-daemon | dbus-daemon | dbus
test | the PulseAudio server of PipeWire | have pipewire-pulse | pipewire-pulse | pipewire-pulseaudio | pipewire-pulse
test | the PulseAudio clients (paplay, pactl) | have paplay pactl | pulseaudio-utils | pulseaudio-utils | libpulse
test | ffmpeg, an independent loudness meter | have ffmpeg | ffmpeg | ffmpeg-free | ffmpeg
test | libebur128, another one | have_pc libebur128 | libebur128-dev | libebur128-devel | libebur128
test | valgrind, which sees a write into freed memory | have valgrind | valgrind | valgrind | valgrind
test | git, whose checkout of a folder of profiles is followed | have git | git | git | git
test | Python, jq and flock, for the examples of clients | have python3 jq flock | python3-minimal jq util-linux | python3 jq util-linux | python jq util-linux
test | shellcheck | have shellcheck | shellcheck | ShellCheck | shellcheck
'

have() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 || return 1
    done
}

have_pc() { have pkg-config && pkg-config --exists "$1"; }

# bindgen wants the library, and clang's own stddef.h beside it.
have_libclang() {
    [[ -n ${LIBCLANG_PATH:-} ]] && return 0
    local found
    for found in /usr/lib/llvm*/lib/libclang*.so* /usr/lib*/libclang.so* /usr/lib/*/libclang*.so*; do
        [[ -e $found ]] && break
    done
    [[ -e $found ]] || return 1
    compgen -G '/usr/lib/llvm*/lib/clang/*/include/stddef.h' >/dev/null ||
        compgen -G '/usr/lib*/clang/*/include/stddef.h' >/dev/null
}

# debian, fedora, arch, or nothing: what the package manager is like, by os-release's own word.
distribution() {
    local line words=''
    while IFS= read -r line; do
        case $line in
        ID=* | ID_LIKE=*)
            line=${line#*=}
            words+=" ${line//[\"\']/}"
            ;;
        esac
    done < <(cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null)
    case " $words " in
    *' debian '* | *' ubuntu '*) echo debian ;;
    *' fedora '*) echo fedora ;;
    *' arch '*) echo arch ;;
    esac
}

# Lists what of the sets $2... is missing on distribution $1, one `what|packages` a line.
missing_needs() {
    local distribution=$1 set what check debian fedora arch packages
    shift
    while IFS='|' read -r set what check debian fedora arch; do
        read -r set <<<"$set"
        [[ -n $set && " $* " == *" $set "* ]] || continue
        # The checks are words of this file: a function and its arguments.
        read -ra check <<<"$check"
        "${check[@]}" && continue
        case $distribution in
        debian) packages=$debian ;;
        fedora) packages=$fedora ;;
        arch) packages=$arch ;;
        *) packages=$debian ;;
        esac
        read -r what <<<"$what"
        read -r packages <<<"$packages"
        printf '%s|%s\n' "$what" "$packages"
    done <<<"$NEEDS"
}
