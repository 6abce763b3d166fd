#!/bin/sh
# The contract by example: every case of expected.json that this version reads
# gives exactly the verdict, code, component and row expected, no other fault.
# usage: mutations.sh STATGATE; SG_SHARED or ../shared has the data.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${SG_SHARED:-$here/../shared}
data=$shared/data/sdmx
statgate=${1:?usage: mutations.sh STATGATE}
if [ ! -d "$data/mutations" ]; then
    echo "skipped: needs ../shared"
    exit 0
fi
STATGATE_HOME=$(mktemp -d)
export STATGATE_HOME
trap 'rm -rf "$STATGATE_HOME"' EXIT
for s in IAEG-SDGs_SDG_1.4 sdg_flows_constraints_constructed \
    NISR-SDGs_SDG_1.3; do
    "$statgate" structure import "$data/structures/$s.xml" >/dev/null
done

passed=0
total=0
# verdict, then one "code component row" a line, in order
want='.[$f] | (if .verdict | startswith("accept") then "accept" else "reject" end),
    (.errors[] | select($f != "footer_error.ss21.xml") |
     "\(.code) \(.component) \(.row)")'
# One cause with many rows counts as its first row.
got='.verdict, (.faults[] | "\(.code) \(.component) \(.row)")'

# compare NAME EXPECTED FILE
compare() {
    total=$((total + 1))
    status=0
    all=
    case $2 in
    *CONSTRAINT*) all=--all ;; # there each row is named
    esac
    "$statgate" check "$3" --json $all >"$STATGATE_HOME/out" || status=$?
    found=$(jq -r "$got" "$STATGATE_HOME/out")
    case $2 in
    accept*) code=0 ;;
    *) code=65 ;;
    esac
    if [ "$found" = "$2" ] && [ "$status" = "$code" ]; then
        passed=$((passed + 1))
    else
        printf 'FAILED %s\n  expected: %s (exit %s)\n  found:    %s (exit %s)\n' \
            "$1" "$(echo "$2" | tr '\n' ';')" "$code" \
            "$(echo "$found" | tr '\n' ';')" "$status"
    fi
}

for file in "$data"/mutations/*.csv10.csv "$data"/mutations/*.csv20.csv \
    "$data"/mutations/*.ss21.xml "$data"/mutations/*.gen21.xml; do
    name=$(basename "$file")
    compare "$name" "$(jq -r --arg f "$name" "$want" \
        "$data/mutations/expected.json")" "$file"
done

# What the footer says is a warning.
total=$((total + 1))
if "$statgate" check --json "$data/mutations/footer_error.ss21.xml" |
    jq -e '.warnings | map(.code) == ["FOOTER"]' >/dev/null; then
    passed=$((passed + 1))
else
    echo "FAILED footer_error.ss21.xml: no warning FOOTER"
fi

# Real files, as INDEX.csv says.
rwanda=$("$statgate" check --json --all \
    "$data/national_sdg/2025_RWA-SDG_Data.xml" |
    jq -c '[.verdict, .observations, (.faults[] | [.code, .component, .row,
        .value])]')
total=$((total + 1))
if [ "$rwanda" = '["reject",2330,["CODE","SERIES",1163,"SH_SAN_HNDWSH"],["CODE","SERIES",1164,"SH_SAN_HNDWSH"],["CODE","SERIES",1165,"SH_SAN_HNDWSH"],["CODE","SERIES",1166,"SH_SAN_HNDWSH"]]' ]; then
    passed=$((passed + 1))
else
    echo "FAILED 2025_RWA-SDG_Data.xml: $rwanda"
fi
for form in csv10.csv ss21.xml; do
    total=$((total + 1))
    large=$(gunzip -c "$data/large/un_sdg_2020_quarter.$form.gz" |
        "$statgate" check - --json | jq -c '[.verdict, .observations]')
    if [ "$large" = '["accept",178563]' ]; then
        passed=$((passed + 1))
    else
        echo "FAILED un_sdg_2020_quarter.$form: $large"
    fi
done

echo "$passed of $total"
[ "$passed" = "$total" ]
