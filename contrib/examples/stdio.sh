#!/usr/bin/env bash
# Prints the profile in force and every change of bypass, over `headroom bridge stdio`. Needs jq.
set -euo pipefail

coproc bridge { headroom bridge stdio; }
ask() { printf '{"id": %d, "op": "%s", "args": %s}\n' "$1" "$2" "$3" >&"${bridge[1]}"; }

ask 1 status '{}'
ask 2 subscribe '{"topics": ["setting"]}'

# One line in, at most one line out, as long as the bridge runs.
# shellcheck disable=SC2016
jq --unbuffered -r '
    def show: if .bypass then "bypass is on" else "bypass is off" end;
    if .error then "refused: " + .error.message
    elif .id == 1 then "profile " + .result.profile
    elif .id == 2 then .result.snapshot.setting.state | show
    elif .event == "bypass_changed" then .data | show
    elif .event == "resubscribed" then .data.snapshot.setting.state | show
    else empty end' <&"${bridge[0]}"
