#!/usr/bin/env bash
# Describes every PipeWire that this machine can run, one stanza each, apart by blank lines: what the harness in tests/ reads.
#
#   name=system            `system` is the one that is installed, `backports` the one of scripts/backports.sh
#   pipewire=0.3.65        versions of PipeWire and WirePlumber
#   wireplumber=0.4.13
#   programs=/usr/bin      the directory of pipewire, wireplumber, pw-cat and the others
#   pipewire-data=...      where the shipped configuration of each lies
#   wireplumber-data=...
#   env.NAME=VALUE         what everything that talks to this generation needs in its environment
#
# With `--expect-both` it exits 1 where a machine that should have both (Debian 12) has one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# `Linked with libpipewire 1.4.2` -> 1.4.2
version_of() { "$@" --version 2>/dev/null | sed -n 's/^Linked with lib[a-z]* \([0-9.]*\).*/\1/p'; }

if command -v pipewire wireplumber >/dev/null; then
    programs=$(dirname "$(command -v pipewire)")
    echo "name=system"
    echo "pipewire=$(version_of pipewire)"
    echo "wireplumber=$(version_of wireplumber)"
    echo "programs=$programs"
    echo "pipewire-data=$(dirname "$programs")/share/pipewire"
    echo "wireplumber-data=$(dirname "$programs")/share/wireplumber"
fi

if root=$("$here/backports.sh" path); then
    libraries=$(echo "$root"/usr/lib/*-linux-gnu*)
    echo
    echo "name=backports"
    echo "pipewire=$(version_of env LD_LIBRARY_PATH="$libraries" "$root/usr/bin/pipewire")"
    echo "wireplumber=$(version_of env LD_LIBRARY_PATH="$libraries" "$root/usr/bin/wireplumber")"
    echo "programs=$root/usr/bin"
    echo "pipewire-data=$root/usr/share/pipewire"
    echo "wireplumber-data=$root/usr/share/wireplumber"
    echo "env.LD_LIBRARY_PATH=$libraries"
    echo "env.SPA_PLUGIN_DIR=$libraries/spa-0.2"
    echo "env.PIPEWIRE_MODULE_DIR=$libraries/pipewire-0.3"
    for modules in "$libraries"/wireplumber-*; do
        echo "env.WIREPLUMBER_MODULE_DIR=$modules"
    done
    echo "env.WIREPLUMBER_DATA_DIR=$root/usr/share/wireplumber"
    echo "env.XDG_DATA_DIRS=$root/usr/share"
elif [[ ${1:-} == --expect-both ]] && "$here/backports.sh" wanted; then
    exit 1
fi
