# shellcheck shell=bash
# Runs the steps of ./test one after the other and keeps the count. Sourced by it.
# A step that fails does not keep the next ones from running: one run shows everything that is wrong.

passed=0
failed=0
summary=()

# step NAME COMMAND...: runs it, shows what it prints, and adds up the `test result:` lines of cargo in it.
# A step without such a line counts as one check.
step() {
    local name=$1 log status=0 start=$SECONDS good bad unjudged
    shift
    say "$name"
    log=$(mktemp)
    "$@" 2>&1 </dev/null | tee "$log" || status=$?
    read -r good bad < <(awk '/^test result: / {
        for (i = 1; i < NF; i++) { if ($(i + 1) == "passed;") good += $i; if ($(i + 1) == "failed;") bad += $i }
    } END { print good + 0, bad + 0 }' "$log")
    if ! grep -q '^test result: ' "$log"; then
        if ((status == 0)); then good=1; else bad=1; fi
    elif ((status != 0 && bad == 0)); then
        # It did not build, or it died: whatever it would have tested has not passed.
        bad=1
    fi
    # What a machine was too busy to judge has passed nothing, and is not to be overlooked.
    unjudged=$(grep -c 'NOT JUDGED' "$log" || true)
    rm -f "$log"
    passed=$((passed + good))
    failed=$((failed + bad))
    summary+=("$(printf '%5d passed %3d failed %5d s   %s' "$good" "$bad" $((SECONDS - start)) "$name")")
    ((unjudged == 0)) || summary+=("                                $unjudged NOT JUDGED: the machine was too busy, see above")
}

# Prints what ran, and the closing line. Fails when anything has.
finish() {
    echo
    printf '%s\n' "${summary[@]}"
    echo
    echo "$passed passed, $failed failed"
    ((failed == 0 && passed > 0))
}
