#!/bin/sh
# The story of `statgate demo` turns out as told, leaves nothing behind, and
# says so when it does not.
# usage: demo.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: demo.sh STATGATE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR="$work"
# A build folder may lie outside the tree: what is shipped is found by this.
mkdir "$work/share"
ln -s "$here/schemas/sdg" "$work/share/sdg"
ln -s "$here/policy/examples" "$work/share/policy"
STATGATE_SHARE=${STATGATE_SHARE:-$work/share}
export STATGATE_SHARE

passed=0
total=0
is() { # is NAME WANTED FOUND
    total=$((total + 1))
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        echo "FAIL $1: expected $2, found $3"
    fi
}

begun=$(date +%s)
status=0
"$statgate" demo --once --keep "$work/kept" >"$work/out" 2>&1 || status=$?
took=$(($(date +%s) - begun))
is 'every step turns out as told' 0 "$status"
is 'under a minute' yes "$([ "$took" -lt 60 ] && echo yes || echo "$took s")"
is 'no step is WRONG' 0 "$(grep -c 'WRONG' "$work/out" || true)"
is 'ten chapters' 10 "$(grep -c '^ *[0-9]*\. .* yes$' "$work/out" || true)"
[ "$status" = 0 ] || cat "$work/out"

# What is kept is whole, and another program than the demo's finds it so.
status=0
"$statgate" log verify "$work/kept/HUB/store/evidence" >/dev/null || status=$?
is 'the log that is kept verifies' 0 "$status"
status=0
STATGATE_HOME=$work/kept/custodian "$statgate" verify \
    "$work/kept/received/custodian/KE_SDG@1.csv" >/dev/null || status=$?
is 'a delivery that is kept verifies' 0 "$status"
sed -i '3s/,A,0,/,E,0,/' \
    "$work/kept/received/custodian/KE_SDG@1.csv"
status=0
STATGATE_HOME=$work/kept/custodian "$statgate" verify \
    "$work/kept/received/custodian/KE_SDG@1.csv" >/dev/null || status=$?
is 'with one cell changed it does not' 65 "$status"

# Where it cannot be told, it says so and leaves nothing.
status=0
"$statgate" demo --once --keep "$work/kept" >/dev/null 2>&1 || status=$?
is 'a folder that exists is refused' 65 "$status"
is 'no temporary folder stays' 0 "$(find "$work" -maxdepth 1 -name 'statgate-demo-*' | wc -l)"

echo "$passed of $total"
[ "$passed" = "$total" ]
