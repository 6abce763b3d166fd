#!/bin/sh
# Founds a gate with one office and one subscriber for bench_publish.
#   gate.sh BUILD
set -eu
here=$(cd "$(dirname "$0")/../../.." && pwd)
build=${1:?usage: gate.sh BUILD}
statgate=$build/statgate
work=$(mktemp -d ./bench-gate-XXXXXX) # on the disk that is measured
work=$(cd "$work" && pwd)
# shellcheck source=tests/harness/gate.sh
. "$here/tests/harness/gate.sh"
trap 'gate_stop; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
gate_found
member office KE_OFFICE KE nso data_provider publisher,consent \
    official_statistics,sdg_reporting
member norway NO_OFFICE NO nso data_consumer subscriber \
    official_statistics,sdg_reporting
gate_open
for name in office norway; do
    as "$name" structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
done
for law in hub export-ke import-default; do
    cp "$here/policy/examples/$law.policy" "$work/"
done
gate_law "$work"/*.policy
for flow in SMALL:row FILE:file ROW:row; do
    gate_flow office "${flow%:*}" 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' "${flow#*:}"
    gate_subscribe norway "${flow%:*}"
done
mkdir "$work/files"
"$build/tests/bench/client/bench_publish" - "$work/office" "$work/norway" \
    "$work/files" || { tail -n 5 "$work/gate.log" >&2; exit 1; }
gate_stop
jq -r 'select(.event == "gate.stopped") | "peak of statgated \(.peak_bytes |
    tonumber / 1048576 | floor) MiB, of a worker \(.worker_peak_bytes |
    tonumber / 1048576 | floor) MiB"' "$work/gate.log"
