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
work=$(mktemp -d)
# shellcheck source=tests/harness/gate.sh
. "$here/tests/harness/gate.sh"
trap 'gate_stop; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
limit=$((128 * 1024 * 1024))
status=0
say() { # say TRUE SENTENCE
    if [ "$1" = yes ]; then echo "ok   $2"; else
        echo "FAIL $2"
        tail -n 5 "$work/said"
        status=1
    fi
}

gunzip -c "$file" >"$work/large.csv"
gate_found
member office KE_OFFICE KE nso data_provider publisher,consent \
    official_statistics,sdg_reporting
member norway NO_OFFICE NO nso data_consumer subscriber \
    official_statistics,sdg_reporting
member agency FR_AGENCY FR intl_org data_consumer subscriber \
    official_statistics,sdg_reporting
gate_open
for s in IAEG-SDGs_SDG_1.4 sdg_flows_constraints_constructed; do
    as office structure import "$structures/$s.xml" || die "import $s"
done # the others have it from the gate
for law in hub export-ke import-default; do
    cp "$here/policy/examples/$law.policy" "$work/"
done
gate_law "$work"/*.policy
gate_flow office LARGE 'IAEG-SDGs:SDG(1.4)' 'IAEG-SDGs:DF_SDG_GLH(1.4)' row
gate_subscribe norway LARGE
gate_subscribe agency LARGE --format ml21

begun=$(date +%s)
yes=no
if as office publish "$work/large.csv" --flow LARGE &&
    grep -q '178563' "$work/said"; then yes=yes; fi
say $yes "published and accepted: 178,563 observations ($(($(date +%s) - begun)) s)"
# take HOME FORMAT: receives and verifies release 1.
take() {
    begun=$(date +%s) yes=no
    mkdir -p "$work/received/$1"
    if as "$1" receive LARGE --once --wait 60 --out "$work/received/$1"; then yes=yes; fi
    say $yes "delivered to $1 as $2 ($(($(date +%s) - begun)) s)"
    yes=no
    if as "$1" verify "$work/received/$1/LARGE@1.$2" &&
        grep -q VALID "$work/said" && ! grep -q INVALID "$work/said"; then yes=yes; fi
    say $yes "verified offline by $1"
}
take norway csv
yes=no
if cmp "$work/large.csv" "$work/received/norway/LARGE@1.csv"; then yes=yes; fi
say $yes 'norway has byte for byte what was published'
take agency xml
yes=no
if as agency check --json "$work/received/agency/LARGE@1.xml" &&
    grep -q '"observations":178563' "$work/said"; then yes=yes; fi
say $yes 'agency has 178,563 observations that conform'

as desk status --json || die status
cp "$work/said" "$work/status"
for what in peak_bytes worker_peak_bytes; do
    n=$(jq -r ".$what" "$work/status")
    yes=no
    if [ "${n:-0}" -gt 0 ] && [ "$n" -lt $limit ]; then yes=yes; fi
    say $yes "$what $((${n:-0} / 1048576)) MiB, under 128 MiB"
done
exit $status
