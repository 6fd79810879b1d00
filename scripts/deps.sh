#!/usr/bin/env bash
# Names what is missing on this machine, then installs it.
#
#   scripts/deps.sh build          what compiling takes
#   scripts/deps.sh try            that, and a private PipeWire to play on
#   scripts/deps.sh test           that, and everything the tests judge with
#   scripts/deps.sh --list test    only name it: exits 1 when something is missing
#
# Debian, Ubuntu, Fedora and Arch, as root or with sudo. Where it may not install, it says what to
# install by hand and exits 1; what follows is the caller's choice, except with CI=true.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/say.sh
. "$here/say.sh"
# shellcheck source=scripts/needs.sh
. "$here/needs.sh"

list_only=no
if [[ ${1:-} == --list ]]; then
    list_only=yes
    shift
fi
case ${1:-} in
build) sets=(build) ;;
try) sets=(build graph) ;;
test) sets=(build graph test) ;;
*)
    sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
wanted=$1

# Runs a package manager as root: directly, or by sudo where somebody can be asked or need not be.
as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

may_install() {
    [[ $(id -u) == 0 ]] && return 0
    have sudo || return 1
    sudo -n true 2>/dev/null || [[ -t 0 && -t 2 ]]
}

install_command() {
    case $1 in
    debian) echo apt-get install --no-install-recommends ;;
    fedora) echo dnf install ;;
    arch) echo pacman -S --needed ;;
    esac
}

install_packages() {
    local distribution=$1
    shift
    case $distribution in
    debian)
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
        ;;
    fedora) as_root dnf install -y "$@" ;;
    arch) as_root pacman -S --needed --noconfirm "$@" ;;
    esac
}

# The toolchain is the person's own choice and is not installed for them.
check_rust() {
    local least=$1 found
    if ! have cargo rustc; then
        die "There is no Rust toolchain here (cargo, rustc $least or later)." \
            "Get one with rustup: your distribution's package 'rustup' and then 'rustup default stable'," \
            "or on Debian 12, which has none, as https://rustup.rs says."
    fi
    found=$(rustc --version | cut -d' ' -f2)
    version_at_least "${found%%-*}" "$least" ||
        die "rustc is $found, but Headroom needs $least or later: rustup update stable"
}

distribution=$(distribution)
mapfile -t missing < <(missing_needs "$distribution" "${sets[@]}")

if ((${#missing[@]})); then
    packages=()
    say "missing for '$wanted':"
    for line in "${missing[@]}"; do
        note "${line%%|*}  (${line##*|})"
        read -ra names <<<"${line##*|}"
        packages+=("${names[@]}")
    done
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)

    [[ $list_only == yes ]] && exit 1
    if [[ -z $distribution ]]; then
        die "This is neither Debian, Ubuntu, Fedora nor Arch: please install what is named above by hand" \
            "(the names in brackets are Debian's)."
    fi
    if ! may_install; then
        die "May not install on this machine (not root, no sudo). Please install by hand:" \
            "  $(install_command "$distribution") ${packages[*]}"
    fi
    say "installing: ${packages[*]}"
    install_packages "$distribution" "${packages[@]}" </dev/null >&2 ||
        die "The package manager failed. By hand: $(install_command "$distribution") ${packages[*]}"

    mapfile -t missing < <(missing_needs "$distribution" "${sets[@]}")
    ((${#missing[@]})) && die "Still missing after the installation:" "${missing[@]%%|*}"
fi
[[ $list_only == yes ]] && exit 0

check_rust "$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/../Cargo.toml")"

# Headers that are too old to build on (Debian 12), and the second generation that the tests run on.
if "$here/backports.sh" wanted; then
    "$here/backports.sh" fetch || {
        [[ $wanted != test ]] || in_ci || exit 1
        die "The newer PipeWire could not be fetched, and the build needs its headers."
    }
fi
say "everything that '$wanted' needs is there"
