#!/usr/bin/env bash
# Fetches the PipeWire and WirePlumber of the backports suite into a cache directory, and installs nothing.
#
#   scripts/backports.sh wanted    exits 0 when this system is one that needs it (Debian 12)
#   scripts/backports.sh path      prints the directory it is unpacked in; exits 1 when it is not there
#   scripts/backports.sh fetch     fetches it unless it is there
#
# Debian 12 has PipeWire 0.3.65, whose headers the Rust bindings cannot be built on, and which is half of what the
# tests must run on; the other half, 1.4, is in its backports. apt downloads it with sources, state and
# caches of its own: the user's apt never learns of it, no root is needed, and the mirror is the user's own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/say.sh
. "$here/say.sh"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/headroom
latest=$cache/backports
wanted_packages=(pipewire pipewire-bin pipewire-pulse wireplumber libpipewire-0.3-dev libspa-0.2-dev)

# shellcheck source=/dev/null
codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# shellcheck source=/dev/null
wanted() { [[ $(. /etc/os-release && echo "${ID:-}") == debian && $(codename) == bookworm ]]; }

# Whether what is unpacked in $1 still runs here: a library it borrows from the system may have gone.
works() {
    local libraries
    libraries=$(echo "$1"/usr/lib/*-linux-gnu*)
    [[ -f $1/complete ]] &&
        LD_LIBRARY_PATH=$libraries "$1/usr/bin/pipewire" --version >/dev/null 2>&1 &&
        LD_LIBRARY_PATH=$libraries "$1/usr/bin/wireplumber" --version >/dev/null 2>&1
}

path() {
    works "$latest" || return 1
    readlink -f "$latest"
}

# Prints `URI keyring` of the suite $1 as this machine's own sources have it, from either format.
mirror_of() {
    local suite=$1
    {
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | awk -v suite="$suite" '
            $1 != "deb" { next }
            {
                key = ""; at = 2
                if ($2 ~ /^\[/) {
                    for (at = 2; at <= NF; at++) {
                        option = $at; gsub(/[\[\]]/, "", option)
                        if (option ~ /^signed-by=/) key = substr(option, 11)
                        if ($at ~ /\]$/) { at++; break }
                    }
                }
                if ($(at + 1) == suite) print $at, key
            }'
        # deb822: stanzas are apart by blank lines; fields may be in any order and case.
        for file in /etc/apt/sources.list.d/*.sources; do
            [[ -e $file ]] || continue
            awk -v suite="$suite" '
                function flush() {
                    if (deb && enabled && index(" " suites " ", " " suite " ")) print uri, key
                    uri = key = suites = ""; deb = 0; enabled = 1
                }
                BEGIN { enabled = 1 }
                /^[ \t]*$/ { flush(); next }
                /^#/ { next }
                {
                    name = tolower($1)
                    if (name == "types:") deb = / deb( |$)/
                    else if (name == "uris:") uri = $2
                    else if (name == "suites:") { suites = $0; sub(/^[^:]*:[ \t]*/, "", suites) }
                    else if (name == "signed-by:") key = $2
                    else if (name == "enabled:") enabled = tolower($2) != "no"
                }
                END { flush() }' "$file"
        done
    } | head -n 1
}

fetch() {
    local suite mirror keyring options work libraries system_libraries name line
    if path >/dev/null; then
        return
    fi
    suite=$(codename)
    read -r mirror keyring <<<"$(mirror_of "$suite")" || true
    [[ -n $mirror ]] || die "No package source for the suite '$suite' in /etc/apt: cannot tell where its backports are."
    keyring=${keyring:-/usr/share/keyrings/debian-archive-keyring.gpg}

    mkdir -p "$cache"
    work=$(mktemp -d "$cache/fetching.XXXXXX")
    # shellcheck disable=SC2064 # the directory of now, not of the end
    trap "rm -rf '$work'" EXIT
    mkdir -p "$work"/{parts,debs,tree,state/lists/partial,cache/archives/partial}
    for name in "$suite" "$suite-backports"; do
        echo "deb [signed-by=$keyring] $mirror $name main"
    done >"$work/sources.list"
    # The machine's own apt settings (a proxy, say) hold, but not its hooks: those are made for the machine's own
    # cache, and one that empties it would do so under a running installation.
    cat >"$work/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "$work/parts";
Dir::State "$work/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$work/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Sandbox::User "$(id -un)";
CONF
    options=(-c "$work/apt.conf" -q)

    say "fetching PipeWire from $suite-backports (into $cache; the system is left as it is)"
    apt-get "${options[@]}" update >"$work/log" 2>&1 ||
        die "apt could not read the suite $suite-backports:" "$(tail -n 5 "$work/log")"

    # apt works out what these need and this machine lacks; `Inst name [installed] (version ...)`.
    apt-get "${options[@]}" install --simulate --no-install-recommends -t "$suite-backports" \
        "${wanted_packages[@]}" >"$work/plan" 2>"$work/log" ||
        die "apt found no way to put these together: ${wanted_packages[*]}" "$(tail -n 5 "$work/log")"
    mapfile -t plan < <(sed -n 's/^Inst \([^ ]*\) \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*/\1=\3/p' "$work/plan")
    # The wanted ones are unpacked even where the machine has installed the backport itself.
    (cd "$work/debs" && apt-get "${options[@]}" download "${plan[@]}" >"$work/log" 2>&1) ||
        die "apt could not download:" "$(tail -n 5 "$work/log")"
    for name in "$work"/debs/*.deb; do
        dpkg-deb -x "$name" "$work/tree"
    done

    libraries=$(cd "$work/tree" && echo usr/lib/*-linux-gnu*)
    [[ -x $work/tree/usr/bin/pipewire && -d $work/tree/$libraries/pipewire-0.3 ]] ||
        die "The packages of $suite-backports do not hold what was expected of them: ${plan[*]}"

    # The build takes these headers and the system's library: what is built runs on both.
    name=pipewire-$(apt_version "$work/plan" pipewire)_wireplumber-$(apt_version "$work/plan" wireplumber)
    name=$name-$(dpkg --print-architecture)
    system_libraries=/$libraries
    mkdir "$work/tree/build-headers"
    for line in libpipewire-0.3 libspa-0.2; do
        sed -e "s|^includedir=.*|includedir=$cache/$name/usr/include|" -e "s|^libdir=.*|libdir=$system_libraries|" \
            "$work/tree/$libraries/pkgconfig/$line.pc" >"$work/tree/build-headers/$line.pc"
    done
    printf '%s\n' "${plan[@]}" >"$work/tree/complete"

    # Renamed whole, so that a directory of that name is never half of it. Two at once: the later one finds it done.
    if [[ -e $cache/$name ]]; then
        mv "$cache/$name" "$work/stale"
    fi
    mv -T "$work/tree" "$cache/$name"
    ln -sfnT "$name" "$work/link"
    mv -T "$work/link" "$latest"
    path >/dev/null || die "What was unpacked in $cache/$name does not run here."
    note "$name"
}

# The version that the plan $1 gives package $2.
apt_version() { sed -n "s/^Inst $2 \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*/\2/p" "$1" | sed 's/^[0-9]*://'; }

case ${1:-} in
wanted) wanted ;;
path) path ;;
fetch) fetch ;;
*)
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
