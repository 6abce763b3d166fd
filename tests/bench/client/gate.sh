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
gate_people office norway
gate_open
gate_structure office norway
gate_laws hub export-ke import-default
for flow in SMALL:row FILE:file ROW:row; do
    gate_sdg_flow office "${flow%:*}" "${flow#*:}"
    gate_subscribe norway "${flow%:*}"
done
mkdir "$work/files"
"$build/tests/bench/client/bench_publish" - "$work/office" "$work/norway" \
    "$work/files" || { tail -n 5 "$work/gate.log" >&2; exit 1; }
gate_stop
jq -r 'select(.event == "gate.stopped") | "peak of statgated \(.peak_bytes |
    tonumber / 1048576 | floor) MiB, of a worker \(.worker_peak_bytes |
    tonumber / 1048576 | floor) MiB"' "$work/gate.log"
