#!/bin/sh
# The large file through a running gate: published once, delivered to two
# subscribers in two jurisdictions, one of them converted; both verify it, and
# neither the gate nor a worker ever takes 128 MiB.
#   large.sh STATGATE; SG_SHARED or ../shared has the data.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${SG_SHARED:-$here/../shared}
statgate=${1:?usage: large.sh STATGATE}
structures=$shared/data/sdmx/structures
file=$shared/data/sdmx/large/un_sdg_2020_quarter.csv10.csv.gz
if [ ! -f "$file" ]; then
    echo 'skipped: needs ../shared'
    exit 0
fi
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"
limit=$((128 * 1024 * 1024))

gunzip -c "$file" >"$work/large.csv"
gate_found
gate_people office norway agency
gate_open
for s in IAEG-SDGs_SDG_1.4 sdg_flows_constraints_constructed; do
    as office structure import "$structures/$s.xml" || die "import $s"
done # the others have it from the gate
gate_laws hub export-ke import-default
gate_flow office LARGE 'IAEG-SDGs:SDG(1.4)' 'IAEG-SDGs:DF_SDG_GLH(1.4)' row
gate_subscribe norway LARGE
gate_subscribe agency LARGE --format ml21

begun=$(date +%s)
ends 0 'a large file is published' office publish "$work/large.csv" --flow LARGE
said "and accepted within $(($(date +%s) - begun)) s" '178563 observations'
# take HOME FORMAT: receives and verifies release 1.
take() {
    begun=$(date +%s)
    mkdir -p "$work/received/$1"
    ends 0 "it is delivered to $1 as $2" \
        "$1" receive LARGE --once --wait 60 --out "$work/received/$1"
    echo "     within $(($(date +%s) - begun)) s"
    ends 0 "$1 verifies it offline" "$1" verify "$work/received/$1/LARGE@1.$2"
    said 'which is said' '\bVALID'
}
take norway csv
expect 'norway has byte for byte what was published' \
    cmp "$work/large.csv" "$work/received/norway/LARGE@1.csv"
take agency xml
ends 0 'what agency has conforms' \
    agency check --json "$work/received/agency/LARGE@1.xml"
said 'with all of its observations' '"observations":178563'

as desk status --json || die status
for what in peak_bytes worker_peak_bytes; do
    n=$(jq -r ".$what // 0" "$work/said")
    expect "$what $((n / 1048576)) MiB, more than nothing" test "$n" -gt 0
    expect 'and under 128 MiB' test "$n" -lt $limit
done
finish
