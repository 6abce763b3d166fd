#!/bin/sh
# A disk that changes a byte: a rendition is made again by itself, a release
# whose own bytes are damaged says so, and comes when they are put back.
#   damage.sh STATGATE
# shellcheck disable=SC2317 # expect calls them
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: damage.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

# Large enough that every object is a file of its own.
sdg=$here/schemas/sdg/data
cp "$sdg/kenya.csv" "$work/all.csv"
for country in kyrgyzstan norway rwanda uganda; do
    tail -n +2 "$sdg/$country.csv" >>"$work/all.csv"
done
gate_found
gate_people office norway agency court
gate_open
gate_structure office
gate_laws hub export-ke import-default
gate_sdg_flow office FIGURES row
gate_subscribe norway FIGURES
gate_subscribe norway FIGURES --name TWO
gate_subscribe agency FIGURES --format ml21
as office publish "$work/all.csv" --flow FIGURES || die publish
mkdir -p "$work/norway.in" "$work/two.in" "$work/agency.in"
as norway receive FIGURES --once --wait 60 --out "$work/norway.in" || die receive

entries() {
    rm -f "$work/court.entries"
    as court log export -o "$work/court.entries" || die 'log export'
    "$statgate" log show "$work/court.entries" --json >"$work/court.log"
}
# object WORD FIELD: id of the first object that an entry of this kind names.
object() {
    jq -r "select(.word == \"$1\") | .body" "$work/court.log" | head -n 1 |
        sed "s/.*$2: { id: \([0-9a-f]*\).*/\1/"
}
flip() { # flip ID: one byte in the middle; a second time mends it
    file=$(find "$work/HUB/store/payload" -name "$1")
    [ -n "$file" ] || die "object $1 is no file"
    old=$(od -An -tu1 -j 5000 -N 1 "$file")
    printf "\\$(printf %o $((old ^ 1)))" |
        dd of="$file" bs=1 seek=5000 conv=notrunc 2>/dev/null
}

entries
flip "$(object 'object made' object)"
same() { as norway receive TWO --once --wait 60 --out "$work/two.in" &&
    cmp "$work/all.csv" "$work/two.in/FIGURES@1.csv"; }
expect 'a damaged rendition is made again, and what comes is whole' same
alarmed() { grep -q '"event":"object.lost"' "$work/gate.log"; }
expect 'the program log says that it was lost' alarmed
entries
again() { [ "$(grep -c '"word":"object made"' "$work/court.log")" -eq 2 ] &&
    grep -q '"word":"destroyed".*ground: \\"lost' "$work/court.log"; }
expect 'the log says that its key was destroyed and another one made' again

leaves=$(object accepted leaves)
flip "$leaves"
told() { # 75, not a wait without end
    as agency receive FIGURES --once --wait 60 --json --out "$work/agency.in" && return 1
    [ $? -eq 75 ] && grep -q '"gate.object_lost"' "$work/said"
}
expect 'a release whose own bytes are damaged is said to be lost' told
state() { as office releases && grep -q 'lost$' "$work/said"; }
expect 'releases shows it' state
counted() { as desk status --json && [ "$(jq .releases_lost "$work/said")" -eq 1 ]; }
expect 'status counts it' counted
flip "$leaves"
gate_stop
gate_again
expect 'put back, it comes' \
    as agency receive FIGURES --once --wait 60 --out "$work/agency.in"

# The structure of a flow is damaged: neither publisher nor subscriber is blamed.
gate_subscribe agency FIGURES --format csv20 --name FOUR
structure=$(object structure object)
flip "$structure"
gate_stop
gate_again
mkdir -p "$work/four.in"
blameless() {
    as agency receive FOUR --once --wait 60 --json --out "$work/four.in" && return 1
    [ $? -eq 75 ] && grep -q '"gate.object_lost"' "$work/said"
}
expect 'a delivery that cannot be made for want of its structure says so' blameless
unread() {
    as office publish "$work/all.csv" --flow FIGURES --again --json && return 1
    [ $? -eq 75 ] && grep -q '"gate.object_lost"' "$work/said"
}
expect 'and so does a release that cannot be read' unread
flip "$structure"
gate_stop
gate_again
expect 'put back, that delivery comes' \
    as agency receive FOUR --once --wait 60 --out "$work/four.in"
expect 'and the release is accepted' as office publish "$work/all.csv" --flow FIGURES --again
finish
