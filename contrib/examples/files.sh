#!/usr/bin/env bash
# Prints the profile in force and every change of bypass, over `headroom bridge files DIR`; by jq.
set -euo pipefail
told=$1/backend.jsonl asked=$1/frontend.jsonl

# Appends a request with the next number, under the lock; gives the id that its reply will name.
ask() {
    local seq
    exec 9>>"${asked%.jsonl}.lock"
    flock 9
    seq=$(($(tail -n 1 "$asked" | jq .seq) + 1))
    printf '{"seq": %d, "type": "request", "method": "%s", "payload": %s}\n' "$seq" "$1" "$2" >>"$asked"
    exec 9>&-
    echo "frontend-$seq"
}

seen=$(tail -n 1 "$told" | jq .seq)
status=$(ask status '{}')
subscribed=$(ask subscribe '{"topics": ["setting"]}')

# -F follows the name, so that it goes on with the next file when this one is full.
tail -n +1 -F "$told" 2>/dev/null | jq --unbuffered -r \
    --argjson seen "$seen" --arg status "$status" --arg subscribed "$subscribed" '
    def show: if .bypass then "bypass is on" else "bypass is off" end;
    if .seq <= $seen then empty
    elif .error then "refused: " + .error.message
    elif .reply_to == $status then "profile " + .payload.profile
    elif .method == "setting.bypass_changed" then .payload.data | show
    elif .reply_to == $subscribed or .method == "bridge.resubscribed" then
        (.payload.snapshot // .payload.data.snapshot).setting.state | show
    else empty end'
