# shellcheck shell=bash
# How the scripts talk to a person. Sourced, never run.

# A step that begins: one line, so that a log can be read by its steps.
say() { printf '==> %s\n' "$*" >&2; }

# Something that the person should know, and that stops nothing.
note() { printf '    %s\n' "$*" >&2; }

# Something is missing or wrong. Loud on purpose: a quiet skip would look like a pass.
loud() {
    printf '\n' >&2
    printf '!!! %s\n' "$@" >&2
    printf '\n' >&2
}

# The end of the road.
die() {
    loud "$@"
    exit 1
}

# Whether nobody is there to ask and nothing may be skipped.
in_ci() { [[ ${CI:-} == true || ${CI:-} == 1 ]]; }

# Whether version $1 is at least version $2, by the rules of `sort -V`.
version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1) == "$2" ]]; }
