#!/bin/bash
# The manual: every page builds and has no error; the pages name every verb
# and every event id that the sources have.
#   tests/lint/man.sh [BUILD]    adds "passed failed skipped" to BUILD/lint.count
set -eu
build=${1:-}
passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
good() { passed=$((passed + 1)) && echo "ok   man: $1"; }
fail() { failed=$((failed + 1)) && echo "FAIL man: $1"; }

if ! command -v scdoc >/dev/null || ! command -v mandoc >/dev/null; then
    skipped=1
    echo 'skipped: needs scdoc and mandoc (ops/bootstrap installs them)'
else
    for page in ops/man/*.scd; do
        name=$(basename "$page" .scd)
        if ! scdoc <"$page" >"$out"; then
            fail "$name does not build"
        elif ! mandoc -T lint -W error "$out"; then
            fail "$name has errors"
        elif ! head -n 1 "$page" | grep -q "^${name%.*}(${name##*.})"; then
            fail "$name names itself otherwise"
        else
            good "$name"
        fi
    done
fi

# named WHAT PAGE WORD...: PAGE has each of the words in bold.
named() {
    local what=$1 page=$2 word lack=
    shift 2
    for word in "$@"; do
        if ! grep -q "\*[^*]*\<$word\>[^*]*\*" "$page"; then lack="$lack $word"; fi
    done
    if [ $# -eq 0 ]; then
        fail "$what: none found in the sources"
    elif [ -n "$lack" ]; then
        fail "$what: $page does not tell of$lack"
    else
        good "$what ($#)"
    fi
}
mapfile -t verbs < <(sed -n 's/^    {"\([a-z-]*\)", sg_verb_.*/\1/p' adapters/cli/main.c)
named verbs ops/man/statgate.1.scd "${verbs[@]/#/statgate }"
# Whoever changes something can be asked what he would do.
mapfile -t lacking < <(grep -E '^\*statgate (init|root|roster (new|sign|instrument|put)|join|admit|revoke|structure (import|get)|flow (new|list)|subscribe|unsubscribe|receive|publish|policy (propose|approve|export)|consent (agreement|give|withdraw)|context (add|use)|log export)\*' \
    ops/man/statgate.1.scd | grep -v -e '\*--dry-run\*.*\*--json\*')
if [ ${#lacking[@]} -eq 0 ]; then
    good '--dry-run and --json with every verb that changes something'
else
    fail "without --dry-run or --json: ${lacking[*]}"
fi
mapfile -t events < <(grep -rhozE --include='*.c' \
    '(sg_log|fail|report_failure)\([^;"]*"[a-z]+\.[a-z_]+"' broker |
    tr '\0' '\n' | sed -n 's/.*"\([a-z]*\.[a-z_]*\)"$/\1/p' | sort -u)
named events ops/man/statgated.8.scd "${events[@]}"

if [ -n "$build" ]; then echo "$passed $failed $skipped" >>"$build/lint.count"; fi
[ "$failed" -eq 0 ]
